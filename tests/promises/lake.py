"""Lake City and its recording of six weeks: what every promise is held against, and the ways to replay it."""

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import zstandard

from streams.core.alert import Transition
from streams.core.alert_log import alert_log, alert_log_sha256
from streams.core.outputs import Accounting
from streams.core.pipeline import Pipeline
from streams.core.snapshot import state_sha256
from streams.ledger.connection import FILE
from streams.ledger.reader import LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import SeriesLayout
from streams.profile.load import load
from streams.profile.model import Profile
from streams.runtime.embedded import EmbeddedRuntime, Watcher
from streams.sources.contract import Source
from streams.sources.recording import RecordingReader

FOLDER = Path(__file__).parent / "lake_city"
RECORDING = FOLDER / "recording.jsonl.zst"
PINNED_LOG = FOLDER / "alert_log.jsonl"
PINNED_SHA256 = FOLDER / "alert_log.sha256"
"""As `sha256sum` writes it, and checks it with -c."""


@dataclass(frozen=True)
class Outcome:
    """What a replay came to."""

    log: bytes
    accounting: Accounting
    state_sha256: str = ""
    """Empty where only the log is promised; so is the ledger's."""
    ledger_sha256: str = ""

    @property
    def log_sha256(self) -> str:
        return alert_log_sha256(self.log)


@cache
def city_profile() -> Profile:
    return load(FOLDER / "profile.yaml")


@cache
def recorded_lines() -> tuple[bytes, ...]:
    """The recording's lines without header and trailer, each with its newline."""
    with RECORDING.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    return tuple(text.splitlines(keepends=True)[1:-1])


def is_tick(line: bytes) -> bool:
    return line.startswith(b'{"tick"')


@cache
def pinned() -> tuple[str, bytes]:
    """The pinned hash, and the alert log that it is of."""
    return PINNED_SHA256.read_text(encoding="ascii").split()[0], PINNED_LOG.read_bytes()


def check_accounts(accounting: Accounting, lines: Iterable[bytes]) -> None:
    """Every record that was sent has exactly one verdict (law 3); ticks are none."""
    assert accounting.balanced(), accounting
    assert accounting.received == sum(1 for line in lines if not is_tick(line))


def runtime_on(
    store: LedgerStore, source: Source | None = None, *, batch: int = 8192, interval: int = 0
) -> EmbeddedRuntime:
    """A fresh process's runtime. `interval` 0: a checkpoint after every batch."""
    return EmbeddedRuntime(
        city_profile(), source or RecordingReader(RECORDING), store, batch=batch, checkpoint_interval=interval
    )


def open_store(data_dir: Path) -> LedgerStore:
    profile = city_profile()
    return LedgerStore(data_dir, SeriesLayout.of(profile.city), profile.retention)


def replay(
    data_dir: Path,
    source: Source | None = None,
    *,
    batch: int = 8192,
    interval: int = 5_000_000,
    watcher: Watcher | None = None,
) -> Outcome:
    """Run, or go on, to the end; what the ledger then holds.

    What is stored chunk by chunk must be the whole state, and the accounts must be the stream's.
    """
    with open_store(data_dir) as store:
        run = runtime_on(store, source, batch=batch, interval=interval).run(watcher)
        assert run.ending is not None
        assert run.ending.state == "complete"
        stored = store.load_checkpoint()
    assert stored is not None
    assert stored.accounting == run.accounting
    assert state_sha256(stored.chunks) == state_sha256(run.state)
    if source is None:
        check_accounts(run.accounting, recorded_lines())
    return Outcome(stored_log(data_dir), run.accounting, state_sha256(run.state), ledger_sha256(data_dir))


def stored_log(data_dir: Path) -> bytes:
    """The alert log of a data directory; its file must be sound."""
    with LedgerReader(data_dir) as ledger:
        assert ledger.damage() == []
        return alert_log(ledger.transitions())


def ledger_sha256(data_dir: Path) -> str:
    """Digest of every row of every table: alerts, scores, metrics, corrections, rejections, state, position."""
    whole = hashlib.sha256()
    with closing(sqlite3.connect(f"file:{data_dir / FILE}?mode=ro", uri=True)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
            rows = sorted(map(repr, db.execute(f"SELECT * FROM {table}")))
            whole.update(f"{table} {len(rows)}\n".encode() + "\n".join(rows).encode())
    return whole.hexdigest()


def piped(lines: Sequence[bytes], *, cut: int = 5000, pipeline: Pipeline | None = None) -> Outcome:
    """The lines through the three steps alone, from the recording's start or on from where a pipeline is."""
    pipeline = pipeline or fresh_pipeline()
    before = pipeline.accounting
    made: list[Transition] = []
    for first in range(0, len(lines), cut):
        part = lines[first : first + cut]
        made += pipeline.step(pipeline.decoder.lines(b"".join(part), first, len(part))).transitions
    accounting = Accounting(
        *(now - was for now, was in zip(astuple(pipeline.accounting), astuple(before), strict=True))
    )
    check_accounts(accounting, lines)
    return Outcome(alert_log(made), accounting)


def fresh_pipeline() -> Pipeline:
    return Pipeline(city_profile().city, RecordingReader(RECORDING).span[0])
