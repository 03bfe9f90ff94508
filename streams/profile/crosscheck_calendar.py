"""What must agree in a profile's calendar."""

from datetime import date, timedelta

from detectors.observation import CLASSES
from streams.profile.calendar import FIXED_KEYS, ON_WEEKDAY, ON_WEEKEND
from streams.profile.document import Document, Path
from streams.profile.holidays import CHINESE_HOLIDAYS, SOLAR_TERMS, ChineseHolidays, HolidaysByRule, countries
from streams.profile.problems import instead, quoted
from streams.profile.references import must_be_known, must_be_one_of
from streams.profile.written import DateRange, date_range_of

_OVERLAY_YEARS = range(2000, 2099)
_SATURDAY = 5


def check_calendar(document: Document) -> None:
    """Add a problem for everything of the calendar that does not agree."""
    if not document.mapping("calendar"):
        return
    holiday_keys = _check_country(document)
    _check_classes(document, holiday_keys)
    for code in document.mapping("calendar", "events"):
        _check_event(document, code, holiday_keys)
    if document.mapping("calendar", "overlay") and document.text("calendar", "country") not in ("CN", None):
        zh = "只有中国（CN）的假日需要补充安排；删去 overlay"
        document.at_key(("calendar", "overlay"), (zh, "only CN has yearly arrangements; remove overlay"))
    for year in document.mapping("calendar", "overlay"):
        _check_overlay(document, year)


def _check_country(document: Document) -> tuple[str, ...] | None:
    """Keys of the country's holidays; None where the country is not known."""
    country, path = document.text("calendar", "country"), ("calendar", "subdivision")
    if country == "CN":
        if document.text(*path) is not None:
            document.at_key(path, ("中国（CN）不分地区；删去 subdivision", "CN has no subdivisions; remove it"))
        return ChineseHolidays().keys()
    known = countries()
    if not must_be_one_of(document, ("calendar", "country"), sorted({*known, "CN"}), ("国家", "country")):
        return None
    assert country is not None
    if document.text(*path) is not None and not must_be_one_of(document, path, known[country], ("地区", "subdivision")):
        return None
    return HolidaysByRule(country, document.text(*path)).keys()


def _check_classes(document: Document, holiday_keys: tuple[str, ...] | None) -> None:
    events = document.mapping("calendar", "events")
    owner: dict[str, str] = {}
    for number, code in enumerate(document.mapping("calendar", "classes")):
        path: Path = ("calendar", "classes", code)
        days = document.sequence(*path, "days")
        if number == 0 and days:
            zh = f"第一类（{code}）是平常日，不写 days；把它移到后面，或删去 days"
            document.at_key((*path, "days"), (zh, f"the first class ({code}) is the ordinary day; remove its days"))
            continue
        if number and not days:
            zh, en = (
                f"{code} 没有写 days，例如 days: [make_up_workday]",
                f"{code} has no days; write for example days: [make_up_workday]",
            )
            document.at_key(path, (zh, en))
        if number == CLASSES:
            last = f"days: [{_days_of_the_last(document)}]"
            zh = f"最多 {CLASSES} 类日子（含平常日）；把相近的并成一类，例如 {last}"
            en = f"at most {CLASSES} classes of days, the ordinary one included; make one of two, for example {last}"
            document.at_key(path, (zh, en))
        for index, key in enumerate(days):
            at = (*path, "days", index)
            if holiday_keys is not None:
                named = [*events, *holiday_keys]
                known = [*FIXED_KEYS, *named, *(f"{one}{on}" for one in named for on in (ON_WEEKDAY, ON_WEEKEND))]
                must_be_one_of(document, at, known, ("这种日子", "kind of day"))
            if isinstance(key, str) and owner.setdefault(key, code) != code:
                zh, en = f"{key} 已属 {owner[key]}；删去一处", f"{key} is already in {owner[key]}; remove one"
                document.at_value(at, (zh, en))


def _days_of_the_last(document: Document) -> str:
    """The days of the last two classes, as one class would have them."""
    last = list(document.mapping("calendar", "classes"))[-2:]
    days = [day for code in last for day in document.sequence("calendar", "classes", code, "days")]
    return ", ".join(dict.fromkeys(str(day) for day in days))


def _check_event(document: Document, code: str, holiday_keys: tuple[str, ...] | None) -> None:
    path: Path = ("calendar", "events", code)
    event = document.mapping(*path)
    if code in FIXED_KEYS or code in (holiday_keys or ()):
        zh, en = f"{code} 是日历自有的名称；另取一个", f"{code} is a name of the calendar itself; write another one"
        document.at_key(path, (zh, en))
    if event and not any(event.get(key) for key in ("dates", "yearly", "lunar", "solar_term")):
        zh = "没有写日期；写 dates、yearly、lunar 或 solar_term 之一，例如 yearly: 06-07/06-10"
        en = "no days; write one of dates, yearly, lunar, solar_term, for example yearly: 06-07/06-10"
        document.at_key(path, (zh, en))
    must_be_one_of(document, (*path, "solar_term"), SOLAR_TERMS, ("节气", "solar term"))
    for index in range(len(document.sequence(*path, "counties"))):
        must_be_known(document, (*path, "counties", index), "counties", ("县区", "county"))


def _check_overlay(document: Document, year: str) -> None:
    path: Path = ("calendar", "overlay", year)
    if not (year.isascii() and year.isdigit() and int(year) in _OVERLAY_YEARS):
        document.at_key(
            path, (f"年份 {year} 不对；写 2000 至 2098，例如 2027", f"no such year: {year}; write for example 2027")
        )
        return
    off: set[date] = set()
    for key in document.mapping(*path, "holidays"):
        at = (*path, "holidays", key)
        if key not in CHINESE_HOLIDAYS:
            _unknown_holiday(document, at, key)
        for index in range(len(document.sequence(*at))):
            days = date_range_of(document.text(*at, index))
            if days is not None and _in_year(document, (*at, index), days, year):
                off |= {days[0] + timedelta(days=number) for number in range((days[1] - days[0]).days + 1)}
    for index in range(len(document.sequence(*path, "make_up_workdays"))):
        at = (*path, "make_up_workdays", index)
        days = date_range_of(document.text(*at))
        if days is None or not _in_year(document, at, days, year):
            continue
        if days[0].weekday() < _SATURDAY:
            zh = f"{days[0]} 不是周末，无须调休；核对日期"
            document.at_value(at, (zh, f"{days[0]} is no weekend day and needs no make-up; write another date"))
        if days[0] in off:
            zh = f"{days[0]} 既放假又上班；删去一处"
            document.at_value(at, (zh, f"{days[0]} is a holiday and a workday; remove one"))


def _in_year(document: Document, path: Path, days: DateRange, year: str) -> bool:
    if days[0].year == days[1].year == int(year):
        return True
    zh = f"{days[0]} 不在 {year} 年；写到它自己的年份下"
    document.at_value(path, (zh, f"{days[0]} is not in {year}; write it under its own year"))
    return False


def _unknown_holiday(document: Document, path: Path, key: str) -> None:
    zh, en = instead(key, CHINESE_HOLIDAYS)
    document.at_key(path, (f"没有节日 {quoted(key)}；{zh}", f"there is no holiday {quoted(key)}; {en}"))
