"""Listening, and uvicorn as jiantu runs it: it ends when told to, and leaves signals as it found them."""

import errno
import resource
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import Receive, Scope, Send

from streams.serving.connections import Limits, bounded

_SPARE_FILES = 200
_KEEP_ALIVE = 30


class ListenError(Exception):
    """An address that cannot be listened at: which, why, and what to do."""


def listen(address: str) -> socket.socket:
    """A socket that listens at HOST:PORT. Raises ListenError."""
    host, colon, port = address.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ListenError(f'--listen "{address}": write HOST:PORT, such as 127.0.0.1:8080')
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
        made.listen(1024)
    except OSError as error:
        made.close()
        raise ListenError(_said(error, address)) from None
    made.setblocking(False)
    return made


def _said(error: OSError, address: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{address}: another process listens there; stop it, or give another --listen"
    if error.errno == errno.EACCES:
        return f"{address}: ports below 1024 are not for everybody; give another --listen"
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{address}: this machine has no such address; give another --listen"
    return f"{address}: cannot listen ({error.strerror}); give another --listen"


def address_of(made: socket.socket, *, tls: bool) -> str:
    """The url of a listening socket."""
    host, port = made.getsockname()[:2]
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stands where the application will."""


class Server(uvicorn.Server):
    """A server of one application."""

    def __init__(self, listening: socket.socket, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        """`config.app` is to be set before it serves."""
        config = uvicorn.Config(
            _nothing,
            http=bounded(limits),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=max(1, int(limits.drain_seconds)),
            backlog=1024,
        )
        super().__init__(config)
        self.socket = listening
        self._tls = tls
        _allow_files(limits.connections + _SPARE_FILES)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """With the certificate that it was given."""
        self.config.ssl = self._tls
        await super().startup(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the server, a second Ctrl-C without waiting for anybody; in the main thread, which
        alone may have signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def serve_here(self) -> None:
        """Serve until told to stop."""
        self.run(sockets=[self.socket])

    def end(self) -> None:
        """Have it end; from any thread."""
        self.should_exit = True


@contextmanager
def serving(address: str) -> Iterator[tuple[Server, str]]:
    """A server with the usual limits, and its url; `server.serve_here()` serves.

    Raises ListenError.
    """
    with listen(address) as made:
        yield Server(made, Limits()), address_of(made, tls=False)


def _allow_files(files: int) -> None:
    """As many open files as connections need, where the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
