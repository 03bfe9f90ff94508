"""The supervisor, over real processes: again after a failure, not after a refusal, nor after a third failure."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from streams.runtime import supervisor as module
from streams.runtime.failures import Failure
from streams.runtime.supervisor import Supervisor
from streams.runtime.worker_setup import FAILED, STOPPED_FOR_GOOD

CHILD = """
import os, sys
from pathlib import Path
from streams.runtime.failures import Failure
from streams.runtime.supervisor import report, tell
from streams.runtime.template import become_a_life
become_a_life()
tell(b'{"event":"hello"}\\n')
lives = Path(sys.argv[1])
count = len(lives.read_text()) if lives.exists() else 0
lives.write_text("x" * (count + 1))
code, first, last = sys.argv[2].split(",")[count].split(":")
if code == "9":
    tell(b'{"event":"checkpoint"}\\n{"event":"cut o')
    os.kill(os.getpid(), 9)
if first:
    report(Failure("tally", "events", 0, int(first), int(last), "KeyError"))
os._exit(int(code))
"""


class Lives:
    """A worker whose lives end as the test says, one after another: `code:first:last`."""

    def __init__(self, folder: Path, *ends: str) -> None:
        self.said: list[str] = []
        self.rests: list[float] = []
        self.heard: list[str] = []
        self.stopped: list[Failure] = []
        self._lives = folder / "lives"
        command = [sys.executable, "-c", CHILD, str(self._lives), ",".join(ends)]
        self.code = Supervisor(command, self._say, self.stopped.append, self._hear).run()

    def _say(self, event: str, /, **facts: Any) -> None:
        self.said.append(event)
        self.rests += [facts["after_seconds"]] if event == "restarting" else []

    def _hear(self, event: str, facts: Mapping[str, Any]) -> None:
        self.heard.append(event)

    @property
    def count(self) -> int:
        return len(self._lives.read_text())


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECOND", 1000)


@pytest.fixture(autouse=True)
def signals_as_before() -> object:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_failed_worker_is_started_again_and_one_that_is_done_is_not(tmp_path: Path) -> None:
    lives = Lives(tmp_path, "1::", "1::", "0::")
    assert (lives.code, lives.count) == (0, 3)
    assert lives.said == ["restarting"] * 2


def test_the_third_failure_at_the_same_records_stops_for_good_however_they_were_cut(tmp_path: Path) -> None:
    lives = Lives(tmp_path, "1:100:199", "1:0:150", "1::", "1:120:130", "0::")
    assert (lives.code, lives.count) == (STOPPED_FOR_GOOD, 4)
    assert lives.said[-1] == "stopped_for_good"
    assert [one.first for one in lives.stopped] == [120]


def test_failures_elsewhere_are_not_counted_together(tmp_path: Path) -> None:
    lives = Lives(tmp_path, "1:0:9", "1:10:19", "1:20:29", "0::")
    assert (lives.code, lives.count) == (0, 4)


def test_a_refusal_is_not_tried_again(tmp_path: Path) -> None:
    lives = Lives(tmp_path, "2::", "0::")
    assert (lives.code, lives.count) == (2, 1)


def test_a_worker_that_is_killed_after_it_came_further_is_back_at_once_another_after_a_rest_that_grows(
    tmp_path: Path,
) -> None:
    lives = Lives(tmp_path, "9::", "9::", "1::", "1::", "9::", "0::")
    assert lives.rests == [0, 0, 1, 2, 0]
    assert lives.heard[:3] == ["hello", "checkpoint", "ended"]  # what was cut off is no line


def test_a_template_that_is_killed_is_started_again_with_the_next_life(tmp_path: Path) -> None:
    """And its worker goes on: what that ended with nobody knows then, so it counts as a failure."""
    child = f"""
import os, signal, time
from pathlib import Path
from streams.runtime.template import become_a_life
template = os.getpid()
become_a_life()
lives = Path({str(tmp_path / "lives")!r})
with lives.open("a") as file:
    file.write("x")
if len(lives.read_text()) == 1:
    time.sleep(0.5)  # the supervisor has heard that it lives
    os.kill(template, signal.SIGKILL)
"""
    ended: list[Mapping[str, Any]] = []
    code = Supervisor(
        [sys.executable, "-c", child],
        lambda *_, **__: None,
        lambda _: None,
        lambda event, facts: ended.append(facts) if event == "ended" else None,
    ).run()
    assert code == 0
    assert [one["code"] for one in ended] == [FAILED, 0]
    assert (tmp_path / "lives").read_text() == "xx"


def test_a_worker_that_cannot_be_started_ends_the_supervisor_as_it_ended(tmp_path: Path) -> None:
    said: list[str] = []

    def say(event: str, /, **_: Any) -> None:
        said.append(event)

    code = Supervisor([sys.executable, "-c", "raise SystemExit(2)"], say, lambda _: None).run()
    assert (code, said) == (2, [])


def test_a_worker_ends_with_its_supervisor_even_when_that_is_killed(tmp_path: Path) -> None:
    child = f"""
import os, time
from pathlib import Path
from streams.runtime.supervisor import end_with_parent
from streams.runtime.template import become_a_life
become_a_life()
end_with_parent()
Path({str(tmp_path / "pid")!r}).write_text(str(os.getpid()))
time.sleep(60)
"""
    supervisor = f"""
import sys
from streams.runtime.supervisor import Supervisor
Supervisor([sys.executable, "-c", {child!r}], lambda *a, **k: None, lambda f: None).run()
"""
    parent = subprocess.Popen([sys.executable, "-c", supervisor])
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert parent.poll() is None
        time.sleep(0.05)
    pid = os.pidfd_open(int((tmp_path / "pid").read_text()))
    parent.kill()
    parent.wait()
    assert select.select([pid], [], [], 20)[0], "it lives on"
