"""The three steps as workers drive them: one tally a partition, each at its own pace, into one score and one judge."""

from collections.abc import Mapping, Sequence

import numpy as np

from detectors.registry import DETECTORS
from streams.core import judge
from streams.core.alert import Transition
from streams.core.alert_log import alert_log
from streams.core.decode import RecordDecoder
from streams.core.judge_state import JudgeState, restore
from streams.core.levels import levels_of
from streams.core.outputs import Accounting, ClosedWindow
from streams.core.score import Score
from streams.core.tally import Tally
from tests.promises.disorder import Sent
from tests.promises.lake import Outcome, check_accounts, city_profile, fresh_pipeline, is_tick


class Partitions:
    """Counties spread over partitions; `spread` says which partition each county is in."""

    def __init__(self, spread: Sequence[int], state: Mapping[str, bytes] | None = None) -> None:
        """`state`: a checkpoint's chunks to go on from."""
        city = city_profile().city
        self.city = city
        self.partition = {county.code: spread[i] for i, county in enumerate(city.counties)}
        decoder = RecordDecoder(city)
        self.decoder = decoder
        start = fresh_pipeline().reached
        self.tallies = [
            Tally(city, start, [code for code, where in self.partition.items() if where == number])
            for number in range(max(spread) + 1)
        ]
        levels = levels_of(city)
        self.score = Score(city, detail_p=max(levels.values()))
        self.plan = judge.JudgePlan.of(city, levels, {name: made.version for name, made in DETECTORS.items()})
        self.judged = JudgeState()
        self.made: list[Transition] = []
        if state is not None:
            for tally in self.tallies:
                tally.restore(state)
                tally.accounting = Accounting()
            self.score.restore(state)
            self.judged = restore(state["judge"])

    def run(self, sent: Sequence[Sent], seed: int, cut: int = 200) -> Outcome:
        """Every partition's lines in their own order; which partition goes on next, and how far, is up to chance.

        Ticks go to every partition, what is no event to the first, as a producer without a key might.
        """
        queues: list[list[bytes]] = [[] for _ in self.tallies]
        for one in sent:
            for number in range(len(queues)) if is_tick(one.line) else (self.partition.get(one.county, 0),):
                queues[number].append(one.line)
        random = np.random.default_rng(seed)
        pace = random.uniform(0.02, 1.0, len(queues))
        at = [0] * len(queues)
        while waiting := [number for number, queue in enumerate(queues) if at[number] < len(queue)]:
            weights = pace[waiting] / pace[waiting].sum()
            number = int(random.choice(waiting, p=weights))
            part = queues[number][at[number] : at[number] + int(random.integers(1, cut))]
            self._take(number, at[number], part)
            at[number] += len(part)
        for tally, queue in zip(self.tallies, queues, strict=True):
            check_accounts(tally.accounting, queue)
        total = Accounting()
        for tally in self.tallies:
            own = tally.accounting
            total = total.plus(own.received, own.counted, own.duplicate, own.late, own.rejected, own.windows_closed)
        check_accounts(total, [one.line for one in sent])
        return Outcome(alert_log(self.made), total)

    def _take(self, number: int, first: int, lines: Sequence[bytes]) -> None:
        out = self.tallies[number].step(self.decoder.lines(b"".join(lines), first, len(lines)))
        for emitted in out.emitted:
            given = self.score.step(emitted) if isinstance(emitted, ClosedWindow) else emitted
            if given is not None:
                self.judged, made = judge.step(self.plan, self.judged, given)
                self.made += made
