"""Scrapes of a ledger that somebody writes meanwhile: each is of one moment, and counters never go back."""

import subprocess
from pathlib import Path

from sqlalchemy import insert, select

from streams.cli.exporter import profile_of
from streams.exporter.collector import LedgerCollector
from streams.ledger.connection import open_reading, open_writing
from streams.ledger.place import LedgerUrl
from streams.ledger.tables import METADATA
from tests.cli.commands import LAKE, RECORDING, command, environment
from tests.exporter.samples import Samples, collector_of, once, one, scraped

OWN = (
    "jiantu_exporter_scrape_duration_seconds",
    "jiantu_checkpoint_timestamp_seconds",
    "jiantu_exporter_errors_total",
)
"""What is the process's own, not the ledger's."""


def test_every_scrape_of_a_running_replay_balances_and_none_goes_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    words = command("replay", RECORDING, "--profile", LAKE, "--data-dir", data, "--json")
    slowly = environment(JIANTU_CHECKPOINT_SECONDS="0.05")
    collector, received, seen = collector_of(data), 0.0, set[float]()
    with subprocess.Popen(words, env=slowly, stdout=subprocess.DEVNULL) as running:
        while running.poll() is None:
            told = scraped(collector)
            if "jiantu_records_received_total" not in told:
                continue
            now = one(told, "jiantu_records_received_total")
            assert sum(told["jiantu_records_total"].values()) == now
            rejected = {dict(labels)["verdict"]: value for labels, value in told["jiantu_records_total"].items()}
            assert sum(told["jiantu_records_rejected_total"].values()) == rejected["rejected"]
            assert now >= received
            received = now
            seen.add(now)
        assert running.returncode == 0
    told, anew = scraped(collector), once(data)
    assert _of_ledger(told) == _of_ledger(anew), "what was remembered meanwhile is what is there"
    assert one(told, "jiantu_records_received_total") >= received


def test_a_ledger_in_postgresql_tells_the_same(lake_data: Path, postgres: str) -> None:
    url = LedgerUrl.of(postgres)
    source, copy = open_reading(lake_data), open_writing(url)
    for table in METADATA.sorted_tables:
        rows = source.run(lambda db, table=table: [dict(row) for row in db.execute(select(table)).mappings()])  # type: ignore[misc]  # a default holds the loop's own
        if rows:
            copy.run(lambda db, table=table, rows=rows: db.execute(insert(table), rows))  # type: ignore[misc]  # a default holds the loop's own
    source.close()
    copy.close()
    profile = profile_of(lake_data, None)
    assert _of_ledger(scraped(LedgerCollector(url, lambda: profile))) == _of_ledger(once(lake_data))


def _of_ledger(samples: Samples) -> Samples:
    return {name: found for name, found in samples.items() if name not in OWN}
