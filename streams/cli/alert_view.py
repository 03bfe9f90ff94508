"""Alerts as JSON-ready data, and for a person."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.cli.prose import Prose
from streams.core.alert import Evidence, Raised, Severity, Shape
from streams.core.instant import Instant, format_instant, to_datetime
from streams.ledger.audit import StepTaken
from streams.ledger.lifecycle import (
    DISCARD_REASON_NAMES,
    MEASURE_NAMES,
    POSSIBLE,
    STATE_NAMES,
    STEP_NAMES,
    AlertState,
    StepKind,
)
from streams.profile import Profile
from streams.wiring.reading import AlertTold
from streams.wording.catalog import Speech
from streams.wording.names import Names
from streams.wording.sentence import Telling, sentence

SHORT_ID = 8
_BARS = "▁▂▃▄▅▆▇█"
_STATE_STYLE = {
    AlertState.OPEN: "bold red",
    AlertState.ENDED: "yellow",
    AlertState.ACKNOWLEDGED: "cyan",
    AlertState.DISPOSED: "cyan",
    AlertState.DISCARDED: "dim",
    AlertState.RESOLVED: "green",
}


class AlertView:
    """Shows the alerts of one city."""

    def __init__(self, profile: Profile, lang: str) -> None:
        self._profile = profile
        self._lang = lang
        self._zone = profile.city.zone
        self._names = Names(profile, Speech(lang))

    def sentence(self, told: AlertTold, lang: str | None = None) -> str:
        """What an alert says, with all that has joined it."""
        return sentence(self._profile, told.alert.raised, told.joined, told.ended, locale=lang or self._lang)

    def document(self, told: AlertTold) -> dict[str, object]:
        """One alert as JSON-ready data; times in the city's zone."""
        alert, raised = told.alert, told.alert.raised
        case = raised.evidence
        return {
            "id": alert.id,
            "county": raised.county,
            "county_name": self._names.county(raised.county),
            "category_family": raised.family,
            "signal": case.signal,
            "size": case.size,
            "window_start": self._text(case.window_start),
            "window_end": self._text(case.window_end),
            "raised_at": self._text(raised.at),
            "ended_at": None if alert.ended_at is None else self._text(alert.ended_at),
            "count": case.count,
            "expected": case.expected,
            "low": case.low,
            "high": case.high,
            "p": case.p,
            "level": case.level,
            "direction": case.direction,
            "shape": case.shape,
            "severity": raised.severity,
            "state": alert.state,
            "sentence": self.sentence(told),
            "sentence_en": self.sentence(told, "en"),
            "joined": [
                {
                    "signal": one.evidence.signal,
                    "size": one.evidence.size,
                    "shape": one.evidence.shape,
                    "county": one.evidence.county or raised.county,
                    "at": self._text(one.at),
                    "count": one.evidence.count,
                    "expected": one.evidence.expected,
                }
                for one in told.joined
            ],
        }

    def life(self, told: AlertTold, steps: Iterable[StepTaken]) -> dict[str, object]:
        """One alert with all of its evidence and everything that people did."""
        return self.document(told) | {
            "evidence": [self._evidence(told.alert.raised, one) for one in _cases(told)],
            "steps": [step_document(taken, self._zone) for taken in steps],
            "possible": list(POSSIBLE[told.alert.state]),
        }

    def _evidence(self, raised: Raised, case: Evidence) -> dict[str, object]:
        """One piece of evidence. Its cells are said as its sentence says them: none below k people (law 6)."""
        return {
            "signal": case.signal,
            "size": case.size,
            "county": case.county or raised.county,
            "detector": case.detector,
            "detector_version": case.detector_version,
            "profile_version": case.profile_version,
            "window_start": self._text(case.window_start),
            "window_end": self._text(case.window_end),
            "known_at": self._text(case.known_at),
            "shape": case.shape,
            "direction": case.direction,
            "count": case.count,
            "expected": case.expected,
            "low": case.low,
            "high": case.high,
            "p": case.p,
            "level": case.level,
            "history": list(case.history),
            "calendar": list(case.calendar),
            "notes": list(case.notes),
            "contributors": Telling(self._profile, self._lang, "desk").contributors(case),
        }

    def _text(self, at: Instant) -> str:
        return format_instant(at, self._zone)

    def _short(self, at: Instant) -> str:
        return f"{to_datetime(at, self._zone):%Y-%m-%d %H:%M}"

    # -- for a person ------------------------------------------------------------------------------------------

    def lines(self, told: AlertTold) -> RenderableType:
        """One alert in a list: a heading, and the sentence below."""
        return Group(self._heading(told), Prose(self.sentence(told), indent=2))

    def _heading(self, told: AlertTold) -> Text:
        alert, raised = told.alert, told.alert.raised
        critical = raised.severity is Severity.CRITICAL
        return Text.assemble(
            ("● ", "bold red" if critical else "yellow"),
            (alert.id[:SHORT_ID], "bold"),
            f"  {self._short(raised.at)}  ",
            (self._names.county(raised.county), "bold"),
            f" · {self._names.family(raised.family)}  ",
            (f"{raised.severity}  ", "red" if critical else "yellow"),
            (f"{STATE_NAMES[alert.state]} {alert.state}", _STATE_STYLE[alert.state]),
            no_wrap=True,
        )

    def page(self, told: AlertTold, steps: Iterable[StepTaken]) -> Iterator[RenderableType]:
        """One alert on a page of its own."""
        yield self._heading(told)
        yield Text()
        yield Prose(self.sentence(told, "zh"), indent=2)
        yield Prose(self.sentence(told, "en"), style="dim", indent=2)
        for number, case in enumerate(_cases(told)):
            yield self._case_table(told.alert.raised, case, first=number == 0)
        yield from self._story(told, steps)

    def _case_table(self, raised: Raised, case: Evidence, *, first: bool) -> Table:
        title = "依据 evidence" if first else "后来并入 joined"
        made = Table.grid(padding=(0, 2))
        made.title, made.title_justify, made.title_style = f"\n{title}", "left", "bold"
        made.add_column(style="dim", no_wrap=True)
        made.add_column()
        place = self._names.county(case.county or raised.county)
        rows = [
            ("信号 signal", f"{self._names.signal(case.signal)} ({case.signal}, {case.size}) · {place}"),
            ("窗口 window", f"{self._short(case.window_start)} – {self._short(case.window_end)}"),
        ]
        if case.shape is not Shape.ALWAYS_PAGE:
            band = "" if case.low is None or case.high is None else f" [{case.low:g}, {case.high:g}]"
            expected = "—" if case.expected is None else f"{case.expected:g}{band}"
            rows += [
                ("计数 count", f"{case.count}    预期 expected {expected}"),
                ("概率 p", f"{_figure(case.p)}    限额 level {_figure(case.level)}"),
                ("形态 shape", f"{case.shape} ({case.direction})"),
            ]
        if case.history:
            rows.append(("此前 history", f"{sparkline(case.history)}  {' '.join(map(str, case.history[-7:]))}"))
        if case.calendar:
            rows.append(("日历 calendar", "、".join(case.calendar)))
        rows += [("来源 from", words) for words in Telling(self._profile, self._lang, "desk").contributors(case)]
        rows.append(("版本 versions", f"{case.detector} {case.detector_version}, 配置 profile {case.profile_version}"))
        for label, words in rows:
            made.add_row(label, Prose(words))
        return made

    def _story(self, told: AlertTold, steps: Iterable[StepTaken]) -> Iterator[RenderableType]:
        happened = [f"{self._short(told.alert.raised.at)}  发出 raised"]
        if told.ended is not None:
            happened.append(f"{self._short(told.ended.at)}  消退 ended")
        yield Text("\n经过 life", style="bold")
        for line in happened:
            yield Text("  " + line)
        for taken in steps:
            step = taken.step
            words = [self._short(taken.at), f"{STEP_NAMES[step.kind]} {step.kind}", step.who]
            if step.measure is not None:
                words.append(f"{MEASURE_NAMES[step.measure]} {step.measure} → {step.owner}")
            if step.deadline is not None:
                words.append(f"期限 by {self._short(step.deadline)}")
            if step.reason is not None:
                words.append(f"{DISCARD_REASON_NAMES[step.reason]} {step.reason}")
            yield Text("  " + "  ".join([*words, step.note] if step.note else words))
        yield Text("\n" + possible_steps(told.alert.state), style="dim")


def step_document(taken: StepTaken, zone: tzinfo) -> dict[str, object]:
    """A step of people as JSON-ready data."""
    step = taken.step
    return {
        "number": taken.number,
        "at": format_instant(taken.at, zone),
        "kind": step.kind,
        "who": step.who,
        "measure": step.measure,
        "owner": step.owner,
        "deadline": None if step.deadline is None else format_instant(step.deadline, zone),
        "reason": step.reason,
        "note": step.note,
    }


def possible_steps(state: AlertState) -> str:
    """What people can do with an alert now."""
    possible: tuple[StepKind, ...] = POSSIBLE[state]
    words = ", ".join(f"{STEP_NAMES[one]} {one}" for one in possible)
    return f"现在可以 possible now: {words or '无 nothing'}"


def sparkline(values: Iterable[int]) -> str:
    """Values as little bars, the largest one full.

    >>> sparkline([0, 1, 2, 4])
    '▁▃▅█'
    """
    shown = list(values)
    top = max([*shown, 1])
    return "".join(_BARS[0 if value <= 0 else round(value / top * (len(_BARS) - 1))] for value in shown)


def _cases(told: AlertTold) -> list[Evidence]:
    return [told.alert.raised.evidence, *(one.evidence for one in told.joined)]


def _figure(value: float | None) -> str:
    return "—" if value is None else f"{value:.3g}"
