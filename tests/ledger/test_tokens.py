"""Tokens of the live service: made once, never read back, revoked for good; in a folder and in a database."""

from pathlib import Path

import pytest

from streams.clock import FixedClock
from streams.core.instant import DAY
from streams.ledger.errors import LedgerError, StepRefusedError
from streams.ledger.store import LedgerStore
from streams.ledger.tokens import Scope, TokenDesk, digest_of, parts_of, tokens
from tests.ledger.homes import FolderHome, Home
from tests.ledger.samples import LAYOUT

SECRET = "c2VjcmV0IG9mIHRoaXM_dGVzdA"
BOTH = frozenset(Scope)


@pytest.fixture
def home(home: Home) -> Home:
    """With a ledger in it."""
    LedgerStore(home.where, LAYOUT).close()
    return home


def test_a_token_is_given_once_and_only_its_digest_is_kept(home: Home) -> None:
    with TokenDesk(home.where, FixedClock(5)) as desk:
        made = desk.create("12345", frozenset({Scope.INGEST}), "王敏", SECRET, 2 * DAY)
    parts = parts_of(made)
    assert parts is not None
    (found,) = tokens(home.where)
    assert (found.id, found.digest) == (parts[0], digest_of(SECRET))
    assert (found.name, found.scopes, found.created_at, found.created_by) == (
        "12345",
        frozenset({Scope.INGEST}),
        5,
        "王敏",
    )
    assert (found.expires_at, found.revoked_at) == (5 + 2 * DAY, None)
    assert SECRET not in repr(home.content("token"))


def test_it_is_valid_until_it_expires_or_is_revoked(home: Home) -> None:
    clock = FixedClock(0)
    with TokenDesk(home.where, clock) as desk:
        desk.create("guest", BOTH, "a", "one", DAY)
        desk.create("for good", BOTH, "a", "two", None)
        assert [one.valid(DAY - 1) for one in tokens(home.where)] == [True, True]
        assert {one.name: one.valid(DAY) for one in tokens(home.where)} == {"guest": False, "for good": True}
        clock.advance(7)
        assert desk.revoke("for good", "b").revoked_at == 7
        clock.advance(7)
        again = desk.revoke("for good", "c")
        assert (again.revoked_at, again.revoked_by) == (7, "b")
    assert not any(one.valid(DAY) for one in tokens(home.where))


def test_a_name_is_one_valid_tokens_alone(home: Home) -> None:
    with TokenDesk(home.where, FixedClock(0)) as desk:
        first = desk.create("12345", BOTH, "a", "one", None)
        with pytest.raises(StepRefusedError, match='a valid token is called "12345" already; revoke it first'):
            desk.create("12345", BOTH, "a", "two", None)
        parts = parts_of(first)
        assert parts is not None
        desk.revoke(parts[0], "a")
        desk.create("12345", BOTH, "a", "two", None)
        assert [one.revoked_at is None for one in sorted(tokens(home.where), key=lambda one: one.digest)].count(
            True
        ) == 1


@pytest.mark.parametrize(
    ("name", "scopes", "life", "said"),
    [
        ("", BOTH, None, "1 to 80 characters"),
        ("x" * 81, BOTH, None, "1 to 80 characters"),
        ("a\nb", BOTH, None, "none of them invisible"),
        ("a", frozenset[Scope](), None, "is for something: ingest, read"),
        ("a", BOTH, 0, "more than nothing"),
        ("a", BOTH, 4000 * DAY, "at most ten years"),
    ],
)
def test_what_cannot_be_one_is_refused(
    home: Home, name: str, scopes: frozenset[Scope], life: int | None, said: str
) -> None:
    with TokenDesk(home.where, FixedClock(0)) as desk, pytest.raises(StepRefusedError, match=said):
        desk.create(name, scopes, "a", SECRET, life)
    assert tokens(home.where) == []


def test_what_is_not_there_cannot_be_revoked(home: Home) -> None:
    with TokenDesk(home.where, FixedClock(0)) as desk, pytest.raises(StepRefusedError, match="no token has the name"):
        desk.revoke("nobody", "a")


def test_a_folder_without_a_ledger_gets_one_and_reading_makes_none(tmp_path: Path) -> None:
    folder = FolderHome(tmp_path / "new")
    with pytest.raises(LedgerError, match="holds no ledger"):
        tokens(folder.directory)
    with TokenDesk(folder.directory, FixedClock(0)) as desk:
        desk.create("12345", BOTH, "a", SECRET, None)
    assert len(tokens(folder.directory)) == 1
    # A writer goes on with it.
    with LedgerStore(folder.directory, LAYOUT) as store, TokenDesk(folder.directory, FixedClock(0)) as beside:
        assert store.load_checkpoint() is None
        beside.revoke("12345", "a")


@pytest.mark.parametrize("text", ["", "jiantu", "jiantu_a", "jiantu__b", "jiantu_a_", "other_a_b", "jiantu_四_b"])
def test_what_is_no_token_has_no_parts(text: str) -> None:
    assert parts_of(text) is None
