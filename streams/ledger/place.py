"""Where a ledger is: in a data directory (SQLite), or in a PostgreSQL database that a url names."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from streams.ledger.errors import LedgerError

_SCHEMES = ("postgresql://", "postgres://")
_SECRET_ARGUMENT = re.compile(r"(?i)[?&](?:password|sslpassword)=[^&]*")
_SECRET_USER = re.compile(r"//([^/?#@:]*):[^/?#]*@")


@dataclass(frozen=True, slots=True)
class LedgerUrl:
    """A PostgreSQL database by its url, as libpq reads it. Shown without its password, always.

    >>> str(LedgerUrl.of("postgresql://jiantu:secret@db.example/ledger?sslmode=require"))
    'postgresql://jiantu@db.example/ledger?sslmode=require'
    """

    _secret: str = field(repr=False)
    shown: str
    """Without passwords: for messages."""

    @staticmethod
    def of(given: str) -> "LedgerUrl":
        """The url that was given. Raises LedgerError for anything that is none of PostgreSQL's."""
        text = given.strip()
        if not text.startswith(_SCHEMES):
            scheme = text.partition(":")[0] if ":" in text else ""
            said = f"{scheme}:..." if scheme.isalnum() else "it"
            raise LedgerError(
                f"--ledger: {said} names no PostgreSQL database; write postgresql://USER@HOST/DATABASE, "
                "or give --data-dir for a ledger in a folder"
            )
        shown = _SECRET_USER.sub(r"//\1@", text)
        shown = _SECRET_ARGUMENT.sub("", shown)
        if "?" not in shown:  # a password was the first of several
            shown = shown.replace("&", "?", 1)
        return LedgerUrl(text, shown)

    def reveal(self) -> str:
        """With the password: for connecting, and nothing else."""
        return self._secret

    def __str__(self) -> str:
        return self.shown


Where = Path | LedgerUrl
"""A data directory, or a database."""
