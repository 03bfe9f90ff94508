"""Time in a live service is its clock's: what happens, and what does not, when nobody sends anything."""

from pathlib import Path

from streams.core.instant import DAY, HOUR, MINUTE, SECOND
from streams.ledger.reader import LedgerReader
from streams.sources.inbox import is_live
from tests.cli.commands import Cli
from tests.service.living import START, event, living, until


def test_its_clock_ticks_and_its_windows_close_though_nothing_comes(tmp_path: Path) -> None:
    with living(tmp_path) as service:
        service.move(3 * HOUR)
        assert service.accounting()["windows_closed"] == 12  # an hour of each county; lateness is two hours
        ready = service.client.get("/readyz").json()
        assert (ready["reached"], ready["watermark"]) == ("2025-06-02T15:00:00-04:00", "2025-06-02T13:00:00-04:00")
        assert ready["watermark_age_seconds"] == 7200


def test_ticks_fall_on_whole_multiples_and_never_go_back(tmp_path: Path) -> None:
    with living(tmp_path, tick_seconds=60) as service:
        service.move(90 * SECOND)
        assert service.running.service.writer.health.reached == START + MINUTE
        service.clock.advance(-10 * MINUTE)
        service.post(event(1, START))
        assert service.running.service.writer.health.reached == START + MINUTE


def test_what_comes_after_its_window_closed_is_late_and_what_is_always_paged_is_paged_at_once(tmp_path: Path) -> None:
    with living(tmp_path) as service:
        service.move(4 * HOUR)
        answer = service.post([event(1, START + MINUTE), event(2, START + 2 * MINUTE, category="threat", ticket="t1")])
        assert answer.json()["verdicts"] == ["late", "late"]
        # The ledger has the alert while the service runs: it does not wait for the next checkpoint.
        until(lambda: _alerts(tmp_path) == 1, within=10 * SECOND)


def test_a_service_that_was_away_goes_on_where_time_is_now(tmp_path: Path) -> None:
    with living(tmp_path) as service:
        service.post(event(1, START + MINUTE))
    with living(tmp_path, at=START + DAY) as service:
        until(lambda: service.accounting()["windows_closed"] > 12 * 20)
        assert service.post(event(2, START + DAY)).json()["verdicts"] == ["counted"]


def test_what_came_in_live_is_told_from_what_was_replayed(tmp_path: Path) -> None:
    for name, settings, live in (
        ("live", {}, True),
        ("stream", {"clock": "stream"}, False),
        ("paged", {"clock": "stream", "page_replayed": True}, True),
    ):
        with living(tmp_path / name, **settings) as service:
            service.post(event(1, START + MINUTE))
        with LedgerReader(tmp_path / name) as ledger:
            progress = ledger.progress()
        assert progress is not None
        assert is_live(progress.source) is live


def test_the_inbox_replays_to_the_same_alert_log(tmp_path: Path, cli: Cli) -> None:
    with living(tmp_path / "live") as service:
        for hour in range(30):
            busy = 40 if hour == 26 else 3
            service.post([event(100 * hour + n, service.clock.now(), county="c12") for n in range(busy)])
            service.post(event(hour, service.clock.now(), category="threat", ticket=f"t{hour // 10}"))
            service.move(HOUR)
    kept = tmp_path / "log"
    kept.write_bytes(cli("alert-log", "--data-dir", tmp_path / "live").out.encode())
    assert kept.read_bytes().count(b"\n") >= 3
    ended = cli(
        "replay", tmp_path / "live" / "inbox", "--data-dir", tmp_path / "again", "--expect", kept, "--json",
        "--profile", tmp_path / "live" / "profile",
    )  # fmt: skip
    assert ended.code == 0, ended
    assert ended.document["expect"]["same"]
    assert ended.document["ending"]["state"] == "complete"


def _alerts(data_dir: Path) -> int:
    with LedgerReader(data_dir) as ledger:
        return len(ledger.alerts())
