"""`jiantu retention apply`: what is old and done with goes, once; what is needed, or somebody's duty, never does."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import func, select

from streams.clock import WallClock
from streams.core.instant import DAY, Instant
from streams.ledger import tables
from streams.ledger.connection import open_people, open_reading
from streams.ledger.lifecycle import Step, StepKind
from streams.ledger.pages import ALERT, FIRING, Outcome, Page, PageBook, Receipt
from streams.ledger.reader import LedgerReader
from streams.sources.inbox import FOLDER, InboxHeader, InboxReader, InboxWriter, segments
from streams.wiring.reading import open_desk
from tests.cli.commands import Cli

NOW = WallClock().now()
OLD = NOW - 900 * DAY
LINE = b'{"tick":"2025-01-01T00:00:00Z"}\n'


@pytest.fixture
def data(lake_data: Path, tmp_path: Path) -> Path:
    """Lake City's run, to be changed."""
    return Path(shutil.copytree(lake_data, tmp_path / "data"))


def inbox(data: Path, ages: Sequence[int], records: int = 10) -> list[Path]:
    """An inbox of segments with so many records each, whose last records came so many days ago."""
    header = InboxHeader.of("lake", OLD, pages=True)
    writer = InboxWriter.begin(data / FOLDER, header, segment=1)
    for _ in ages:
        writer.append([LINE] * records)
    writer.close()
    found = [one.path for one in segments(data / FOLDER)]
    for path, age in zip(found, ages, strict=True):
        came = (NOW - age * DAY) / 1e6
        os.utime(path, (came, came))
    return found


def gone(cli: Cli, data: Path, *more: str) -> dict[str, int]:
    ended = cli("retention", "apply", "--data-dir", data, "--json", *more)
    assert ended.code == 0, ended.said
    found = ended.document
    return {one["history"]: one["gone"] for one in found["histories"]}


def counted(data: Path) -> int:
    with LedgerReader(data) as ledger:
        progress = ledger.progress()
    assert progress is not None
    return progress.record


class TestInbox:
    def test_old_counted_segments_go_and_the_rest_can_be_read_on(self, cli: Cli, data: Path) -> None:
        first, second, *left = inbox(data, [400, 300, 100, 0])
        assert gone(cli, data, "--dry-run")["inbox"] == 2
        assert first.exists()
        assert gone(cli, data)["inbox"] == 2
        assert not first.exists()
        assert not second.exists()
        assert all(path.exists() for path in left)
        assert gone(cli, data)["inbox"] == 0
        reader = InboxReader(data / FOLDER)
        assert reader.header.identity.startswith("live:")
        writer = InboxWriter(data / FOLDER)
        assert writer.record == 40
        writer.close()

    def test_what_is_not_counted_stays_however_old(self, cli: Cli, data: Path) -> None:
        """The checkpoint stands in the second segment: it is read from its beginning when the service starts."""
        records = counted(data) - 5
        paths = inbox(data, [900, 900, 900], records)
        assert gone(cli, data)["inbox"] == 1
        assert [path.exists() for path in paths] == [False, True, True]

    def test_no_gap_is_made(self, cli: Cli, data: Path) -> None:
        """A segment that was copied back, and looks new, keeps those behind it too."""
        paths = inbox(data, [400, 0, 400, 0])
        assert gone(cli, data)["inbox"] == 1
        assert [path.exists() for path in paths] == [False, True, True, True]

    def test_what_was_cut_off_a_segment_goes_with_it(self, cli: Cli, data: Path) -> None:
        first, second = inbox(data, [400, 0])
        (cut := first.with_name(f"{first.name}.cut-at-7")).write_bytes(b"x")
        (kept := second.with_name(f"{second.name}.cut-at-7")).write_bytes(b"x")
        assert gone(cli, data)["inbox"] == 2
        assert (cut.exists(), kept.exists()) == (False, True)

    def test_the_last_one_stays(self, cli: Cli, data: Path) -> None:
        (only,) = inbox(data, [900])
        assert gone(cli, data)["inbox"] == 0
        assert only.exists()


def page(data: Path, alert: str, made: Instant, *, delivered: bool) -> str:
    """A page of one alert, told or waiting."""
    asked = Page(
        id="", group_key="g", status=FIRING, kind=ALERT, county="c01", severity="warning", level=0, made_at=made
    )
    with PageBook(data) as book:
        (one,) = book.page_alerts(asked, [alert], ["duty"], 10)
        if delivered:
            assert book.take_due("duty", made) is not None
            book.note(Receipt(one.id, "duty", 1, made, Outcome.DELIVERED, "ok", "0" * 64), None)
    return one.id


def pages(data: Path) -> set[str]:
    database = open_reading(data)
    try:
        return database.run(lambda db: set(db.execute(select(tables.page.c.id)).scalars()))
    finally:
        database.close()


def test_pages_that_are_told_and_taken_up_go_with_their_receipts(cli: Cli, data: Path) -> None:
    with LedgerReader(data) as ledger:
        names = [alert.raised.alert for alert in ledger.alerts()][:4]
    told, young, waiting, untaken = (
        page(data, names[0], OLD, delivered=True),
        page(data, names[1], NOW, delivered=True),
        page(data, names[2], OLD, delivered=False),
        page(data, names[3], OLD, delivered=True),
    )
    with open_desk(data) as desk:
        for name in names[:3]:
            desk.take(name, Step(kind=StepKind.ACKNOWLEDGE, who="test"))
    assert gone(cli, data, "--dry-run")["pages"] == 1
    assert told in pages(data)
    assert gone(cli, data)["pages"] == 1
    assert pages(data) == {young, waiting, untaken}
    assert gone(cli, data)["pages"] == 0
    with LedgerReader(data) as ledger:
        assert len(ledger.steps()) == 3, "the audit chain is kept"
        assert ledger.verify_audit().intact
        assert ledger.retained()["pages"][1] == 1
        assert ledger.damage() == []


def test_histories_go_by_event_time_and_alerts_stay(cli: Cli, data: Path, tmp_path: Path) -> None:
    """With a shorter period than the run had: what is due goes, what the log holds does not change."""
    short = tmp_path / "short"
    shutil.copytree(data / "profile", short)
    (written,) = [file for file in short.glob("*.yaml") if "retention: {scores: 400d" in file.read_text()]
    written.write_text(written.read_text().replace("400d", "7d"))
    log = cli("alert-log", "--data-dir", data).out
    would = gone(cli, data, "--profile", str(short), "--dry-run")
    assert would["scores"] > 0
    assert gone(cli, data, "--profile", str(short)) == would
    assert gone(cli, data, "--profile", str(short))["scores"] == 0
    assert cli("alert-log", "--data-dir", data).out == log
    database = open_people(data)
    left = database.run(lambda db: db.execute(select(func.count()).select_from(tables.scored)).scalar_one())
    database.close()
    assert left > 0


def test_it_says_what_stays(cli: Cli, data: Path) -> None:
    said = cli("retention", "apply", "--data-dir", data, "--dry-run").said
    assert "什么都没有删" in said
    assert "the audit chain are kept for good" in said
    assert "180d" in said


def test_without_a_run(cli: Cli, tmp_path: Path) -> None:
    assert "no such directory" in cli.refused("retention", "apply", "--data-dir", tmp_path / "none")
