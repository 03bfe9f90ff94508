"""Boards on the past of a replayed city: replay, `jiantu backfill`, a real Prometheus; and the panels have data."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import promql_parser
import pytest

from streams import metrics
from streams.core.instant import SECOND
from streams.ledger.reader import LedgerReader
from tests.cli.commands import LAKE, RECORDING, command, environment
from tests.dashboards.promql import metrics_of
from tests.dashboards.read import Asked, boards, queries, sent
from tests.prometheus.programs import program
from tests.prometheus.server import Prometheus

SETTINGS = "global: {scrape_interval: 1h}\n"


@dataclass(frozen=True)
class Past:
    """A Prometheus with the past of Lake City, and the instant at which its ledger ends."""

    prometheus: Prometheus
    end: float

    def names(self) -> set[str]:
        """Which metrics there are."""
        asked = 'label_replace(count by (__name__) ({__name__=~"jiantu_.+"}), "name", "$1", "__name__", "(.+)")'
        days = self.prometheus.query_range(asked, self.end - 14 * 86_400, self.end, 3600)
        return {labels["name"] for labels, _ in days}

    def found(self, asked: Asked, chosen: Mapping[str, str]) -> int:
        """How many series a query gives at the end, or over the last days."""
        expr = sent(asked.expr, chosen)
        if asked.kind in {"instant", "variable"}:
            return len(self.prometheus.query(expr, self.end))
        return len(self.prometheus.query_range(expr, self.end - 14 * 86_400, self.end, 3600))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    folder = tmp_path_factory.mktemp("past")
    data = folder / "data"

    def done(*words: object) -> None:
        subprocess.run(command(*words), env=environment(), stdout=subprocess.DEVNULL, check=True, timeout=300)

    done("replay", RECORDING, "--profile", LAKE, "--data-dir", data)
    made = Prometheus(folder / "prometheus", SETTINGS, options=("--query.lookback-delta=65m",))
    done("backfill", "-d", data, "--to-prometheus", made.data, "--promtool", program("promtool"))
    with LedgerReader(data) as ledger:
        progress = ledger.progress()
    assert progress is not None
    assert progress.watermark is not None
    with made:
        yield Past(made, progress.watermark / SECOND)


COUNTIES, SIZES = [f"c{number:02d}" for number in range(1, 13)], ("day", "week")
WITHOUT_PEOPLE = {"办理质量（周）", "接手用时", "处置用时", "处理步骤", "积压与超期", "在办时长", "误报比例"}
"""Panels about what people do, and shares of it: Lake City's recording has none of either."""


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
            title = asked.where.removeprefix(f"{board.uid}: ").rpartition(" ")[0]
            expr = promql_parser.parse(sent(asked.expr, {"county": "x", "signal": "x", "size": "x"}))
            if title in WITHOUT_PEOPLE or not {name for name, _ in metrics_of(expr)} <= known:
                continue
            choices = product(COUNTIES, SIZES) if "$" in asked.expr else [("c01", "day")]
            if not any(past.found(asked, {"county": c, "signal": "total", "size": s}) for c, s in choices):
                empty.append(asked.where)
    assert empty == []
