"""Worlds whose every event is known, as the ledger would hold them: what an attacker tries to find out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.observation import ScoreReason, Scores
from streams.core.city import Size
from streams.core.instant import Instant, from_datetime
from streams.core.outputs import ScoredWindow
from streams.core.window import WindowGrid
from streams.profile.load import load
from streams.profile.model import Profile

TOWN = Path(__file__).with_name("town.yaml")
WEEKS = 7
CATEGORIES = ("noise", "wages", "water", "other")
OUTCOMES = ("satisfied", "unsolved")

Numbers = NDArray[np.int64]


@cache
def town() -> Profile:
    """The city of all worlds."""
    return load(TOWN)


@dataclass(frozen=True)
class World:
    """Every event of some weeks. Days are numbered from 0."""

    events: Numbers
    """Shape (days, counties, categories, 2, 2): accepted events; said before or not; of a new caller or not."""
    answers: Numbers
    """Shape (days, counties, outcomes): call-backs."""
    backlog: Numbers
    """Shape (days, counties)."""

    @staticmethod
    def of(seed: int, rates: Numbers, quiet: float) -> "World":
        """Drawn from a seed. `rates`: shape (counties, categories), events a day; `quiet`: of days with hardly any."""
        random = np.random.default_rng(seed)
        days = 7 * WEEKS
        level = np.where(random.uniform(size=(days, *rates.shape)) < quiet, 0.1, 1.0) * rates
        events = random.poisson(level[..., None, None] * np.array([[0.82, 0.06], [0.1, 0.02]]))
        answers = random.poisson(np.array([0.8, 0.2]) * rates.sum(axis=1)[None, :, None], (days, len(rates), 2))
        backlog = random.poisson(3 * rates.sum(axis=1), (days, len(rates)))
        return World(events.astype(np.int64), answers.astype(np.int64), backlog.astype(np.int64))

    def counts(self, first: int, last: int) -> Numbers:
        """What the signals count in the days [first, last): shape (signals, counties + 1)."""
        city = town().city
        events, answers = self.events[first:last].sum(axis=0), self.answers[first:last].sum(axis=0)
        whole = events.sum(axis=(1, 2, 3))
        known = {
            "total": whole,
            "callers": whole - events[:, :, :, 1].sum(axis=(1, 2)),
            "repeats": events[:, :, 1].sum(axis=(1, 2)),
            "by_phone": whole // 2,
            "answered": answers.sum(axis=1),
            "satisfied": answers[:, 0],
            "unsolved": answers[:, 1],
            "backlog": self.backlog[last - 1],
            "accusations": np.full(len(whole), 23),
        }
        known |= {name: events[:, i].sum(axis=(1, 2)) for i, name in enumerate(CATEGORIES)}
        table = np.array([known[signal.name] for signal in city.signals], dtype=np.int64)
        return np.concatenate([table, table.sum(axis=1, keepdims=True)], axis=1)

    def windows(self) -> dict[tuple[Size, Instant], ScoredWindow]:
        """All days and weeks as they were scored."""
        grid = WindowGrid(town().city.zone, town().city.day_start)
        day = grid.week(from_datetime(datetime(2026, 3, 2, 4, tzinfo=UTC)))
        made: dict[tuple[Size, Instant], ScoredWindow] = {}
        start, monday = day.start, day.start
        for i in range(7 * WEEKS):
            end = grid.day(start).end
            made[Size.DAY, end] = _scored(Size.DAY, start, end, self.counts(i, i + 1))
            if i % 7 == 6:
                made[Size.WEEK, end] = _scored(Size.WEEK, monday, end, self.counts(i - 6, i + 1))
                monday = end
            start = end
        return made


def _scored(size: Size, start: Instant, end: Instant, counts: Numbers) -> ScoredWindow:
    for i, signal in enumerate(town().city.signals):
        if size not in signal.sizes:
            counts[i] = -1
    near = (counts * 0.93 + 0.123456).astype(np.float64)
    spread = 2 * np.sqrt(np.maximum(near, 1))
    p = np.full(counts.shape, 0.0123456)
    scores = Scores(
        expected=near,
        low=near - spread,
        high=near + spread,
        p_high=p,
        p_above=p,
        p_low=p,
        p_below=p,
        size=near,
        reason=np.full(counts.shape, ScoreReason.SCORED, dtype=np.uint8),
    )
    return ScoredWindow(size, start, end, counts, {"counts": scores}, {})
