"""Pages about jiantu itself: which of them are about one thing, and who has taken it up."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0005"
down_revision = "0004"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")


def upgrade() -> None:
    """It begins, is told to one level after another until somebody takes it up, and ends."""
    op.create_table(
        "page_service",
        Column("page", TEXT, ForeignKey("page.id"), nullable=False),
        Column("about", TEXT, nullable=False),
        PrimaryKeyConstraint("page"),
        sqlite_strict=True,
    )
    op.create_index("page_service_about", "page_service", ["about"])
    op.create_table(
        "page_taken_up",
        Column("about", TEXT, nullable=False),
        Column("at", NUMBER, nullable=False, autoincrement=False),
        Column("who", TEXT, nullable=False),
        PrimaryKeyConstraint("about"),
        sqlite_strict=True,
    )
