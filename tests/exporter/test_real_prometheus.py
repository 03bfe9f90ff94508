"""With a real Prometheus: one that scrapes the exporter, and one that a past was filled into."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from streams.core.city import Size
from streams.core.instant import SECOND
from streams.ledger.reader import LedgerReader
from tests.cli.commands import Ended, command, environment, process
from tests.exporter.samples import Labels, labels_of, once, read
from tests.prometheus.fixtures import NewPrometheus
from tests.prometheus.programs import program
from tests.prometheus.server import PATIENCE, Prometheus

SCRAPING = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: jiantu
    static_configs: [{{targets: ["{address}"]}}]
"""


@contextmanager
def exporting(data: Path) -> Iterator[str]:
    """`jiantu exporter` as a process; its address."""
    words = command("exporter", "--data-dir", data, "--listen", "127.0.0.1:0")
    with subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stderr is not None
            line = next(line for line in running.stderr if "http://" in line)
            yield line.split("http://")[1].split("/metrics")[0]
        finally:
            running.terminate()
            assert running.wait(30) in (0, -15, 143)


def _wait_for(prometheus: Prometheus, query: str) -> None:
    end = time.monotonic() + PATIENCE
    while not prometheus.query(query):
        assert time.monotonic() < end, f"nothing for {query}"
        time.sleep(0.2)


def test_a_prometheus_scrapes_the_exporter(lake_data: Path, new_prometheus: NewPrometheus) -> None:
    with exporting(lake_data) as address:
        prometheus = new_prometheus(SCRAPING.format(address=address))
        prometheus.start()
        _wait_for(prometheus, "jiantu_exporter_up == 1")
        opened = prometheus.query("jiantu_alert_open")
    assert sorted(labels["alert"] for labels, _ in opened) == labels_of(once(lake_data)["jiantu_alert_open"], "alert")


def test_a_past_is_filled_into_a_prometheus(lake_data: Path, new_prometheus: NewPrometheus) -> None:
    prometheus = new_prometheus("", options=("--query.lookback-delta=65m",))
    done = process(
        "backfill", "--data-dir", lake_data, "--to-prometheus", prometheus.data, "--promtool", program("promtool")
    )
    assert done.code == 0, done.err
    prometheus.start()
    with LedgerReader(lake_data) as ledger:
        alerts = ledger.alerts()
        last_day = ledger.last_scored(Size.DAY)
    assert last_day is not None
    lateness = 2 * 3600
    told = once(lake_data)
    # At the end: what the exporter tells now, number by number.
    at_end = last_day / SECOND + lateness
    for name in ("jiantu_window_observed", "jiantu_window_suppressed", "jiantu_window_expected"):
        found = {frozenset(labels.items()): value for labels, value in prometheus.query(name, at=at_end)}
        assert _of_days(found) == _of_days(told.get(name, {}))
    # In between: what was open then, and nothing that was raised later.
    middle = sorted(alert.raised.at for alert in alerts)[len(alerts) // 2] / SECOND + 1800
    open_then = {labels["alert"] for labels, _ in prometheus.query("jiantu_alert_open", at=middle + 1800)}
    assert open_then >= {alert.id for alert in alerts if alert.raised.at / SECOND < middle - 3600}
    assert not open_then & {alert.id for alert in alerts if alert.raised.at / SECOND > middle + 1800}
    # A window is told from when it was known, not before.
    early = prometheus.query('jiantu_window_end_timestamp_seconds{size="day"}', at=at_end - lateness - 60)
    assert [value for _, value in early] != [last_day / SECOND]


def _of_days(samples: Mapping[Labels, float]) -> dict[Labels, float]:
    return {labels: value for labels, value in samples.items() if dict(labels)["size"] != "hour"}


def test_backfill_says_what_is_missing(lake_data: Path, tmp_path: Path) -> None:
    done: Ended = process(
        "backfill", "--data-dir", lake_data, "--to-prometheus", tmp_path, "--promtool", tmp_path / "none"
    )
    assert done.code == 1
    assert "apt-get install prometheus" in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_backfill_of_nothing_is_refused(lake_data: Path, tmp_path: Path) -> None:
    done = process(
        "backfill", "--data-dir", lake_data, "--to-prometheus", tmp_path, "--until", "1999-01-01",
        "--promtool", program("promtool"),
    )  # fmt: skip
    assert done.code == 2
    assert "nothing in that time" in done.err


def test_once_prints_a_scrape_and_a_missing_ledger_is_said(lake_data: Path, tmp_path: Path) -> None:
    done = process("exporter", "--data-dir", lake_data, "--once")
    assert done.code == 0
    assert read(done.out)["jiantu_alert_open"]
    none = process("exporter", "--data-dir", tmp_path / "none", "--once")
    assert none.code == 1
    assert "no such directory" in none.err
    assert read(none.out)["jiantu_exporter_up"] == {frozenset(): 0}
