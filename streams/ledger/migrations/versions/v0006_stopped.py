"""What has stopped for good, and waits for somebody to look."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0006"
down_revision = "0005"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")


def upgrade() -> None:
    """A row for each step of a partition, until it goes on."""
    op.create_table(
        "stopped",
        Column("step", TEXT, nullable=False),
        Column("partition", NUMBER, nullable=False, autoincrement=False),
        Column("why", TEXT, nullable=False),
        PrimaryKeyConstraint("step", "partition"),
        sqlite_strict=True,
    )
