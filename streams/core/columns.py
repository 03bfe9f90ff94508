"""Lines to columns: one compiled pass over the bytes of a batch, for the lines that are written plainly.

A line is plain when it holds one valid event, with or without a recording's frame, in printable ASCII, no escapes,
every word one of the city's, every time in RFC 3339 with a zone, every identifier too long or too lettered to be a
person's number. Nearly all lines are; all others are told apart here and decoded one by one (decode.py), which also
decides what is wrong with them. So this pass never judges: what it takes is an event to the decoder as well, with
the same values (tests/core/test_columns.py holds the two against each other), and it takes no memory a line.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.compiled import compiled, inlined
from streams.core.city import FILTER_FIELDS, City
from streams.core.event import KINDS, OUTCOMES
from streams.core.personal import LONGEST
from streams.core.plain_time import NO_TIME, plain_instant

Bytes = NDArray[np.uint8]
Wide = NDArray[np.uint64]
"""Bytes seen eight at a time: element i holds the bytes i to i + 7, the first one lowest."""
Columns = NDArray[np.int64]
"""Shape (lines, WIDTH): one row a line, in the columns below."""

(LINE, PLAIN, RECEIVED, AT, DUE, COUNTY, CELL, ID, ID_END, HASH, TICKET, TICKET_END, TICKET_HASH, CALLER, CALLER_END,
 CALLER_HASH, MATTER, MATTER_END, MATTER_HASH) = range(19)  # fmt: skip
"""LINE: where the line begins; PLAIN: 1, or 0 and nothing else in the row holds; RECEIVED: milliseconds; AT, DUE:
instants; COUNTY: its number in the city; CELL: the words of FILTER_FIELDS packed into one number; where texts begin and
end, and their hashes (HASH: the id's)."""
WIDTH = 19
NONE = NO_TIME
"""A time that is not there. A text that is not there begins at 0, where every line has its brace."""

_WORD_FIELDS = ("county", *FILTER_FIELDS)
_COUNTY, _POINT, _CATEGORY, _KIND, _CHANNEL, _SECTOR, _OUTCOME = range(7)
_REQUIRED_WORDS = 4
"""The first four of them; the others may be left out."""

_LETTER = np.array([chr(b).isalpha() and chr(b) not in "xX" for b in range(128)], dtype=np.bool_)
_QUOTE, _BRACE, _CLOSING, _COLON, _COMMA, _SPACE, _NEWLINE = (ord(c) for c in '"{}:, \n')
_RECEIVED = np.frombuffer(b'{"received":', dtype=np.uint8)
_EVENT = np.frombuffer(b'"event":', dtype=np.uint8)
_ONLY_EVENT = np.frombuffer(b'{"event":', dtype=np.uint8)
_LONGEST_ID = 128
_LONGEST_WORD = 24
_LONGEST_PLAIN_LINE = 4096
_ONES, _TOPS, _CONTROLS, _QUOTES, _BACKSLASHES = (int.from_bytes(bytes([b]) * 8) for b in b'\x01\x80 "\\')
"""The same byte eight times: one operation looks at eight bytes."""
_HASH_START, _HASH_STEP, _HASH_END = 0x9E3779B97F4A7C15, 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53


def _name(text: str) -> int:
    """A field's name as the eight bytes that are read at once: none is longer."""
    return int.from_bytes(text.encode(), "little")


_ID_NAME, _AT_NAME, _TICKET_NAME, _CALLER_NAME, _MATTER_NAME, _DUE_NAME = (
    _name(text) for text in ("id", "at", "ticket", "caller", "matter", "due")
)
_WORD_NAMES = tuple(_name(text) for text in _WORD_FIELDS)
_COUNTY_NAME, _POINT_NAME, _CATEGORY_NAME, _KIND_NAME, _CHANNEL_NAME, _SECTOR_NAME, _OUTCOME_NAME = _WORD_NAMES


class Words(NamedTuple):
    """A city's words, as the pass looks them up."""

    text: Wide
    """All words, one after another."""
    starts: NDArray[np.int64]
    """Where each begins; one more at the end."""
    slots: NDArray[np.int64]
    """Shape (fields, a power of two): 1 + number of the word, at or after its hash's place; 0: none."""
    firsts: NDArray[np.int64]
    """Number of each field's first word."""
    strides: NDArray[np.int64]
    """What a step in a field's words adds to CELL; 0 for the county, which is a column of its own."""

    @classmethod
    def of(cls, city: City) -> "Words":
        """The words of a city; those that no plain text can hold are left out."""
        by_field: tuple[Sequence[str], ...] = (
            [county.code for county in city.counties],
            list(city.points),
            [category.code for category in city.categories],
            KINDS,
            list(city.channels),
            list(city.sectors),
            OUTCOMES,
        )
        words = [word.encode() for words in by_field for word in words]
        text = Text.of(b"\n".join(words)).eights
        starts = np.cumsum([0, *(len(word) + 1 for word in words)], dtype=np.int64)
        firsts = np.cumsum([0, *map(len, by_field)])[:-1]
        places = 1 << (4 * max(map(len, by_field))).bit_length()
        slots = np.zeros((len(by_field), places), dtype=np.int64)
        number = 0
        for field, words_of_field in enumerate(by_field):
            for word in words_of_field:
                number += 1
                if len(word.encode()) > _LONGEST_WORD:
                    continue
                place = string_at(text, int(starts[number - 1]))[1] & (places - 1)
                while slots[field, place]:
                    place = (place + 1) & (places - 1)
                slots[field, place] = number
        # One more than there are words: an optional field that is left out counts as 0.
        sizes = [1, *(len(words) + 1 for words in by_field[1:])]
        strides = np.cumprod([1, *sizes[:0:-1]])[::-1][1:]
        return cls(text, starts, slots, firsts, np.array([0, *strides], dtype=np.int64))


class Text(NamedTuple):
    """A text for compiled code, with room behind its end."""

    singles: Bytes
    eights: Wide

    @classmethod
    def of(cls, text: bytes) -> "Text":
        """Eight line breaks behind it: every loop ends there, and eight bytes may be read at once anywhere."""
        padded = text + b"\n" * 8
        return cls(
            np.frombuffer(padded, dtype=np.uint8),
            np.ndarray((len(text) + 1,), dtype="<u8", buffer=padded, strides=(1,)),
        )


def columns_of(text: Text, count: int, words: Words, *, framed: bool) -> tuple[Columns, int]:
    """The columns of the first `count` lines of a text, and where the next one would begin. `framed`: they may have a
    recording's frame."""
    out = np.empty((count, WIDTH), dtype=np.int64)
    return out, _read_lines(text.singles, text.eights, words, framed, out)


@inlined
def _first_flag(flags: np.uint64) -> int:
    """Which byte is the first whose top bit is set; there is one."""
    below = (flags & (~flags + np.uint64(1))) - np.uint64(1)
    return int(np.int64((((below & np.uint64(_ONES)) * np.uint64(_ONES)) >> np.uint64(56)) - np.uint64(1)))


@inlined
def string_at(text: Wide, start: int) -> tuple[int, int]:
    """(end, hash) of the text that begins at `start` and ends before the first quote, backslash, control character or
    byte that is not ASCII. The hash, 0 .. 2**63 - 1, is the same wherever the text lies."""
    h, p = np.uint64(_HASH_START), start
    while True:
        w = text[p]
        quote, backslash = w ^ np.uint64(_QUOTES), w ^ np.uint64(_BACKSLASHES)
        flags = (
            ((w - np.uint64(_CONTROLS)) & ~w)
            | ((quote - np.uint64(_ONES)) & ~quote)
            | ((backslash - np.uint64(_ONES)) & ~backslash)
            | w
        ) & np.uint64(_TOPS)
        if flags != np.uint64(0):
            break
        h = (h ^ w) * np.uint64(_HASH_STEP)
        h ^= h >> np.uint64(32)
        p += 8
    length = _first_flag(flags)
    h ^= w & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1))
    h = (h ^ np.uint64(p + length - start)) * np.uint64(_HASH_END)
    h ^= h >> np.uint64(29)
    h *= np.uint64(_HASH_STEP)
    return p + length, int(np.int64((h ^ (h >> np.uint64(32))) >> np.uint64(1)))


@compiled
def _read_lines(text: Bytes, eights: Wide, words: Words, framed: bool, out: Columns) -> int:
    place, size = 0, text.size - 8
    for k in range(out.shape[0]):
        out[k, LINE] = place
        after = _read_line(text, eights, place, words, framed, out, k) if place < size else -1
        out[k, PLAIN] = after >= 0
        if after < 0:
            after = place
            while after < size and text[after] != _NEWLINE:
                after += 1
            after += 1
        place = after
    return place


@inlined
def _read_line(text: Bytes, eights: Wide, start: int, words: Words, framed: bool, out: Columns, k: int) -> int:
    """Read one line into its row. Returns where the next one begins; -1: it is not plain."""
    out[k, RECEIVED] = NONE
    p = _after(text, start, _RECEIVED) if framed else -1
    if p >= 0:
        p = _skip(text, p)
        digits, received = 0, 0
        while 48 <= text[p] < 58 and digits < 16:
            received = received * 10 + text[p] - 48
            digits += 1
            p += 1
        if digits == 0 or digits > 15 or (digits > 1 and text[p - digits] == 48) or text[p] != _COMMA:
            return -1
        out[k, RECEIVED] = received
        p = _after(text, _skip(text, p + 1), _EVENT)
    else:
        p = _after(text, start, _ONLY_EVENT) if framed else -1
        if p < 0:
            framed, p = False, start
    if p < 0:
        return -1
    p = _read_event(text, eights, _skip(text, p), words, out, k)
    if p < 0:
        return -1
    if framed:
        p = _skip(text, p)
        if text[p] != _CLOSING:
            return -1
        p += 1
    if text[p] != _NEWLINE or p - start > _LONGEST_PLAIN_LINE:
        return -1
    return p + 1


@inlined
def _read_event(text: Bytes, eights: Wide, start: int, words: Words, out: Columns, k: int) -> int:  # noqa: C901, PLR0911, PLR0912, PLR0915 - a field, a branch
    """Read the object that begins at `start`. Returns the place after it; -1: it is not plain."""
    if text[start] != _BRACE:
        return -1
    out[k, DUE] = NONE
    out[k, AT] = NONE
    out[k, CELL] = 0
    out[k, ID], out[k, TICKET], out[k, CALLER], out[k, MATTER] = 0, 0, 0, 0
    seen, p = 0, start
    while True:
        p = _skip(text, p + 1)
        if text[p] != _QUOTE:
            return -1
        name = eights[p + 1]
        quote = name ^ np.uint64(_QUOTES)
        flags = (quote - np.uint64(_ONES)) & ~quote & np.uint64(_TOPS)
        length = 8
        if flags != np.uint64(0):
            length = _first_flag(flags)
            name &= (np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)
        p += length + 2
        if text[p - 1] != _QUOTE or text[p] != _COLON:
            return -1
        p = _skip(text, p + 1)
        if text[p] != _QUOTE:
            return -1
        begin = p + 1
        p, h = string_at(eights, begin)
        if text[p] != _QUOTE:
            return -1

        column, field = -1, -1
        if name == _ID_NAME:
            column, bit = ID, 0
        elif name == _AT_NAME:
            bit = 1
            out[k, AT] = plain_instant(text, begin, p)
            if out[k, AT] == NONE:
                return -1
        elif name == _COUNTY_NAME:
            field, bit = _COUNTY, 2
        elif name == _POINT_NAME:
            field, bit = _POINT, 3
        elif name == _CATEGORY_NAME:
            field, bit = _CATEGORY, 4
        elif name == _KIND_NAME:
            field, bit = _KIND, 5
        elif name == _TICKET_NAME:
            column, bit = TICKET, 6
        elif name == _SECTOR_NAME:
            field, bit = _SECTOR, 7
        elif name == _CHANNEL_NAME:
            field, bit = _CHANNEL, 8
        elif name == _CALLER_NAME:
            column, bit = CALLER, 9
        elif name == _MATTER_NAME:
            column, bit = MATTER, 10
        elif name == _OUTCOME_NAME:
            field, bit = _OUTCOME, 11
        elif name == _DUE_NAME:
            bit = 12
            out[k, DUE] = plain_instant(text, begin, p)
            if out[k, DUE] == NONE:
                return -1
        else:
            return -1
        if seen >> bit & 1:
            return -1
        seen |= 1 << bit
        if column >= 0:
            if not _is_plain_id(text, begin, p):
                return -1
            out[k, column], out[k, column + 1], out[k, column + 2] = begin, p, h
        elif field >= 0:
            number = _word(eights, begin, p, h, words, field)
            if number < 0:
                return -1
            if field == _COUNTY:
                out[k, COUNTY] = number
            else:
                out[k, CELL] += (number + 1) * words.strides[field]
        p = _skip(text, p + 1)
        if text[p] == _CLOSING:
            break
        if text[p] != _COMMA:
            return -1
    if seen & 0b111111 != 0b111111:
        return -1
    return p + 1


@inlined
def _after(text: Bytes, start: int, expected: Bytes) -> int:
    """The place after the bytes expected at `start`; -1: they are not there."""
    for i in range(expected.size):
        if text[start + i] != expected[i]:
            return -1
    return start + expected.size


@inlined
def _skip(text: Bytes, p: int) -> int:
    while text[p] == _SPACE:
        p += 1
    return p


@inlined
def _is_plain_id(text: Bytes, begin: int, end: int) -> bool:
    """Whether a text is an identifier and no number of a person's: those have no letters but X."""
    if end - begin > LONGEST:
        return end - begin <= _LONGEST_ID
    for i in range(begin, end):  # noqa: SIM110 - numba knows no generators
        if _LETTER[text[i]]:
            return True
    return False


@inlined
def hash_of(text: Wide, begin: int, end: int) -> int:
    """The hash of any bytes; of a plain text the one that `string_at` gives."""
    h, p = np.uint64(_HASH_START), begin
    while p + 8 <= end:
        h = (h ^ text[p]) * np.uint64(_HASH_STEP)
        h ^= h >> np.uint64(32)
        p += 8
    h ^= text[p] & ((np.uint64(1) << np.uint64(8 * (end - p))) - np.uint64(1))
    h = (h ^ np.uint64(end - begin)) * np.uint64(_HASH_END)
    h ^= h >> np.uint64(29)
    h *= np.uint64(_HASH_STEP)
    return int(np.int64((h ^ (h >> np.uint64(32))) >> np.uint64(1)))


@inlined
def _word(text: Wide, begin: int, end: int, h: int, words: Words, field: int) -> int:
    """Number of a word among its field's; -1: the city does not know it."""
    mask = words.slots.shape[1] - 1
    place = h & mask
    while True:
        word = words.slots[field, place] - 1
        if word < 0:
            return -1
        start = words.starts[word]
        length = words.starts[word + 1] - start - 1
        if length == end - begin and _same_word(text, begin, words.text, start, length):
            return int(word - words.firsts[field])
        place = (place + 1) & mask


@inlined
def _same_word(text: Wide, at: int, other: Wide, place: int, length: int) -> bool:
    """Whether two texts of one length, _LONGEST_WORD at most, are the same. (A loop costs five times as much.)"""
    first = text[at] ^ other[place]
    if length < 8:
        return bool(first & ((np.uint64(1) << np.uint64(8 * length)) - np.uint64(1)) == np.uint64(0))
    second = min(8, length - 8)
    last = text[at + length - 8] ^ other[place + length - 8]
    return bool(first | (text[at + second] ^ other[place + second]) | last == np.uint64(0))
