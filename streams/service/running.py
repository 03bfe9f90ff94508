"""The live service put together: everything it is made of, from a profile, a data directory and settings."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import socket

from starlette.types import ASGIApp

from streams.clock import Clock
from streams.core.instant import SECOND
from streams.ledger.store import LedgerStore
from streams.ports import SeriesLayout
from streams.profile import Profile
from streams.profile.kept import keep_profile
from streams.service.access import Doorkeeper
from streams.service.app import Service, build_app
from streams.service.intake import Intake
from streams.service.settings import ServiceSettings
from streams.service.writer import Health, Writer
from streams.serving.connections import Limits
from streams.serving.server import Server, address_of, listen
from streams.serving.tls import tls_context

_SHARE_OF_DRAIN = 0.6
"""Of the time to stop: for requests that are being read; the rest is for the writer."""
Mounts = Callable[[Service], Mapping[str, ASGIApp]]
"""What else is to be served, by path, given the service: /metrics."""


class StoppedLateError(Exception):
    """It was told to stop and was not done in time: the next start goes on from the last checkpoint."""


def nothing_more(_service: Service) -> Mapping[str, ASGIApp]:
    """No mounts."""
    return {}


class Running:
    """A service that is ready to run."""

    def __init__(self, server: Server, service: Service, url: str) -> None:
        self.server = server
        self.service = service
        self.url = url

    def run(self, look: Callable[[Health], None]) -> None:
        """Serve until told to stop, then finish what was taken in. `look` is called about once a second.

        Raises what ended the writer, or StoppedLateError.
        """
        writer = self.service.writer

        async def often() -> None:
            self.service.look()
            look(writer.health)

        self.server.config.callback_notify = often
        self.server.config.timeout_notify = 0
        writer.start()
        asyncio.run(self.server.serve([self.server.socket]))
        left = round(self.service.settings.drain_seconds * (1 - _SHARE_OF_DRAIN) * SECOND)
        if not writer.stop(left):
            raise StoppedLateError("it was not done in time; the next start goes on from the last checkpoint")
        if writer.failure is not None:
            raise writer.failure


@contextmanager
def open_service(
    profile: Profile, data_dir: Path, settings: ServiceSettings, clock: Clock, mounts: Mounts = nothing_more
) -> Iterator[Running]:
    """A service, listening, that answers nobody yet. Raises ListenError, TlsError, LedgerError."""
    store: LedgerStore | None = None
    listening = listen(settings.listen)
    writer: Writer | None = None
    try:
        store = LedgerStore(data_dir, SeriesLayout.of(profile.city), profile.retention)
        keep_profile(data_dir, profile)
        server = _server(settings, listening)
        intake = Intake(profile, data_dir, store, settings, clock)
        writer = Writer(intake, settings, failed=server.end)
        service = Service(profile, writer, Doorkeeper(data_dir, clock), settings, clock)
        server.config.app = build_app(service, mounts(service))
        yield Running(server, service, address_of(listening, tls=settings.tls_cert is not None))
    finally:
        listening.close()
        if store is not None and (writer is None or not writer.alive):
            store.close()  # a writer that hangs in it keeps it: the process ends with it


def _server(settings: ServiceSettings, listening: socket) -> Server:
    limits = Limits(settings.max_connections, settings.header_seconds, settings.drain_seconds * _SHARE_OF_DRAIN)
    tls = None if settings.tls_cert is None else tls_context(settings.tls_cert, settings.tls_key)
    return Server(listening, limits, tls)
