"""A scenario as written -> a scenario as it is run: words to codes, times to instants, with a problem for everything
that the profile does not know or that cannot be."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from streams.core.city import Size
from streams.core.instant import DAY, WEEK, Instant
from streams.core.record import Reason
from streams.core.window import WindowGrid
from streams.profile.document import Document, Path
from streams.profile.model import Profile
from streams.profile.problems import Words, instead, quoted
from streams.replay.scenario_model import (
    Background,
    ExpectedAccounting,
    ExpectedAlert,
    ExpectedCount,
    ExpectedSilence,
    Group,
    Kind,
    Range,
    Raw,
    Resend,
    Scenario,
    Stretch,
)
from streams.replay.scenario_schema import (
    AlertPart,
    Between,
    NoSuchTimeError,
    ScenarioPart,
    WhatPart,
    When,
)

Item = TypeVar("Item")

LONGEST = 260 * WEEK
MOST_RECORDS = 5_000_000
ALL = "all"
CITY = "city"


class Compiler:
    """Compiles one scenario; what is wrong goes to the document's problems, and something is filled in for it."""

    def __init__(
        self, document: Document, part: ScenarioPart, profile: Profile, file: str, sound: Mapping[str, Sequence[int]]
    ) -> None:
        """`sound`: for a list of which some items were left out of `part`, the numbers of the others."""
        city = profile.city
        self.document = document
        self.part = part
        self.profile = profile
        self.file = file
        self.sound = sound
        self.zone = city.zone
        self.grid = WindowGrid(city.zone, city.day_start)
        self.counties: dict[str, str] = {}
        """Code, Chinese or English name -> code; codes first, so that they are what is proposed."""
        for name in ("code", "name", "name_en"):
            for county in city.counties:
                self.counties.setdefault(getattr(county, name), county.code)
        self.places = {**self.counties, **dict.fromkeys((city.code, CITY, city.title, city.title_en), city.code)}
        self.categories = tuple(category.code for category in city.categories)
        self.signals = tuple(signal.name for signal in city.signals)
        self.start, self.end = self._span()

    def _numbered(self, section: str, items: Sequence[Item]) -> Iterator[tuple[int, Item]]:
        """The items of a list with their numbers in the file."""
        return zip(self.sound.get(section, range(len(items))), items, strict=True)

    def scenario(self) -> Scenario:
        """The scenario, as far as it could be made out."""
        part = self.part
        groups = self._groups()
        return Scenario(
            file=self.file,
            title=part.title,
            title_en=part.title_en or part.title,
            profile=self.profile,
            span=(self.start, self.end),
            seed=part.seed,
            tick_every=part.ticks.every,
            ticks=tuple(self._inside(at, ("ticks", "at", i)) for i, at in enumerate(part.ticks.at)),
            background=tuple(self._background()),
            groups=tuple(groups),
            resends=tuple(self._resends(groups)),
            raws=tuple(self._raws()),
            alerts=tuple(self._alert(alert, ("alerts", i)) for i, alert in self._numbered("alerts", part.alerts)),
            others_allowed=part.others == "allowed",
            silences=tuple(self._silences()),
            counts=tuple(self._counts()),
            accounting=self._accounting(),
            alerts_place=self.document.key_place(("alerts",)),
        )

    # -- times --------------------------------------------------------------------------------------------

    def _span(self) -> Stretch:
        self.in_order = False
        """Whether start and end make sense: else nothing can be outside of them."""
        start = self._first(self.part.start, ("start",))
        last = self.part.end
        end = self._named(last, ("end",))[1] if last.clock is None else self._instant(last, ("end",))
        if not start < end:
            self._say(("end",), f"end 应晚于 start（{self.part.start.day}）", "end must be later than start")
        elif end - start > LONGEST:
            self._say(("end",), "一个场景最多五年", "a scenario covers five years at most")
        else:
            self.in_order = True
        return start, max(end, start + 1)

    def _first(self, when: When, path: Path) -> Instant:
        return self._named(when, path)[0] if when.clock is None else self._instant(when, path)

    def _named(self, when: When, path: Path) -> Stretch:
        """[start, end) of the reporting day that is called by a date."""
        midnight = self._instant(when, path)
        for at in (midnight, midnight + DAY, midnight - DAY):
            day = self.grid.day(at)
            if self.grid.name(day) == when.day:
                return day.start, day.end
        self._say(
            path, f"没有叫 {when.day} 的报告日；换一个日期", f"no reporting day is called {when.day}; write another"
        )
        return midnight, midnight + 1

    def _instant(self, when: When, path: Path) -> Instant:
        try:
            return when.instant(self.zone)
        except NoSuchTimeError:
            zh = f"{when.day} 换时，当地没有这个时刻或有两个；写上时区，例如 01:30-04:00"
            en = f"the clock changes on {when.day}: no such time, or two; write an offset, as 01:30-04:00"
            self._say(path, zh, en)
            return 0

    def _inside(self, when: When, path: Path) -> Instant:
        at = self._instant(when, path)
        if self.in_order and at and not self.start <= at <= self.end:
            zh = f"{quoted(self._written(path))} 不在场景的起止之内；改时间，或改 start、end"
            self._say(path, zh, f"{quoted(self._written(path))} is outside start and end; change one of them")
        return at

    def _stretch(self, between: Between | None, path: Path) -> Stretch:
        if between is None:
            return self.start, self.end + self.profile.city.allowed_lateness
        try:
            first, last = between.instants(self.zone)
        except NoSuchTimeError:
            first = self._instant(between.first, path)
            last = self._instant(between.last, path)
            return first, max(first, last)
        if last < first:
            self._say(path, f"{quoted(self._written(path))} 的结束早于开始", "it ends before it starts; swap the two")
        return first, last

    # -- words --------------------------------------------------------------------------------------------

    def _say(self, path: Path, zh: str, en: str) -> None:
        self.document.at_value(path, (zh, en))

    def _written(self, path: Path) -> str:
        return self.document.text(*path) or ""

    def _word(self, given: str | None, known: Mapping[str, str] | Iterable[str], path: Path, what: Words) -> str:
        """The code of a word; "" where nobody knows it, or nothing is given."""
        codes = known if isinstance(known, Mapping) else {word: word for word in known}
        if given is None:
            return ""
        if given in codes:
            return codes[given]
        zh, en = instead(given, codes)
        self._say(path, f"没有{what[0]} {quoted(given)}；{zh}", f"unknown {what[1]} {quoted(given)}; {en}")
        return ""

    def _what(self, part: WhatPart, category: str, path: Path, category_path: Path) -> Kind:
        city = self.profile.city
        code = self._word(category, self.categories, category_path, ("事项", "category"))
        usual = self.profile.simulation.category_points.get(code, ())
        given = self._word(part.point, tuple(city.points), (*path, "point"), ("观测点", "point"))
        point = given or (usual[0] if usual else next(iter(city.points)))
        return Kind(
            point=point,
            category=code,
            kind=part.kind or self.profile.intake[point],
            channel=self._word(part.channel, tuple(city.channels), (*path, "channel"), ("渠道", "channel")) or None,
            sector=self._word(part.sector, tuple(city.sectors), (*path, "sector"), ("领域", "sector")) or None,
        )

    def _county(self, given: str, path: Path, known: Mapping[str, str]) -> str:
        return self._word(given, known, path, ("县区", "county"))

    # -- what comes in ------------------------------------------------------------------------------------

    def _background(self) -> Iterable[Background]:
        for i, part in self._numbered("background", self.part.background):
            path: Path = ("background", i)
            counties = [county.code for county in self.profile.city.counties]
            if part.county != (ALL,):
                counties = [self._county(c, (*path, "county", j), self.counties) for j, c in enumerate(part.county)]
            kinds = [self._what(part, c, path, (*path, "category", j)) for j, c in enumerate(part.category)]
            first, last = self._stretch(part.between, (*path, "between"))
            stretch = max(first, self.start), min(last, self.end - 1)
            for j, (county, what) in enumerate((county, what) for county in counties for what in kinds):
                yield Background((i, j), county, what, float(part.per_day), float(part.spread), stretch)
        days = (self.end - self.start) / (WEEK / 7)
        steady = sum(b.per_day * max(1, len(b.county)) * len(b.category) for b in self.part.background) * days
        if steady + sum(e.count * e.sent for e in self.part.events) > MOST_RECORDS:
            zh = "场景的事件过多（最多五百万件）；减少天数、件数，或改用 jiantu simulate"
            self._say(("background",), zh, "too many events (five million at most); fewer days, or `jiantu simulate`")

    def _groups(self) -> list[Group]:
        groups: list[Group] = []
        names: set[str] = set()
        for i, part in self._numbered("events", self.part.events):
            path: Path = ("events", i)
            if part.name is not None and part.name in names:
                self._say((*path, "name"), f"{part.name} 已用过；另取一名", f"{part.name} is taken; write another name")
            names |= {part.name} if part.name else set()
            if part.delay and part.ahead:
                zh, en = "delay 与 ahead 只能写一个", "write delay or ahead, not both"
                self._say((*path, "ahead"), zh, en)
            what = self._what(part, part.category, path, (*path, "category"))
            group = Group(
                number=i,
                name=part.name,
                county=self._county(part.county, (*path, "county"), self.counties),
                what=Kind(what.point, what.category, what.kind, what.channel, what.sector, part.outcome),
                at=self._inside(part.at, (*path, "at")),
                count=part.count,
                over=part.over or 0,
                due=part.due,
                ticket=part.ticket,
                caller=part.caller,
                matter=part.matter,
                delay=part.delay - part.ahead,
                sent=part.sent,
            )
            if self.in_order and group.at <= self.end < group.at + group.over - 1:
                zh, en = "over 超出了场景的 end；改短，或把 end 改晚", "it goes on past the scenario's end; shorten it"
                self._say((*path, "over"), zh, en)
            groups.append(group)
        return groups

    def _resends(self, groups: list[Group]) -> Iterable[Resend]:
        named = {group.name: str(group.number) for group in groups if group.name is not None}
        events = range(len(self.document.sequence("events")))
        broken = {self.document.text("events", i, "name") for i in events} - {*named}
        for i, part in self._numbered("resend", self.part.resend):
            path: Path = ("resend", i)
            if part.events in broken:  # what is wrong with those is told already
                continue
            name = self._word(part.events, named, (*path, "events"), ("名为它的事件", "events"))
            at = self._inside(part.at, (*path, "at"))
            if name:
                yield Resend(int(name), at, part.times)

    def _raws(self) -> Iterable[Raw]:
        for i, part in self._numbered("raw", self.part.raw):
            path: Path = ("raw", i)
            at = self._inside(part.at, (*path, "at"))
            if (part.text is None) == (part.base64 is None):
                zh, en = "写 text 或 base64，二者写一", "write text, or base64; one of the two"
                self.document.at_key(path, (zh, en))
                continue
            try:
                value = (
                    (part.text or "").encode() if part.base64 is None else base64.b64decode(part.base64, validate=True)
                )
            except (binascii.Error, ValueError):
                self._say((*path, "base64"), "不是 base64", "this is no base64; write for example /w==")
                continue
            yield Raw(at, value, part.count)

    # -- what is expected ---------------------------------------------------------------------------------

    def _family(self, given: str | None, path: Path) -> str:
        return self._word(given, tuple(self.profile.families), (*path, "family"), ("类别", "family"))

    def _signal(self, given: str | None, path: Path, *more: str) -> str:
        return self._word(given, (*self.signals, *more), path, ("信号", "signal"))

    def _alert(self, part: AlertPart, path: Path) -> ExpectedAlert:
        raised = self._stretch(part.raised, (*path, "raised"))
        known = self.end + self.profile.city.allowed_lateness
        if self.in_order and (raised[0] > known or raised[1] < self.start):
            zh, en = "raised 不在场景的起止之内", "this is outside the scenario's start and end; change one of them"
            self._say((*path, "raised"), zh, en)
        ended: Stretch | str | None = part.ended if isinstance(part.ended, str) else None
        if isinstance(part.ended, Between):
            ended = self._stretch(part.ended, (*path, "ended"))
        return ExpectedAlert(
            place=self.document.value_place(path),
            county=self._county(part.county, (*path, "county"), self.places),
            family=self._family(part.family, path),
            raised=raised,
            ended=ended if isinstance(ended, tuple) else "open" if ended == "open" else None,
            signal=self._signal(part.signal, (*path, "signal"), *self.profile.always_page) or None,
            size=part.size,
            shape=part.shape,
            shows=part.shows,
            direction=part.direction,
            severity=part.severity,
            count=part.count,
            joined=tuple(self._signal(name, (*path, "joined", i)) for i, name in enumerate(part.joined)),
            times=part.times,
        )

    def _silences(self) -> Iterable[ExpectedSilence]:
        for i, part in self._numbered("silences", self.part.silences):
            path: Path = ("silences", i)
            county = None if part.county == ALL else self._county(part.county, (*path, "county"), self.places)
            yield ExpectedSilence(
                place=self.document.value_place(path),
                county=county,
                family=self._family(part.family, path) or None,
                signal=self._signal(part.signal, (*path, "signal")) or None,
                stretch=self._stretch(part.between, (*path, "between")),
            )

    def _counts(self) -> Iterable[ExpectedCount]:
        sizes = {signal.name: signal.sizes for signal in self.profile.city.signals}
        for i, part in self._numbered("counts", self.part.counts):
            path: Path = ("counts", i)
            size = Size(part.size)
            signal = self._signal(part.signal, (*path, "signal"))
            if signal and size not in sizes[signal]:
                known = ", ".join(sizes[signal])
                zh, en = (
                    f"{signal} 没有 {size} 窗口；可写：{known}",
                    f"{signal} has no {size} windows; write one of: {known}",
                )
                self._say((*path, "size"), zh, en)
            if part.at.clock is None and size is Size.HOUR:
                zh, en = f"写到时分，例如 {part.at.day}T09:00", f"write the time of day too, as {part.at.day}T09:00"
                self._say((*path, "at"), zh, en)
            at = self._first(part.at, (*path, "at"))
            if self.in_order and at and not self.start <= at < self.end:
                zh, en = "at 不在场景的起止之内", "this is outside the scenario's start and end; change one of them"
                self._say((*path, "at"), zh, en)
            county = self._county(part.county, (*path, "county"), self.places)
            yield ExpectedCount(self.document.value_place(path), county, signal, size, at, part.count)

    def _accounting(self) -> ExpectedAccounting:
        part = self.part.accounting
        given: dict[str, Range | None] = {
            "received": part.received,
            "counted": part.counted,
            "duplicate": part.duplicate,
            "late": part.late,
            "rejected": part.rejected,
        }
        return ExpectedAccounting(
            totals={
                name: (self.document.value_place(("accounting", name)), limits)
                for name, limits in given.items()
                if limits is not None
            },
            reasons=None if part.reasons is None else {Reason(name): n for name, n in part.reasons.items()},
            reasons_place=self.document.key_place(("accounting", "reasons")),
        )
