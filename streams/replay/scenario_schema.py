"""The shape of a scenario's YAML: which keys there are, of what type. What must agree between values is checked as
it is compiled (`scenario`). Every required key has an example, which the message about its absence shows.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator
from pydantic_core import PydanticCustomError

from streams.core.alert import Severity, Shape
from streams.core.city import Direction
from streams.core.event import OUTCOMES
from streams.core.instant import HOUR, Duration, Instant, from_datetime
from streams.core.record import Reason
from streams.profile.document import WrittenInt
from streams.profile.problems import quoted
from streams.profile.schema import Part, SizeName
from streams.profile.written import (
    KindName,
    Label,
    OneOrMany,
    PositiveSpan,
    Slug,
    SlugList,
    Span,
    Text,
    TextList,
    one_of,
    span_of,
    wrong,
)


class NoSuchTimeError(ValueError):
    """A local time that the clock of its day passes over, or shows twice."""


@dataclass(frozen=True, slots=True)
class When:
    """A point in time as written: a date, a local time of the city, or a time with an offset."""

    day: date
    clock: datetime | None
    """None: a date alone."""

    def instant(self, zone: tzinfo) -> Instant:
        """The instant; of a date alone, its midnight. Raises NoSuchTimeError."""
        if self.clock is None:
            return from_datetime(datetime.combine(self.day, time(), tzinfo=zone))
        if self.clock.tzinfo is not None:
            return from_datetime(self.clock)
        local = self.clock.replace(tzinfo=zone)
        back = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        if back != self.clock or local.utcoffset() != local.replace(fold=1).utcoffset():
            raise NoSuchTimeError
        return from_datetime(local)


@dataclass(frozen=True, slots=True)
class Between:
    """A stretch of time as written, both ends in it: A/B, or one date or time alone."""

    first: When
    last: When

    def instants(self, zone: tzinfo) -> tuple[Instant, Instant]:
        """First and last instant; a date as the end is that whole day. Raises NoSuchTimeError."""
        if self.last.clock is not None:
            return self.first.instant(zone), self.last.instant(zone)
        return self.first.instant(zone), When(self.last.day + timedelta(days=1), None).instant(zone) - 1


_TIME = re.compile(r"(?:19[7-9]|20\d|21\d)\d-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)


def _when(value: object) -> When:
    if isinstance(value, When):
        return value
    text = value if isinstance(value, str) else ""
    try:
        if _TIME.fullmatch(text):
            if len(text) == len("2026-03-02"):
                return When(date.fromisoformat(text), None)
            clock = datetime.fromisoformat(text)
            return When(clock.date(), clock)
    except ValueError:
        pass
    raise wrong(
        f"时间 {quoted(value)} 应写成 2026-03-02、2026-03-02T09:00（城市当地时间）或带时区，并且确有其时",
        f"{quoted(value)} is no time; write 2026-03-02, 2026-03-02T09:00 (local to the city), or with an offset",
    )


def _clock_time(value: When) -> When:
    if value.clock is None:
        raise wrong(
            f"这里要写到时分，例如 {value.day}T09:00", f"a time of day is needed; write for example {value.day}T09:00"
        )
    return value


def _between(value: object) -> Between:
    if isinstance(value, Between):
        return value
    first, slash, last = value.partition("/") if isinstance(value, str) else (value, "", "")
    start = _when(first)
    return Between(start, _when(last) if slash else start)


def _ending(value: object) -> Between | Literal["open"]:
    if value == "open":
        return "open"
    try:
        return _between(value)
    except PydanticCustomError:
        raise wrong(
            f"结束时间 {quoted(value)} 应写成 2026-03-05/2026-03-09 这样的起止，或 open（至终未结束）",
            f"{quoted(value)}: write when it must end, as 2026-03-05/2026-03-09, or open (not ended by the end)",
        ) from None


def _period(value: object) -> Duration:
    if value == "never":
        return 0
    found = value if isinstance(value, int) else span_of(value if isinstance(value, str) else None)
    if not found or isinstance(value, WrittenInt):
        raise wrong(
            f"间隔 {quoted(value)} 应写成 1h 这样的时长，或 never（不定时发）",
            f"{quoted(value)}: write how often, for example 1h, or never",
        )
    return found


def _counted(value: object) -> object:
    """40, or 38..45: a range of whole numbers, both ends in it."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value), int(value)
    match = re.fullmatch(r"(\d{1,9})\.\.(\d{1,9})", value, re.ASCII) if isinstance(value, str) else None
    if match is None or int(match[1]) > int(match[2]):
        raise wrong(
            f"件数 {quoted(value)} 应写成整数或范围，例如 40 或 38..45",
            f"{quoted(value)} is no count; write a whole number or a range, for example 40 or 38..45",
        )
    return int(match[1]), int(match[2])


def _spread(value: float) -> float:
    if value != 0 and not 1.05 <= value <= 10:
        raise wrong(
            "spread 写 0（天天一样）或 1.05 至 10（方差与均值之比）",
            "write 0 (every day the same) or 1.05 to 10 (variance over mean) for spread",
        )
    return value


WhenText = Annotated[When, PlainValidator(_when)]
ClockTime = Annotated[WhenText, AfterValidator(_clock_time)]
BetweenText = Annotated[Between, PlainValidator(_between)]
Ending = Annotated[Between | Literal["open"], PlainValidator(_ending)]
Period = Annotated[Duration, PlainValidator(_period)]
Counted = Annotated[tuple[int, int], PlainValidator(_counted)]
Times = Annotated[int, Field(ge=1, le=100_000)]
ReasonName = Annotated[str, one_of(lambda: [reason.value for reason in Reason])]
ShapeName = Annotated[str, one_of(lambda: [shape.value for shape in Shape])]
SeverityName = Annotated[str, one_of(lambda: [severity.value for severity in Severity])]
SideName = Annotated[str, one_of(lambda: [Direction.HIGH.value, Direction.LOW.value])]
OutcomeName = Annotated[str, one_of(lambda: list(OUTCOMES))]
OthersName = Annotated[str, one_of(lambda: ["none", "allowed"])]


class WhatPart(Part):
    """What kind of events."""

    point: Text | None = None
    """Left out: the first point that the category comes from."""
    kind: KindName | None = None
    """Left out: the kind by which a matter first reaches the point."""
    channel: Text | None = None
    sector: Text | None = None


class BackgroundPart(WhatPart):
    """Steady days: for each county and category, so many events a day, each of a ticket and a caller of its own."""

    county: TextList = Field(default=("all",), min_length=1)
    category: TextList = Field(examples=["noise"], min_length=1)
    per_day: Annotated[float, Field(ge=0, le=100_000)] = Field(examples=["40"])
    spread: Annotated[float, AfterValidator(_spread)] = 1.2
    """Variance of a day's count over its mean; 0: every day the same."""
    between: BetweenText | None = None
    """Left out: the whole scenario."""


class EventPart(WhatPart):
    """Some events of one kind."""

    at: ClockTime = Field(examples=["2026-03-02T09:00"])
    county: Text = Field(examples=['"511102"'])
    category: Text = Field(examples=["noise"])
    count: Times = 1
    over: PositiveSpan | None = None
    """Spread evenly over this long from `at` on; left out: all at `at`."""
    outcome: OutcomeName | None = None
    due: PositiveSpan | None = None
    """Deadline, so long after the event."""
    ticket: Text | None = None
    """Events with the same word here are of one ticket; left out: each of its own. Likewise callers, matters."""
    caller: Text | None = None
    matter: Text | None = None
    delay: Span = 0
    """How long after the event it is received: more than the allowed lateness makes it late."""
    ahead: Span = 0
    """How far the sender's clock runs ahead: the event is received so long before its own time."""
    sent: Times = 1
    """How often each is sent in all, a minute apart."""
    name: Slug | None = None
    """For `resend` to refer to."""


class ResendPart(Part):
    """Named events once more, the very same."""

    events: Slug = Field(examples=["burst"])
    at: ClockTime = Field(examples=["2026-03-03T09:00"])
    times: Times = 1


class RawPart(Part):
    """Records that may be no events."""

    at: ClockTime = Field(examples=["2026-03-02T09:00"])
    text: Text | None = None
    base64: Text | None = None
    """The record's bytes where they are no text."""
    count: Times = 1


class TicksPart(Part):
    every: Period = HOUR
    """`never`: only those in `at`, and one at the scenario's end."""
    at: Annotated[tuple[ClockTime, ...], OneOrMany] = ()


class AlertPart(Part):
    """An alert that must be raised. What is left out may be anything."""

    county: Text = Field(examples=['"511102"'])
    family: Text = Field(examples=["environment"])
    raised: BetweenText = Field(examples=["2026-03-02T10:00/2026-03-03T14:00"])
    ended: Ending | None = None
    """When, or `open`: not ended when the scenario is."""
    signal: Slug | None = None
    size: SizeName | None = None
    shape: ShapeName | None = None
    direction: SideName | None = None
    severity: SeverityName | None = None
    count: Counted | None = None
    """What the series had counted in the window that raised it."""
    shows: ShapeName | None = None
    """A shape that some of its evidence must have: what raised it, or what joined it."""
    joined: SlugList = ()
    """Signals whose evidence must have joined."""
    times: Times = 1
    """How many such alerts."""


class SilencePart(Part):
    """Nothing of this may be raised."""

    county: Text = "all"
    family: Text | None = None
    signal: Slug | None = None
    """No evidence of this signal, neither raising an alert nor joining one."""
    between: BetweenText | None = None
    """Left out: the whole scenario."""


class CountPart(Part):
    """What a series must have counted in one window."""

    county: Text = Field(examples=['"511102"'])
    signal: Slug = Field(examples=["complaints_total"])
    size: SizeName = Field(examples=["day"])
    at: WhenText = Field(examples=["2026-03-02"])
    """An instant in the window; a date alone is the reporting day of that name, or the week that it lies in."""
    count: Counted = Field(examples=["40"])


class AccountingPart(Part):
    received: Counted | None = None
    counted: Counted | None = None
    duplicate: Counted | None = None
    late: Counted | None = None
    rejected: Counted | None = None
    reasons: dict[ReasonName, Counted] | None = None
    """All reasons that there may be, each with its number."""


class ScenarioPart(Part):
    """A whole scenario."""

    title: Label = Field(examples=["一县突发，只报该县"])
    title_en: Label | None = None
    about: Text | None = None
    profile: object = Field(examples=["leshan"])
    """A name that comes with jiantu, a path relative to this file, or a profile as a mapping."""
    start: WhenText = Field(examples=["2026-01-05"])
    """First instant; a date alone is the start of the reporting day of that name."""
    end: WhenText = Field(examples=["2026-03-08"])
    """The instant that ends it; a date alone is the last reporting day."""
    seed: Annotated[int, Field(ge=0, le=2**31)] = 0
    ticks: TicksPart = TicksPart()
    background: Annotated[tuple[BackgroundPart, ...], OneOrMany] = ()
    events: Annotated[tuple[EventPart, ...], OneOrMany] = ()
    resend: Annotated[tuple[ResendPart, ...], OneOrMany] = ()
    raw: Annotated[tuple[RawPart, ...], OneOrMany] = ()
    alerts: Annotated[tuple[AlertPart, ...], OneOrMany] = ()
    """Every alert that there is, unless `others: allowed`."""
    others: OthersName = "none"
    silences: Annotated[tuple[SilencePart, ...], OneOrMany] = ()
    counts: Annotated[tuple[CountPart, ...], OneOrMany] = ()
    accounting: AccountingPart = AccountingPart()
