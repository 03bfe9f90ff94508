"""What a signal may be counted out of."""

from streams.core.city import STANDING
from streams.core.exposure import LOOK_AT_IT, POPULATION
from streams.profile.document import Document, Path
from streams.profile.problems import quoted
from streams.profile.references import must_be_one_of

_STANDING = {measure.value for measure in STANDING}


def check_residents(document: Document) -> None:
    """The years of residents are years."""
    for code in document.mapping("counties"):
        for year in document.mapping("counties", code, "residents_by_year"):
            if not (year.isdecimal() and len(year) == 4 and 1900 <= int(year) <= 2199):
                zh = f"{quoted(year)} 不是年份；例如 2020: 158000"
                document.at_key(
                    ("counties", code, "residents_by_year", year),
                    (zh, f"{quoted(year)} is no year; write for example 2020: 158000"),
                )


def check_offset(document: Document, name: str) -> None:
    """An offset is the residents of all counties or another signal that counts, over the same windows; who judges by
    it must know of it."""
    path: Path = ("signals", name)
    at: Path = (*path, "offset")
    of = document.text(*at)
    if of is None:
        return
    if document.text(*path, "of") is not None:
        zh = "占比的分母写在 of；删去 offset"
        document.at_value(at, (zh, "a share has its whole in `of`; remove offset"))
    if document.text(*path, "measure") in _STANDING:
        zh = "按限额判断的信号没有预期；删去 offset"
        document.at_value(at, (zh, "nothing is expected of what is held against a limit; remove offset"))
    _check_detectors(document, path)
    if of == POPULATION:
        _check_everyone(document, at)
        return
    known = (POPULATION, *document.mapping("signals"))
    if not must_be_one_of(document, at, known, ("信号", "signal")):
        return
    if name in _chain(document, name):
        zh = f"{quoted(of)} 又以 {quoted(name)} 为分母；换一个"
        document.at_value(at, (zh, f"{quoted(of)} is itself counted out of {quoted(name)}; write another signal"))
        return
    other: Path = ("signals", of)
    if document.text(*other, "of") is not None or document.text(*other, "measure") in _STANDING:
        zh = f"{quoted(of)} 不是事件的计数；换一个"
        document.at_value(at, (zh, f"{quoted(of)} does not count events; write another signal"))
    its, own = (document.mapping(*one).get("compartmented") is True for one in (other, path))
    if its and not own:
        zh = f"{quoted(of)} 属保密；换一个，或写 compartmented: true"
        document.at_value(at, (zh, f"{quoted(of)} is compartmented; write another signal, or compartmented: true here"))
    missing = [size for size in document.sequence(*path, "sizes") if size not in document.sequence(*other, "sizes")]
    if missing:
        zh = f"{quoted(of)} 没有这种窗口：{missing[0]}；在其 sizes 中加上"
        document.at_value(at, (zh, f"{quoted(of)} has no such window: {missing[0]}; add it to its sizes"))


def _chain(document: Document, name: str) -> list[str]:
    """What a signal is counted out of, what that is, and so on; each once."""
    found: list[str] = []
    of = document.text("signals", name, "offset")
    while of is not None and of not in found:
        found.append(of)
        of = document.text("signals", of, "offset")
    return found


def _check_everyone(document: Document, at: Path) -> None:
    for code in document.mapping("counties"):
        county = document.mapping("counties", code)
        if not county.get("population") and not county.get("residents_by_year"):
            zh = f"县区 {code} 没有 population；先写上"
            document.at_value(at, (zh, f"the county {code} has no population; write it first"))
            return


def _check_detectors(document: Document, path: Path) -> None:
    """Only those that go by exposures; by default all of them do."""
    place: Path = (*path, "detectors")
    by_size = document.mapping(*place)
    for at in [(*place, size) for size in by_size] if by_size else [place]:
        for index, one in enumerate(document.sequence(*at)):
            if one not in LOOK_AT_IT:
                known = ", ".join(LOOK_AT_IT)
                zh = f"{quoted(one)} 不看 offset；可用：{known}"
                document.at_value((*at, index), (zh, f"{quoted(one)} does not go by an offset; use {known}"))
