"""A small TCP proxy between workers and a broker, whose connections can be made slow, half open, or cut."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from tests.kafka.server import HOST, Quorum, Server, free_ports

Mode = Literal["open", "slow", "half-open"]
_PIECE = 64 * 1024
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing a reset: the peer learns of it by an error, as when a firewall cuts."""


class Proxy:
    """Listens on `port`, passes everything on to `target`."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.mode: Mode = "open"
        self.delay = 0.3
        """Seconds that a piece waits while slow."""
        self.connections = 0
        self.passed = 0
        """Bytes."""
        self.delayed = 0
        """Pieces that waited because it was slow."""
        self.held = 0
        """Pieces that nothing was heard of for a while, because it was half open."""
        self.cuts = 0
        """Connections that were cut."""
        self._target = target
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server((HOST, port), backlog=64)
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.port}"

    def cut(self) -> int:
        """Reset every connection there is; how many."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            for end in pair:
                _reset(end)
        self.cuts += len(pairs)
        return len(pairs)

    def close(self) -> None:
        """Listen no more, and cut what there is."""
        self._listener.close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((HOST, self._target), timeout=5)
                far.settimeout(None)
            except OSError:
                _reset(near)  # the broker is away
                continue
            self.connections += 1
            with self._lock:
                self._pairs.add((near, far))
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink, (near, far)), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                if self.mode == "slow":
                    self.delayed += 1
                    time.sleep(self.delay)
                if self.mode == "half-open":
                    self.held += 1
                    while self.mode == "half-open":
                        time.sleep(0.05)
                sink.sendall(piece)
                self.passed += len(piece)
        with self._lock:
            known = pair in self._pairs
            self._pairs.discard(pair)
        if known:
            for end in pair:
                _reset(end)


def _reset(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        end.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        end.close()


class ProxiedServer(Server):
    """A broker with a second listener, which it advertises under the proxy's port: who comes through the proxy stays
    with it, who comes to `bootstrap` does not notice."""

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None, quorum: Quorum | None = None
    ) -> None:
        super().__init__(folder, settings=settings, quorum=quorum)
        self.behind, self.before = free_ports(2)
        """The second listener's port, and that of the proxy before it."""

    def _settle(self) -> None:
        super()._settle()
        properties = self.folder / "server.properties"
        lines = dict(
            line.split("=", 1) for line in properties.read_text().splitlines() if "=" in line and line[0] != "#"
        )
        added = {
            "listeners": f"{lines['listeners']},WORKERS://{HOST}:{self.behind}",
            "advertised.listeners": f"{lines['advertised.listeners']},WORKERS://{HOST}:{self.before}",
            "listener.security.protocol.map": f"{lines['listener.security.protocol.map']},WORKERS:PLAINTEXT",
        }
        with properties.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in added.items())

    def proxy(self) -> Proxy:
        """The proxy before it."""
        return Proxy(self.before, self.behind)
