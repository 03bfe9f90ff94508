"""A ledger that is filled from topics: every record once, with its position; accounts never ahead, never back."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection

from streams.core.city import Size
from streams.core.instant import DAY, HOUR, Instant
from streams.core.outputs import Accounting
from streams.core.record import Reason
from streams.core.wire import DeadLetter
from streams.ledger.errors import LedgerBusyError, LedgerError
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ledger.topics import Account, Taken, TopicLedger, TopicPosition
from streams.ports import Outputs
from tests.ledger.homes import DatabaseHome, Home
from tests.ledger.samples import COUNTIES, LAYOUT, START, checkpoint, day, ended, late, raised, scored
from tests.ledger.test_retention import Keep

SOURCE = "events 4Zk"
PARTITIONS = 2


@contextmanager
def opened(home: Home, source: str = SOURCE) -> Iterator[TopicLedger]:
    with TopicLedger(home.where, LAYOUT, source, PARTITIONS, Keep()) as ledger:
        yield ledger


def at(position: int) -> dict[tuple[str, int], TopicPosition]:
    """All topics read so far."""
    return {(topic, 0): TopicPosition(f"id-{topic}", position) for topic in ("alerts", "events.dlq", "scores")}


def account(position: int, rejected: int = 0, watermark: Instant | None = START) -> Account:
    return Account(position, watermark, Accounting(position, position - rejected, 0, 0, rejected, position))


def letter(offset: int, reached: Instant = START, partition: int = 0) -> DeadLetter:
    return DeadLetter(Reason.NOT_JSON, "events", partition, offset, f"{offset:064x}", reached)


def taken(
    position: int, *, letters: Sequence[DeadLetter] = (), accounts: dict[int, Account] | None = None, **outputs: object
) -> Taken:
    made = Outputs(**outputs)  # type: ignore[arg-type]  # fields by name
    return Taken(outputs=made, letters=letters, accounts=accounts or {}, positions=at(position))


FIRST = taken(
    10,
    letters=[letter(3), letter(5, partition=1)],
    accounts={0: account(8, 1), 1: account(6, 1)},
    transitions=[raised("a1", START)],
    scored=[scored(START)],
    closed=[day(COUNTIES[0], START, 12)],
    corrections=[late("e1", START)],
)


def test_what_was_read_is_there_with_where_it_goes_on(home: Home) -> None:
    with opened(home) as ledger:
        assert ledger.positions == {}
        ledger.commit(FIRST)
    with opened(home) as ledger:
        assert ledger.positions == at(10)
    with LedgerReader(home.where) as ledger_read:
        progress = ledger_read.progress()
        assert progress is not None
        assert progress.accounting == Accounting(14, 12, 0, 0, 2, 14)
        assert (progress.record, progress.watermark, progress.source) == (14, START, SOURCE)
        assert len(ledger_read.alerts()) == len(ledger_read.rejections(1)) == 1
        assert ledger_read.last_scored(Size.HOUR) == START
        assert ledger_read.damage() == []


def test_what_a_worker_sends_again_is_there_once(home: Home) -> None:
    with opened(home) as ledger:
        ledger.commit(FIRST)
        once = home.content()
        again = taken(20, letters=FIRST.letters, transitions=FIRST.outputs.transitions, scored=FIRST.outputs.scored)
        ledger.commit(again)
    after = home.content()
    assert {row[-1] for row in after.pop("topic")} == {20}
    del once["topic"]
    assert after == once


def test_a_letter_that_comes_again_after_retention_is_not_counted_again(home: Home) -> None:
    with opened(home) as ledger:
        ledger.commit(FIRST)
        ledger.commit(taken(20, accounts={n: account(50, 1, START + 40 * DAY) for n in range(PARTITIONS)}))
        assert home.rows("SELECT count(*) FROM rejection") == [(0,)]
        ledger.commit(taken(30, letters=FIRST.letters))
    with LedgerReader(home.where) as reader:
        assert reader.rejection_totals() == {Reason.NOT_JSON: 2}
        assert reader.damage() == []


def test_letters_ahead_of_their_account_are_no_damage_and_missing_ones_are(home: Home) -> None:
    with opened(home) as ledger:
        ledger.commit(taken(10, letters=[letter(3), letter(9), letter(4, partition=1)], accounts={0: account(8, 1)}))
        with LedgerReader(home.where) as reader:
            assert reader.damage() == []
        ledger.commit(taken(11, accounts={0: account(20, 3)}))
        with LedgerReader(home.where) as reader:
            assert reader.damage() == ["rejections by reason sum to 2, the accounting says 3"]


def test_an_account_does_not_go_back(home: Home) -> None:
    """A worker that wakes late says what it knew then."""
    with opened(home) as ledger:
        ledger.commit(taken(10, accounts={0: account(8), 1: account(6)}))
        ledger.commit(taken(11, accounts={0: account(5)}))
    assert sorted(row[:2] for row in home.rows("SELECT partition, position FROM account")) == [(0, 8), (1, 6)]


def test_there_is_no_watermark_before_every_partition_has_one(home: Home) -> None:
    def watermark() -> Instant | None:
        with LedgerReader(home.where) as reader:
            progress = reader.progress()
            assert progress is not None
            return progress.watermark

    with opened(home) as ledger:
        ledger.commit(taken(1, accounts={0: account(8, watermark=START + HOUR)}))
        assert watermark() is None
        ledger.commit(taken(2, accounts={1: account(8, watermark=None)}))
        assert watermark() is None
        ledger.commit(taken(3, accounts={1: account(9, watermark=START)}))
        assert watermark() == START


def test_a_commit_that_fails_leaves_rows_and_positions_as_they_were(home: Home) -> None:
    with opened(home) as ledger:
        ledger.commit(FIRST)
        before = home.content()
        with pytest.raises(LedgerError, match="was never raised"):
            ledger.commit(taken(20, transitions=[raised("a2", START), ended("nobody", START)]))
        assert home.content() == before
        assert ledger.positions == at(10)
        ledger.commit(taken(20, transitions=[raised("a2", START)]))
    assert home.rows("SELECT count(*) FROM alert") == [(2,)]


def test_a_ledger_holds_one_run(home: Home) -> None:
    with opened(home) as ledger:
        ledger.commit(FIRST)
    with (
        pytest.raises(LedgerError, match=r"holds another run \(events 4Zk, not events other\)"),
        opened(home, "events other"),
    ):
        pass
    with LedgerStore(home.where, LAYOUT) as store, pytest.raises(LedgerError, match="holds the run of another source"):
        store.commit(checkpoint(100), Outputs())


def test_who_was_overtaken_writes_nothing(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock went with a lost connection, another process took over, and ended."""
    home = DatabaseHome(postgres)
    with opened(home) as slow:
        slow.commit(FIRST)
        cut(home)
        with opened(home) as quick:
            quick.commit(taken(20, transitions=[raised("a2", START)]))
        with pytest.raises(LedgerBusyError, match="another process has gone on with it"):
            slow.commit(taken(15, transitions=[raised("a3", START)]))
    assert home.rows("SELECT id FROM alert") == [("a1",), ("a2",)]


@pytest.mark.parametrize("moment", ["before the end", "after the end"])
def test_cut_in_a_commit_everything_is_there_once(postgres: str, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    home, cuts, write = DatabaseHome(postgres), iter([True]), TopicLedger._write

    def cut_once(ledger: TopicLedger, db: Connection, given: Taken) -> None:
        write(ledger, db, given)
        if next(cuts, False):
            if moment == "after the end":
                db.exec_driver_sql("COMMIT")
                db.exec_driver_sql("SELECT 1")  # so that the driver has something to end, and finds nobody there
            cut(home)

    monkeypatch.setattr(TopicLedger, "_write", cut_once)
    with opened(home) as ledger:
        ledger.commit(FIRST)
        assert next(cuts, False) is False
        ledger.commit(taken(11))
    with LedgerReader(home.where) as reader:
        assert reader.rejection_totals() == {Reason.NOT_JSON: 2}
        assert reader.damage() == []


def cut(home: DatabaseHome) -> None:
    """Cut every connection of this process to the ledger."""
    with psycopg.connect(home.url) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s",
            [f"jiantu {os.getpid()}@%"],
        )
