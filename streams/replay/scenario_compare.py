"""What came out of a scenario against what is expected: every difference, with its place in the file."""

from collections.abc import Iterator, Sequence

from streams.core.outputs import ScoredWindow
from streams.profile.problems import Words
from streams.replay.driving import Driven
from streams.replay.scenario_model import ExpectedAlert, ExpectedCount, ExpectedSilence, Scenario
from streams.replay.scenario_result import AlertFound, Finding
from streams.replay.scenario_why import WhyNot
from streams.replay.scenario_words import NOTHING, ScenarioWords, counted


def findings(scenario: Scenario, driven: Driven, alerts: Sequence[AlertFound]) -> list[Finding]:
    """Everything that is not as expected: alerts, silences, counts, accounting."""
    compared = _Compared(scenario, driven, alerts)
    return [*compared.alerts(), *compared.silences(), *compared.counts(), *compared.accounting()]


class _Compared:
    def __init__(self, scenario: Scenario, driven: Driven, alerts: Sequence[AlertFound]) -> None:
        self.scenario = scenario
        self.driven = driven
        self.found = alerts
        self.words = ScenarioWords(scenario.profile)

    def alerts(self) -> Iterator[Finding]:
        """Expected alerts that are missing or otherwise, and alerts that nobody expected."""
        wanted = [alert for alert in self.scenario.alerts for _ in range(alert.times)]
        fitting = [[j for j, found in enumerate(self.found) if self._fits(alert, found)] for alert in wanted]
        partner = _matched(fitting)
        left = [j for j in range(len(self.found)) if j not in partner.values()]
        why = WhyNot(self.scenario, self.driven)
        for i, alert in enumerate(wanted):
            if i in partner:
                continue
            near = [j for j in left if self._same_key(alert, self.found[j])]
            if near:
                j = min(near, key=lambda j: abs(self.found[j].raised.at - alert.raised[0]))
                left.remove(j)
                expected, found = self.words.changed(alert, self.words.mismatches(alert, self.found[j]))
                yield Finding("changed", alert.place, expected, found)
            else:
                yield Finding("missing", alert.place, self.words.expected(alert), NOTHING, why.answers(alert))
        if not self.scenario.others_allowed:
            told = {found.raised.alert for _, found in self._heard()}
            for j in left:
                if self.found[j].raised.alert in told:
                    continue  # where it broke a silence it is told already
                yield Finding("unexpected", self.scenario.alerts_place, NOTHING, self.words.found(self.found[j]))

    def _same_key(self, alert: ExpectedAlert, found: AlertFound) -> bool:
        return (alert.county, alert.family) == (found.raised.county, found.raised.family)

    def _fits(self, alert: ExpectedAlert, found: AlertFound) -> bool:
        return self._same_key(alert, found) and not self.words.mismatches(alert, found)

    def silences(self) -> Iterator[Finding]:
        """Alerts, or evidence of a signal, where there was to be none."""
        for silence, alert in self._heard():
            yield Finding("not_silent", silence.place, self.words.silence(silence), self.words.found(alert))

    def _heard(self) -> Iterator[tuple[ExpectedSilence, AlertFound]]:
        """Every silence with every alert that broke it."""
        for silence in self.scenario.silences:
            first, last = silence.stretch
            for alert in self.found:
                raised = alert.raised
                if silence.county not in (None, raised.county) or silence.family not in (None, raised.family):
                    continue
                told = [(raised.at, raised.evidence), *((one.at, one.evidence) for one in alert.joined)]
                heard = told[:1] if silence.signal is None else [o for o in told if o[1].signal == silence.signal]
                if any(first <= at <= last for at, _ in heard):
                    yield silence, alert

    def counts(self) -> Iterator[Finding]:
        """Windows that counted something else."""
        for expected in self.scenario.counts:
            window = next((w for w in self.driven.scored if holds(expected, w)), None)
            number = None if window is None else self._number(expected, window)
            if number is None or not expected.count[0] <= number <= expected.count[1]:
                zh, en = self.words.series(expected.county, expected.signal)
                at = self.words.time(expected.at if window is None else window.start)
                found: Words = ("没有这个窗口", "no such window") if number is None else (str(number), str(number))
                wanted = counted(expected.count)
                place = f"{expected.size} {at}"
                yield Finding("count", expected.place, (f"{zh} {place} 计 {wanted}", f"{en}, {place}: {wanted}"), found)

    def _number(self, expected: ExpectedCount, window: ScoredWindow) -> int | None:
        city = self.scenario.profile.city
        signal = [one.name for one in city.signals].index(expected.signal)
        series = [*(county.code for county in city.counties), city.code].index(expected.county)
        number = int(window.counts[signal, series])
        return None if number < 0 else number

    def accounting(self) -> Iterator[Finding]:
        """Totals that are otherwise."""
        expected = self.scenario.accounting
        for name, (place, limits) in expected.totals.items():
            total: int = getattr(self.driven.accounting, name)
            if not limits[0] <= total <= limits[1]:
                text = f"{name} {counted(limits)}"
                yield Finding("accounting", place, (text, text), (str(total), str(total)))
        if expected.reasons is not None:
            given = dict(sorted(expected.reasons.items()))
            total_by = dict(sorted(self.driven.reasons.items()))
            fine = given.keys() == total_by.keys() and all(n[0] <= total_by[r] <= n[1] for r, n in given.items())
            if not fine:
                text = "reasons " + (", ".join(f"{reason} {counted(n)}" for reason, n in given.items()) or "-")
                found = ", ".join(f"{reason} {n}" for reason, n in total_by.items()) or "-"
                yield Finding("accounting", expected.reasons_place, (text, text), (found, found))


def holds(expected: ExpectedCount, window: ScoredWindow) -> bool:
    """Whether a window is the one that an expected count is about."""
    return window.size is expected.size and window.start <= expected.at < window.end


def _matched(fitting: Sequence[Sequence[int]]) -> dict[int, int]:
    """As many pairs as there can be (Kuhn's algorithm): fitting[i] lists what i may be paired with."""
    owner: dict[int, int] = {}

    def place(i: int, tried: set[int]) -> bool:
        for j in fitting[i]:
            if j not in tried:
                tried.add(j)
                if j not in owner or place(owner[j], tried):
                    owner[j] = i
                    return True
        return False

    for i in range(len(fitting)):
        place(i, set())
    return {i: j for j, i in sorted(owner.items())}
