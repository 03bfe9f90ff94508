"""How single values are written in a profile: codes, labels, durations, dates, clock times, known words.

Types for `schema`, each with the message that says what to write instead.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, time
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from streams.core.event import KINDS
from streams.core.instant import DAY, HOUR, MINUTE, SECOND, WEEK, Duration
from streams.profile.document import WrittenInt
from streams.profile.problems import instead, quoted
from streams.profile.zone import zone_names


def wrong(zh: str, en: str) -> PydanticCustomError:
    """A validation error that carries its message in both languages."""
    return PydanticCustomError("said", "{en}", {"zh": zh, "en": en})


def one_of(known: Callable[[], Iterable[str]]) -> AfterValidator:
    """Only these words."""

    def check(value: str) -> str:
        words = list(known())
        if value not in words:
            zh, en = instead(value, words)
            raise wrong(f"没有 {quoted(value)}；{zh}", f"unknown {quoted(value)}; {en}")
        return value

    return AfterValidator(check)


def _as_written(value: object) -> object:
    return value.text if isinstance(value, WrittenInt) else value


def _tuple(value: object) -> object:
    """A list, or one value in place of a list of one; anything else is left for the type check to refuse."""
    if isinstance(value, list):
        return tuple(value)
    return value if value is None or isinstance(value, dict | tuple) else (value,)


def _code(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value):
        raise wrong(
            f"代码 {quoted(value)} 只能用英文字母、数字、_ 和 -，例如 city_order",
            f"the code {quoted(value)} may hold letters, digits, _ and - only; write for example city_order",
        )
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value):
        raise wrong(
            f"名称 {quoted(value)} 只能用小写英文字母、数字和 _，并以字母开头，例如 complaints_total",
            f"{quoted(value)} may hold a-z, 0-9 and _ only, a letter first; write for example complaints_total",
        )
    return value


def _label(value: str) -> str:
    if not value.strip() or len(value) > 80 or not value.isprintable():
        raise wrong(
            f"文字 {quoted(value)} 应为一行，1 至 80 个字", f"{quoted(value)}: write one line of 1 to 80 characters"
        )
    return value


_UNITS = {"s": SECOND, "min": MINUTE, "m": MINUTE, "h": HOUR, "d": DAY, "w": WEEK}


def _duration(value: object) -> Duration:
    match = re.fullmatch(r"(\d{1,6}) ?(s|min|m|h|d|w)", value, re.ASCII) if isinstance(value, str) else None
    if match is None:
        raise wrong(
            f"时长 {quoted(value)} 应写成数字加单位（s min h d w），例如 2h 或 35d",
            f"{quoted(value)} is no duration; write a number with its unit (s min h d w), for example 2h or 35d",
        )
    return int(match[1]) * _UNITS[match[2]]


def span_of(text: str | None) -> Duration | None:
    """A duration as written, None where it is none."""
    try:
        return _duration(text)
    except PydanticCustomError:
        return None


def _positive(value: int) -> int:
    if value <= 0:
        raise wrong("时长应大于零，例如 1h", "a duration must be greater than zero; write for example 1h")
    return value


def _clock(value: object) -> time:
    match = re.fullmatch(r"(\d{2}):(\d{2})", value, re.ASCII) if isinstance(value, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise wrong(
            f"时刻 {quoted(value)} 应写成 时:分，例如 12:00",
            f'{quoted(value)} is no time of day; write HH:MM, for example "12:00"',
        )
    if match[2] != "00":
        raise wrong(
            f"报告日应从整点开始（日由小时相加而成），例如 {match[1]}:00",
            f"the reporting day starts on a full hour, as days are sums of hours; write {match[1]}:00",
        )
    return time(int(match[1]))


def parse_date(text: object) -> date:
    """YYYY-MM-DD, and a date that exists."""
    if isinstance(text, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise wrong(
                f"没有 {text} 这一天；请核对年月日", f"there is no day {text}; write a date that exists"
            ) from None
    raise wrong(
        f"日期 {quoted(text)} 应写成 年-月-日，例如 2027-02-06",
        f"{quoted(text)} is no date; write YYYY-MM-DD, for example 2027-02-06",
    )


DateRange = tuple[date, date]
"""First and last day, both included."""


def _date_range(value: object) -> DateRange:
    first, slash, last = value.partition("/") if isinstance(value, str) else (value, "", "")
    start = parse_date(first)
    end = parse_date(last) if slash else start
    if end < start:
        raise wrong(
            f"{quoted(value)} 的结束早于开始；写成 {last}/{first}",
            f"{quoted(value)} ends before it starts; write {last}/{first}",
        )
    return start, end


def date_range_of(text: str | None) -> DateRange | None:
    """A date or range as written, None where it is none."""
    try:
        return _date_range(text)
    except PydanticCustomError:
        return None


MonthDay = tuple[int, int]
MonthDayRange = tuple[MonthDay, MonthDay]
"""First and last (month, day), both included; may go over the turn of the year."""


def _month_days(longest: tuple[int, ...], example: str) -> BeforeValidator:
    def one(text: str, whole: object) -> MonthDay:
        match = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text, re.ASCII)
        if match is None or not 1 <= int(match[1]) <= 12 or not 1 <= int(match[2]) <= longest[int(match[1]) - 1]:
            raise wrong(
                f"{quoted(whole)} 应写成 月-日 或 月-日/月-日，例如 {example}",
                f"{quoted(whole)} is no day of a year; write MM-DD or MM-DD/MM-DD, for example {example}",
            )
        return int(match[1]), int(match[2])

    def parse(value: object) -> MonthDayRange:
        first, slash, last = value.partition("/") if isinstance(value, str) else (str(value), "", "")
        start = one(first, value)
        return start, one(last, value) if slash else start

    return BeforeValidator(parse)


Text = Annotated[str, BeforeValidator(_as_written)]
Code = Annotated[Text, AfterValidator(_code)]
Slug = Annotated[str, AfterValidator(_slug)]
Label = Annotated[Text, AfterValidator(_label)]
Span = Annotated[int, BeforeValidator(_duration)]
PositiveSpan = Annotated[Span, AfterValidator(_positive)]
Clock = Annotated[time, BeforeValidator(_clock)]
Day = Annotated[date, BeforeValidator(parse_date)]
Days = Annotated[DateRange, BeforeValidator(_date_range)]
YearlyDays = Annotated[MonthDayRange, _month_days((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), "06-07/06-10")]
LunarDays = Annotated[MonthDayRange, _month_days((30,) * 12, "1-15")]
ZoneName = Annotated[str, one_of(zone_names)]
KindName = Annotated[str, one_of(lambda: KINDS)]
Share = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]

OneOrMany = BeforeValidator(_tuple)
TextList = Annotated[tuple[Text, ...], OneOrMany]
CodeList = Annotated[tuple[Code, ...], OneOrMany]
SlugList = Annotated[tuple[Slug, ...], OneOrMany]
DayList = Annotated[tuple[Day, ...], OneOrMany]
DaysList = Annotated[tuple[Days, ...], OneOrMany]
YearlyList = Annotated[tuple[YearlyDays, ...], OneOrMany]
LunarList = Annotated[tuple[LunarDays, ...], OneOrMany]
