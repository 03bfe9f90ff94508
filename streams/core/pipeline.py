"""The whole path of an event in one place: tally, score, judge, for a city that one process serves.

Runtimes that spread the steps over processes drive the same three classes one by one; this is what a
replay drives. `step` is a pure function of the records so far: any cut into batches gives the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from detectors.registry import DETECTORS
from streams.core import judge
from streams.core.alert import Transition
from streams.core.city import City
from streams.core.decode import Batch, RecordDecoder
from streams.core.instant import Instant
from streams.core.judge_state import JudgeState, restore, snapshot
from streams.core.levels import levels_of
from streams.core.outputs import Accounting, AlwaysPage, ClosedWindow, Correction, ScoredWindow
from streams.core.record import Rejection
from streams.core.score import Score
from streams.core.tally import Tally


@dataclass(slots=True)
class PipelineOutputs:
    """What a batch of records led to, each kind in the order in which it was made."""

    closed: list[ClosedWindow] = field(default_factory=list)
    scored: list[ScoredWindow] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    rejections: list[tuple[Instant, Rejection]] = field(default_factory=list)


class Pipeline:
    """Tally, score and judge of one city in one process."""

    def __init__(self, city: City, start: Instant) -> None:
        """`start`: the first instant of the source's span; windows start there."""
        self.city = city
        self.decoder = RecordDecoder(city)
        levels = levels_of(city)
        self._tally = Tally(city, start)
        self._score = Score(city, detail_p=max(levels.values(), default=0.0))
        self._plan = judge.JudgePlan.of(city, levels, {name: made.version for name, made in DETECTORS.items()})
        self._judged = JudgeState()

    @property
    def accounting(self) -> Accounting:
        """Totals over all records so far."""
        return self._tally.accounting

    @property
    def reached(self) -> Instant:
        """Event time that the whole stream is known to have passed."""
        return self._tally.reached

    def step(self, batch: Batch) -> PipelineOutputs:
        """Take records in stream order through all three steps."""
        counted = self._tally.step(batch)
        out = PipelineOutputs([], [], [], counted.corrections, counted.rejections)
        for emitted in counted.emitted:
            if isinstance(emitted, ClosedWindow):
                out.closed.append(emitted)
                scored = self._score.step(emitted)
                if scored is not None:
                    out.scored.append(scored)
                    self._judge(scored, out)
            else:
                self._judge(emitted, out)
        return out

    def _judge(self, given: ScoredWindow | AlwaysPage, out: PipelineOutputs) -> None:
        self._judged, made = judge.step(self._plan, self._judged, given)
        out.transitions.extend(made)

    def snapshot(self, *, whole: bool = True) -> dict[str, bytes | None]:
        """State as named chunks; None for one that is gone. `whole=False`: unchanged days of ids are left out."""
        return self._tally.snapshot(whole=whole) | self._score.snapshot() | {"judge": snapshot(self._judged)}

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a whole snapshot of the same city."""
        self._tally.restore(chunks)
        self._score.restore(chunks)
        self._judged = restore(chunks["judge"])
