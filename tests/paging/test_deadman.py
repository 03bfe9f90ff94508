"""The dead man: silence is told once, again after a while, and its end; restarts neither hide it nor make it up."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from streams.clock import FixedClock
from streams.core.instant import HOUR, MINUTE, SECOND, format_instant
from streams.paging.channels import Channel
from streams.paging.deadman import FILE, Deadman, DeadmanPager, Memory, StateError
from streams.paging.deadman_app import deadman_app
from streams.paging.settings import DeadmanSettings
from tests.paging.pagers import TOKEN, notification, one, quiet
from tests.paging.receiver import Receiver
from tests.paging.serving import served

NAMES = ("watchdog", "pager")
SETTINGS = DeadmanSettings.model_validate(
    {"webhook_token": {"env": "X"}, "channels": {"phone": {"url": {"env": "X"}}}, "expect": NAMES}
)
CLOCK = FixedClock(1_800_000_000 * SECOND)


class Watched:
    """A dead man with a phone; `pass_` is time going by."""

    def __init__(self, folder: Path, robot: Receiver) -> None:
        self.switch = Deadman(Memory(folder, NAMES), 5 * MINUTE, HOUR)
        self.pager = DeadmanPager(self.switch, [Channel("phone", SecretStr(robot.url))], SETTINGS, CLOCK, quiet)
        self._robot = robot

    def hear(self, *names: str) -> None:
        for name in names:
            assert self.switch.beat(name, CLOCK.now())

    def pass_(self, minutes: float, *heard: str) -> list[str]:
        """Titles of what was told meanwhile; `heard` is heard every half minute."""
        before = len(self._robot.heard)
        for _ in range(round(minutes * 2)):
            self.hear(*heard)
            self.pager.step(MINUTE // 2)
        return [one.text.splitlines()[0] for one in self._robot.heard[before:] if one.status == 200]


@pytest.fixture
def watched(tmp_path: Path, robot: Receiver) -> Watched:
    return Watched(tmp_path, robot)


def test_silence_is_told_once_then_every_hour_and_its_end(watched: Watched) -> None:
    assert watched.pass_(60, *NAMES) == []
    assert watched.pass_(4, "pager") == []
    (told,) = watched.pass_(1, "pager")
    assert "watchdog 已 5 分钟没有声音" in told
    assert watched.pass_(58, "pager") == []
    assert len(watched.pass_(2, "pager")) == 1
    assert watched.pass_(1, *NAMES) == ["【已恢复】监测链路：watchdog 又有声音了"]
    assert watched.pass_(30, *NAMES) == []


def test_each_is_missed_by_itself(watched: Watched) -> None:
    assert len(watched.pass_(6)) == 2


def test_a_phone_that_fails_is_tried_again(watched: Watched, robot: Receiver) -> None:
    robot.status = 500
    assert watched.pass_(10, "pager") == []
    assert len(robot.heard) > 3
    robot.status = 200
    assert len(watched.pass_(5, "pager")) == 1


def test_restarts_do_not_hide_a_silence(tmp_path: Path, robot: Receiver) -> None:
    """Started anew every minute, it still counts the minutes."""
    told = []
    for _ in range(6):
        watched = Watched(tmp_path, robot)
        told += watched.pass_(1, "pager")
        watched.switch.remember()
    assert len(told) == 1
    assert Watched(tmp_path, robot).pass_(10, "pager") == [], "it was told before it was started anew"


def test_its_own_absence_is_no_silence(tmp_path: Path, robot: Receiver) -> None:
    Watched(tmp_path, robot).pass_(4, "pager")
    CLOCK.advance(24 * HOUR)
    assert Watched(tmp_path, robot).pass_(1, *NAMES) == []


def test_a_state_that_was_cut_off_begins_anew(tmp_path: Path, robot: Receiver) -> None:
    (tmp_path / FILE).write_bytes(b'{"watchdog": {"sil')
    assert Watched(tmp_path, robot).pass_(4) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((StateError, OSError)):
        Memory(tmp_path / "file", NAMES)


# ---- over HTTP ---------------------------------------------------------------------------------------------------


@pytest.fixture
def client(watched: Watched) -> Iterator[httpx.Client]:
    with served(deadman_app(watched.switch, SecretStr(TOKEN), CLOCK)) as found:
        yield found


SHOWN = {"Authorization": f"Bearer {TOKEN}"}
WATCHDOG = {"alertname": "Watchdog", "kind": "watchdog"}


def test_the_watchdog_of_alertmanager_is_heard(client: httpx.Client, watched: Watched) -> None:
    watched.pass_(4, "pager")
    answer = client.post("/v1/watchdog", content=notification(one("firing", WATCHDOG)), headers=SHOWN)
    assert answer.status_code == 204
    assert watched.pass_(4, "pager") == []


def test_a_watchdog_that_is_resolved_or_another_alert_is_not(client: httpx.Client, watched: Watched) -> None:
    watched.pass_(4, "pager")
    for alert in (one("resolved", WATCHDOG), one("firing", {"alertname": "JiantuNotReady"})):
        assert client.post("/v1/watchdog", content=notification(alert), headers=SHOWN).status_code == 204
    assert len(watched.pass_(2, "pager")) == 1
    said = client.get("/readyz").json()
    assert (said["status"], said["silent"]) == ("ok", ["watchdog"])
    assert said["heard"] == {"watchdog": None, "pager": format_instant(CLOCK.now())}


def test_heartbeats_need_a_token_and_a_name_that_is_expected(client: httpx.Client) -> None:
    assert client.post("/v1/alive/pager", headers=SHOWN).status_code == 204
    assert client.post("/v1/alive/pager").status_code == 401
    assert client.post("/v1/watchdog", content=notification(one("firing", WATCHDOG))).status_code == 401
    assert client.post("/v1/alive/somebody", headers=SHOWN).status_code == 404
    assert client.post("/v1/watchdog", content=b"{", headers=SHOWN).status_code == 400
