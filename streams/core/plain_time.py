"""Times as most write them, read in compiled code; all others are for the parser that knows them all (instant.py)."""

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import inlined

NO_TIME = -(2**63)
"""In place of an instant."""

_FIRST_YEAR, _LAST_YEAR = 1970, 2199
"""Earlier and later are for the parser that knows where time ends."""
_DAYS_BEFORE = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_SECOND = 1_000_000
_COLON = ord(":")


@inlined
def _two_digits(text: NDArray[np.uint8], p: int) -> int:
    """Their number; far below 0 where one is none."""
    tens, ones = np.int64(text[p]) - 48, np.int64(text[p + 1]) - 48
    return int(tens * 10 + ones) if 0 <= tens <= 9 and 0 <= ones <= 9 else -10_000


@inlined
def plain_instant(text: NDArray[np.uint8], p: int, end: int) -> int:  # noqa: C901 - a calendar, a branch
    """The instant of an RFC 3339 text as most write it, up to microseconds; NO_TIME for any other."""
    if end - p < 20 or text[p + 4] != 45 or text[p + 7] != 45 or text[p + 10] != 84:
        return NO_TIME
    if text[p + 13] != _COLON or text[p + 16] != _COLON:
        return NO_TIME
    year = _two_digits(text, p) * 100 + _two_digits(text, p + 2)
    month, day = _two_digits(text, p + 5), _two_digits(text, p + 8)
    hour, minute, second = _two_digits(text, p + 11), _two_digits(text, p + 14), _two_digits(text, p + 17)
    if not (_FIRST_YEAR <= year <= _LAST_YEAR and 1 <= month <= 12 and day >= 1):
        return NO_TIME
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return NO_TIME
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > _DAYS[month] + (leap and month == 2):
        return NO_TIME
    before = year - 1
    days = 365 * (year - 1970) + before // 4 - before // 100 + before // 400 - 477
    days += _DAYS_BEFORE[month] + (leap and month > 2) + day - 1
    at = ((days * 24 + hour) * 60 + minute) * 60 + second
    p += 19
    micros, digits = 0, 0
    if text[p] == 46:
        p += 1
        while digits < 7 and 48 <= text[p] < 58:
            micros = micros * 10 + text[p] - 48
            digits += 1
            p += 1
        if digits == 0 or digits > 6:
            return NO_TIME
        for _ in range(6 - digits):
            micros *= 10
    if text[p] == 90 and p + 1 == end:
        return int(at * _SECOND + micros)
    if p + 6 != end or text[p + 3] != _COLON or (text[p] != 43 and text[p] != 45):
        return NO_TIME
    hours, minutes = _two_digits(text, p + 1), _two_digits(text, p + 4)
    if not (0 <= hours <= 23 and 0 <= minutes <= 59):
        return NO_TIME
    offset = (hours * 60 + minutes) * 60
    return int((at - offset if text[p] == 43 else at + offset) * _SECOND + micros)
