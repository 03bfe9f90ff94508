"""A field that as a whole looks like a person's number is caught however it is written; a hash or a serial is not."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.personal import LONGEST, looks_personal

PERSONAL = {
    "mobile": "13800138000",
    "mobile, country code": "+8613800138000",
    "mobile, dialled from abroad": "008613800138000",
    "landline of Leshan": "08332412345",
    "landline of Beijing": "01062345678",
    "landline, country code": "+868332412345",
    "landline, dialled from abroad": "00868332412345",
    "identity number": "511102199003071234",
    "identity number, check X": "51110219900307123X",
    "identity number, check x": "51110219900307123x",
    "identity number, 15 digits": "511102900307123",
    "born in the nineteenth century": "110101189912310018",
    "identity number of a Taiwan resident": "830000199003071234",
    "Boston": "6175550123",
    "Boston, with trunk prefix": "16175550123",
    "New York, with trunk prefix": "12125550123",
    "Boston, country code": "+16175550123",
    "London": "+442079460958",
    "social security": "123-45-6789",
}

HARMLESS = {
    "md5 with eleven digits in a row": "a13800138000b98f00b204e98009984e",
    "md5 of digits alone": "13800138000138001380001380013800",
    "uuid": "0b0e7e4c-1380-4138-8000-138001380001",
    "short hash": "1380013800af",
    "serial that begins with a date": "202603181405301234",
    "serial of 15 digits that begins with a date": "202603021201567",
    "date and serial": "2026-03-02/00017",
    "serial with leading noughts": "0002345678",
    "long serial with leading noughts": "000000012345678",
    "Boston's case number": "101000295613",
    "ticket with letters": "LS13800138000",
    "mobile, a digit short": "1380013800",
    "mobile, a digit long": "138001380001",
    "hotline": "12345",
    "emergency": "110",
    "identity number, thirteenth month": "511102199013071234",
    "no province": "991102199003071234",
    "a dash": "-",
    "nothing": "",
}

FULL_WIDTH = str.maketrans("0123456789+-X", "０１２３４５６７８９＋－Ｘ")
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.mark.parametrize("text", PERSONAL.values(), ids=PERSONAL)
def test_a_personal_number_is_caught(text: str) -> None:
    assert looks_personal(text)
    assert looks_personal(f" {text}\n")
    assert looks_personal(text.translate(FULL_WIDTH))
    assert looks_personal(text.translate(ARABIC_INDIC))


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_what_only_resembles_one_passes(text: str) -> None:
    assert not looks_personal(text)


@pytest.mark.parametrize(
    "text",
    [
        "138 0013 8000",
        "138-0013-8000",
        "+86 138 0013 8000",
        "(+86)138-0013-8000",
        "138.0013.8000",
        "138_0013_8000",
        "138/0013/8000",
        "138,0013,8000",
        "138·0013·8000",
        "138–0013—8000",
        "138\N{NON-BREAKING HYPHEN}0013\N{HYPHEN}8000",
        "138\N{MINUS SIGN}0013\N{MINUS SIGN}8000",
        "138\N{NO-BREAK SPACE}0013\N{IDEOGRAPHIC SPACE}8000",
        "138\N{ZERO WIDTH SPACE}0013\N{ZERO WIDTH JOINER}8000",
        "１３８－００１３－８０００",
        "(0833) 241-2345",
        "（0833）2412345",
        "0833 - 2412345",
        "511102 19900307 123X",
        "5111 0219 9003 0712 34",
        "(617) 555-0123",
        "1-617-555-0123",
        "123–45–6789",
    ],
)
def test_separators_hide_nothing(text: str) -> None:
    assert looks_personal(text)


separators = st.sampled_from(["", "-", " ", ".", "/", "–", "　", "\u200b"])


@given(st.integers(13_000_000_000, 19_999_999_999).map(str), st.lists(separators, min_size=10, max_size=10))
def test_a_mobile_number_is_caught_wherever_it_is_cut(number: str, cuts: list[str]) -> None:
    text = "".join(digit + cut for digit, cut in zip(number, [*cuts, ""], strict=True))
    assert looks_personal(text) == (len(text) <= LONGEST)


def test_a_field_longer_than_any_number_is_not_looked_at() -> None:
    """The decoder relies on it: it checks lengths alone where all identifiers are long."""
    assert looks_personal("13800138000".ljust(LONGEST))
    assert not looks_personal("13800138000".ljust(LONGEST + 1))


@given(st.text(max_size=40))
def test_any_text_has_an_answer(text: str) -> None:
    assert looks_personal(text) in (True, False)


@given(st.binary(max_size=20))
def test_a_keyed_hash_never_looks_personal(secret: bytes) -> None:
    assert not looks_personal(hashlib.sha256(secret).hexdigest())
    assert not looks_personal(hashlib.sha256(secret).hexdigest()[:32])


@given(st.integers(0, 10**8))
def test_a_serial_after_the_date_never_looks_like_an_identity_number(serial: int) -> None:
    assert not looks_personal(f"20260318{serial % 10**7:07}")
    assert not looks_personal(f"20260318{serial:010}")
