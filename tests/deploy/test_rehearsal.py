"""Backups restored, by the commands of the runbook as they stand there: the same alerts, and nobody told twice."""

import gzip
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from streams.clock import WallClock
from streams.ledger.connection import open_writing
from streams.ledger.place import LedgerUrl
from streams.ledger.reader import LedgerReader
from streams.paging.pager import Pager
from streams.paging.webhook import read_notification
from streams.profile import Profile, load
from tests.cli.commands import REPOSITORY, environment
from tests.debian import found_or_fetched
from tests.paging.pagers import anomaly, new_pager, notification, settings_in
from tests.paging.receiver import Receiver, receiving
from tests.paging.samples import Filling, alert_id, raised
from tests.postgres import binaries as postgres_binaries
from tests.postgres.server import Server
from tests.promises.lake import city_profile, piped, recorded_lines, stored_log
from tests.service.living import Living, living, until
from tests.service.test_stream import header

RUNBOOK = (REPOSITORY / "deploy/RUNBOOK.md").read_text()
OLDEST = REPOSITORY / "tests/ledger/version_1.db.gz"
"""A ledger of the first version."""
NDJSON = {"content-type": "application/x-ndjson"}
_NOT_HERE = re.compile(r"^(systemctl|chown|[DU]=)")


def commands(name: str) -> str:
    """A block of the runbook, without what asks for root or names places of a real machine."""
    (block,) = re.findall(rf"^```sh {name}\n(.*?)^```$", RUNBOOK, re.MULTILINE | re.DOTALL)
    return "\n".join(line for line in block.splitlines() if not _NOT_HERE.match(line))


def sqlite3() -> Path:
    """The program's folder: installed, or Debian's package unpacked."""
    found = shutil.which("sqlite3")
    if found is not None:
        return Path(found).parent

    def unpacked(folder: Path) -> Path | None:
        return folder / "usr/bin" if (folder / "usr/bin/sqlite3").is_file() else None

    return found_or_fetched(unpacked, "sqlite3", ["sqlite3"], alone=True)


def run(name: str, *programs: Path, **variables: object) -> str:
    """Run a block; what it said."""
    places = [Path(sys.executable).parent, *programs, *map(Path, os.environ["PATH"].split(":"))]
    around = {"PATH": ":".join(map(str, places)), **{name: str(value) for name, value in variables.items()}}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands(name)],
        env=environment(**around),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def robot() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def running(data: Path) -> AbstractContextManager[Living]:
    """A service whose stream staff are paged of."""
    return living(data, clock="stream", page_replayed=True, checkpoint_seconds=0.2)


@contextmanager
def paging(where: Path | LedgerUrl, profile: Profile, folder: Path, robot: Receiver) -> Iterator[Pager]:
    """A pager that tells the robot at once."""
    with new_pager(where, profile, settings_in(folder, robot), WallClock()) as pager:
        yield pager


def offer(pager: Pager, alerts: Sequence[str]) -> None:
    """As Alertmanager does, again and again."""
    if alerts:
        pager.take(read_notification(notification(*(anomaly(0, alert=one) for one in alerts))))
    until(lambda: pager.figures().backlog.pages == 0)


def told(robot: Receiver) -> Counter[str]:
    """Alert -> messages about it."""
    found = (re.findall(r"/alerts/([0-9a-f]+)$", heard.text, re.MULTILINE) for heard in robot.taken)
    return Counter(name for names in found for name in names)


def alerts_of(where: Path | LedgerUrl) -> list[str]:
    with LedgerReader(where) as ledger:
        return [one.id for one in ledger.alerts()]


def record_of(where: Path | LedgerUrl) -> int:
    with LedgerReader(where) as ledger:
        progress = ledger.progress()
    assert progress is not None
    return progress.record


def post(service: Living, lines: Sequence[bytes]) -> None:
    for start in range(0, len(lines), 500):
        answer = service.post(b"".join(lines[start : start + 500]), **NDJSON)
        assert answer.status_code in (202, 400), answer.text


def test_a_live_service_is_backed_up_while_it_runs_and_restored(tmp_path: Path, robot: Receiver) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    lines, profile = [header(), *recorded_lines()], city_profile()
    half, later = len(lines) // 2, len(lines) * 3 // 4

    with running(data) as service:
        post(service, lines[:half])
        until(lambda: bool(alerts_of(data)))
        with paging(data, profile, tmp_path, robot) as pager:
            before = alerts_of(data)
            offer(pager, before)
            sending = threading.Thread(target=post, args=(service, lines[half:later]))
            sending.start()
            run("backup", sqlite3(), D=data, B=backup)
            sending.join()
    assert told(robot) == Counter(before)
    assert (backup / "jiantu.db").stat().st_mode & 0o077 == 0, "a backup is not for everybody"

    (data / "jiantu.db").write_bytes(b"\x00" * 4096)  # the disk, say
    shutil.rmtree(data / "inbox")
    said = run("restore", D=data, B=backup)
    assert "fail" not in said
    assert (tmp_path / "data.broken").is_dir()

    with running(data) as service, paging(data, profile, tmp_path, robot) as pager:
        assert set(before) <= set(alerts_of(data))
        offer(pager, alerts_of(data))
        post(service, lines)  # from the first record: what was counted is a duplicate
        until(lambda: service.accounting()["received"] >= len(recorded_lines()))
    everything = piped(recorded_lines())
    assert stored_log(data) == everything.log
    with LedgerReader(data) as ledger:
        progress = ledger.progress()
        assert progress is not None
        assert progress.accounting.counted == everything.accounting.counted
        assert ledger.verify_audit().intact
    with paging(data, profile, tmp_path, robot) as pager:
        offer(pager, alerts_of(data))
    assert told(robot) == Counter(alerts_of(data)), "every alert once, over backup and restore"


def test_a_ledger_in_postgresql_is_backed_up_while_it_is_written_and_restored(
    tmp_path: Path, robot: Receiver, postgres_server: Server
) -> None:
    programs, leshan = postgres_binaries.binaries(), load("leshan")
    around = postgres_binaries.environment(programs)
    around.pop("PATH", None)
    url = postgres_server.database(f"rehearsal_{os.getpid()}")
    where = LedgerUrl.of(url)
    fill = Filling(where)
    numbers = range(1, 9)
    fill(*map(raised, numbers[:4]))
    with fill.ticking(), paging(where, leshan, tmp_path, robot) as pager:
        offer(pager, [alert_id(one) for one in numbers[:4]])
        run("backup-postgresql", programs, U=url, B=tmp_path, **around)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("DROP SCHEMA public CASCADE")
        db.execute("CREATE SCHEMA public")
    with pytest.raises(Exception, match="ledger"):
        alerts_of(where)

    assert "fail" not in run("restore-postgresql", programs, U=url, B=tmp_path, **around)
    with paging(where, leshan, tmp_path, robot) as pager:
        offer(pager, [alert_id(one) for one in numbers[:4]])
        again = Filling(where, record=record_of(where))
        again(*map(raised, numbers))  # from the position that it holds; what it has is ignored
        offer(pager, [alert_id(one) for one in numbers])
    assert alerts_of(where) == [alert_id(one) for one in numbers]
    assert told(robot) == Counter(alert_id(one) for one in numbers)


def test_a_pager_of_the_new_version_waits_until_the_service_has_brought_the_ledger_up(
    tmp_path: Path, robot: Receiver
) -> None:
    """Upgrade, step 4, in the wrong order: nothing breaks, and it goes on by itself."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "jiantu.db").write_bytes(gzip.decompress(OLDEST.read_bytes()))
    with paging(data, load("leshan"), tmp_path, robot) as pager:
        assert "written by an older jiantu" in str(pager.ready())
        open_writing(data).close()
        assert pager.ready() is None
        offer(pager, alerts_of(data))
    assert told(robot) == Counter(["a1"]), "a2 was taken up before the upgrade"
