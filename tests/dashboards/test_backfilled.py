"""Boards on the past of a replayed city, in a real Prometheus: panels have data, and it is the ledger's."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec
import promql_parser
import pytest

from dashboards.panels import HIDDEN
from streams import metrics
from streams.cli.app import run
from streams.clock import Clock, FixedClock
from streams.core.alert import Severity, Shape
from streams.core.city import Size
from streams.core.instant import HOUR, SECOND, WEEK, format_instant, parse_instant
from streams.ledger.alerts import Alert
from streams.ledger.lifecycle import DiscardReason, Measure, Step, StepKind
from streams.ledger.reader import LedgerReader
from streams.wiring.reading import open_desk
from tests.cli.commands import LAKE, RECORDING
from tests.dashboards.promql import metrics_of
from tests.dashboards.read import Asked, boards, panels, queries, sent
from tests.prometheus.programs import program
from tests.prometheus.server import Prometheus, Sample
from tests.promises.lake import recorded_lines

SETTINGS = "global: {scrape_interval: 1h}\n"
WEEKS = 2
"""How much of the past is looked at, and filled in."""
LATENESS = 2 * HOUR
"""Lake City's: the last window is known so long after it ended."""


def steps(clock: Clock) -> Iterator[Step]:
    """What people did with the first alerts that were raised: two false pages, one right, one neither."""
    yield Step(StepKind.DISCARD, "tester", reason=DiscardReason.FALSE_PAGE)
    yield Step(StepKind.ACKNOWLEDGE, "tester")
    yield Step(StepKind.DISPOSE, "tester", measure=Measure.WATCH, owner="desk", deadline=clock.now() + WEEK)
    yield Step(StepKind.DISCARD, "tester", reason=DiscardReason.KNOWN_CAUSE)
    yield Step(StepKind.DISCARD, "tester", reason=DiscardReason.FALSE_PAGE)


@dataclass(frozen=True)
class Past:
    """A Prometheus with the past of Lake City, and the instant at which its ledger ends."""

    data: Path
    prometheus: Prometheus
    end: float

    def names(self) -> set[str]:
        """Which metrics there are."""
        asked = 'label_replace(count by (__name__) ({__name__=~"jiantu_.+"}), "name", "$1", "__name__", "(.+)")'
        days = self.prometheus.query_range(asked, self.end - WEEKS * 7 * 86_400, self.end, 6 * 3600)
        return {labels["name"] for labels, _ in days}

    def found(self, asked: Asked, chosen: Mapping[str, str]) -> int:
        """How many series a query gives at the end, or over the last days."""
        expr = sent(asked.expr, {**chosen, "__interval": "6h"})
        if asked.kind in {"instant", "variable"}:
            return len(self.prometheus.query(expr, self.end))
        return len(self.prometheus.query_range(expr, self.end - WEEKS * 7 * 86_400, self.end, 6 * 3600))

    def panel(self, name: str, title: str, **chosen: str) -> Iterator[list[Sample]]:
        """What the queries of a panel of a Chinese board give at the very end, one after the other."""
        board = next(board for board in boards() if (board.name, board.lang) == (name, "zh"))
        panel = next(panel for panel in panels(board) if panel["title"] == title)
        for target in panel["targets"]:
            yield self.prometheus.query(sent(target["expr"], chosen), self.end + LATENESS / SECOND)


def paged(alerts: Iterable[Alert]) -> list[Alert]:
    """Those under the budget, in the order in which they were raised."""
    found = [alert for alert in alerts if alert.raised.evidence.shape not in (Shape.ALWAYS_PAGE, Shape.RULE)]
    return sorted(found, key=lambda alert: (alert.raised.at, alert.id))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    folder = tmp_path_factory.mktemp("past")
    data = folder / "data"

    def done(*words: object) -> None:
        assert run([str(word) for word in words]) == 0

    done("replay", RECORDING, "--profile", LAKE, "--data-dir", data)
    with LedgerReader(data) as ledger:
        progress, alerts = ledger.progress(), ledger.alerts()
    assert progress is not None
    assert progress.watermark is not None
    clock, first = FixedClock(progress.watermark), iter(paged(alerts))
    with open_desk(data, clock) as desk:
        for step in steps(clock):
            desk.take(next(first).id, step)
    made = Prometheus(folder / "prometheus", SETTINGS, options=("--query.lookback-delta=65m",))
    since = format_instant(progress.watermark - (WEEKS + 1) * WEEK)
    done("backfill", "-d", data, "--to-prometheus", made.data, "--promtool", program("promtool"), "--since", since)
    with made:
        yield Past(data, made, progress.watermark / SECOND)


COUNTIES, SIZES = [f"c{number:02d}" for number in range(1, 13)], ("day", "week")
WITHOUT_PEOPLE = {"办理质量（周）", "接手用时", "处置用时", "处理步骤", "积压与超期", "在办时长", "误报比例"}
"""Panels about what people do, and shares of it: Lake City's recording has none of either."""
WITHOUT_PAST = {"记录按去向 B", "记录按去向 D"}
"""Duplicates and rejections by the second: a ledger keeps their sums alone."""


def test_the_past_has_what_the_boards_are_about(past: Past) -> None:
    known = past.names()
    wanted = (
        *(
            metrics.WINDOW_COUNT,
            metrics.WINDOW_SUPPRESSED,
            metrics.WINDOW_END,
            metrics.ALERT_OPEN,
            metrics.ALERT_RAISED,
        ),
        *(metrics.ALERTS_UNACKNOWLEDGED, metrics.ALERTS_UNDISPOSED, metrics.WATERMARK, metrics.POINT_LAST_EVENT),
        *(metrics.COUNTY_INFO, metrics.SIGNAL_INFO, metrics.POINT_INFO, metrics.CATEGORY_INFO, metrics.CITY_INFO),
        *(metrics.BUDGET_PER_WEEK, metrics.PRIVACY_K, metrics.REPLAYED, metrics.BUILD),
    )
    assert {metric.name for metric in wanted} - known == set()


def test_panels_show_the_past(past: Past) -> None:
    """Every query whose metrics have a past finds it, in some county: numbers below k are not shown anywhere."""
    known = past.names()
    empty = []
    for board in boards():
        for asked in queries(board) if board.lang == "zh" else ():
            query = asked.where.removeprefix(f"{board.uid}: ")
            title = query.rpartition(" ")[0]
            expr = promql_parser.parse(sent(asked.expr, {"county": "x", "signal": "x", "size": "x"}))
            if title in WITHOUT_PEOPLE or query in WITHOUT_PAST or not {name for name, _ in metrics_of(expr)} <= known:
                continue
            choices = (
                product(("total", "order", "work"), SIZES, COUNTIES) if "$" in asked.expr else [("total", "day", "c01")]
            )
            if not any(past.found(asked, {"signal": of, "size": size, "county": c}) for of, size, c in choices):
                empty.append(asked.where)
    assert empty == []


# ---- the most important numbers, by hand -----------------------------------------------------------------------------


def test_open_alerts_by_county_are_those_that_nobody_took_a_step_on(past: Past) -> None:
    with LedgerReader(past.data) as ledger:
        touched = {step.alert for step in ledger.steps()}
        waiting = [alert.raised for alert in ledger.alerts() if alert.id not in touched]
    assert len(touched) == 5
    by_county = Counter(raised.county for raised in waiting)
    table, *_ = past.panel("city", "县区一览", signal="total", size="day")
    assert {labels["county"]: count for labels, count in table} == {
        county: by_county[county] for county in (*COUNTIES, "lake")
    }
    urgent = {raised.county for raised in waiting if raised.severity is Severity.CRITICAL}
    (tiles,) = past.panel("city", "县区分布")
    for labels, _ in tiles:
        county, (mark, *rest) = labels["county"], labels["tile"].split()
        assert mark == ("‼" if county in urgent else "!" if by_county[county] else "✓")
        assert rest == [str(by_county[county])] * bool(by_county[county]) + [labels["name"]]
    (listed,) = past.panel("desk", "待确认的预警")
    assert len(listed) == len(waiting)


def test_the_false_page_ratio_is_what_people_said_of_pages(past: Past) -> None:
    """Two false, one right; one with a known cause is neither, one is only taken up."""
    ((ratio,),) = past.panel("desk", "误报比例")
    assert ratio[1] == pytest.approx(2 / 3)
    with LedgerReader(past.data) as ledger:
        everything = len(paged(ledger.alerts()))
    made_of_them = [count for ((_, count),) in past.panel("desk", "预警的结论")]
    assert made_of_them == [1, 2, 1, everything - 4]


def test_counts_with_their_bands_are_the_ledgers_and_the_recordings(past: Past) -> None:
    """Every county's last week and day that has a number; and whoever has none is flagged."""
    numbers = 0
    for size in (Size.DAY, Size.WEEK):
        with LedgerReader(past.data) as ledger:
            end = ledger.last_scored(size)
            assert end is not None
            window = {county: ledger.score(county, "total", size, end - HOUR) for county in (*COUNTIES, "lake")}
            late = ledger.corrections()
        chosen = {"signal": "total", "size": size.value, "county": "|".join(window)}
        counts, *bands = past.panel("signal", "各县区最近一个窗口", **chosen)
        expected, low, high, _ = ({labels["county"]: number for labels, number in band} for band in bands)
        for labels, count in counts:
            county = labels["county"]
            scored = window[county]
            assert scored is not None
            if count == HIDDEN:
                assert county not in expected
                continue
            numbers += 1
            assert count == scored.count
            assert count >= 10
            places = COUNTIES if county == "lake" else [county]
            came = _accepted(places, scored.start, scored.end)
            assert came - sum(late.get((one, "total"), 0) for one in places) <= count <= came
            judged = [one for one in scored.detectors.values() if one.expected is not None]
            assert (county in expected) is bool(judged)
            if judged:
                assert low[county] <= expected[county] <= high[county]
                assert any(abs(expected[county] - (one.expected or 0)) <= 0.5 for one in judged)
    assert numbers


def _accepted(counties: Iterable[str], start: int, end: int) -> int:
    """Different complaints of counties in a window, counted on the recording's lines."""
    found = set()
    for line in recorded_lines():
        try:
            event = msgspec.json.decode(line)["event"]
            here = event["county"] in counties and event["kind"] == "accepted"
            if here and start <= parse_instant(event["at"]) < end:
                found.add(event["id"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            continue  # a tick, or what jiantu rejects too
    return len(found)


def test_the_watermark_is_as_old_as_it_is(past: Past) -> None:
    for board in ("city", "pipeline"):
        ((age,),) = past.panel(board, "水位落后")
        assert age[1] == LATENESS / SECOND


def test_every_record_is_told_once_and_what_was_rejected_by_its_reason(past: Past) -> None:
    with LedgerReader(past.data) as ledger:
        totals, progress = ledger.rejection_totals(), ledger.progress()
    assert progress is not None
    ((received,),) = past.panel("pipeline", "收到")
    assert received[1] == sum(b'"tick"' not in line[:8] for line in recorded_lines())
    (rejected,) = past.panel("pipeline", "拒收，按原因")
    assert {labels["reason"]: count for labels, count in rejected} == {
        reason.value: count for reason, count in totals.items() if count
    }
    assert sum(count for _, count in rejected) == progress.accounting.rejected > 0
    ((difference,),) = past.panel("pipeline", "账目之差")
    assert difference[1] == 0
