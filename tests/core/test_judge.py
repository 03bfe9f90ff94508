"""The judge: what raises an alert, what joins it, what ends it, and what is nobody's business."""

from dataclasses import replace

from detectors.observation import ScoreReason
from streams.core.alert import Severity, Shape
from streams.core.city import Size
from streams.core.guards import NEAR
from streams.core.instant import HOUR
from streams.core.judge_state import snapshot
from tests.core.courtroom import LEVEL, MONDAY, SIGNALS, Courtroom, Seen, small_city

NINE = MONDAY + 9 * HOUR
FIRE = LEVEL / 4


def test_nothing_happens_when_nothing_is_wrong() -> None:
    court = Courtroom()
    court.quiet(MONDAY, 24 * 8)
    assert court.made == []
    assert court.state.pending == ()


def test_a_burst_raises_one_alert_with_its_case_frozen() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    (raised,) = court.raised
    assert raised.at == NINE + court.city.allowed_lateness
    assert (raised.county, raised.family) == ("east", "environment")
    case = raised.evidence
    assert (case.signal, case.size, case.count, case.expected, case.p) == ("noise", "hour", 58, 21.0, FIRE)
    assert case.level == LEVEL / 2
    assert case.history == (9, 11, 10)
    assert case.by_point == (("hotline", 58),)
    assert case.detector_version == "1"


def test_the_same_burst_an_hour_later_is_the_same_alert() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    assert court.hour(NINE + HOUR, {("noise", "east"): Seen(60, 21.0, FIRE)}) == []
    assert court.pages() == [("east", "environment")]


def test_a_day_waits_for_every_size_that_ends_with_it() -> None:
    court = Courtroom()
    midnight = MONDAY + 24 * HOUR
    court.quiet(MONDAY, 23)
    assert court.hear(court.window(midnight, Size.HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})) == []
    made = court.hear(court.window(midnight, Size.DAY, {}))
    assert len(made) == 1


def test_other_signals_of_the_family_join_its_evidence_once() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    court.hour(NINE + HOUR, {("dust", "east"): Seen(31, 9.0, FIRE)})
    court.hour(NINE + 2 * HOUR, {("dust", "east"): Seen(33, 9.0, FIRE)})
    (joined,) = court.joined
    assert joined.alert == court.raised[0].alert
    assert (joined.evidence.signal, joined.evidence.count) == ("dust", 31)


def test_another_detector_on_the_same_signal_joins_with_its_own_shape() -> None:
    court = Courtroom(detectors=("counts", "shift"))
    noise = (Seen(58, 21.0, FIRE), Seen(58, 15.0, FIRE, detector="shift"))
    court.hour(NINE, {("noise", "east"): noise})
    assert court.raised[0].evidence.shape is Shape.BURST
    (joined,) = court.joined
    assert joined.evidence.shape is Shape.SHIFT
    assert joined.evidence.detector_version == "2"


def test_families_of_one_county_are_alerts_of_their_own() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE), ("road", "east"): Seen(58, 21.0, FIRE)})
    assert sorted(court.pages()) == [("east", "environment"), ("east", "transport")]


def test_counties_are_alerts_of_their_own() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE), ("noise", "west"): Seen(58, 21.0, FIRE)})
    assert sorted(court.pages()) == [("east", "environment"), ("west", "environment")]


def test_a_count_below_the_minimum_never_pages() -> None:
    court = Courtroom()  # minimum 3
    court.hour(NINE, {("noise", "east"): Seen(2, 0.001, FIRE)})
    assert court.made == []
    court.hour(NINE + HOUR, {("noise", "east"): Seen(3, 0.001, FIRE)})
    assert court.pages() == [("east", "environment")]


def test_a_signal_looks_only_where_it_is_told_to() -> None:
    court = Courtroom()
    few = {("dust", "east"): Seen(0, 30.0, 1e-12)}  # dust is watched for many only
    court.hour(NINE, few)
    court.hour(NINE + HOUR, few)
    assert court.made == []


def test_a_two_sided_signal_has_half_its_level_on_each_side() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, LEVEL * 0.6), ("dust", "west"): Seen(58, 21.0, LEVEL * 0.6)})
    assert court.pages() == [("west", "environment")]  # dust looks at one side and has the whole level


def test_p_exactly_at_the_level_is_a_verdict() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, LEVEL / 2)})
    assert len(court.raised) == 1


def test_warming_up_and_missing_windows_are_no_verdicts() -> None:
    court = Courtroom()
    for hours, reason in enumerate((ScoreReason.WARMING_UP, ScoreReason.MISSING, ScoreReason.NOT_JUDGED)):
        court.hour(NINE + hours * HOUR, {("noise", "east"): Seen(500, 1.0, 0.0, reason=reason)})
    assert court.made == []


def test_a_p_of_nothing_pages_nothing_where_there_is_no_test() -> None:
    city = small_city(replace(s, sizes=(Size.DAY,)) if s.name == "noise" else s for s in SIGNALS)
    court = Courtroom(city)
    window = court.window(NINE, Size.HOUR, {("noise", "east"): Seen(500, 1.0, 0.0)})
    court.hear(window)
    assert court.made == []


def test_severity_is_by_the_level() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, LEVEL / 2 / 99), ("road", "east"): Seen(99, 21.0, LEVEL / 201)})
    assert {one.family: one.severity for one in court.raised} == {
        "environment": Severity.WARNING,
        "transport": Severity.CRITICAL,
    }


def test_an_alert_ends_after_a_quiet_day_of_hours_and_not_before() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    last = court.quiet(NINE, 23)
    assert court.ended == []
    court.hour(last + HOUR)
    (ended,) = court.ended
    assert ended.at == last + HOUR + court.city.allowed_lateness
    assert ended.joined == ()


def test_near_verdicts_keep_an_alert_open() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    court.quiet(NINE, 20)
    near = {("noise", "east"): Seen(36, 21.0, LEVEL / 2 * NEAR)}
    court.hour(NINE + 21 * HOUR, near)
    court.quiet(NINE + 21 * HOUR, 23)
    assert court.ended == []
    court.hour(NINE + 45 * HOUR)
    assert len(court.ended) == 1
    assert len(court.raised) == 1


def test_near_verdicts_raise_nothing() -> None:
    court = Courtroom()
    for hours in range(30):
        court.hour(NINE + hours * HOUR, {("noise", "east"): Seen(36, 21.0, LEVEL)})
    assert court.made == []


def test_what_is_elsewhere_does_not_keep_an_alert_open() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    for hours in range(1, 25):
        court.hour(NINE + hours * HOUR, {("noise", "west"): Seen(58, 21.0, FIRE), ("road", "east"): Seen(99, 9, FIRE)})
    assert court.raised[0].alert in {one.alert for one in court.ended}


def test_hours_that_were_not_observed_do_not_end_an_alert() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    for hours in range(1, 60):
        court.hour(NINE + hours * HOUR, {("noise", "east"): Seen(10, reason=ScoreReason.MISSING)})
    assert court.ended == []


def test_a_new_burst_after_the_end_is_a_new_alert_with_a_new_id() -> None:
    court = Courtroom()
    court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
    last = court.quiet(NINE, 30)
    court.hour(last + HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    first, second = court.raised
    assert first.alert != second.alert


def test_ids_are_the_same_in_every_run() -> None:
    ids = set()
    for _ in range(2):
        court = Courtroom()
        court.hour(NINE, {("noise", "east"): Seen(58, 21.0, FIRE)})
        ids.add(court.raised[0].alert)
    assert ids == {"f4880e9d75261bdafff1"}


def test_a_repeated_window_changes_nothing() -> None:
    court = Courtroom()
    window = court.window(NINE, Size.HOUR, {("noise", "east"): Seen(58, 21.0, FIRE)})
    court.hear(window)
    before = snapshot(court.state)
    assert court.hear(window) == []
    assert court.hear(court.window(NINE - HOUR, Size.HOUR, {("road", "east"): Seen(58, 21.0, FIRE)})) == []
    assert snapshot(court.state) == before


def test_a_detector_that_gives_p_without_a_verdict_is_not_believed() -> None:
    court = Courtroom()
    window = court.window(NINE, Size.HOUR, {("noise", "east"): Seen(500, 1.0, 0.0)})
    window.scores["counts"].reason[:] = ScoreReason.WARMING_UP
    assert court.hear(window) == []


def test_of_one_window_the_first_signal_raises_whatever_its_detector() -> None:
    court = Courtroom(detectors=("counts", "shift"))
    by_shift = (Seen(58, 21.0), Seen(58, 21.0, FIRE, detector="shift"))
    court.hour(NINE, {("noise", "east"): by_shift, ("dust", "east"): Seen(58, 21.0, FIRE)})
    assert [one.evidence.signal for one in court.raised] == ["noise"]
    assert [one.evidence.signal for one in court.joined] == ["dust"]


def test_a_lax_level_makes_no_laxer_near_verdicts() -> None:
    lax = {(s.name, size, "counts"): 0.02 for s in SIGNALS for size in Size}
    court = Courtroom(levels=lax)
    court.hour(NINE, {("dust", "east"): Seen(58, 21.0, FIRE)})
    for hours in range(1, 25):
        court.hour(NINE + hours * HOUR, {("dust", "east"): Seen(25, 21.0, 0.1)})
    assert len(court.ended) == 1
