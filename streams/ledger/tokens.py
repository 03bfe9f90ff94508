"""Tokens of the live service: who may speak to it, and for what. Only a digest of each is kept.

A token is `jiantu_<id>_<secret>`. The secret has 256 random bits, so that one SHA-256 of it is as good as a slow one.
"""

import hashlib
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, RowMapping, insert, select, update

from streams.clock import Clock
from streams.core.instant import DAY, Duration, Instant
from streams.ledger import tables
from streams.ledger.connection import FILE, Opened, open_people, open_reading, open_writing
from streams.ledger.errors import LedgerError, StepRefusedError
from streams.ledger.lock import WriterLock
from streams.ledger.place import Where

PREFIX = "jiantu"
LONGEST_NAME = 80
LONGEST_LIFE = 3660 * DAY
_columns = tables.token.c


class Scope(StrEnum):
    """What a token is for. One that may send cannot read what others sent."""

    INGEST = "ingest"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; not the token itself."""

    id: str
    name: str
    digest: str
    scopes: frozenset[Scope]
    created_at: Instant
    created_by: str
    expires_at: Instant | None
    revoked_at: Instant | None
    revoked_by: str | None

    def valid(self, now: Instant) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def digest_of(secret: str) -> str:
    """What is kept of a token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def parts_of(text: str) -> tuple[str, str] | None:
    """(id, secret) of what somebody presents as a token; None where it cannot be one.

    >>> parts_of("jiantu_4f2a_c2VjcmV0")
    ('4f2a', 'c2VjcmV0')
    """
    parts = text.split("_", 2)
    if len(parts) != 3 or parts[0] != PREFIX or not parts[1] or not parts[2] or not text.isascii():
        return None
    return parts[1], parts[2]


def tokens(where: Where) -> list[Token]:
    """All tokens, revoked ones too, oldest first. Raises LedgerError where there is no ledger."""
    with closing(open_reading(where)) as database:
        return database.run(_all)


class TokenDesk(Opened):
    """Where tokens are made and revoked: short transactions, beside a running service or without one."""

    def __init__(self, where: Where, clock: Clock) -> None:
        """Makes the ledger where there is none yet. Raises LedgerError."""
        self._clock = clock
        if isinstance(where, Path) and not (where / FILE).is_file():
            _make(where)
        super().__init__(open_people(where))

    def create(self, name: str, scopes: frozenset[Scope], who: str, secret: str, life: Duration | None) -> str:
        """Make a token of a secret that nobody knows; returned whole, this once. Raises StepRefusedError where its
        name is taken by one that is valid, or cannot be one."""
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise StepRefusedError(f"a token's name has 1 to {LONGEST_NAME} characters, none of them invisible")
        if not scopes:
            raise StepRefusedError(f"a token is for something: {', '.join(Scope)}")
        if life is not None and not 0 < life <= LONGEST_LIFE:
            raise StepRefusedError(
                "有效期须大于零，至多十年  a token's life is more than nothing and at most ten years"
            )
        now = self._clock.now()
        made = Token(
            id=digest_of(f"id {secret}")[:12],
            name=name,
            digest=digest_of(secret),
            scopes=scopes,
            created_at=now,
            created_by=who,
            expires_at=None if life is None else now + life,
            revoked_at=None,
            revoked_by=None,
        )
        self._database.run(lambda db: _add(db, made, now))
        return f"{PREFIX}_{made.id}_{secret}"

    def revoke(self, which: str, who: str) -> Token:
        """Revoke the valid token of a name or an id; once more changes nothing. Raises StepRefusedError where there
        is none."""
        now = self._clock.now()
        return self._database.run(lambda db: _revoke(db, which, who, now))


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"{directory}: cannot be made ({error.strerror}); give another --data-dir") from error
    lock = WriterLock(directory)
    try:
        open_writing(directory).close()
    finally:
        lock.release()


def _all(db: Connection) -> list[Token]:
    return [
        _token(row) for row in db.execute(select(tables.token).order_by(_columns.created_at, _columns.id)).mappings()
    ]


def _token(row: RowMapping) -> Token:
    scopes = frozenset(Scope(word) for word in row["scopes"].split())
    return Token(**{**row, "scopes": scopes})


def _add(db: Connection, made: Token, now: Instant) -> None:
    if any(one.name == made.name and one.valid(now) for one in _all(db)):
        raise StepRefusedError(
            f'a valid token is called "{made.name}" already; revoke it first, or choose another name'
        )
    row = {name: getattr(made, name) for name in Token.__slots__} | {"scopes": " ".join(sorted(made.scopes))}
    db.execute(insert(tables.token).values(row))


def _revoke(db: Connection, which: str, who: str, now: Instant) -> Token:
    found = [one for one in _all(db) if which in (one.id, one.name)]
    if not found:
        raise StepRefusedError(
            f'没有名称或编号为 {which} 的令牌  no token has the name or id "{which}"; `jiantu token list` shows them'
        )
    for one in found:
        if one.revoked_at is None:
            change = {"revoked_at": now, "revoked_by": who}
            db.execute(update(tables.token).where(_columns.id == one.id).values(change))
    return next(one for one in _all(db) if one.id == found[-1].id)
