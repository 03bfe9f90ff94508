"""The ledger of the embedded runtime."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.sqlite import INTEGER
from sqlalchemy.sql.schema import SchemaItem

revision = "0001"
down_revision = None

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")

REFUSES = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def text(*names: str, null: bool = False) -> list[SchemaItem]:
    return [Column(name, TEXT, nullable=null) for name in names]


def number(*names: str, null: bool = False) -> list[SchemaItem]:
    return [Column(name, NUMBER, nullable=null, autoincrement=False) for name in names]


def content(name: str) -> list[SchemaItem]:
    return [Column(name, LargeBinary, nullable=False)]


def reference(name: str, to: str) -> list[SchemaItem]:
    kind = NUMBER if to == "layout.id" else TEXT
    return [Column(name, kind, ForeignKey(to), nullable=False)]


def create(table: str, *columns: list[SchemaItem], key: tuple[str, ...], also: tuple[SchemaItem, ...] = ()) -> None:
    parts = [column for some in columns for column in some]
    op.create_table(table, *parts, PrimaryKeyConstraint(*key), *also, sqlite_strict=True)


def upgrade() -> None:
    """Make the tables, and let the database itself refuse to rewrite what was done."""
    create(
        "checkpoint",
        number("only"),
        text("source", "profile_version"),
        number("record"),
        content("place"),
        number("watermark", null=True),
        number("received", "counted", "duplicate", "late", "rejected", "windows_closed"),
        key=("only",),
        also=(
            CheckConstraint('"only" = 1', name="checkpoint_is_one"),
            CheckConstraint("received = counted + duplicate + late + rejected", name="checkpoint_balances"),
        ),
    )
    create("state_chunk", text("name"), content("content"), key=("name",))
    create(
        "alert",
        text("id", "county", "family", "signal", "size", "severity"),
        number("raised_at"),
        number("ended_at", null=True),
        text("step", null=True),
        key=("id",),
    )
    op.create_index("alert_by_time", "alert", ["raised_at", "id"])
    create(
        "transition", text("id"), reference("alert", "alert.id"), number("at", "kind"), text("document"), key=("id",)
    )
    op.create_index("transition_in_order", "transition", ["at", "alert", "kind", "id"])
    op.create_index("transition_of_alert", "transition", ["alert"])
    create(
        "audit",
        number("number"),
        reference("alert", "alert.id"),
        number("at"),
        text("document", "previous", "digest"),
        key=("number",),
        also=(UniqueConstraint("digest", name="audit_digest"),),
    )
    op.create_index("audit_of_alert", "audit", ["alert", "number"])
    create(
        "layout",
        number("id"),
        text("document"),
        key=("id",),
        also=(UniqueConstraint("document", name="layout_document"),),
    )
    create(
        "scored",
        text("size"),
        number("window_end", "window_start"),
        reference("layout", "layout.id"),
        content("content"),
        key=("size", "window_end"),
    )
    create(
        "metrics",
        text("county", "size"),
        number("window_end", "window_start"),
        text("document"),
        key=("county", "size", "window_end"),
    )
    op.create_index("metrics_by_time", "metrics", ["window_end"])
    create(
        "correction",
        text("county", "event"),
        number("at", "window_start", "window_end"),
        text("signals"),
        key=("county", "event"),
    )
    op.create_index("correction_by_time", "correction", ["window_end"])
    create("rejection", number("position", "at"), text("reason", "digest", "place"), key=("position",))
    op.create_index("rejection_by_time", "rejection", ["at"])
    create("rejection_total", text("reason"), number("total"), key=("reason",))
    create("retained", text("history"), number("since", "removed"), key=("history",))
    _refuse_rewriting()


def _refuse_rewriting() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    if on_postgres:
        op.execute(REFUSES)
    for table in ("transition", "audit"):
        for verb in ("UPDATE", "DELETE", *(["TRUNCATE"] if on_postgres else [])):
            each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
            trigger = f"CREATE TRIGGER {table}_keeps_{verb.lower()} BEFORE {verb} ON {table}"
            if on_postgres:
                op.execute(f"{trigger} FOR EACH {each} EXECUTE FUNCTION refuse_rewriting()")
            else:
                op.execute(f"{trigger} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END")
