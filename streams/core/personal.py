"""Does a text, as a whole, look like a person's phone or identity number? (law 6)

Only the whole field counts: a keyed hash of 32 hex digits may hold eleven digits in a row by chance.
Numbers are recognised by form, not by check digit: a mistyped identity number is still somebody's.
"""

import re
import unicodedata

LONGEST = 24
"""No personal number, with its separators, is longer: longer fields need no look."""

_PERSONAL = re.compile(
    r"""
    (\+|00)?(86)?1[3-9]\d{9}                                    # mainland mobile number
    | (\+|00)?(86)?0(10|2\d|[3-9]\d{2})[2-9]\d{6,7}             # mainland landline with area code
    | 0086(10|2\d|[3-9]\d{2})[2-9]\d{6,7}                       # the same, dialled from abroad
    | (\+|00)?1?[2-9]\d{2}[2-9]\d{6}                            # North American number
    | \+\d{8,15}                                                # any other international number
    | PROVINCE\d{4}(18|19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[\dX]   # resident identity number, GB 11643
    | PROVINCE\d{4}\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}     # the same, 15 digits, before 1999
    """.replace("PROVINCE", "(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91)"),
    re.VERBOSE | re.ASCII,
)
"""A region code begins with a province of GB/T 2260; without that, a serial number that begins with a date
(20260318...) would look like one."""
_SOCIAL_SECURITY = re.compile(r"\d{3}-\d{2}-\d{4}", re.ASCII)


def _plain(character: str) -> str:
    """A digit as 0-9, a dash of any sort as -, other punctuation and space as nothing, anything else as it is."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    return "" if category[0] in "PZC" else character


_PLAIN_ASCII = {code: _plain(chr(code)) for code in range(128)}


def looks_personal(text: str) -> bool:
    """Whether a whole field looks like a phone number or an identity number.

    >>> looks_personal("138 0013 8000"), looks_personal("d41d8cd98f00b204e9800998ecf8427e")
    (True, False)
    """
    if len(text) > LONGEST:
        return False
    if text.isascii():
        folded = text.upper().translate(_PLAIN_ASCII)
    else:
        folded = "".join(map(_plain, unicodedata.normalize("NFKC", text).upper()))
    return _SOCIAL_SECURITY.fullmatch(folded) is not None or _PERSONAL.fullmatch(folded.replace("-", "")) is not None
