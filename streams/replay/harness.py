"""Replays as a Python call, for test suites: a recording, or some events, in; what the service made of them out.

    from streams.replay import replay

    result = replay("recording.jsonl.zst", profile="leshan")
    assert result.accounting.rejected == 0
    assert not result.diff("expected.log")

The same records give the same result, whatever the batch, the machine and its time zone. Without `data_dir` all
happens in memory; with it the embedded runtime writes a ledger, which `jiantu alerts` and `jiantu explain` read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from streams.core.alert import Transition
from streams.core.alert_log import alert_log, alert_log_sha256
from streams.core.outputs import Accounting
from streams.core.record import BATCH, Reason
from streams.core.snapshot import state_sha256
from streams.profile import Profile, load
from streams.replay.driving import ReadableSource, drive
from streams.replay.expected import compare_logs
from streams.replay.given import GivenEvent, given_lines
from streams.replay.scenario_result import AlertFound, alerts_of
from streams.wording.sentence import sentence

Recorded = str | Path | Iterable[GivenEvent]
"""A recording or a CSV on disk; or events, each a mapping of the event's fields or its JSON, and ticks."""
Log = str | Path | bytes
"""An alert log: a file's path, or the log itself as bytes."""


class AlertLogDiffersError(AssertionError):
    """A replay's alert log is not the expected one; the message is a readable diff."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay came to."""

    profile: Profile
    accounting: Accounting
    """received = counted + duplicate + late + rejected."""
    rejections: Mapping[Reason, int]
    """By reason, the sum is `accounting.rejected`."""
    alerts: tuple[AlertFound, ...]
    """In the order in which they were raised, each with what joined it and its end."""
    alert_log: bytes
    """What the judge did, canonical JSON Lines: what `jiantu alert-log` prints."""
    state_sha256: str
    """Digest of all that the steps know at the end."""
    ending: str
    """complete; truncated where the recording's end is missing, altered where it is not what was written."""
    message: str = ""
    """What is wrong with a recording that is not complete, and where."""

    @property
    def alert_log_sha256(self) -> str:
        """SHA-256 of the alert log, hex."""
        return alert_log_sha256(self.alert_log)

    @property
    def alert_log_lines(self) -> list[dict[str, Any]]:
        """The alert log's lines as plain data."""
        return [msgspec.json.decode(line) for line in self.alert_log.splitlines()]

    def sentences(self, locale: str = "zh") -> list[str]:
        """One sentence for each alert, in `zh` or `en`."""
        return [sentence(self.profile, one.raised, one.joined, one.ended, locale=locale) for one in self.alerts]

    def diff(self, expected: Log) -> str:
        """How the alert log differs from an expected one, as text for a person; "" where it does not.

        Raises OSError where the file cannot be read, ExpectedLogError where it is no alert log.
        """
        return compare_logs(read_log(expected), self.alert_log, county_names(self.profile))


def replay(
    recording: Recorded,
    *,
    profile: str | Path | Profile | None = None,
    expect: Log | None = None,
    batch: int = BATCH,
    data_dir: str | Path | None = None,
) -> ReplayResult:
    """Replay a recording, or some events, through the three steps, to its end.

    `profile`: a name, a folder, or a profile; None: the one that the recording names. `expect`: the alert log that it
    must give. `batch`: records at a time, which changes no result. `data_dir`: where to keep a ledger; one that holds
    this very replay is gone on with.

    Raises ProfileError, SourceError (cannot be read), AlertLogDiffersError (an AssertionError, with the diff),
    and with a data directory LedgerError and ResumeError (it holds another run).
    """
    made = _profile(recording, profile)
    source = _source(recording, made)
    result = _in_memory(made, source, batch) if data_dir is None else _kept(made, source, batch, Path(data_dir))
    if expect is not None and (text := result.diff(expect)):
        raise AlertLogDiffersError(text)
    return result


def read_log(log: Log) -> bytes:
    """The bytes of an alert log. Raises OSError where its file cannot be read."""
    return log if isinstance(log, bytes) else Path(log).read_bytes()


def county_names(profile: Profile) -> dict[str, str]:
    """County code -> name, the city's own among them."""
    city = profile.city
    return {county.code: county.name for county in city.counties} | {city.code: city.title}


def _profile(recording: Recorded, profile: str | Path | Profile | None) -> Profile:
    if isinstance(profile, Profile):
        return profile
    which: str | Path | None = profile
    if which is None and isinstance(recording, str | Path):
        which = _composition("inputs").recorded_profile(Path(recording))
    if which is None:
        raise TypeError("whose events these are is not said in them; name a profile: replay(..., profile='leshan')")
    return load(which)


def _source(recording: Recorded, profile: Profile) -> ReadableSource:
    if isinstance(recording, str | Path):
        opened: ReadableSource = _composition("inputs").open_source(Path(recording), profile)
        return opened
    given = given_lines(recording, profile.city)
    made: ReadableSource = _composition("inputs").given_source(given.lines, given.span)
    return made


def _in_memory(profile: Profile, source: ReadableSource, batch: int) -> ReplayResult:
    chunks = ((chunk.lines, chunk.records) for chunk in source.chunks(max_records=batch))
    driven = drive(profile.city, source.span[0], chunks)
    return _result(profile, source, driven.transitions, driven.accounting, driven.reasons, driven.state)


def _kept(profile: Profile, source: ReadableSource, batch: int, data_dir: Path) -> ReplayResult:
    with _composition("replaying").open_replay(profile, source, data_dir, batch=batch) as ready:
        run = ready.runtime.run()
    with _composition("reading").open_reading(data_dir) as reading:
        transitions: list[Transition] = reading.ledger.transitions()
        rejections: Mapping[Reason, int] = reading.ledger.rejection_totals()
    return _result(profile, source, transitions, run.accounting, rejections, run.state)


def _result(
    profile: Profile,
    source: ReadableSource,
    transitions: Sequence[Transition],
    accounting: Accounting,
    rejections: Mapping[Reason, int],
    state: Mapping[str, bytes],
) -> ReplayResult:
    ending = source.ending
    assert ending is not None
    return ReplayResult(
        profile=profile,
        accounting=accounting,
        rejections=dict(sorted(rejections.items())),
        alerts=alerts_of(transitions),
        alert_log=alert_log(transitions),
        state_sha256=state_sha256(state),
        ending=ending.state,
        message=ending.message,
    )


def _composition(what: str) -> Any:
    """A module of `streams.wiring`, where sources, runtime and ledger are put together. It lies above this package,
    which must not depend on it: so it is asked for by name, when a call needs it, and in this one place."""
    return import_module(f"streams.wiring.{what}")
