"""Pages: what staff are told of, through which channels, and what became of every attempt to tell them."""

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0004"
down_revision = "0003"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")


def text(name: str, *refers: ForeignKey) -> Column[str]:
    return Column(name, TEXT, *refers, nullable=False)


def number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, NUMBER, nullable=null, autoincrement=False)


def upgrade() -> None:
    """An alert has one page a level: that is what keeps staff from being told twice."""
    op.create_table(
        "page",
        *(text(name) for name in ("id", "group_key", "status", "kind", "county", "severity", "document")),
        number("level"),
        number("made_at"),
        PrimaryKeyConstraint("id"),
        CheckConstraint("status IN ('firing', 'resolved')", name="page_status"),
        CheckConstraint("kind IN ('alert', 'service')", name="page_kind"),
        sqlite_strict=True,
    )
    op.create_table(
        "page_alert",
        text("alert", ForeignKey("alert.id")),
        number("level"),
        text("page", ForeignKey("page.id")),
        PrimaryKeyConstraint("alert", "level"),
        sqlite_strict=True,
    )
    op.create_index("page_alert_by_page", "page_alert", ["page"])
    op.create_table(
        "page_delivery",
        text("page", ForeignKey("page.id")),
        text("channel"),
        text("state"),
        number("attempts"),
        number("due_at"),
        PrimaryKeyConstraint("page", "channel"),
        CheckConstraint("state IN ('waiting', 'delivered', 'withdrawn')", name="page_delivery_state"),
        sqlite_strict=True,
    )
    op.create_index("page_delivery_due", "page_delivery", ["channel", "state", "due_at"])
    op.create_table(
        "page_receipt",
        text("page", ForeignKey("page.id")),
        text("channel"),
        number("attempt"),
        number("at"),
        *(text(name) for name in ("outcome", "detail", "digest")),
        PrimaryKeyConstraint("page", "channel", "attempt"),
        sqlite_strict=True,
    )
    op.create_index("page_receipt_by_time", "page_receipt", ["channel", "at"])
