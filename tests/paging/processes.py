"""Parts of jiantu as processes of their own, so that they can be killed."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from tests.cli.commands import command, environment
from tests.kafka.server import free_ports

PATIENCE = 90.0


class Process:
    """One `jiantu` command that listens; the same port every time it is started."""

    def __init__(self, folder: Path, name: str, *arguments: object, ready: str = "/healthz", **more: str) -> None:
        """`arguments` without --listen; `more`: variables of its environment."""
        self.port = free_ports(1)[0]
        self.log = folder / f"{name}.log"
        self._arguments = (*arguments, "--listen", f"127.0.0.1:{self.port}")
        self._environment = environment(**more)
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    def start(self) -> None:
        """Start it; `wait` until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command(*self._arguments), env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it is ready."""
        assert self._process is not None
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}{self._ready}", timeout=5).is_success:
                    return
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as power fails."""
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, how)
        code = self._process.wait(30)
        self._process = None
        return code

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self.kill()
