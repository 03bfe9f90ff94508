"""Counties, signals and other words of a city as people type them: codes or names, with a did-you-mean."""

from collections.abc import Iterable, Mapping

from streams.cli.ending import WrongInputError
from streams.profile import Profile
from streams.profile.problems import instead


def county_code(profile: Profile, text: str) -> str:
    """The code of a county given by code or name, or of the city as a whole. Raises WrongInputError."""
    city = profile.city
    words = {
        city.code: city.code,
        city.title: city.code,
        city.title_en: city.code,
        "全市": city.code,
        "city": city.code,
    }
    for county in city.counties:
        words |= {county.code: county.code, county.name: county.code, county.name_en: county.code}
    return _found("county", "县区", text, words)


def signal_name(profile: Profile, text: str) -> str:
    """The name of a signal given by name or title. Raises WrongInputError."""
    words: dict[str, str] = {}
    for signal in profile.city.signals:
        words |= {signal.title: signal.name, signal.title_en: signal.name}
    return _found("signal", "信号", text, words | {signal.name: signal.name for signal in profile.city.signals})


def one_of(what: str, what_zh: str, text: str, words: Mapping[str, str]) -> str:
    """What a word of a closed list stands for. Raises WrongInputError."""
    return _found(what, what_zh, text, words)


def _found(what: str, what_zh: str, text: str, words: Mapping[str, str]) -> str:
    folded = {word.casefold(): code for word, code in words.items()}
    try:
        return folded[text.strip().casefold()]
    except KeyError:
        zh, en = instead(text, _shown(words), most=16)
        raise WrongInputError(f"没有{what_zh} “{text}”；{zh}", f'no {what} "{text}"; {en}') from None


def _shown(words: Mapping[str, str]) -> Iterable[str]:
    """Codes first, where they are words of their own."""
    return sorted(words, key=lambda word: word != words[word])
