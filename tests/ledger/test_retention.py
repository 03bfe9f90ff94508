"""Histories go by event time; accounts, alerts and people's steps stay; checkpoints' timing changes nothing."""

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.clock import FixedClock
from streams.core.city import Size
from streams.core.instant import DAY, HOUR, Instant
from streams.core.record import Reason
from streams.ledger.desk import AlertDesk
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs
from tests.ledger.homes import Home, NewHome
from tests.ledger.samples import COUNTIES, LAYOUT, START, checkpoint, day, late, raised, rejected, scored


@dataclass(frozen=True)
class Keep:
    scores: int = 3 * DAY
    corrections: int = 2 * DAY
    rejections: int = DAY


def of_day(number: int) -> Outputs:
    """One of everything, on the day that begins `number` days after the start."""
    noon = START + number * DAY + 12 * HOUR
    return Outputs(
        transitions=[raised(f"day{number}", noon)],
        scored=[scored(noon), scored(noon, Size.DAY, ("counts",)), scored(noon, Size.WEEK, ("counts",))],
        closed=[day(COUNTIES[0], noon, 10 + number)],
        corrections=[late(f"late{number}", noon)],
        rejections=[rejected(number, noon, Reason.FUTURE if number % 2 else Reason.NOT_JSON)],
    )


def together(outputs: list[Outputs]) -> Outputs:
    """What several checkpoints hold, for one checkpoint."""
    fields = ("transitions", "scored", "closed", "corrections", "rejections")
    return Outputs(**{field: [one for each in outputs for one in getattr(each, field)] for field in fields})


def run(home: Home, days: int, cuts: set[int], keep: Keep | None = None) -> None:
    """Commit `days` days of outputs, with a checkpoint after each day in `cuts` and after the last."""
    waiting: list[Outputs] = []
    with LedgerStore(home.where, LAYOUT, keep or Keep()) as store:
        for number in range(days):
            waiting.append(of_day(number))
            if number in cuts or number == days - 1:
                n = number + 1
                watermark = START + number * DAY + 13 * HOUR
                store.commit(
                    checkpoint(10 * n, watermark=watermark, late=n, rejected=n, ids=b"%d" % n), together(waiting)
                )
                waiting.clear()


HISTORIES = (
    "scored",
    "correction",
    "rejection",
    "rejection_total",
    "retained",
    "transition",
    "alert",
    "metrics",
    "checkpoint",
)


def test_what_is_older_than_the_profile_says_goes_and_only_that(home: Home) -> None:
    run(home, 10, set(range(10)))
    midnight: Instant = START + 9 * DAY
    with LedgerReader(home.where) as ledger:
        ends = [score.end for score in ledger.series(COUNTIES[0], "noise", Size.HOUR)]
        assert ends == [START + number * DAY + 12 * HOUR for number in (6, 7, 8, 9)]
        assert ledger.corrections() == {(COUNTIES[0], "complaints"): 3, (COUNTIES[0], "noise"): 3}
        assert [rejection.position for _, rejection in ledger.rejections()] == [9, 8]
        assert ledger.retained() == {
            "scores": (midnight - 3 * DAY, 3 * 6),
            "corrections": (midnight - 2 * DAY, 7),
            "rejections": (midnight - DAY, 8),
        }


def test_alerts_steps_metrics_and_accounts_stay(home: Home) -> None:
    run(home, 5, set(range(5)))
    with AlertDesk(home.where, FixedClock(START)) as desk:
        for number in range(5):
            desk.take(f"day{number}", Step(StepKind.ACKNOWLEDGE, "王敏"))
    with LedgerStore(home.where, LAYOUT, Keep()) as store:
        store.commit(checkpoint(100, watermark=START + 400 * DAY, late=5, rejected=5), Outputs())
    with LedgerReader(home.where) as ledger:
        assert len(ledger.alerts()) == len(ledger.transitions()) == len(ledger.steps()) == 5
        assert [window.metrics.volume for window in ledger.metrics(COUNTIES[0], Size.DAY)] == [10, 11, 12, 13, 14]
        assert ledger.rejections() == []
        assert ledger.rejection_totals() == {Reason.NOT_JSON: 3, Reason.FUTURE: 2}
        progress = ledger.progress()
        assert progress is not None
        assert (progress.accounting.rejected, progress.accounting.late) == (5, 5)
        assert ledger.damage() == []


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.sets(st.integers(0, 8)))
def test_when_checkpoints_were_made_does_not_matter(new_home: NewHome, cuts: set[int]) -> None:
    every, some = new_home(), new_home()
    run(every, 9, set(range(9)))
    run(some, 9, cuts)
    assert some.content(*HISTORIES) == every.content(*HISTORIES)


def test_the_state_and_its_hash_know_nothing_of_retention(new_home: NewHome) -> None:
    brief, kept = new_home(), new_home()
    run(brief, 9, {3, 6})
    run(kept, 9, {3, 6}, Keep(999 * DAY, 999 * DAY, 999 * DAY))
    with LedgerReader(brief.where) as short, LedgerReader(kept.where) as long:
        assert short.state_sha256() == long.state_sha256()
        assert short.transitions() == long.transitions()
        assert len(short.rejections()) < len(long.rejections())


def test_without_periods_nothing_goes(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(10, late=1, rejected=1), of_day(0))
        store.commit(checkpoint(20, watermark=START + 4000 * DAY, late=1, rejected=1), Outputs())
    with LedgerReader(home.where) as ledger:
        assert ledger.retained() == {}
        assert len(ledger.rejections()) == 1
