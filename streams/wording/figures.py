"""Numbers, chances and times as people read them, by language and in the city's zone."""

from datetime import tzinfo
from decimal import ROUND_HALF_EVEN, Decimal

from babel.dates import format_datetime
from babel.numbers import format_decimal

from streams.core.city import Size
from streams.core.instant import Instant, to_datetime
from streams.wording.catalog import Speech

_LEAST = 0.01
RAREST = 1_000_000_000
"""Chances smaller than one in this many are said to be smaller than it: no model is known that well."""


def number(speech: Speech, value: float) -> str:
    """A count or an expected count, to about two digits: 1,759 · 21 · 9.5 · 0.35; what is more than none is never 0.

    >>> number(Speech("zh"), 1759), number(Speech("en"), 21.3), number(Speech("en"), 9.51), number(Speech("en"), 0.351)
    ('1,759', '21', '9.5', '0.35')
    >>> number(Speech("zh"), 0.0004), number(Speech("zh"), 0.0)
    ('<0.01', '0')
    """
    size = abs(value)
    if 0 < value < _LEAST:
        return f"<{format_decimal(Decimal(repr(_LEAST)), format='#,##0.##', locale=speech.babel)}"
    pattern = "#,##0" if size >= 10 or value == int(value) else "#,##0.#" if size >= 1 else "#,##0.##"
    return format_decimal(Decimal(repr(value)), format=pattern, locale=speech.babel)


def hundredths(speech: Speech, value: float) -> str:
    """To the hundredth: what was spent of a budget."""
    return format_decimal(Decimal(repr(value)), format="#,##0.##", locale=speech.babel)


def odds(speech: Speech, p: float) -> str | None:
    """The n of "about one in n", to two digits; None where it is rarer than RAREST.

    >>> odds(Speech("en"), 2.53e-05)
    '40,000'
    """
    if p <= 0 or p * RAREST < 1:
        return None
    exact = 1 / Decimal(repr(p))
    two_digits = exact.quantize(Decimal(1).scaleb(max(0, exact.adjusted() - 1)), rounding=ROUND_HALF_EVEN)
    return format_decimal(two_digits, format="#,##0", locale=speech.babel)


def times(speech: Speech, ratio: float) -> str:
    """A ratio to two digits: 4 · 1.6 · 0.35."""
    return number(speech, float(f"{ratio:.2g}"))


def moment(speech: Speech, at: Instant, zone: tzinfo, *, offset: bool = False) -> str:
    """Local date and time to the minute, with the offset from UTC where asked for."""
    pattern = "yyyy-MM-dd HH:mm ZZZZZ" if offset else "yyyy-MM-dd HH:mm"
    return format_datetime(to_datetime(at, zone), pattern, locale=speech.babel)


def span(speech: Speech, start: Instant, end: Instant, zone: tzinfo) -> str:
    """From when to when, local; with offsets where the clock was changed in between."""
    changed = to_datetime(start, zone).utcoffset() != to_datetime(end, zone).utcoffset()
    first = moment(speech, start, zone, offset=changed)
    return speech.say("{start} 至 {end}", start=first, end=moment(speech, end, zone, offset=changed))


def three_before(speech: Speech, size: str) -> str:
    """The windows before one that what builds up is looked for in (`detectors.outbreak`)."""
    return speech.say("此前三周") if size == Size.WEEK else speech.say("此前三日")
