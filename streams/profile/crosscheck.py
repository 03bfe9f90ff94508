"""What must agree between the parts of a profile. Works on the data as written, so that one run tells everything,
whatever else is wrong."""

from collections.abc import Collection, Mapping, Sequence

from streams.core.city import STANDING
from streams.core.event import KINDS, OUTCOMES
from streams.profile.crosscheck_calendar import check_calendar
from streams.profile.crosscheck_mapping import check_mapping
from streams.profile.crosscheck_offset import check_offset, check_residents
from streams.profile.document import Document, Path
from streams.profile.problems import quoted
from streams.profile.references import WORD_SECTIONS, must_be_known, must_be_one_of
from streams.profile.schema import DetectorsPart
from streams.profile.written import span_of


def crosscheck(document: Document, detectors: Collection[str]) -> None:
    """Add a problem to the document for everything that does not agree."""
    _check_times(document)
    _check_counties(document)
    _check_categories(document)
    _check_signals(document, detectors)
    _check_witnesses(document)
    check_calendar(document)
    check_mapping(document)


def _check_times(document: Document) -> None:
    late, horizon = (span_of(document.text(key)) for key in ("allowed_lateness", "dedup_horizon"))
    if late is not None and late >= (horizon or span_of("35d") or 0):
        zh = "允许迟到的时间应短于去重期限 dedup_horizon（默认 35d）"
        en = "allowed_lateness must be shorter than dedup_horizon (35d unless written); write for example 2h"
        document.at_value(("allowed_lateness",), (f"{zh}，例如 2h", en))


def _check_counties(document: Document) -> None:
    counties = document.mapping("counties")
    city = document.text("code")
    if city in counties:
        zh = f"城市代码 {city} 与县区代码相同；给城市另写一个代码"
        document.at_value(("code",), (zh, f"the city's code {city} is a county's too; write another one"))
    neighbours = {code: _neighbours(document, code) for code in counties}
    for code, listed in neighbours.items():
        for index, other in enumerate(listed):
            path = ("counties", code, "neighbours", index)
            if other is None or not must_be_known(document, path, "counties", ("县区", "county")):
                continue
            back = neighbours[other]
            if other == code:
                document.at_value(path, ("不能与自己相邻；删去", "a county is not its own neighbour; remove it"))
            elif other in listed[:index]:
                document.at_value(path, (f"{other} 写了两次；删去一个", f"{other} is listed twice; remove one"))
            elif code not in back and all(each in counties for each in back):  # else a misspelt one is told already
                zh = f"{other} 没有把 {code} 写为相邻；在 {other} 的 neighbours 中加上 {code}"
                en = f"{other} does not list {code} as its neighbour; add {code} to the neighbours of {other}"
                document.at_value(path, (zh, en))
    _check_aliases(document, "counties")
    _check_tiles(document)
    check_residents(document)


def _check_tiles(document: Document) -> None:
    owner: dict[tuple[object, ...], str] = {}
    for code in document.mapping("counties"):
        tile = tuple(document.sequence("counties", code, "tile"))
        first = owner.setdefault(tile, code) if tile else code
        if first != code:
            zh, en = f"{first} 已在这一格；换一格", f"{first} has this tile already; give it another one"
            document.at_value(("counties", code, "tile"), (zh, en))


def _neighbours(document: Document, code: str) -> list[str | None]:
    path = ("counties", code, "neighbours")
    return [document.text(*path, index) for index in range(len(document.sequence(*path)))]


def _check_aliases(document: Document, section: str) -> None:
    """No two codes may be written the same way in a CSV."""
    owner: dict[str, str] = {}
    for code in document.mapping(section):
        own = {code, document.text(section, code, "name"), document.text(section, code, "name_en")}
        for text in sorted(text for text in own if text is not None):
            first = owner.setdefault(text, code)
            if first != code:
                zh = f"{code} 与 {first} 都叫 {quoted(text)}；改一个"
                document.at_key((section, code), (zh, f"{code} and {first} are both {quoted(text)}; rename one"))
    for code in document.mapping(section):
        for index in range(len(document.sequence(section, code, "aliases"))):
            path = (section, code, "aliases", index)
            alias = document.text(*path)
            first = code if alias is None else owner.setdefault(alias.strip(), code)
            if first != code:
                zh = f"{quoted(alias)} 已指 {first}；删去一处"
                document.at_value(path, (zh, f"{quoted(alias)} already means {first}; remove one"))


def _check_categories(document: Document) -> None:
    for code in document.mapping("categories"):
        path = ("categories", code)
        must_be_known(document, (*path, "family"), "families", ("类别", "family"))
        for index in range(len(document.sequence(*path, "points"))):
            must_be_known(document, (*path, "points", index), "points", ("观测点", "observation point"))
    _check_aliases(document, "categories")


def _check_signals(document: Document, detectors: Collection[str]) -> None:
    for name in document.mapping("signals"):
        path = ("signals", name)
        must_be_known(document, (*path, "family"), "families", ("类别", "family"))
        for at, named in _named_detectors(document, name):
            for index in range(len(named)):
                must_be_one_of(document, (*at, index), sorted(detectors), ("检测器", "detector"))
            _check_twice(document, at)
        _check_share(document, name)
        check_offset(document, name)
        _check_scan(document, name)
        _check_rule(document, name)
        _check_twice(document, (*path, "sizes"))
        for field in document.mapping(*path, "where"):
            for index in range(len(document.sequence(*path, "where", field))):
                _check_filter(document, name, (*path, "where", field, index), field)


def _named_detectors(document: Document, signal: str) -> list[tuple[Path, Sequence[object]]]:
    """The lists of detectors that a signal names, and where: one for all sizes, or one a size."""
    path: Path = ("signals", signal, "detectors")
    by_size = document.mapping(*path)
    paths: list[Path] = [(*path, size) for size in by_size] if by_size else [path]
    return [(at, document.sequence(*at)) for at in paths]


def _detectors_at(document: Document, signal: str, size: str) -> tuple[Path, Sequence[object]]:
    """The detectors of one window size, and where they are written; those of who names none, otherwise."""
    path: Path = ("signals", signal, "detectors")
    written = document.mapping("signals", signal).get("detectors")
    if written is None or (isinstance(written, Mapping) and size not in written):
        return path, getattr(DetectorsPart(), size, ())
    at = (*path, size) if isinstance(written, Mapping) else path
    return at, document.sequence(*at)


def _check_twice(document: Document, path: Path) -> None:
    listed = document.sequence(*path)
    for index, item in enumerate(listed):
        if item in listed[:index]:
            zh, en = f"{quoted(item)} 写了两次；删去一个", f"{quoted(item)} is listed twice; remove one"
            document.at_value((*path, index), (zh, en))


def _check_witnesses(document: Document) -> None:
    for index in range(len(document.sequence("drought_witnesses"))):
        path = ("drought_witnesses", index)
        if not must_be_known(document, path, "signals", ("信号", "signal")):
            continue
        direction = document.text("signals", document.text(*path) or "", "direction")
        if direction == "low":
            zh, en = "佐证的信号须关注偏高；换一个", "a witness is a signal that looks high; write another one"
            document.at_value(path, (zh, en))


def _check_rule(document: Document, name: str) -> None:
    """What stands is held against a limit, by days and weeks; no detector knows what to expect of it."""
    path = ("signals", name)
    standing = document.text(*path, "measure") in {measure.value for measure in STANDING}
    if document.text(*path, "threshold") is None:
        if standing:
            zh, en = "请写 threshold: 限额", "this measure needs a limit; write for example threshold: 100"
            document.at_value((*path, "measure"), (zh, en))
        if document.text(*path, "per_residents") is not None:
            zh, en = "没有 threshold，此项无用；删去", "there is no threshold; remove per_residents"
            document.at_value((*path, "per_residents"), (zh, en))
    if standing and document.mapping(*path).get("detectors") != []:
        zh, en = "按限额判断的信号写 detectors: []", "a rule has no detector; write detectors: []"
        document.at_value((*path, "measure"), (zh, en))
    if standing and "hour" in document.sequence(*path, "sizes"):
        zh, en = "积压只在日、周结束时统计；删去 hour", "backlogs are taken as days and weeks close; remove hour"
        document.at_value((*path, "sizes"), (zh, en))
    if document.text(*path, "measure") == "backlog_age" and document.mapping(*path).get("citywide") is True:
        zh, en = "各县的时长不能相加；删去 citywide", "ages of counties cannot be summed; remove citywide"
        document.at_value((*path, "citywide"), (zh, en))


def _check_scan(document: Document, name: str) -> None:
    """A scan goes by what `counts` expects of days."""
    path = ("signals", name)
    by_day = _detectors_at(document, name, "day")[1]
    for at, named in _named_detectors(document, name):
        if "scan" not in named:
            continue
        place = (*at, list(named).index("scan"))
        if "scan" not in by_day:
            document.at_value(place, ("scan 按日扫描；写在 day 下", "scan looks at days; write it under day"))
        elif "counts" not in by_day:
            zh = "scan 以 counts 的预期为准；在 detectors 中加上 counts"
            document.at_value(place, (zh, "scan goes by counts; add counts to detectors"))
        if "day" not in document.sequence(*path, "sizes"):
            document.at_value(place, ("scan 按日扫描；在 sizes 中加上 day", "scan looks at days; add day to sizes"))


def _check_share(document: Document, name: str) -> None:
    """A share needs a signal that counts the whole, over the same windows; only `rates` judges shares."""
    path = ("signals", name)
    whole = document.text(*path, "of")
    if whole is None:
        for at, named in _named_detectors(document, name):
            if "rates" in named:
                zh = "rates 判断占比；请写 of: 分母信号"
                en = "rates judges shares; write of: the signal that is the whole"
                document.at_value((*at, list(named).index("rates")), (zh, en))
        return
    if not must_be_known(document, (*path, "of"), "signals", ("信号", "signal")):
        return
    if whole == name or document.text("signals", whole, "of") is not None:
        zh, en = f"{quoted(whole)} 不是计数的信号；换一个", f"{quoted(whole)} does not count; write another signal"
        document.at_value((*path, "of"), (zh, en))
    for size in document.sequence(*path, "sizes"):
        at, named = _detectors_at(document, name, str(size))
        if list(named) != ["rates"]:
            zh = "占比只能由 rates 判断；写 detectors: rates"
            document.at_value(at, (zh, "shares are judged by rates alone; write detectors: rates"))
    missing = [
        size for size in document.sequence(*path, "sizes") if size not in document.sequence("signals", whole, "sizes")
    ]
    if missing:
        zh = f"{quoted(whole)} 没有这种窗口：{missing[0]}；在其 sizes 中加上"
        document.at_value(
            (*path, "sizes"), (zh, f"{quoted(whole)} has no such window: {missing[0]}; add it to its sizes")
        )


def _check_filter(document: Document, signal: str, path: Path, field: str) -> None:
    given = document.text(*path)
    if given is None:
        return
    if field == "kind":
        must_be_one_of(document, path, KINDS, ("环节", "kind"))
    elif field == "outcome":
        must_be_one_of(document, path, OUTCOMES, ("回访结果", "outcome"))
    elif field == "family":
        families = {document.text("categories", code, "family") for code in document.mapping("categories")}
        all_known = families <= set(document.mapping("families"))  # else a misspelt one is told already
        if must_be_known(document, path, "families", ("类别", "family")) and given not in families and all_known:
            zh = f"类别 {given} 下没有任何 category；换一个类别"
            document.at_value(path, (zh, f"no category belongs to the family {given}; write another one"))
    elif field in WORD_SECTIONS and must_be_known(document, path, WORD_SECTIONS[field], (field, field)):
        hidden = document.mapping("categories", given).get("compartmented") is True
        if field == "category" and hidden and document.mapping("signals", signal).get("compartmented") is not True:
            zh = f"{given} 属保密类别；在此信号下写 compartmented: true，或删去 {given}"
            en = f"{given} is compartmented; write compartmented: true in this signal, or remove {given}"
            document.at_value(path, (zh, en))
