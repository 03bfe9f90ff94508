"""Who took up a page about jiantu itself stands on the audit chain, beside the steps on alerts."""

import hashlib

import rfc8785
from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, PrimaryKeyConstraint, Text, UniqueConstraint, text
from sqlalchemy.dialects.sqlite import INTEGER

revision = "0007"
down_revision = "0006"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
NUMBER = BigInteger().with_variant(INTEGER(), "sqlite")
GENESIS = "0" * 64


def upgrade() -> None:
    """A row of the chain is about an alert, or about a trouble. What was taken up before comes to its end."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("audit", "alert", nullable=True)
        op.add_column("audit", Column("about", TEXT, nullable=True))
    else:
        _made_anew()
    _append()


def _made_anew() -> None:
    """SQLite takes no NOT NULL back: another table takes the place of the first."""
    op.create_table(
        "audit_of_both",
        Column("number", NUMBER, nullable=False, autoincrement=False),
        Column("alert", TEXT, ForeignKey("alert.id"), nullable=True),
        Column("at", NUMBER, nullable=False, autoincrement=False),
        Column("document", TEXT, nullable=False),
        Column("previous", TEXT, nullable=False),
        Column("digest", TEXT, nullable=False),
        Column("about", TEXT, nullable=True),
        PrimaryKeyConstraint("number"),
        UniqueConstraint("digest", name="audit_digest"),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO audit_of_both SELECT number, alert, at, document, previous, digest, NULL FROM audit")
    op.drop_table("audit")
    op.rename_table("audit_of_both", "audit")
    op.create_index("audit_of_alert", "audit", ["alert", "number"])
    for verb in ("UPDATE", "DELETE"):
        trigger = f"CREATE TRIGGER audit_keeps_{verb.lower()} BEFORE {verb} ON audit"
        op.execute(f"{trigger} BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END")


def _append() -> None:
    db = op.get_bind()
    last = db.execute(text("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")).first()
    number, previous = (0, GENESIS) if last is None else last
    for about, at, who in db.execute(text("SELECT about, at, who FROM page_taken_up ORDER BY at, about")).all():
        number += 1
        document = rfc8785.dumps({"number": number, "about": about, "at": at, "who": who}).decode()
        digest = hashlib.sha256(f"{previous}\n{document}".encode()).hexdigest()
        row = {"number": number, "at": at, "document": document, "previous": previous, "digest": digest, "about": about}
        db.execute(
            text(
                "INSERT INTO audit (number, at, document, previous, digest, about) "
                "VALUES (:number, :at, :document, :previous, :digest, :about)"
            ),
            row,
        )
        previous = digest
