"""What a ledger answers: alerts with their evidence, scores by series and time, metrics and their changes."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from msgspec import structs

from detectors.observation import ScoreReason
from streams.core.alert import Raised, Transition
from streams.core.city import Size
from streams.core.instant import DAY, HOUR, WEEK, from_datetime, parse_instant
from streams.core.outputs import ClosedWindow
from streams.core.record import Reason
from streams.core.snapshot import state_sha256
from streams.ledger.alerts import AlertFilter
from streams.ledger.errors import LedgerError
from streams.ledger.lifecycle import AlertState
from streams.ledger.measures import Change
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import Outputs, SeriesLayout
from tests.ledger.homes import Home
from tests.ledger.samples import (
    CITY,
    COUNTIES,
    EVERYTHING,
    LAYOUT,
    SIGNALS,
    START,
    checkpoint,
    day,
    ended,
    evidence,
    joined,
    late,
    raised,
    rejected,
    scored,
)


def ledger_of(home: Home, outputs: Outputs, layout: SeriesLayout = LAYOUT) -> LedgerReader:
    """A ledger of one checkpoint, to be read."""
    n_late, n_rejected = len(outputs.corrections), len(outputs.rejections)
    with LedgerStore(home.where, layout) as store:
        store.commit(checkpoint(100, late=n_late, rejected=n_rejected, ids=b"abc", tally=b"d"), outputs)
    return LedgerReader(home.where)


# ---- alerts ----


def test_an_alert_keeps_the_evidence_that_raised_it_and_what_joined(home: Home) -> None:
    with ledger_of(home, EVERYTHING) as ledger:
        life = ledger.alert("a1")
    assert life.alert.raised == raised("a1", START)
    assert life.alert.raised.evidence == evidence(START)
    assert life.joined == (joined("a1", START + HOUR),)
    assert life.ended == ended("a1", START + 9 * HOUR)
    assert life.alert.ended_at == START + 9 * HOUR
    assert life.alert.state is AlertState.ENDED


def test_what_says_otherwise_later_changes_no_evidence(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        store.commit(checkpoint(1), Outputs(transitions=[raised("a1", START), ended("a1", START + HOUR)]))
        other = replace_count(raised("a1", START), 99)
        store.commit(checkpoint(2), Outputs(transitions=[other, ended("a1", START + 5 * HOUR)]))
    with LedgerReader(home.where) as ledger:
        life = ledger.alert("a1")
    assert life.alert.raised.evidence.count == 31
    assert life.alert.ended_at == START + HOUR
    assert life.ended == ended("a1", START + HOUR)


def replace_count(one: Raised, count: int) -> Raised:
    return structs.replace(one, evidence=structs.replace(one.evidence, count=count))


def test_alerts_are_listed_in_the_order_in_which_they_were_raised_by_any_of_their_facts(home: Home) -> None:
    outputs = Outputs(
        transitions=[
            raised("b", START + HOUR, COUNTIES[1]),
            raised("c", START, COUNTIES[0], "roads"),
            raised("a", START + HOUR, COUNTIES[2]),
            ended("a", START + DAY),
        ]
    )

    with ledger_of(home, outputs) as ledger:

        def ids(**which: object) -> list[str]:
            return [alert.id for alert in ledger.alerts(AlertFilter(**which))]  # type: ignore[arg-type]  # facts by name

        assert ids() == ["c", "a", "b"]
        assert ids(county=COUNTIES[1]) == ["b"]
        assert ids(family="roads") == ["c"]
        assert ids(signal="complaints", severity="warning") == ["c", "a", "b"]
        assert ids(signal="noise") == []
        assert ids(state=AlertState.OPEN) == ["c", "b"]
        assert ids(state=AlertState.ENDED) == ["a"]
        assert ids(state=AlertState.RESOLVED) == []
        assert ids(since=START + HOUR, until=START + 2 * HOUR) == ["c"]
        assert ids(since=START + HOUR + 1) == ["a", "b"]


def test_transitions_come_in_the_alert_logs_order(home: Home) -> None:
    at = START + HOUR
    of_a: list[Transition] = [ended("a", at), joined("a", START), raised("a", START)]
    of_b: list[Transition] = [ended("b", at), raised("b", START - HOUR)]
    with ledger_of(home, Outputs(transitions=[*of_b, *of_a])) as ledger:
        found = [(one.at, one.alert, type(one).__name__) for one in ledger.transitions()]
    assert found == [
        (START, "b", "Raised"),
        (at, "a", "Raised"),
        (at, "a", "Joined"),
        (at, "a", "Ended"),
        (at, "b", "Ended"),
    ]


def test_every_series_joins_once_however_alike_they_are(home: Home) -> None:
    its_own = joined("a", START)
    citys = structs.replace(its_own, evidence=structs.replace(its_own.evidence, county=CITY))
    given: list[Transition] = [raised("a", START), its_own, citys, its_own]
    with ledger_of(home, Outputs(transitions=given)) as ledger:
        assert sorted(one.evidence.county for one in ledger.alert("a").joined) == ["", CITY]


def test_evidence_that_joins_may_be_older_than_what_raised_the_alert(home: Home) -> None:
    given: list[Transition] = [joined("a", START - 5 * HOUR), raised("a", START)]
    with ledger_of(home, Outputs(transitions=given)) as ledger:
        assert [type(one).__name__ for one in ledger.transitions()] == ["Joined", "Raised"]
        assert ledger.alert("a").alert.raised == raised("a", START)


def test_an_end_without_a_beginning_is_refused(home: Home) -> None:
    with LedgerStore(home.where, LAYOUT) as store:
        with pytest.raises(LedgerError, match="alert nobody goes on, and was never raised"):
            store.commit(checkpoint(1), Outputs(transitions=[ended("nobody", START)]))
        assert store.load_checkpoint() is None


# ---- scores ----


def test_a_score_is_found_by_county_signal_and_any_instant_of_its_window(home: Home) -> None:
    windows = [scored(START), scored(START + HOUR), scored(START + 3 * HOUR), scored(START, Size.DAY, ("counts",))]
    with ledger_of(home, Outputs(scored=windows)) as ledger:
        for window in windows:
            for s, signal in enumerate(SIGNALS):
                for c, county in enumerate((*COUNTIES, CITY)):
                    for at in (window.start, window.end - 1):
                        found = ledger.score(county, signal, window.size, at)
                        assert found is not None
                        assert (found.start, found.end, found.count) == (window.start, window.end, window.counts[s, c])
                        assert list(found.detectors) == sorted(window.scores)
                        for name, score in found.detectors.items():
                            there = window.scores[name]
                            assert score.reason == there.reason[s, c]
                            for field in ("expected", "low", "high", "p_high", "p_above", "p_low", "p_below", "size"):
                                value = getattr(there, field)[s, c]
                                assert getattr(score, field) == (None if np.isnan(value) else value)
                            assert (score.p_high is None) == (score.reason is ScoreReason.WARMING_UP)
        assert ledger.score(COUNTIES[0], "noise", Size.HOUR, START + HOUR) is None, "a window that is not there"
        assert ledger.score(COUNTIES[0], "noise", Size.HOUR, START + 3 * HOUR) is None, "not closed yet"
        assert ledger.score(COUNTIES[0], "noise", Size.WEEK, START) is None
        assert ledger.score("110101", "noise", Size.HOUR, START - 1) is None
        assert ledger.score(COUNTIES[0], "music", Size.HOUR, START - 1) is None


def test_a_series_has_a_history(home: Home) -> None:
    windows = [scored(START + hour * HOUR) for hour in range(6)]
    with ledger_of(home, Outputs(scored=windows)) as ledger:
        found = ledger.series(COUNTIES[1], "noise", Size.HOUR, since=START + HOUR, until=START + 4 * HOUR)
        assert [(score.end, score.count) for score in found] == [(w.end, w.counts[1, 1]) for w in windows[2:5]]
        assert ledger.last_scored(Size.HOUR) == START + 5 * HOUR
        assert ledger.last_scored(Size.WEEK) is None


def test_whole_windows_come_back_as_they_were(home: Home) -> None:
    window = scored(START)
    with ledger_of(home, Outputs(scored=[window])) as ledger:
        found = ledger.scored_window(Size.HOUR, START)
        assert ledger.scored_window(Size.HOUR, START + 1) is None
    assert found is not None
    np.testing.assert_array_equal(found.counts, window.counts)
    for name, scores in window.scores.items():
        np.testing.assert_array_equal(found.scores[name].p_low, scores.p_low)


def test_scores_of_an_older_profile_are_read_with_its_own_layout(home: Home) -> None:
    ledger_of(home, Outputs(scored=[scored(START)])).close()
    newer = SeriesLayout("p2", ("music", *SIGNALS), LAYOUT.series)
    with LedgerStore(home.where, newer) as store:
        store.commit(checkpoint(200), Outputs(scored=[scored(START + HOUR, layout=newer)]))
    with LedgerReader(home.where) as ledger:
        before, after = ledger.series(COUNTIES[0], "noise", Size.HOUR)
        (music,) = ledger.series(COUNTIES[0], "music", Size.HOUR)
    assert (before.profile_version, before.count) == ("p1", scored(START).counts[1, 0])
    assert (after.profile_version, after.count) == ("p2", scored(START + HOUR, layout=newer).counts[2, 0])
    assert music.end == START + HOUR


def test_a_window_of_another_shape_is_refused(home: Home) -> None:
    wide = SeriesLayout("p2", ("music", *SIGNALS), LAYOUT.series)
    with LedgerStore(home.where, LAYOUT) as store, pytest.raises(ValueError, match="shape"):
        store.commit(checkpoint(1), Outputs(scored=[scored(START, layout=wide)]))


# ---- metrics and how volumes change ----


def test_the_latest_metrics_of_every_county(home: Home) -> None:
    closed = [day(COUNTIES[0], START, 5), day(COUNTIES[0], START + DAY, 6), day(COUNTIES[1], START, 7)]
    without = replace(closed[0], county=COUNTIES[2], metrics=None)
    with ledger_of(home, Outputs(closed=[*closed, without])) as ledger:
        latest = ledger.latest_metrics(Size.DAY)
        assert {county: (window.end, window.metrics) for county, window in latest.items()} == {
            COUNTIES[0]: (START + DAY, closed[1].metrics),
            COUNTIES[1]: (START, closed[2].metrics),
        }
        assert latest[COUNTIES[0]].metrics.satisfaction_rate is None
        assert ledger.latest_metrics(Size.WEEK) == {}
        assert [window.metrics.volume for window in ledger.metrics(COUNTIES[0], Size.DAY, until=START)] == [5]


def test_growth_from_nothing_is_new_and_nothing_known_is_no_data() -> None:
    assert Change(15, 10).growth == 0.5
    assert Change(0, 10).growth == -1.0
    assert Change(15, 0).growth == "new"
    assert Change(0, 0).growth is None
    assert Change(15, None).growth is None


def test_window_on_window(home: Home) -> None:
    closed = [day(COUNTIES[0], START, 10, noise=10), day(COUNTIES[0], START + DAY, 12, noise=5, water=7)]
    with ledger_of(home, Outputs(closed=closed)) as ledger:
        first, second = ledger.metrics(COUNTIES[0], Size.DAY)
        change = ledger.window_on_window(second)
        nothing = ledger.window_on_window(first)
    assert change.volume == Change(12, 10)
    assert change.volume.growth == pytest.approx(0.2)
    assert change.parts["by_category"] == {"noise": Change(5, 10), "water": Change(7, 0)}
    assert change.parts["by_category"]["water"].growth == "new"
    assert nothing.against is None
    assert nothing.volume.growth is None
    assert nothing.parts["by_category"] == {"noise": Change(10, None)}


def test_year_on_year_is_the_same_day_of_the_local_calendar(home: Home) -> None:
    boston = ZoneInfo("America/New_York")
    # In 2026 the clocks spring forward on 8 March, in 2025 on 9 March: not the same hour of UTC.
    now, before = parse_instant("2026-03-09T00:00:00-04:00"), parse_instant("2025-03-09T00:00:00-05:00")
    leap, year_before = (from_datetime(datetime(year, 2, 28, tzinfo=UTC)) + DAY for year in (2024, 2023))
    closed = [day(COUNTIES[0], end, volume) for end, volume in ((before, 8), (now, 6), (year_before, 3), (leap, 5))]
    with ledger_of(home, Outputs(closed=closed)) as ledger:
        windows = {window.end: window for window in ledger.metrics(COUNTIES[0], Size.DAY)}
        change = ledger.year_on_year(windows[now], boston)
        assert change.against is not None
        assert (change.against.end, change.volume) == (before, Change(6, 8))
        assert ledger.year_on_year(windows[before], boston).volume.growth is None
        assert ledger.year_on_year(windows[leap], UTC).against is None, "29 February 2023 was not"


def test_a_week_stands_against_the_week_52_weeks_before(home: Home) -> None:
    def week(end: int, volume: int) -> ClosedWindow:
        return replace(day(COUNTIES[0], end, volume), size=Size.WEEK, start=end - WEEK)

    closed = [week(START, 70), week(START + 52 * WEEK, 84)]
    with ledger_of(home, Outputs(closed=closed)) as ledger:
        change = ledger.year_on_year(ledger.latest_metrics(Size.WEEK)[COUNTIES[0]], ZoneInfo("Asia/Shanghai"))
    assert change.volume.growth == pytest.approx(0.2)


# ---- the run, and what did not count ----


def test_progress_is_what_the_last_checkpoint_said(home: Home) -> None:
    with ledger_of(home, EVERYTHING) as ledger:
        progress = ledger.progress()
        assert ledger.state_sha256() == state_sha256({"ids": b"abc", "tally": b"d"})
        assert ledger.damage() == []
    given = checkpoint(100, late=2, rejected=3)
    assert progress is not None
    assert (progress.record, progress.watermark, progress.source) == (100, START, given.source)
    assert progress.accounting == given.accounting


def test_late_events_are_counted_by_series(home: Home) -> None:
    outputs = Outputs(
        corrections=[late("e1", START), late("e2", START + 5), late("e3", START + HOUR), late("e4", START, COUNTIES[1])]
    )
    with ledger_of(home, outputs) as ledger:
        assert ledger.corrections(signal="noise") == {(COUNTIES[0], "noise"): 3, (COUNTIES[1], "noise"): 1}
        assert ledger.corrections(COUNTIES[0], at=START) == {(COUNTIES[0], "complaints"): 2, (COUNTIES[0], "noise"): 2}
        assert ledger.corrections(COUNTIES[2]) == {}


def test_rejections_are_summed_by_reason_and_the_last_ones_shown(home: Home) -> None:
    given = [rejected(3, START), rejected(9, START + HOUR, Reason.FUTURE), rejected(5, START)]
    with ledger_of(home, Outputs(rejections=given)) as ledger:
        assert list(ledger.rejection_totals().items()) == [(Reason.NOT_JSON, 2), (Reason.FUTURE, 1)]
        assert ledger.rejections(2) == [given[1], given[2]]
