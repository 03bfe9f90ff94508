"""Detectors by name: what a signal's `detectors:` in a profile may say.

>>> create("counts", series=3, windows_per_week=7).name
'counts'
"""

from detectors.contract import Detector
from detectors.counts import CountBank
from detectors.outbreak import OutbreakBank
from detectors.rates import RateBank
from detectors.river_adapter import RIVER_SCORERS
from detectors.river_drift import RIVER_DRIFT
from detectors.scan import Scan
from detectors.shift import ShiftBank

COMPILED: tuple[type[Detector], ...] = (CountBank, OutbreakBank, ShiftBank, RateBank)
"""Those that are machine code, compiled before a run: river's are not, and river is not imported unless one is used."""
DETECTORS: dict[str, type[Detector]] = {made.name: made for made in (*COMPILED, *RIVER_SCORERS, *RIVER_DRIFT)}
"""In the order in which they are shown."""
SCANS: dict[str, type[Scan]] = {Scan.name: Scan}
"""What a signal's `detectors:` may name beside them: no detector of series, but of all of them together."""


class UnknownDetectorError(LookupError):
    """There is no detector of this name; the message names those that there are."""


def create(name: str, series: int, windows_per_week: int) -> Detector:
    """A fresh detector over `series` series of windows of which a week has 168, 7 or 1."""
    made = DETECTORS.get(name)
    if made is None:
        raise UnknownDetectorError(f"no detector is called {name!r}; there are: {', '.join(DETECTORS)}")
    return made.fresh(series, windows_per_week)


def summaries() -> dict[str, str]:
    """One line on every detector, by name."""
    return {name: summary for name, _, summary in described()}


def judging() -> dict[str, tuple[int, ...]]:
    """By name, what window sizes it judges, as windows of which a week has 168, 7 or 1."""
    series = {made.name: made.judges for made in DETECTORS.values()}
    return series | {made.name: made.judges for made in SCANS.values()}


def described() -> list[tuple[str, str, str]]:
    """(name, version, summary) of everything that a signal may name, in the order in which they are shown."""
    series = [(made.name, made.version, made.summary) for made in DETECTORS.values()]
    return series + [(made.name, made.version, made.summary) for made in SCANS.values()]
