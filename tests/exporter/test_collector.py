"""What a scrape tells of a ledger, and what it does where there is none to read."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics

from streams import metrics
from streams.cli.exporter import profile_of
from streams.clock import WallClock
from streams.core.alert import Shape
from streams.core.instant import SECOND
from streams.exporter.app import registry_of
from streams.ledger.connection import FILE
from streams.ledger.lifecycle import DiscardReason, Step, StepKind
from streams.ledger.reader import LedgerReader
from streams.wiring.reading import open_desk
from tests.exporter.samples import collector_of, labels_of, once, one, scraped
from tests.prometheus.programs import program

Copy = Callable[[], Path]


def _first_open(data: Path) -> str:
    return labels_of(once(data)["jiantu_alert_open"], "alert")[0]


def _take(data: Path, alert: str, kind: StepKind, reason: DiscardReason | None = None) -> None:
    with open_desk(data, WallClock()) as desk:
        desk.take(alert, Step(kind, "tester", reason=reason))


# ---- what is told ------------------------------------------------------------------------------------------------


def test_every_alert_that_nobody_took_up_is_open_whether_or_not_it_has_ended(lake_data: Path) -> None:
    with LedgerReader(lake_data) as ledger:
        alerts = ledger.alerts()
    assert any(alert.ended_at is not None for alert in alerts)
    assert labels_of(once(lake_data)["jiantu_alert_open"], "alert") == sorted(alert.id for alert in alerts)


def test_an_alert_is_gone_once_somebody_took_it_up_and_only_it(lake_copy: Copy) -> None:
    data = lake_copy()
    collector = collector_of(data)
    before = scraped(collector)["jiantu_alert_open"]
    first = _first_open(data)
    _take(data, first, StepKind.ACKNOWLEDGE)
    after = scraped(collector)
    assert labels_of(after["jiantu_alert_open"], "alert") == [
        alert for alert in labels_of(before, "alert") if alert != first
    ]
    assert first in labels_of(after["jiantu_alert_raised_timestamp_seconds"], "alert"), "nobody has decided on it"
    assert after["jiantu_alert_steps_total"] == {frozenset({("step", "acknowledge"), ("choice", "")}): 1}


def test_a_mistaken_discard_taken_back_is_told_as_the_ledger_has_it(lake_copy: Copy) -> None:
    data = lake_copy()
    with LedgerReader(data) as ledger:
        page = next(a for a in ledger.alerts() if a.raised.evidence.shape not in (Shape.ALWAYS_PAGE, Shape.RULE))
    collector = collector_of(data)
    _take(data, page.id, StepKind.DISCARD, DiscardReason.FALSE_PAGE)
    assert scraped(collector)["jiantu_pages"][frozenset({("outcome", "false")})] == 1
    assert one(scraped(collector), "jiantu_false_page_ratio") == 1
    _take(data, page.id, StepKind.ACKNOWLEDGE)
    assert scraped(collector)["jiantu_pages"][frozenset({("outcome", "false")})] == 0


def test_records_balance_and_are_the_ledgers_own(lake_data: Path) -> None:
    with LedgerReader(lake_data) as ledger:
        progress = ledger.progress()
        rejected = ledger.rejection_totals()
    assert progress is not None
    assert progress.watermark is not None
    told = once(lake_data)
    assert one(told, "jiantu_records_received_total") == progress.accounting.received
    assert sum(told["jiantu_records_total"].values()) == progress.accounting.received
    assert sum(told["jiantu_records_rejected_total"].values()) == sum(rejected.values())
    assert one(told, "jiantu_watermark_timestamp_seconds") == progress.watermark / SECOND


def test_a_replay_says_that_it_is_one(lake_data: Path) -> None:
    told = once(lake_data)
    assert one(told, "jiantu_replayed") == 1
    assert set(labels_of(told["jiantu_alert_open"], "replayed")) == {"true"}


def test_small_alerts_have_neither_signal_nor_size_nor_time(lake_data: Path) -> None:
    k = profile_of(lake_data, None).city.privacy_k
    with LedgerReader(lake_data) as ledger:
        small = {alert.id: alert.raised.at for alert in ledger.alerts() if alert.raised.evidence.count < k}
        large = [alert for alert in ledger.alerts() if alert.raised.evidence.count >= k]
    assert small
    assert large
    for labels, value in once(lake_data)["jiantu_alert_raised_timestamp_seconds"].items():
        said = dict(labels)
        if said["alert"] in small:
            assert (said["signal"], said["size"]) == ("", "")
            assert value % 3600 == 0
            assert value <= small[said["alert"]] / SECOND < value + 3600
        else:
            assert said["signal"]


def test_everything_told_is_in_the_names_file_with_just_its_labels(lake_data: Path) -> None:
    for family in collector_of(lake_data).collect():
        metric = metrics.NAMES.get(family.name) or metrics.NAMES[f"{family.name}_total"]
        assert family.type == metric.kind
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels)


def test_promtool_finds_nothing_to_complain_of(lake_data: Path) -> None:
    text = generate_latest(registry_of(collector_of(lake_data)))
    done = subprocess.run(
        [str(program("promtool")), "check", "metrics"], input=text, capture_output=True, timeout=60, check=False
    )
    complaints = [line for line in (done.stdout + done.stderr).decode().splitlines() if line]
    assert complaints == []


def test_openmetrics_is_openmetrics(lake_data: Path) -> None:
    encode, kind = choose_encoder("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    text = encode(registry_of(collector_of(lake_data))).decode()
    families = parsed_openmetrics(text)  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped
    assert [family for family in families if family.name == "jiantu_alert_open"]


# ---- restarts ------------------------------------------------------------------------------------------------------


def test_a_new_exporter_tells_what_the_old_one_told(lake_copy: Copy) -> None:
    data = lake_copy()
    old = collector_of(data)
    scraped(old)
    _take(data, _first_open(data), StepKind.ACKNOWLEDGE)
    own = ("jiantu_exporter_scrape_duration_seconds", "jiantu_checkpoint_timestamp_seconds")
    told, anew = scraped(old), once(data)
    assert {name: samples for name, samples in told.items() if name not in own} == {
        name: samples for name, samples in anew.items() if name not in own
    }


def test_another_ledger_in_the_same_place_is_read_from_its_beginning(lake_copy: Copy, tmp_path: Path) -> None:
    data = lake_copy()
    other = tmp_path / "other"
    shutil.copytree(data, other)
    _take(data, _first_open(data), StepKind.ACKNOWLEDGE)
    collector = collector_of(data)
    assert "jiantu_alert_steps_total" in scraped(collector)
    shutil.rmtree(data)
    other.rename(data)
    assert "jiantu_alert_steps_total" not in scraped(collector)


# ---- a ledger that cannot be read ------------------------------------------------------------------------------------


def test_an_exporter_waits_for_its_ledger(tmp_path: Path, lake_data: Path) -> None:
    data = tmp_path / "later"
    collector = collector_of(data)
    told = scraped(collector)
    assert one(told, "jiantu_exporter_up") == 0
    assert one(told, "jiantu_watchdog") == 1
    assert told["jiantu_exporter_errors_total"][frozenset({("reason", "missing")})] == 1
    assert "jiantu_alert_open" not in told
    assert str(data) in collector.trouble
    shutil.copytree(lake_data, data)
    told = scraped(collector)
    assert one(told, "jiantu_exporter_up") == 1
    assert told["jiantu_alert_open"]
    assert collector.trouble == ""


def test_a_ledger_of_a_newer_jiantu_is_left_alone_and_said(lake_copy: Copy) -> None:
    data = lake_copy()
    collector = collector_of(data)
    scraped(collector)
    with sqlite3.connect(data / FILE) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()
    told = scraped(collector)
    assert one(told, "jiantu_exporter_up") == 0
    assert told["jiantu_exporter_errors_total"][frozenset({("reason", "newer")})] == 1
    assert "newer jiantu" in collector.trouble
    assert "jiantu_alert_open" not in told


def test_a_ledger_that_is_no_file_of_ours_is_said(lake_copy: Copy) -> None:
    data = lake_copy()
    collector = collector_of(data)
    (data / FILE).write_bytes(b"not a database" * 100)
    told = scraped(collector)
    assert one(told, "jiantu_exporter_up") == 0
    assert sum(told["jiantu_exporter_errors_total"].values()) == 1


def test_a_locked_ledger_is_given_up_soon_and_read_when_it_is_free(lake_copy: Copy) -> None:
    data = lake_copy()
    collector = collector_of(data)
    scraped(collector)
    db = sqlite3.connect(data / FILE, isolation_level=None)
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    told = scraped(collector)
    assert one(told, "jiantu_exporter_up") == 0
    assert told["jiantu_exporter_errors_total"][frozenset({("reason", "busy")})] == 1
    db.execute("COMMIT")
    db.close()
    assert one(scraped(collector), "jiantu_exporter_up") == 1
