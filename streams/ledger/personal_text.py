"""Does a sentence hold what looks like a person's phone or identity number? (law 6)

`streams.core.personal` judges a whole field; people write such numbers in the middle of a note, grouped
and separated as they please. Dates, times of day and digests are not numbers of persons.
"""

import re
import unicodedata

from streams.core.personal import looks_personal

_DIGEST = re.compile(r"[0-9A-Fa-f]{16,}")
_DATE_OR_TIME = re.compile(
    r"(?<!\d)(19|20)\d{2}(?P<s>[-/.])\d{1,2}(?P=s)\d{1,2}(?!\d)|(?<!\d)\d{1,2}:\d{2}(:\d{2})?(?!\d)"
)
_NUMBER = re.compile(r"\+?\(?\d[\d\s().\-–—_/+]*[Xx]?")
_GROUPS = re.compile(r"\+?\d+[Xx]?")
_MOST_GROUPS = 8
_APART = "\N{NULL}"


def holds_personal(text: str) -> bool:
    """Whether any part of a text looks like a phone number or an identity number.

    >>> holds_personal("已电话 138-0013-8000 核实"), holds_personal("2026-11-22 13:00 已核实, 共 20 件")
    (True, False)
    """
    if looks_personal(text):
        return True
    folded = unicodedata.normalize("NFKC", text)
    folded = _DIGEST.sub(lambda found: found[0] if found[0].isdigit() else _APART, folded)
    folded = _DATE_OR_TIME.sub(_APART, folded)
    for number in _NUMBER.findall(folded):
        groups = [(found.start(), found.end()) for found in _GROUPS.finditer(number)]
        for first, (start, _) in enumerate(groups):
            for _, end in groups[first : first + _MOST_GROUPS]:
                if looks_personal(number[start:end]):
                    return True
    return False
