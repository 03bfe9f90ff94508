"""Which feeds are alive, as far as the windows of one size tell: what counties and points send, or do not.

A county from which nothing has ever come has not begun to send: its zeros are none. And one, or some of its points,
that is silent for so long that chance does not do it is dead: such windows are judged, and paged about, but not
learned. Else an outage of some weeks would become what is usual, and its end an outbreak.
"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.compiled import in_place
from detectors.observation import Floats
from streams.core.city import City
from streams.core.drought import points_of
from streams.core.outputs import ClosedWindow

DEAD = 1e-6
"""A silence as unlikely as this is no chance."""
_ASKED = 1e-2
"""And of one as unlikely as this it is asked whether anything else came: most silent nights are nobody's concern."""

_FEW = 0.05
"""So few of what a silent point may bring are not learned either: who names no point may mean it."""
NEVER_SILENT = 7.0
"""A point that usually sends so much in a window is silent in one of a thousand by chance, at most."""

Series = NDArray[np.bool_]
"""Shape (signals, counties)."""


class FeedState(msgspec.Struct, array_like=True):
    """What is known of the feeds, serialisable."""

    heard: bytes
    chance: bytes
    usual: bytes
    windows: bytes


@in_place
def _gather(counts: NDArray[np.int64], few: Floats, feeds: NDArray[np.int64], silent: Series, likely: Floats) -> None:
    """`silent` and `likely`, ones of shape (feeds, counties), become whether none of a feed's signals counted anything,
    and the least of `few` among them, of shape (signals, counties); `feeds`: of each signal its feed, or -1."""
    for i in range(feeds.size):
        k = feeds[i]
        if k >= 0:
            for j in range(few.shape[1]):
                silent[k, j] = silent[k, j] and counts[i, j] <= 0
                likely[k, j] = min(likely[k, j], few[i, j])


class Feeds:
    """The feeds of a city, as its windows of one size tell of them: of each county those of the points that some signal
    names, and all of them together; and what each point usually sends, whether a signal names it or not."""

    def __init__(self, city: City, steady: int) -> None:
        """`steady`: who has sent in so many windows in a row is known not to pause for a weekend."""
        of_signal = [points_of(signal) for signal in city.signals]
        kinds = list(dict.fromkeys(of_signal))
        self._row = {county.code: j for j, county in enumerate(city.counties)}
        self._point = {point: k for k, point in enumerate(city.points)}
        self._first = [city.signals[of_signal.index(kind)] for kind in kinds]
        self._feed = np.array([kinds.index(points) for points in of_signal], dtype=np.int64)
        """Of each signal its feed."""
        self._counted = np.where([bool(signal.of) for signal in city.signals], -1, self._feed)
        """Likewise, and -1 of shares, which count no event of their own."""
        width = len(city.counties)
        self._heard = np.zeros(width, dtype=np.bool_)
        """By county, whether anything at all has come from it."""
        self._chance: Floats = np.ones((len(kinds), width))
        """By feed and county, how likely it is to have been silent since it was heard last."""
        self._usual: Floats = np.zeros((len(self._point), width))
        """By point and county, events of every kind in a window, over the last `steady` or so."""
        self._windows = np.zeros((len(self._point), width), dtype=np.int64)
        """And how many windows in a row it has sent some, outages aside."""
        self._steady = steady
        self._silent = np.zeros((len(self._point), width + 1), dtype=np.bool_)
        """By point and county, or the whole city: silent in the window seen last, though it never is so long."""

    def observed(self, counts: NDArray[np.int64], by_county: Mapping[str, ClosedWindow]) -> NDArray[np.int64]:
        """The counts, of shape (signals, counties + 1), as they are to be seen: -1 of a county from which nothing has
        ever come, not one event of any kind, and of the city where it is so of all of them."""
        if self._heard.all():
            return counts
        for code, row in self._row.items():
            if not self._heard[row]:
                window = by_county[code]
                self._heard[row] = bool((window.counts > 0).any()) or bool(window.cells.items())
        unheard = np.append(~self._heard, not self._heard.any())
        return np.where(unheard, -1, counts)

    def dead(self, counts: NDArray[np.int64], p_low: Floats, by_county: Mapping[str, ClosedWindow]) -> Series:
        """The series whose feed is dead as this window closes, or was as it began. `p_low`, of shape (signals,
        counties + 1): how likely so few were; NaN where nobody says."""
        width = len(self._row)
        few = np.where((counts == 0) & (p_low < 1.0), p_low, 1.0)[:, :width]
        silent, likely = np.ones(self._chance.shape, dtype=np.bool_), np.ones(self._chance.shape)
        _gather(counts, few, self._counted, silent, likely)
        before = self._chance <= DEAD
        self._chance = np.where(silent & self._heard, self._chance * likely, 1.0)
        if (self._chance <= _ASKED).any():
            codes = list(self._row)
            for feed, row in np.argwhere(self._chance <= _ASKED).tolist():
                if by_county[codes[row]].cells.heartbeat(self._first[feed]):
                    self._chance[feed, row] = 1.0
        dead = (before | (self._chance <= DEAD))[self._feed]
        return np.asarray(dead | ((few <= _FEW) & self._silent[:, :width].any(axis=0)), dtype=np.bool_)

    def hear(self, by_county: Mapping[str, ClosedWindow]) -> None:
        """Take in what every point sent in a window, before `dead` is asked: who sends so much that it is never silent,
        and is."""
        sent = np.zeros(self._usual.shape, dtype=np.int64)
        for code, row in self._row.items():
            for point, events in by_county[code].cells.by_point().items():
                sent[self._point[point], row] = events
        steady = (self._windows >= self._steady) & (self._usual >= NEVER_SILENT)
        silent = (sent == 0) & steady
        self._silent = np.column_stack((silent, (sent == 0).all(axis=1) & steady.any(axis=1)))
        self._windows = np.where(silent, self._windows, np.where(sent > 0, self._windows + 1, 0))
        share = 1.0 / np.clip(self._windows, 1, self._steady)
        self._usual += np.where(silent, 0.0, (sent - self._usual) * share)

    def silent(self, series: int) -> tuple[str, ...]:
        """The points that were silent in the window heard last, though they never are so long, of a county or, by the
        number behind them, of the whole city."""
        return tuple(point for point, k in self._point.items() if self._silent[k, series])

    def state(self) -> FeedState:
        """What is to be kept."""
        return FeedState(
            self._heard.tobytes(),
            self._chance.astype("<f8").tobytes(),
            self._usual.astype("<f8").tobytes(),
            self._windows.astype("<i8").tobytes(),
        )

    def restore(self, state: FeedState | None, *, began: bool) -> None:
        """Go on from what was kept; None: a version before it was, for which whoever had windows has been heard."""
        if state is None:
            self._heard[:] = began
            return
        self._heard = np.frombuffer(state.heard, dtype=np.bool_).copy()
        self._chance = np.frombuffer(state.chance, "<f8").reshape(self._chance.shape).copy()
        self._usual = np.frombuffer(state.usual, "<f8").reshape(self._usual.shape).copy()
        self._windows = np.frombuffer(state.windows, "<i8").reshape(self._windows.shape).copy()
