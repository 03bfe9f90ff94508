"""The servers that tests speak to are real ones, answer, keep their data when killed, and leave nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.debian import NotFetchedError, found_or_fetched
from tests.prometheus.fixtures import NewAlertmanager, NewPrometheus
from tests.prometheus.programs import PACKAGES, program
from tests.prometheus.server import NotStartedError, Prometheus

NOTHING = "global: {scrape_interval: 1s}\n"
ONE_ROUTE = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"

OWNER = """
import sys
from pathlib import Path
from tests.prometheus.server import Alertmanager
server = Alertmanager(Path(sys.argv[1]), sys.argv[2])
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", PACKAGES)
def test_every_program_is_there(name: str) -> None:
    said = subprocess.run([program(name), "--version"], capture_output=True, text=True, check=True)
    assert name in said.stdout + said.stderr


def test_it_answers_and_goes_on_after_a_kill(new_prometheus: NewPrometheus) -> None:
    server = new_prometheus(NOTHING)
    server.start()
    assert server.query("vector(3)") == [({}, 3.0)]
    assert server.query("1 + 1") == [({}, 2.0)]
    server.kill()
    assert not server.running
    server.start()
    assert server.alerts() == []
    assert server.targets() == []


def test_an_alertmanager_knows_of_no_alerts(new_alertmanager: NewAlertmanager) -> None:
    server = new_alertmanager(ONE_ROUTE)
    server.start()
    assert server.alerts() == []
    server.reload(ONE_ROUTE.replace("nobody", "somebody"))
    server.stop()
    assert not server.running


def test_what_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotStartedError, match="nonsense"):
        Prometheus(tmp_path, "nonsense: 1\n").start()


def test_it_goes_with_its_owner_however_that_ends(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", OWNER, str(tmp_path), ONE_ROUTE]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as owner:
        assert owner.stdout is not None
        server = Path("/proc") / owner.stdout.readline().strip()
        assert server.exists()
        owner.kill()
    until = time.monotonic() + 120
    while server.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not server.exists()


def test_what_cannot_be_fetched_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFetchedError, match=r"apt-get install prometheus \(as root\)"):
        found_or_fetched(lambda _: None, "test", ["prometheus"])
