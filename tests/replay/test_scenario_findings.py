"""What a scenario says when the service does something else: each kind of finding, and why an alert is missing."""

import pytest

from streams.replay.scenario_result import Finding, ScenarioResult
from streams.replay.scenario_run import run_scenario
from tests.replay.scenario_texts import scenario

ALERT = "{county: east, family: order, signal: total, raised: 2026-06-10T15:00/2026-06-10T20:00, direction: high}"


def result_of(*changes: str) -> ScenarioResult:
    return run_scenario(scenario(*changes))


def only(result: ScenarioResult) -> Finding:
    assert not result.passed
    (finding,) = result.findings
    return finding


@pytest.fixture(scope="module")
def as_written() -> ScenarioResult:
    return result_of()


def test_the_small_scenario_holds(as_written: ScenarioResult) -> None:
    assert as_written.passed, as_written.findings
    assert as_written.accounting.balanced()
    assert len(as_written.alerts) == 1


def test_a_missing_alert_is_told_with_the_reason_why_not() -> None:
    finding = only(
        result_of("count: 80}", "count: 8}", "count: 90..120", "count: 9..50", "duplicate: 80", "duplicate: 8")
    )
    assert finding.kind == "missing"
    assert (finding.place.line, finding.place.column) == (37, 5)
    ((zh, en),) = finding.why
    assert "no alert: not improbable enough" in en
    assert "or more would have paged" in en
    assert "未预警" in zh
    assert "small.yaml:37:5" in str(finding)


def test_an_alert_of_nothing_that_ended_in_time_says_so() -> None:
    result = result_of("raised: 2026-06-10T15:00/2026-06-10T20:00", "raised: 2026-06-10T15:10/2026-06-10T15:20")
    assert [finding.kind for finding in result.findings] == ["changed"]
    other = result_of(ALERT, ALERT.replace("county: east", "county: west").replace("T15:00/2026-06-10T20:00", "T15:10"))
    assert [finding.kind for finding in other.findings] == ["missing", "unexpected"]
    assert "no window of its signals ended then" in str(other.findings[0])


def test_an_always_page_alert_that_is_missing_says_what_did_not_come() -> None:
    result = result_of(ALERT, f"{ALERT}\n  - {{county: east, family: safety, shape: always_page, raised: 2026-06-10}}")
    assert "always-page" in str(only(result))


def test_an_alert_that_is_not_as_expected_shows_only_what_differs() -> None:
    finding = only(result_of("direction: high", "direction: low, severity: critical, count: 1..2"))
    assert finding.kind == "changed"
    zh, en = finding.expected
    assert en.startswith("East, Order (east order), ")
    assert "direction low" in en
    assert "count 1..2" in en
    assert "raised" not in en
    assert "direction high" in finding.found[1]
    assert "方向 low" in zh


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ("ended: 2026-06-11/2026-06-12", True),
        ("ended: 2026-06-10", False),
        ("ended: open", False),
        ("shows: burst, size: hour, shape: burst", True),
        ("shows: drought", False),
        ("size: day", False),
        ("joined: total", True),
        ("times: 2", False),
        ("severity: critical", True),
    ],
)
def test_every_part_of_an_expected_alert_counts(wanted: str, fits: bool) -> None:
    assert result_of("direction: high", f"direction: high, {wanted}").passed is fits


def test_an_alert_that_nobody_expects_is_told_unless_others_are_allowed() -> None:
    finding = only(result_of(f"alerts:\n  - {ALERT}\n", "alerts: []\n"))
    assert finding.kind == "unexpected"
    assert "raised 2026-06-10" in finding.found[1]
    assert result_of(f"alerts:\n  - {ALERT}\n", "others: allowed\n").passed


def test_two_expectations_that_fit_one_alert_each_find_their_own() -> None:
    """The first would take the alert that only the second can have."""
    loose = "{county: east, family: order, raised: 2026-06-01/2026-06-18}"
    second = "\n  - {at: 2026-06-15T13:00, over: 4h, county: east, category: noise, count: 90}"
    event = "category: noise, count: 80}"
    result = result_of(event, event + second, ALERT, f"{loose}\n  - {ALERT}")
    assert result.passed, result.findings
    assert len(result.alerts) == 2


def test_an_alert_that_breaks_a_silence_is_not_told_a_second_time() -> None:
    result = result_of(f"alerts:\n  - {ALERT}\n", "", "{county: west}", "{county: all}")
    assert [finding.kind for finding in result.findings] == ["not_silent"]


@pytest.mark.parametrize(
    ("silence", "kept"),
    [
        ("{county: west}", True),
        ("{county: east}", False),
        ("{}", False),
        ("{family: safety}", True),
        ("{county: east, family: order}", False),
        ("{county: east, between: 2026-06-11}", True),
        ("{county: east, between: 2026-06-10T14:00/2026-06-10T20:00}", False),
        ("{signal: total, between: 2026-06-11/2026-06-18}", False),  # the day's window joined
        ("{signal: total, between: 2026-06-12/2026-06-18}", True),
    ],
)
def test_a_silence_is_broken_by_an_alert_in_it_and_by_evidence_of_its_signal(silence: str, kept: bool) -> None:
    result = result_of("{county: west}", silence)
    assert [finding.kind for finding in result.findings] == ([] if kept else ["not_silent"])


def test_counts_and_accounting_are_exact() -> None:
    for change, kind, found in (
        (("count: 90..120", "count: 5"), "count", ""),
        (("duplicate: 80", "duplicate: 79"), "accounting", "80"),
        (("late: 0", "late: 1..5"), "accounting", "0"),
        (("{not_json: 1}", "{not_json: 1, empty: 1}"), "accounting", "not_json 1"),
        (("{not_json: 1}", "{}"), "accounting", "not_json 1"),
    ):
        finding = only(result_of(*change))
        assert finding.kind == kind
        assert found in finding.found[1]
