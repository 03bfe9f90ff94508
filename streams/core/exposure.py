"""What counts are out of: a county's residents, or what another signal counts in the same window.

So many times as much is expected of so many times the exposure: a census, an annexation or a busy day of the
denominator moves what is expected, and not the level that detectors have learned.
"""

import numpy as np
from numpy.typing import NDArray

from detectors.observation import Floats
from streams.core.city import City, County
from streams.core.instant import Instant, to_datetime

POPULATION = "population"
"""The offset that is no signal: the residents of the counties."""
LOOK_AT_IT = ("counts", "outbreak", "shift", "scan")
"""The detectors that go by exposures; `scan` by what `counts` expects."""


def residents(county: County, year: int) -> int | None:
    """Of a county in a year: by the latest figure that is not younger, or the first one; None where there is none."""
    if not county.residents_by_year:
        return county.population
    known = [people for since, people in county.residents_by_year if since <= year]
    return known[-1] if known else county.residents_by_year[0][1]


class Exposures:
    """Of one city's series."""

    def __init__(self, city: City) -> None:
        self._city = city
        place = {signal.name: i for i, signal in enumerate(city.signals)}
        self._by_people = np.array([signal.offset == POPULATION for signal in city.signals], dtype=np.bool_)
        self._by_count = {
            i: place[signal.offset]
            for i, signal in enumerate(city.signals)
            if signal.offset is not None and signal.offset != POPULATION
        }
        self._people: dict[int, Floats] = {}

    def of(self, counts: NDArray[np.int64], start: Instant, end: Instant) -> Floats | None:
        """Shape (signals, counties + 1), as the counts: 1 where a signal has no offset, NaN where its exposure is not
        known; None where no signal has one."""
        if not self._by_count and not self._by_people.any():
            return None
        found = np.ones(counts.shape)
        found[self._by_people] = self._people_in(to_datetime((start + end) // 2, self._city.zone).year)
        for signal, denominator in self._by_count.items():
            found[signal] = np.where(counts[denominator] >= 0, counts[denominator], np.nan)
        return found

    def of_series(
        self, counts: NDArray[np.int64], start: Instant, end: Instant, signal: int, series: int
    ) -> float | None:
        """Of one series of a window; None where its signal has no offset, or it is not known."""
        if not self._by_people[signal] and signal not in self._by_count:
            return None
        found = self.of(counts, start, end)
        return None if found is None or np.isnan(found[signal, series]) else float(found[signal, series])

    def _people_in(self, year: int) -> Floats:
        """Shape (counties + 1,): residents of the counties, and of the city."""
        if year not in self._people:
            everyone = [residents(county, year) for county in self._city.counties]
            known = np.array([np.nan if people is None else float(people) for people in everyone])
            self._people = {year: np.append(known, known.sum())}
        return self._people[year]
