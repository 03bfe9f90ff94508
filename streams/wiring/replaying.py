"""A replay into a data directory, put together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streams.core.instant import SECOND
from streams.core.record import BATCH
from streams.ledger.store import LedgerStore
from streams.ports import SeriesLayout
from streams.profile import Profile
from streams.profile.kept import keep_profile
from streams.sources.contract import Source

if TYPE_CHECKING:  # numba takes a second to import: only what runs the steps waits for it
    from streams.runtime.embedded import EmbeddedRuntime


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay that is ready to run: everything it is made of."""

    profile: Profile
    source: Source
    store: LedgerStore
    runtime: "EmbeddedRuntime"


@contextmanager
def open_replay(
    profile: Profile,
    source: Source,
    data_dir: Path,
    *,
    batch: int = BATCH,
    checkpoint_seconds: float = 5.0,
) -> Iterator[Replay]:
    """A source, a profile and a data directory put together, at the directory's own position; closed at the end.

    Raises LedgerError, or ResumeError where the directory holds another run.
    """
    from streams.runtime.embedded import EmbeddedRuntime, ResumeError

    with LedgerStore(data_dir, SeriesLayout.of(profile.city), profile.retention) as store:
        interval = round(checkpoint_seconds * SECOND)
        try:
            runtime = EmbeddedRuntime(profile, source, store, batch=batch, checkpoint_interval=interval)
        except ResumeError as error:
            raise ResumeError(f"{data_dir}: {error}") from None
        keep_profile(data_dir, profile)
        yield Replay(profile, source, store, runtime)
