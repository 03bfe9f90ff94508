"""What systemd hears of a service: ready, alive again and again, stopping; silence where nobody listens."""

import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from streams.cli import notify
from streams.serving.server import serving


class Systemd:
    """The socket that systemd gives to a service."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(30)
        self._socket.bind(address)

    def hears(self) -> str:
        return self._socket.recv(100).decode()

    def hears_within(self, seconds: float) -> bool:
        return bool(select.select([self._socket], [], [], seconds)[0])

    def forget(self) -> None:
        """What was said before."""
        while self.hears_within(0):
            self.hears()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    listening = Systemd(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield listening
    listening.close()


def test_a_loop_says_itself_when_it_is_ready_and_got_on(systemd: Systemd) -> None:
    with notify.under_systemd() as told:
        told.ready()
        told.alive()
    assert [systemd.hears() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_service_gives_signs_of_life_as_often_as_asked(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with notify.keeping_alive():
        assert [systemd.hears() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
    last = ""
    while last != "STOPPING=1":
        last = systemd.hears()


def test_a_web_server_gives_signs_of_life_while_it_answers_and_none_while_it_hangs(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    hang, hangs = threading.Event(), threading.Event()
    app = FastAPI()

    @app.get("/hang")
    async def hanging() -> None:
        hangs.set()
        hang.wait()

    with serving("127.0.0.1:0") as (server, url), notify.serving_is_life(server):
        server.config.app = app
        thread = threading.Thread(target=server.serve_here)
        thread.start()
        assert [systemd.hears() for _ in range(2)] == ["READY=1", "WATCHDOG=1"]
        asking = threading.Thread(target=httpx.get, args=(f"{url}/hang",), kwargs={"timeout": 60})
        asking.start()
        hangs.wait()
        systemd.forget()
        assert not systemd.hears_within(2.5)
        hang.set()
        assert systemd.hears() == "WATCHDOG=1"
        server.end()
        thread.join()
        asking.join()
    last = ""
    while last != "STOPPING=1":
        last = systemd.hears()


def test_another_process_s_watchdog_is_not_answered(systemd: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    with notify.under_systemd() as told:
        assert told.every is None
    with notify.keeping_alive():
        pass
    assert [systemd.hears() for _ in range(3)] == ["STOPPING=1", "READY=1", "STOPPING=1"]


def test_an_abstract_socket_is_written_with_an_at(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Systemd(f"\0jiantu-test-{os.getpid()}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@jiantu-test-{os.getpid()}")
    with notify.under_systemd() as told:
        told.ready()
    assert listening.hears() == "READY=1"
    listening.close()


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_nobody_listening_is_no_reason_to_fail(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    with notify.under_systemd() as told:
        told.ready()
        told.alive()
