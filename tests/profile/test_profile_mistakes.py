"""Every kind of mistake in a profile is told at its line and column, with what to write instead."""

from pathlib import Path

import pytest

from streams.profile import ProfileError, check, load
from tests.profile.small_town import SMALL_TOWN, spoil, write

MANY_DAYS = (
    "weekend", "make_up_workday", "new_years_day", "spring_festival", "tomb_sweeping_day", "labour_day_on_weekday",
    "labour_day_on_weekend", "dragon_boat_festival", "mid_autumn_festival", "anti_fascist_70th_day",
)  # fmt: skip
CALLS = "  calls: {title: 来电, family: order, minimum_count: 5"

# what is replaced, by what (§: where the problem must be reported), what the message must say in English and Chinese
MISTAKES = {
    # keys
    "misspelt key": ("neighbours: [west]", "§neigbours: [west]", "did you mean neighbours?", "是否想写 neighbours"),
    "misspelt key at the top": ("allowed_lateness:", "§alowed_lateness:", "did you mean allowed_lateness?", "没有"),
    "key in capitals": ("direction: both", "§Direction: both", "did you mean direction?", "没有"),
    "key nobody knows": ("weight: 1.5", "§xyzzy: 1.5", "write one of: title, title_en, family", "可写"),
    "unquoted comma": ("{name: 热线,", "{name: 热线, §and more,", "put that value in quotes", "加引号"),
    "missing key": ("  east: {name: 东区, ", "  §east: {", "name is missing; write for example name: 城市管理", "缺少"),
    "duplicate key": ("name: 热线,", "name: 热线, §name: 电话,", "duplicate key name, first in line 16", "删去"),
    "duplicate code": ("  west: {", "  west: {name: 一}\n  §west: {", "duplicate key west", "改名"),
    # types and ranges
    "text for a number": ("minimum_count: 5", "minimum_count: §five", "write a whole number", "整数"),
    "fraction for a whole number": ("minimum_count: 5", "minimum_count: §5.5", "write a whole number", "整数"),
    "negative count": ("minimum_count: 5", "minimum_count: §-1", "write 0 or more", "不小于 0"),
    "zero weight": ("weight: 1.5", "weight: §0", "greater than 0", "大于 0"),
    "infinite weight": ("weight: 1.5", "weight: §.inf", "write a number", "数字"),
    "budget of nothing": ("pages_per_week: 2", "pages_per_week: §0", "greater than 0", "大于 0"),
    "no population": ("population: 1000", "population: §0", "greater than 0", "大于 0"),
    "number for a name": ("title: 小城", "title: §''", "1 to 80 characters", "1 至 80"),
    "yes for true": ("always_page: true", "always_page: §yes", "write true or false", "true 或 false"),
    "list for a mapping": ("budget: {pages_per_week: 2}", "budget: §[2]", "`key: value`", "对照"),
    "mapping for a list": ("neighbours: [west]", "neighbours: §{west: 1}", "write a list", "列表"),
    "nothing after the colon": ("title: 小城", "§title:", "nothing is written after title", "空的"),
    "empty section": ("channels:\n  phone: {name: 电话}", "§channels:", "nothing is written after channels", "空的"),
    "no windows": ("sizes: [hour, day]", "sizes: §[]", "at least one is needed", "至少"),
    "code in Chinese": ("  hotline: {", "  §热线: {", "may hold letters, digits", "英文字母"),
    "signal name with a dash": ("  total:\n", "  §to-tal:\n", "may hold a-z, 0-9", "小写"),
    # shares
    "share of nothing": ("detectors: [counts]", "detectors: §rates", "write of: the signal", "请写 of"),
    "share of what is not": ("detectors: [counts]", "detectors: rates\n    of: §totl", "did you mean total?", "是否"),
    "share of itself": ("detectors: [counts]", "detectors: rates\n    of: §total", "does not count", "不是计数"),
    "unknown witness": ("calendar:\n", "drought_witnesses: [§totl]\ncalendar:\n", "did you mean total?", "是否想写"),
    "scan alone": ("detectors: [counts]", "detectors: §scan", "scan goes by counts", "加上 counts"),
    "detector of one size": ("detectors: [counts]", "detectors: {day: §count}", "did you mean counts?", "检测器"),
    "detectors of no size": ("detectors: [counts]", "detectors: {§days: counts}", "did you mean day?", "是否想写"),
    "detector twice": ("detectors: [counts]", "detectors: {day: [counts, §counts]}", "is listed twice", "两次"),
    "scan of hours": (
        "detectors: [counts]", "detectors: {hour: [counts, §scan]}", "scan looks at days; write it under day", "day 下",
    ),
    "share judged by days alone": (
        "detectors: [counts]",
        "detectors: §{day: rates}\n    of: calls\n  calls: {title: 来电, family: order, sizes: day, minimum_count: 5}",
        "judged by rates alone", "只能由 rates",
    ),
    "limit left out": ("minimum_count: 5", "measure: §backlog\n    minimum_count: 5", "needs a limit", "限额"),
    # the calendar
    "more classes of days than can be told apart": (
        "    fair: {title: 庙会, days: [fair]}\n",
        "".join(
            f"    {'§' if number == 12 else ''}c{number}: {{title: 类{number}, days: [{day}]}}\n"
            for number, day in enumerate((*MANY_DAYS, "national_day", "fair"), 1)
        ),
        "ordinary one included; make one of two, for example days: [national_day, fair]", "最多 12 类日子",
    ),
    # words
    "window size": ("sizes: [hour, day]", "sizes: [§hours, day]", "did you mean hour?", "是否想写 hour"),
    "window size twice": ("sizes: [hour, day]", "sizes: [hour, §hour]", "is listed twice", "两次"),
    "direction": ("direction: both", "direction: §up", "write one of: high, low, both", "可写"),
    "measure": ("direction: both", "measure: §event", "did you mean events?", "是否想写"),
    "kind in a filter": ("kind: accepted, family", "kind: §acepted, family", "did you mean accepted?", "是否想写"),
    "outcome": ("kind: accepted, family", "outcome: [satisfied, §unsatisfied], family", "did you mean", "回访"),
    "filter field": ("where: {kind:", "where: {§kinds:", "did you mean kind?", "是否想写"),
    "channel in a filter": ("kind: accepted, family", "channel: §fone, family", "did you mean phone?", "是否想写"),
    "category in a filter": ("family: order}\n    sizes", "category: §nois}\n    sizes", "did you mean noise?", "没有"),
    "family without categories": (
        "family: order}\n    sizes", "family: §all}\n    sizes", "no category belongs to the family all", "没有任何",
        "  order: {name: 秩序}", "  order: {name: 秩序}\n  all: {name: 总量}",
    ),
    "unknown family": ("name: 险情, family: order", "name: 险情, family: §ordr", "did you mean order?", "是否想写"),
    "unknown family of a signal": ("    family: order\n", "    family: §oder\n", "did you mean order?", "是否想写"),
    "unknown point": ("points: [hotline]", "points: [§hotlin]", "did you mean hotline?", "观测点"),
    "unknown intake": ("intake: accepted", "intake: §accept", "did you mean accepted?", "是否想写"),
    "unknown detector": ("detectors: [counts]", "detectors: [§count]", "did you mean counts?", "检测器"),
    "compartmented category in an open signal": (
        "family: order}\n    sizes", "category: [noise, §accusation]}\n    sizes", "write compartmented: true", "保密",
    ),
    # what a signal is counted out of
    "unknown offset": ("    weight: 1.5", "    offset: §totl", "did you mean total?", "没有信号"),
    "offset without residents": (
        "    weight: 1.5", "    offset: §population", "the county west has no population", "没有 population",
    ),
    "offset of itself": ("    weight: 1.5", "    offset: §total", "is itself counted out of", "为分母"),
    "offset of a share": (
        "    weight: 1.5", "    of: calls\n    offset: §calls", "has its whole in `of`", "写在 of",
    ),
    "offset in a circle": (
        "    weight: 1.5", "    offset: §calls", "is itself counted out of", "为分母",
        "\ncalendar:\n", f"{CALLS}, sizes: [hour, day], offset: total}}\n\ncalendar:\n",
    ),
    "offset without such windows": (
        "    weight: 1.5", "    offset: §calls", "has no such window: hour", "没有这种窗口",
        "\ncalendar:\n", f"{CALLS}, sizes: day}}\n\ncalendar:\n",
    ),
    "offset that is a share": (
        "    weight: 1.5", "    offset: §calls", "does not count events", "不是事件的计数",
        "\ncalendar:\n", f"{CALLS}, sizes: [hour, day], of: total, detectors: rates}}\n\ncalendar:\n",
    ),
    "offset that is kept apart": (
        "    weight: 1.5", "    offset: §calls", "is compartmented", "保密",
        "\ncalendar:\n", f"{CALLS}, sizes: [hour, day], compartmented: true}}\n\ncalendar:\n",
    ),
    "offset of what is held against a limit": (
        "    weight: 1.5", "    measure: backlog\n    offset: §population", "nothing is expected", "没有预期",
    ),
    "detector that knows no offset": (
        "    weight: 1.5", "    offset: population", "does not go by an offset", "不看 offset",
        "detectors: [counts]", "detectors: [counts, §adwin]",
    ),
    "residents of no year": ("population: 1000", "residents_by_year: {§20: 1000}", "is no year", "不是年份"),
    # counties
    "unknown neighbour": ("[west]}", "[§wset]}", "did you mean west?", "是否想写 west"),
    "one-sided neighbours": (
        "[west]}", "[§west]}", "add east to the neighbours of west", "没有把 east 写为相邻", "neighbours: [east], ", "",
    ),
    "own neighbour": ("[west]}", "[west, §east]}", "not its own neighbour", "与自己相邻"),
    "neighbour twice": ("[west]}", "[west, §west]}", "is listed twice", "两次"),
    "city's code is a county's": ("code: town", "code: §east", "is a county's too", "相同"),
    "alias taken": ("aliases: [Westend]", "aliases: [Westend, §东区]", "already means east", "已指"),
    "two counties of one name": ("  west: {name: 西区", "  §west: {name: 东区", "east are both", "都叫"),
    # times and dates
    "unknown zone": ("zone: Asia/Shanghai", "zone: §Asia/Shanghia", "did you mean Asia/Shanghai?", "是否想写"),
    "duration without a unit": ("allowed_lateness: 2h", "allowed_lateness: §2", "for example 2h or 35d", "单位"),
    "no duration at all": ("scores: 400d", "scores: §0d", "greater than zero", "大于零"),
    "later than remembered": ("allowed_lateness: 2h", "allowed_lateness: §40d", "shorter than dedup_horizon", "短于"),
    "day start": ('day_start: "12:00"', 'day_start: §"25:00"', 'for example "12:00"', "时:分"),
    "day start within the hour": ('day_start: "12:00"', 'day_start: §"12:30"', "write 12:00", "整点"),
    "day that does not exist": ("[2027-01-30]", "[§2027-02-30]", "there is no day 2027-02-30", "没有 2027-02-30"),
    "date in another order": ("[2027-01-30]", "[§30.01.2027]", "write YYYY-MM-DD", "年-月-日"),
    "range upside down": ("2027-02-05/2027-02-11", "§2027-02-11/2027-02-05", "ends before it starts", "早于"),
    "day of another year": ("[2027-01-30]", "[§2026-01-31]", "is not in 2027", "不在 2027"),
    "make-up on a weekday": ("[2027-01-30]", "[§2027-01-29]", "is no weekend day", "不是周末"),
    "make-up on a holiday": ("[2027-01-30]", "[§2027-02-06]", "a holiday and a workday", "既放假又上班"),
    "unknown holiday": ("{spring_festival:", "{§spring_festval:", "did you mean spring_festival?", "没有节日"),
    "overlay year": ("    2027:\n", "    §27:\n", "write for example 2027", "年份"),
    "day of the year": ("04-01/04-03", "§04-31/05-03", "MM-DD", "月-日"),
    "lunar day": ("yearly: 04-01/04-03", "lunar: §13-01", "MM-DD", "月-日"),
    "solar term": ("yearly: 04-01/04-03", "solar_term: §清名", "solar term", "节气"),
    "event without days": ("  fair: {name: 庙会, yearly: 04-01/04-03, ", "  §fair: {name: 庙会, ", "no days", "日期"),
    "event's county": ("counties: [east]}", "counties: [§eastt]}", "did you mean east?", "是否想写"),
    "country": ("country: CN", "country: §XX", "there is no country", "国家"),
    "subdivision": (
        "country: CN", "country: US\n  subdivision: §MAA", "did you mean MA?", "地区",
    ),
    "overlay abroad": ("country: CN", "country: US", "remove overlay", "删去 overlay", "  overlay:", "  §overlay:"),
    "subdivision of China": ("country: CN", "country: CN\n  §subdivision: SC", "CN has no subdivisions", "不分地区"),
    "kind of day": ("days: [fair]", "days: [§fare]", "did you mean fair?", "这种日子"),
    "first class with days": ("{title: 平常日}", "{title: 平常日, §days: [weekend]}", "is the ordinary day", "平常日"),
    "class without days": ("  fair: {title: 庙会, days: [fair]}", "  §fair: {title: 庙会}", "has no days", "写 days"),
    # mapping
    "mapped field": ("{county: area,", "{§countty: area,", "did you mean county?", "是否想写 county"),
    "constant's code": ("{channel: phone}", "{channel: §fone}", "did you mean phone?", "是否想写"),
    "no column for the category": (
        ", category: topic", "", "nothing says where category comes from", "从哪里来", "mapping:", "§mapping:",
    ),
    "one of two points": (
        "mapping:", "§mapping:", "nothing says where point comes from", "从哪里来",
        "  hotline: {", "  web: {name: 网站}\n  hotline: {",
    ),
    "column and constant": ("{channel: phone}", "{channel: phone, §county: east}", "a column and a constant", "删去"),
    "opened and closed in one column": ("closed: done", "closed: §created", "the same column", "同一列"),
    "time format": ("  ticket: id", "  ticket: id\n  time_formats: [§dd.mm.yyyy]", "%Y/%m/%d", "strptime"),
    # YAML itself
    "tab": ("    title: 总量", "§\ttitle: 总量", "use spaces", "空格"),
    "indentation": ("    direction: both", "   §direction: both", "align the keys", "缩进"),
    "colon in a value": ("title: 总量", "title: 总量§: 全部", "quote the value", "引号"),
    "bracket left open": ("detectors: [counts]\n\ncalendar:", "detectors: [counts\n\ncalendar§:", "not closed", "配对"),
    "unknown alias": ("title: 小城", "title: §*town", "define it first", "锚点"),
    "tag": ("title: 小城", "title: §!python/name:os.system 小城", "not supported; remove it", "标签"),
    "control character": ("title: 小城", "title: §\x01小城", "control character", "控制字符"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_told_at_its_place_with_what_to_write(name: str, tmp_path: Path) -> None:
    old, new, english, chinese, *more = MISTAKES[name]
    text, line, column = spoil(old, new, *more)
    problems = check(write(tmp_path / "town", text))
    at = f"{tmp_path}/town/profile.yaml:{line}:{column}: "
    told = [str(problem) for problem in problems if str(problem).startswith(at)]
    assert any(english in each and chinese in each for each in told), f"expected at {at}\n" + "\n".join(
        map(str, problems)
    )


def test_all_mistakes_of_all_files_are_told_at_once_in_order(tmp_path: Path) -> None:
    top, _, counties = SMALL_TOWN.partition("counties:")
    folder = write(tmp_path / "town", top.replace("pages_per_week: 2", "pages_per_week: -2"), "b.yaml")
    spoilt = "counties:" + counties.replace("[west]}", "[wset]}").replace("days: [fair]", "days: [fare]")
    write(folder, spoilt, "a.yaml")
    write(folder, "x: [", "c.yaml")
    write(folder, "\tx: 1", "d.yaml")
    write(folder, b"x: \xb3\xc7", "e.yaml")
    with pytest.raises(ProfileError) as told:
        load(str(folder))
    places = [(Path(problem.file).name, problem.line) for problem in told.value.problems]
    assert places == [("a.yaml", 2), ("a.yaml", 33), ("b.yaml", 7), ("c.yaml", 1), ("d.yaml", 1), ("e.yaml", 1)]
    assert str(told.value).count("\n") == len(places) - 1


def test_what_may_be_in_an_unreadable_file_is_not_called_missing(tmp_path: Path) -> None:
    top, _, rest = SMALL_TOWN.partition("families:")
    folder = write(tmp_path / "town", top)
    write(folder, "families:" + rest + "oops", "rest.yaml")
    (only,) = check(folder)
    assert only.file.endswith("rest.yaml")


def test_one_misspelt_word_is_one_problem(tmp_path: Path) -> None:
    misspelt = SMALL_TOWN.replace("noise: {name: 噪声, family: order,", "noise: {name: 噪声, family: ordr,")
    (only,) = check(write(tmp_path / "family", misspelt.replace("  danger:", "  # danger:")))
    assert "did you mean order?" in only.text_en
    (only,) = check(write(tmp_path / "neighbour", SMALL_TOWN.replace("[west]}", "[wset]}")))
    assert "did you mean west?" in only.text_en


def test_a_missing_section_is_asked_for_with_an_example(tmp_path: Path) -> None:
    (only,) = check(write(tmp_path / "town", SMALL_TOWN.replace("zone: Asia/Shanghai\n", "")))
    assert (only.line, only.column) == (1, 1)
    assert "zone is missing; write for example zone: Asia/Shanghai" in only.text_en


def test_a_section_in_two_files_is_told_with_both_places(tmp_path: Path) -> None:
    folder = write(write(tmp_path / "town"), "\nchannels:\n  web: {name: 网站}\n", "channels.yaml")
    (only,) = check(folder)
    assert (Path(only.file).name, only.line, only.column) == ("profile.yaml", 17, 1) or only.file.endswith(
        "points.yaml"
    )
    assert "merge the two" in only.text_en


@pytest.mark.parametrize(
    ("name", "content", "english"),
    [
        ("gbk.yaml", "title: 乐山".encode("gb18030"), "not UTF-8 text"),
        ("utf16.yaml", "title: 乐山".encode("utf-16"), "not UTF-8 text"),
        ("empty.yaml", b"", "the file is empty"),
        ("comments.yaml", "# 待补\n".encode(), "the file is empty"),
        ("list.yaml", b"- a\n", "must hold `key: value` lines"),
        ("two.yaml", b"a: 1\n---\nb: 2\n", "two documents"),
        ("deep.yaml", b"a: " + b"[" * 3000, "nested too deep"),
        ("loop.yaml", b"a: &a [*a]", "too deep"),
        ("laughs.yaml", b"a: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(
            b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 9)) for n in range(97, 106)), "too much"),
        ("large.yaml", b"# " + b"x" * (1 << 20), "too large"),
        ("nul.yaml", b"a: \x00", "control character"),
        ("quote.yaml", b'title: "x', "a quote is not closed"),
        ("wrong.yml", b"a: 1", "must end in .yaml"),
        ("number.yaml", b"title: " + b"9" * 5000, "not a number"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told(name: str, content: bytes, english: str, tmp_path: Path) -> None:
    folder = write(write(tmp_path / "town"), content, name)
    told = [problem for problem in check(folder) if problem.file.endswith(name)]
    assert any(english in problem.text_en for problem in told), check(folder)


def test_no_such_profile(tmp_path: Path) -> None:
    (only,) = check("leshn")
    assert str(only).startswith("leshn:1:1: ")
    assert "did you mean leshan?" in only.text_en
    (tmp_path / "empty").mkdir()
    (only,) = check(tmp_path / "empty")
    assert "no .yaml file here" in only.text_en


@pytest.mark.parametrize("name", ["", ".", "\x00", "a" * 5000, "../" * 2000, "/dev/null", "\n", "~"])
def test_no_name_makes_a_traceback(name: str) -> None:
    with pytest.raises(ProfileError):
        load(name)


def test_one_file_is_a_profile_too(tmp_path: Path) -> None:
    write(tmp_path / "town", name="town.yaml")
    assert load(tmp_path / "town" / "town.yaml") == load(tmp_path / "town")


def test_what_is_shared_may_be_written_once(tmp_path: Path) -> None:
    shared = SMALL_TOWN.replace(
        "    detectors: [counts]\n",
        "    detectors: [counts]\n  again:\n    <<: *total\n    title: 又一个\n",
    ).replace("  total:\n", "  total: &total\n")
    again = load(write(tmp_path / "town", shared)).city.signals[1]
    assert (again.title, again.minimum_count, again.detectors) == ("又一个", 5, ("counts",))


def test_a_detector_is_known_when_the_registry_knows_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "town", SMALL_TOWN.replace("[counts]", "[mine]"))
    assert load(folder, detectors={"mine"}).city.signals[0].detectors == ("mine",)
    assert check(folder)
