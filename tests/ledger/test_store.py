"""The ledger as a runtime writes it: both or neither, once, and never somebody else's file."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from streams.core.outputs import Accounting
from streams.core.snapshot import state_sha256
from streams.ledger.errors import LedgerError
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import Home
from tests.ledger.samples import EVERYTHING, LAYOUT, START, checkpoint, raised, rejected


@pytest.fixture
def store(home: Home) -> Iterator[LedgerStore]:
    with LedgerStore(home.where, LAYOUT) as store:
        yield store


def test_a_fresh_ledger_has_no_checkpoint(store: LedgerStore) -> None:
    assert store.load_checkpoint() is None


def test_what_was_committed_is_there_after_a_restart(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3, ids=b"abc", tally=b"\x00\xff"), EVERYTHING)
    with LedgerStore(home.where, LAYOUT) as store:
        found = store.load_checkpoint()
    assert found is not None
    given = checkpoint(100, late=2, rejected=3)
    assert (found.source, found.profile_version, found.record, found.place, found.watermark) == (
        given.source,
        given.profile_version,
        100,
        given.place,
        START,
    )
    assert found.accounting == given.accounting
    assert found.chunks == {"ids": b"abc", "tally": b"\x00\xff"}


def test_only_changed_chunks_are_given_and_removed_ones_go(store: LedgerStore) -> None:
    store.commit(checkpoint(1, a=b"1", b=b"2", c=b"3"), Outputs())
    store.commit(checkpoint(2, b=b"22", c=None), Outputs())
    found = store.load_checkpoint()
    assert found is not None
    assert found.chunks == {"a": b"1", "b": b"22"}


def test_the_same_outputs_twice_are_there_once(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(100, late=2, rejected=3, ids=b"abc"), EVERYTHING)
        once = home.content()
        store.commit(checkpoint(100, late=2, rejected=3, ids=b"abc"), EVERYTHING)
    assert home.content() == once
    assert {table: len(rows) for table, rows in once.items() if rows} == {
        "alert": 2, "checkpoint": 1, "correction": 2, "layout": 2, "metrics": 2,
        "ledger_version": 1, "rejection": 3, "rejection_total": 2, "scored": 3, "state_chunk": 1, "transition": 4,
    }  # fmt: skip


def test_a_commit_that_fails_half_way_leaves_nothing(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(1, ids=b"abc"), Outputs(transitions=[raised("a0", START)]))
        before = home.content()
        outputs = Outputs(transitions=[raised("a1", START)], rejections=[(START, "no rejection")])  # type: ignore[list-item]  # fails after the alert is in
        with pytest.raises(AttributeError):
            store.commit(checkpoint(2, rejected=1, ids=b"abcd"), outputs)
        assert home.content() == before
        store.commit(checkpoint(2, rejected=1, ids=b"abcd"), Outputs(rejections=[rejected(1, START)]))
    assert len(home.content()["alert"]) == 1


def test_a_ledger_does_not_go_back(store: LedgerStore) -> None:
    store.commit(checkpoint(20), Outputs())
    with pytest.raises(LedgerError, match="at record 20 and cannot go back to 10"):
        store.commit(checkpoint(10), Outputs())
    with pytest.raises(LedgerError, match="at record 20 and cannot go back to 19"):
        store.commit(replace(checkpoint(20), record=19), Outputs())
    with pytest.raises(LedgerError, match="cannot go back"):
        store.commit(replace(checkpoint(10), record=30), Outputs())


def test_a_ledger_holds_the_run_of_one_source(store: LedgerStore) -> None:
    store.commit(checkpoint(20), Outputs())
    with pytest.raises(LedgerError, match="holds the run of another source; give another --data-dir"):
        store.commit(replace(checkpoint(30), source="recording-2"), Outputs())


def test_an_account_that_does_not_balance_is_refused(store: LedgerStore) -> None:
    with pytest.raises(LedgerError, match="2 rejections for 3 counted"):
        store.commit(checkpoint(20, rejected=3), Outputs(rejections=EVERYTHING.rejections[:2]))
    with pytest.raises(LedgerError, match="0 corrections for 1 counted"):
        store.commit(checkpoint(20, late=1), Outputs())
    with pytest.raises(LedgerError, match="the accounting does not balance"):
        store.commit(replace(checkpoint(20), accounting=Accounting(received=20, counted=19)), Outputs())
    assert store.load_checkpoint() is None


def test_the_state_hash_knows_names_contents_and_their_limits_but_not_their_order() -> None:
    assert state_sha256({"a": b"1", "b": b"2"}) == state_sha256({"b": b"2", "a": b"1"})
    different = [{}, {"a": b"1"}, {"a": b"2"}, {"a1": b""}, {"": b"a1"}, {"a": b"", "1": b""}]
    assert len({state_sha256(chunks) for chunks in different}) == len(different)
