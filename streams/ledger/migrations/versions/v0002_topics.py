"""The ledger of the distributed runtime: rejections by partition, positions in topics, accounts of partitions,
the profile itself where there is no folder to keep it in."""

from alembic import op
from sqlalchemy import BigInteger, CheckConstraint, Column, LargeBinary, PrimaryKeyConstraint, Text
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0002"
down_revision = "0001"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")
TOTALS = ("received", "counted", "duplicate", "late", "rejected", "windows_closed")


def text(name: str) -> Column[str]:
    return Column(name, TEXT, nullable=False)


def number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, NUMBER, nullable=null, autoincrement=False)


def upgrade() -> None:
    """What one source's rejections were numbered by is now its partition 0."""
    op.drop_index("rejection_by_time", "rejection")
    op.rename_table("rejection", "rejection_of_one")
    op.create_table(
        "rejection",
        *(number(name) for name in ("partition", "position", "at")),
        *(text(name) for name in ("reason", "digest", "place")),
        PrimaryKeyConstraint("partition", "position", name="rejection_by_place"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO rejection (partition, position, at, reason, digest, place) "
        "SELECT 0, position, at, reason, digest, place FROM rejection_of_one"
    )
    op.drop_table("rejection_of_one")
    op.create_index("rejection_by_time", "rejection", ["at"])
    op.create_table(
        "topic",
        text("name"),
        number("partition"),
        text("topic_id"),
        number("position"),
        PrimaryKeyConstraint("name", "partition"),
        sqlite_strict=True,
    )
    op.create_table(
        "account",
        number("partition"),
        number("position"),
        number("watermark", null=True),
        *(number(name) for name in TOTALS),
        PrimaryKeyConstraint("partition"),
        CheckConstraint("received = counted + duplicate + late + rejected", name="account_balances"),
        sqlite_strict=True,
    )
    op.create_table(
        "profile_file",
        text("name"),
        Column("content", LargeBinary, nullable=False),
        PrimaryKeyConstraint("name"),
        sqlite_strict=True,
    )
    op.create_table(
        "rejected_until",
        number("partition"),
        number("position"),
        PrimaryKeyConstraint("partition"),
        sqlite_strict=True,
    )
