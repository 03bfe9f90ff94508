"""Why an expected alert was not raised: the explanation of the window that came nearest to it."""

from collections.abc import Iterator
from functools import cached_property

from detectors.observation import ScoreReason
from detectors.registry import DETECTORS
from streams.core.alert import Shape
from streams.core.city import Direction, Size
from streams.core.explain import Around, explain
from streams.core.guards import side_p
from streams.core.instant import WEEK
from streams.core.judge import JudgePlan
from streams.core.levels import levels_of
from streams.core.outputs import ScoredWindow
from streams.profile.problems import Words
from streams.replay.driving import Driven
from streams.replay.scenario_model import ExpectedAlert, Scenario
from streams.wording.why import why

_NEVER: Words = ("这一类别下没有“一到即报”的事项受理", "nothing of an always-page category of this family was taken in")
_NO_WINDOW: Words = ("这段时间没有窗口结束", "no window of its signals ended then")


def looked_at(scenario: Scenario, window: ScoredWindow) -> bool:
    """Whether a window may be asked why an expected alert was not raised: it is known in time, or ends in the seven
    days before, for what was spent of the budget."""
    known = window.end + scenario.profile.city.allowed_lateness
    return any(alert.raised[0] - WEEK <= known <= alert.raised[1] for alert in scenario.alerts)


class WhyNot:
    """Answers for one scenario's run."""

    def __init__(self, scenario: Scenario, driven: Driven) -> None:
        self._scenario = scenario
        self._driven = driven

    @cached_property
    def _plan(self) -> JudgePlan:
        city = self._scenario.profile.city
        return JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})

    def answers(self, alert: ExpectedAlert) -> tuple[Words, ...]:
        """Why an alert was not raised: one explanation."""
        if alert.shape == Shape.ALWAYS_PAGE:
            return (_NEVER,)
        nearest = min(self._windows(alert), key=lambda item: item[0], default=None)
        if nearest is None:
            return (_NO_WINDOW,)
        _, window, signal = nearest
        answer = explain(
            self._plan,
            signal,
            alert.county,
            window.size,
            window.start,
            window,
            self._driven.transitions,
            Around([one for one in self._driven.scored if window.end - WEEK < one.end <= window.end]),
        )
        profile = self._scenario.profile
        zh, en = (why(profile, answer, locale=locale) for locale in ("zh", "en"))
        return ((zh or "", en or ""),)

    def _windows(self, alert: ExpectedAlert) -> Iterator[tuple[tuple[float, int, int], ScoredWindow, str]]:
        """The windows that the alert could have come of: (how far it was from a page, window, signal)."""
        plan = self._plan
        lateness = plan.city.allowed_lateness
        j = plan.layout.series[alert.county]
        signals = [
            (i, signal)
            for i, signal in enumerate(plan.city.signals)
            if alert.signal == signal.name or (alert.signal is None and signal.family == alert.family)
        ]
        for window in self._driven.scored:
            if not alert.raised[0] <= window.end + lateness <= alert.raised[1] or alert.size not in (None, window.size):
                continue
            for i, signal in signals:
                if window.size in signal.sizes:
                    ratio = self._ratio(window, i, j, alert.direction)
                    yield (ratio, list(Size).index(window.size), window.end), window, signal.name

    def _ratio(self, window: ScoredWindow, i: int, j: int, direction: str | None) -> float:
        """The smallest p / level of a series' tests in a window; infinite where it has none to give."""
        found = [float("inf")]
        for table in self._plan.tables[window.size]:
            scores = window.scores.get(table.detector)
            if scores is None or scores.reason[i, j] != ScoreReason.SCORED:
                continue
            for side, levels in ((Direction.HIGH, table.high), (Direction.LOW, table.low)):
                if levels[i, j] > 0 and direction in (None, side):
                    found.append(float(side_p(scores, side)[i, j]) / float(levels[i, j]))
        return min(found)
