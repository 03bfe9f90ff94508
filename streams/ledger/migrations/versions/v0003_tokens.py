"""Who may speak to the live service: tokens, of which only a digest is kept."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text, UniqueConstraint
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0003"
down_revision = "0002"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")


def text(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, NUMBER, nullable=null, autoincrement=False)


def upgrade() -> None:
    """No token yet: nobody may send anything until one is made."""
    op.create_table(
        "token",
        text("id"),
        text("name"),
        text("digest"),
        text("scopes"),
        number("created_at"),
        text("created_by"),
        number("expires_at", null=True),
        number("revoked_at", null=True),
        text("revoked_by", null=True),
        PrimaryKeyConstraint("id"),
        UniqueConstraint("digest", name="token_digest"),
        sqlite_strict=True,
    )
