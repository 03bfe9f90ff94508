"""An application at a real socket of this machine, as its command serves it, and a client that speaks to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from fastapi import FastAPI

from streams.serving.connections import Limits
from streams.serving.server import Server, address_of, listen


@contextmanager
def served(app: FastAPI) -> Iterator[httpx.Client]:
    """A client of the application."""
    with listen("127.0.0.1:0") as socket:
        server = Server(socket, Limits())
        server.config.app = app
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        server.capture_signals = _nothing  # type: ignore[method-assign]  # signals are the main thread's
        thread.start()
        try:
            with httpx.Client(base_url=address_of(socket, tls=False), timeout=30) as client:
                yield client
        finally:
            server.end()
            thread.join()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
