"""Message catalogs: the Chinese text in the code is the message id, `catalogs/en.po` has the English beside it.

The .po file is read as it is, so there is no compiled copy that could differ from it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.messages.pofile import read_po

SOURCE = "zh"
"""The language that messages are written in."""
LOCALES = (SOURCE, "en")
_BABEL = {"zh": "zh_Hans_CN", "en": "en_US"}


class UnknownLocaleError(ValueError):
    """A locale that there is no catalog for."""


@cache
def _catalog(locale: str) -> Mapping[str, str]:
    if locale == SOURCE:
        return {}
    with (files(__package__) / "catalogs" / f"{locale}.po").open("rb") as file:
        catalog = read_po(file, locale=locale)
    return {str(message.id): str(message.string) for message in catalog if message.id and not message.fuzzy}


class Speech:
    """One language: its messages and its ways with numbers and dates."""

    def __init__(self, locale: str) -> None:
        if locale not in LOCALES:
            raise UnknownLocaleError(f"no wording in {locale!r}: choose one of {', '.join(LOCALES)}")
        self.locale = locale
        self.babel = Locale.parse(_BABEL[locale])
        self._messages = _catalog(locale)

    @property
    def is_source(self) -> bool:
        """Whether this is the language that names are first written in."""
        return self.locale == SOURCE

    def say(self, message: str, /, **fields: str) -> str:
        """A message in this language, its {fields} filled in. One without a translation is said as written."""
        return self._messages.get(message, message).format(**fields)
