"""Does a text, as a whole, look like a person's phone or identity number? (law 6)

Only the whole field counts: a keyed hash of 32 hex digits may hold eleven digits in a row by chance.
Numbers are recognised by form, not by check digit: a mistyped identity number is still somebody's.
"""

import re
import unicodedata

LONGEST = 24
"""No personal number, with its separators, is longer: longer fields need no look."""

_SEPARATORS = re.compile(r"[\s().\-–—_/]+")
_PERSONAL = re.compile(
    r"""
    (\+|00)?(86)?1[3-9]\d{9}                                    # mainland mobile number
    | (\+|00)?(86)?0\d{2,3}[2-9]\d{6,7}                         # mainland landline with area code
    | (\+|00)1[2-9]\d{2}[2-9]\d{6} | [2-9]\d{2}[2-9]\d{6}       # North American number
    | \+\d{8,15}                                                # any other international number
    | [1-9]\d{5}(18|19|20)\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}[\dX]   # resident identity number, GB 11643
    | [1-9]\d{5}\d{2}(0[1-9]|1[0-2])([0-2]\d|3[01])\d{3}        # the same, 15 digits, before 1999
    """,
    re.VERBOSE | re.ASCII,
)
_SOCIAL_SECURITY = re.compile(r"\d{3}-\d{2}-\d{4}", re.ASCII)


def looks_personal(text: str) -> bool:
    """Whether a whole field looks like a phone number or an identity number.

    >>> looks_personal("138 0013 8000"), looks_personal("d41d8cd98f00b204e9800998ecf8427e")
    (True, False)
    """
    if len(text) > LONGEST:
        return False
    folded = unicodedata.normalize("NFKC", text).strip().upper()
    if _SOCIAL_SECURITY.fullmatch(folded):
        return True
    return _PERSONAL.fullmatch(_SEPARATORS.sub("", folded)) is not None
