"""Expected and found alerts of a scenario in words, Chinese with the English beside it."""

from dataclasses import dataclass

from streams.core.instant import Instant, to_datetime
from streams.profile.model import Profile
from streams.profile.problems import Words
from streams.replay.scenario_model import ExpectedAlert, ExpectedSilence, Range, Stretch
from streams.replay.scenario_result import AlertFound
from streams.wording.catalog import Speech
from streams.wording.names import Names

NOTHING: Words = ("没有预警", "no alert")
_LABELS = {
    "signal": "信号",
    "size": "窗口",
    "shape": "形态",
    "shows": "证据形态",
    "direction": "方向",
    "severity": "级别",
    "count": "件数",
    "raised": "预警",
    "ended": "结束",
    "joined": "并入",
}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One field of an alert that is not as expected."""

    field: str
    expected: str
    found: str


class ScenarioWords:
    """How one profile's alerts are told."""

    def __init__(self, profile: Profile) -> None:
        self._zone = profile.city.zone
        self._zh = Names(profile, Speech("zh"))
        self._en = Names(profile, Speech("en"))

    def time(self, at: Instant) -> str:
        """An instant on the city's clock."""
        return f"{to_datetime(at, self._zone):%Y-%m-%d %H:%M}"

    def stretch(self, given: Stretch) -> str:
        """A stretch of time on the city's clock."""
        return self.time(given[0]) if given[0] == given[1] else f"{self.time(given[0])} – {self.time(given[1] + 1)}"

    def place(self, county: str, family: str) -> Words:
        """County and family, with their codes."""
        return (
            f"{self._zh.county(county)} {self._zh.family(family)}（{county} {family}）",
            f"{self._en.county(county)}, {self._en.family(family)} ({county} {family})",
        )

    def series(self, county: str, signal: str) -> Words:
        """A series' name, with its codes."""
        return (
            f"{self._zh.county(county)} {self._zh.signal(signal)}（{county} {signal}）",
            f"{self._en.county(county)}, {self._en.signal(signal)} ({county} {signal})",
        )

    def expected(self, alert: ExpectedAlert) -> Words:
        """An alert that was expected."""
        zh, en = self.place(alert.county, alert.family)
        fields = self._wanted(alert)
        return (
            "，".join([zh, *(f"{_LABELS[name]} {text}" for name, text in fields)]),
            ", ".join([en, *(f"{name} {text}" for name, text in fields)]),
        )

    def _wanted(self, alert: ExpectedAlert) -> list[tuple[str, str]]:
        given = {
            "raised": self.stretch(alert.raised),
            "signal": alert.signal,
            "size": alert.size,
            "shape": alert.shape,
            "shows": alert.shows,
            "direction": alert.direction,
            "severity": alert.severity,
            "count": None if alert.count is None else counted(alert.count),
            "joined": " ".join(alert.joined) or None,
            "ended": None if alert.ended is None else self.ended(alert.ended),
        }
        return [(name, text) for name, text in given.items() if text is not None]

    def ended(self, given: Stretch | str) -> str:
        """When an alert was to end."""
        return given if isinstance(given, str) else self.stretch(given)

    def found(self, alert: AlertFound) -> Words:
        """An alert that was raised."""
        raised, case = alert.raised, alert.raised.evidence
        zh, en = self.place(raised.county, raised.family)
        fields = [
            ("raised", self.time(raised.at)),
            ("signal", f"{case.signal}/{case.size}"),
            ("shape", str(case.shape)),
            ("direction", str(case.direction)),
            ("count", str(case.count)),
        ]
        if alert.joined:
            fields.append(("joined", " ".join(dict.fromkeys(one.evidence.signal for one in alert.joined))))
        fields.append(("ended", "open" if alert.ended is None else self.time(alert.ended.at)))
        expected = "" if case.expected is None else f"（预期 {case.expected:g}）"
        expected_en = "" if case.expected is None else f" ({case.expected:g} expected)"
        return (
            "，".join([zh, *(f"{_LABELS[k]} {v}{expected if k == 'count' else ''}" for k, v in fields)]),
            ", ".join([en, *(f"{k} {v}{expected_en if k == 'count' else ''}" for k, v in fields)]),
        )

    def mismatches(self, wanted: ExpectedAlert, alert: AlertFound) -> list[Mismatch]:
        """What of a found alert is not as expected, its county and family aside; [] where all is."""
        case, last = alert.raised.evidence, alert.ended
        joined = {one.evidence.signal for one in alert.joined}
        shown = {str(one.shape) for one in (case, *(one.evidence for one in alert.joined))}
        found = {
            "raised": (_within(alert.raised.at, wanted.raised), self.time(alert.raised.at)),
            "signal": (wanted.signal in (None, case.signal), case.signal),
            "size": (wanted.size in (None, case.size), case.size),
            "shape": (wanted.shape in (None, case.shape), str(case.shape)),
            "shows": (wanted.shows is None or wanted.shows in shown, " ".join(sorted(shown))),
            "direction": (wanted.direction in (None, case.direction), case.direction),
            "severity": (wanted.severity in (None, alert.raised.severity), str(alert.raised.severity)),
            "count": (wanted.count is None or _within(case.count, wanted.count), str(case.count)),
            "joined": (joined.issuperset(wanted.joined), " ".join(sorted(joined)) or "-"),
            "ended": (
                wanted.ended is None
                or (
                    last is None
                    if isinstance(wanted.ended, str)
                    else last is not None and _within(last.at, wanted.ended)
                ),
                "open" if last is None else self.time(last.at),
            ),
        }
        return [Mismatch(name, text, found[name][1]) for name, text in self._wanted(wanted) if not found[name][0]]

    def changed(self, wanted: ExpectedAlert, mismatches: list[Mismatch]) -> tuple[Words, Words]:
        """The fields that are not as expected: (expected, found)."""
        zh, en = self.place(wanted.county, wanted.family)
        return (
            (
                "，".join([zh, *(f"{_LABELS[one.field]} {one.expected}" for one in mismatches)]),
                ", ".join([en, *(f"{one.field} {one.expected}" for one in mismatches)]),
            ),
            (
                "，".join(f"{_LABELS[one.field]} {one.found}" for one in mismatches),
                ", ".join(f"{one.field} {one.found}" for one in mismatches),
            ),
        )

    def silence(self, silence: ExpectedSilence) -> Words:
        """Where nothing was to be raised."""
        where_zh = "各县区及全市" if silence.county is None else self._zh.county(silence.county)
        where_en = "anywhere" if silence.county is None else f"in {self._en.county(silence.county)}"
        what = " ".join(word for word in (silence.family, silence.signal) if word)
        when = self.stretch(silence.stretch)
        return (
            f"{where_zh} {when} 无{what + ' ' if what else ''}预警",
            f"no {what + ' ' if what else ''}alert {where_en} {when}",
        )


def counted(limits: Range) -> str:
    """A number or a range as it is written."""
    return str(limits[0]) if limits[0] == limits[1] else f"{limits[0]}..{limits[1]}"


def _within(value: int, limits: tuple[int, int]) -> bool:
    return limits[0] <= value <= limits[1]
