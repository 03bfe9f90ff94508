"""The catalogs are complete and true: every message has its English, with the same fields, and no leftovers."""

import re
from pathlib import Path

from babel.messages.extract import extract
from babel.messages.pofile import read_po

import streams.wording

FOLDER = Path(streams.wording.__file__).parent


def messages_in_code() -> set[str]:
    found = set()
    for path in sorted(FOLDER.glob("*.py")):
        with path.open("rb") as file:
            found |= {str(message) for _, message, _, _ in extract("python", file, keywords={"say": None})}
    return found


def english() -> dict[str, str]:
    with (FOLDER / "catalogs" / "en.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id}


def test_every_message_is_translated_and_every_translation_is_used() -> None:
    assert set(english()) == messages_in_code()


def test_translations_fill_in_the_same_fields() -> None:
    for chinese, translated in english().items():
        assert sorted(re.findall(r"{(\w*)}", chinese)) == sorted(re.findall(r"{(\w*)}", translated)), chinese


def test_english_is_english() -> None:
    for translated in english().values():
        assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", translated), translated
