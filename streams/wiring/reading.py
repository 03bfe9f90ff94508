"""A run as it can be read, and dealt with: its ledger, and the profile that names what is in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory

from streams.clock import Clock, WallClock
from streams.core.alert import Ended, Joined
from streams.core.alert_log import alert_log
from streams.ledger.alerts import Alert, AlertFilter
from streams.ledger.connection import FILE
from streams.ledger.desk import AlertDesk
from streams.ledger.place import Where
from streams.ledger.reader import ANY, LedgerReader
from streams.profile import Profile
from streams.profile.kept import kept_profile
from streams.wiring.inputs import open_profile


class DataDirError(Exception):
    """A data directory that a command cannot read: which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class AlertTold:
    """An alert with all that its sentence is made of."""

    alert: Alert
    joined: tuple[Joined, ...]
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A run as it can be read: its ledger, and the profile that names what is in it."""

    where: Where
    profile: Profile
    ledger: LedgerReader

    def alerts(self, which: AlertFilter = ANY) -> list[AlertTold]:
        """Alerts in the order in which they were raised, each with what joined it and its end."""
        joined: dict[str, list[Joined]] = {}
        ended: dict[str, Ended] = {}
        for transition in self.ledger.transitions():
            if isinstance(transition, Joined):
                joined.setdefault(transition.alert, []).append(transition)
            elif isinstance(transition, Ended):
                ended[transition.alert] = transition
        return [
            AlertTold(alert, tuple(joined.get(alert.id, ())), ended.get(alert.id))
            for alert in self.ledger.alerts(which)
        ]

    def alert_log(self) -> bytes:
        """The alert log so far."""
        return alert_log(self.ledger.transitions())


@contextmanager
def open_reading(where: Where, profile: str | None = None) -> Iterator[Reading]:
    """A ledger to read from, beside whoever writes it; `profile`: other names than those kept with it.

    Raises DataDirError where it holds no run, LedgerError, ProfileError.
    """
    with open_ledger(where) as ledger:
        made = open_profile(profile) if profile else _kept(where, ledger)
        if made is None:
            raise DataDirError(f"{where}: its profile is not with it; give it with --profile")
        yield Reading(where, made, ledger)


def _kept(where: Where, ledger: LedgerReader) -> Profile | None:
    """The profile that a data directory keeps as a folder, and a database as a table of files."""
    if isinstance(where, Path):
        folder = kept_profile(where)
        return None if folder is None else open_profile(folder)
    content = ledger.profile_files()
    if not content:
        return None
    with TemporaryDirectory(prefix="jiantu-profile-") as unpacked:
        for name, data in content.items():
            Path(unpacked, Path(name).name).write_bytes(data)
        return open_profile(unpacked)


def open_ledger(where: Where) -> LedgerReader:
    """The ledger alone, to read from. Raises DataDirError, LedgerError."""
    _check_run(where)
    return LedgerReader(where)


def open_desk(where: Where, clock: Clock | None = None) -> AlertDesk:
    """Where people deal with alerts. Raises DataDirError, LedgerError."""
    _check_run(where)
    return AlertDesk(where, clock or WallClock())


def zone_of(where: Where) -> tzinfo:
    """The zone that times are shown in: of the profile that is kept with a ledger, or UTC where there is none."""
    with open_ledger(where) as ledger:
        kept = _kept(where, ledger)
    return UTC if kept is None else kept.city.zone


def _check_run(data_dir: Where) -> None:
    if isinstance(data_dir, Path) and not (data_dir / FILE).is_file():
        what = "holds no run" if data_dir.is_dir() else "no such directory"
        raise DataDirError(f"{data_dir}: {what}; give the --data-dir of a `jiantu replay`")


def alerts_so_far(data_dir: Path) -> int:
    """How many alerts a data directory holds; 0 where nothing has run into it."""
    if not (data_dir / FILE).is_file():
        return 0
    with LedgerReader(data_dir) as ledger:
        return len(ledger.alerts())
