"""The tables of the ledger, the same in SQLite and PostgreSQL.

Instants are integers (microseconds, UTC), documents canonical JSON, texts ordered by their bytes whatever language a
database speaks, so that both say the same. Histories (transition, audit, scored, metrics, correction, rejection) are
append-only. How a database comes to have them is told in `migrations`.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.sqlite import INTEGER

METADATA = MetaData()

_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
_NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")
_BYTES = LargeBinary()


def _text(name: str, **options: object) -> Column[str]:
    return Column(name, _TEXT, **{"nullable": False, **options})  # type: ignore[arg-type]  # Column's own options


def _number(name: str, **options: object) -> Column[int]:
    return Column(name, _NUMBER, **{"nullable": False, **options})  # type: ignore[arg-type]  # Column's own options


def _bytes(name: str) -> Column[bytes]:
    return Column(name, _BYTES, nullable=False)


def _table(name: str, *parts: Column[str] | Column[int] | Column[bytes] | object) -> Table:
    return Table(name, METADATA, *parts, sqlite_strict=True)  # type: ignore[arg-type]  # columns and constraints


# ---- the checkpoint: position, totals, state ---------------------------------------------------------------------

checkpoint = _table(
    "checkpoint",
    _number("only", autoincrement=False),
    _text("source"),
    _text("profile_version"),
    _number("record"),
    _bytes("place"),
    _number("watermark", nullable=True),
    _number("received"),
    _number("counted"),
    _number("duplicate"),
    _number("late"),
    _number("rejected"),
    _number("windows_closed"),
    PrimaryKeyConstraint("only"),
    CheckConstraint('"only" = 1', name="checkpoint_is_one"),
    CheckConstraint("received = counted + duplicate + late + rejected", name="checkpoint_balances"),
)
state_chunk = _table("state_chunk", _text("name", primary_key=True), _bytes("content"))

# ---- what the judge did ------------------------------------------------------------------------------------------

alert = _table(
    "alert",
    _text("id", primary_key=True),
    _text("county"),
    _text("family"),
    _text("signal"),
    _text("size"),
    _text("severity"),
    _number("raised_at"),
    _number("ended_at", nullable=True),
    _text("step", nullable=True),
    Index("alert_by_time", "raised_at", "id"),
)
transition = _table(
    "transition",
    _text("id", primary_key=True),
    Column("alert", _TEXT, ForeignKey("alert.id"), nullable=False),
    _number("at"),
    _number("kind"),
    _text("document"),
    Index("transition_in_order", "at", "alert", "kind", "id"),
    Index("transition_of_alert", "alert"),
)

# ---- what people did: a chain of hashes --------------------------------------------------------------------------

audit = _table(
    "audit",
    _number("number", autoincrement=False),
    Column("alert", _TEXT, ForeignKey("alert.id"), nullable=True),
    _number("at"),
    _text("document"),
    _text("previous"),
    _text("digest"),
    _text("about", nullable=True),
    PrimaryKeyConstraint("number"),
    UniqueConstraint("digest", name="audit_digest"),
    Index("audit_of_alert", "alert", "number"),
)

# ---- what was scored and measured --------------------------------------------------------------------------------

layout = _table(
    "layout",
    _number("id", autoincrement=False),
    _text("document"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("document", name="layout_document"),
)
scored = _table(
    "scored",
    _text("size"),
    _number("window_end"),
    _number("window_start"),
    Column("layout", _NUMBER, ForeignKey("layout.id"), nullable=False),
    _bytes("content"),
    PrimaryKeyConstraint("size", "window_end"),
)
metrics = _table(
    "metrics",
    _text("county"),
    _text("size"),
    _number("window_end"),
    _number("window_start"),
    _text("document"),
    PrimaryKeyConstraint("county", "size", "window_end"),
    Index("metrics_by_time", "window_end"),
)

# ---- what did not count ------------------------------------------------------------------------------------------

correction = _table(
    "correction",
    _text("county"),
    _text("event"),
    _number("at"),
    _number("window_start"),
    _number("window_end"),
    _text("signals"),
    PrimaryKeyConstraint("county", "event"),
    Index("correction_by_time", "window_end"),
)
rejection = _table(
    "rejection",
    _number("partition"),
    _number("position"),
    _number("at"),
    _text("reason"),
    _text("digest"),
    _text("place"),
    PrimaryKeyConstraint("partition", "position"),
    Index("rejection_by_time", "at"),
)
rejection_total = _table("rejection_total", _text("reason", primary_key=True), _number("total"))

# ---- what retention has let go -----------------------------------------------------------------------------------

retained = _table("retained", _text("history", primary_key=True), _number("since"), _number("removed"))

# ---- where a ledger is that is filled from topics, and the accounts of what it was filled with ----------------------

topic = _table(
    "topic",
    _text("name"),
    _number("partition"),
    _text("topic_id"),
    _number("position"),
    PrimaryKeyConstraint("name", "partition"),
)
account = _table(
    "account",
    _number("partition", autoincrement=False),
    _number("position"),
    _number("watermark", nullable=True),
    _number("received"),
    _number("counted"),
    _number("duplicate"),
    _number("late"),
    _number("rejected"),
    _number("windows_closed"),
    PrimaryKeyConstraint("partition"),
    CheckConstraint("received = counted + duplicate + late + rejected", name="account_balances"),
)
profile_file = _table("profile_file", _text("name", primary_key=True), _bytes("content"))
rejected_until = _table(
    "rejected_until",
    _number("partition", autoincrement=False),
    _number("position"),
    PrimaryKeyConstraint("partition"),
)
stopped = _table(
    "stopped",
    _text("step"),
    _number("partition", autoincrement=False),
    _text("why"),
    PrimaryKeyConstraint("step", "partition"),
)

# ---- who may speak to the live service ---------------------------------------------------------------------------

token = _table(
    "token",
    _text("id", primary_key=True),
    _text("name"),
    _text("digest"),
    _text("scopes"),
    _number("created_at"),
    _text("created_by"),
    _number("expires_at", nullable=True),
    _number("revoked_at", nullable=True),
    _text("revoked_by", nullable=True),
    UniqueConstraint("digest", name="token_digest"),
)

# ---- pages: what staff are told, by which channels, and what became of each attempt ---------------------------------

page = _table(
    "page",
    _text("id", primary_key=True),
    _text("group_key"),
    _text("status"),
    _text("kind"),
    _text("county"),
    _text("severity"),
    _text("document"),
    _number("level"),
    _number("made_at"),
    CheckConstraint("status IN ('firing', 'resolved')", name="page_status"),
    CheckConstraint("kind IN ('alert', 'service')", name="page_kind"),
)
page_alert = _table(
    "page_alert",
    Column("alert", _TEXT, ForeignKey("alert.id"), nullable=False),
    _number("level", autoincrement=False),
    Column("page", _TEXT, ForeignKey("page.id"), nullable=False),
    PrimaryKeyConstraint("alert", "level"),
    Index("page_alert_by_page", "page"),
)
page_service = _table(
    "page_service",
    Column("page", _TEXT, ForeignKey("page.id"), nullable=False),
    _text("about"),
    PrimaryKeyConstraint("page"),
    Index("page_service_about", "about"),
)
page_taken_up = _table(
    "page_taken_up",
    _text("about"),
    _number("at"),
    _text("who"),
    PrimaryKeyConstraint("about"),
)
page_delivery = _table(
    "page_delivery",
    Column("page", _TEXT, ForeignKey("page.id"), nullable=False),
    _text("channel"),
    _text("state"),
    _number("attempts"),
    _number("due_at"),
    PrimaryKeyConstraint("page", "channel"),
    CheckConstraint("state IN ('waiting', 'delivered', 'withdrawn')", name="page_delivery_state"),
    Index("page_delivery_due", "channel", "state", "due_at"),
)
page_receipt = _table(
    "page_receipt",
    Column("page", _TEXT, ForeignKey("page.id"), nullable=False),
    _text("channel"),
    _number("attempt", autoincrement=False),
    _number("at"),
    _text("outcome"),
    _text("detail"),
    _text("digest"),
    PrimaryKeyConstraint("page", "channel", "attempt"),
    Index("page_receipt_by_time", "channel", "at"),
)
