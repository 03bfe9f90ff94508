"""A share of a whole in words: 82.5 %, 33 of 40."""

from decimal import Decimal

from babel.numbers import format_percent

from streams.wording.catalog import Speech
from streams.wording.figures import number
from streams.wording.names import Names


def percent(speech: Speech, part: float, whole: float) -> str:
    """A share to a tenth of a percent.

    >>> percent(Speech("en"), 33, 40), percent(Speech("zh"), 1, 1)
    ('82.5%', '100%')
    """
    return format_percent(Decimal(repr(round(part / whole, 6))), format="#,##0.#%", locale=speech.babel)


def counted_share(speech: Speech, count: int, whole: int) -> str:
    """A share and what it is made of; of nothing there is none."""
    if whole <= 0:
        return speech.say("无数据")
    share = percent(speech, count, whole)
    return speech.say(
        "{share}（{whole} 件中 {n} 件）", share=share, whole=number(speech, whole), n=number(speech, count)
    )


def expected_share(speech: Speech, expected: float, low: float, high: float, whole: int) -> str:
    """What share was expected, and between what."""
    share, first, last = (percent(speech, value, whole) for value in (expected, low, high))
    return speech.say("预期 {expected}（95% 区间 {low}–{high}）", expected=share, low=first, high=last)


def based_on(speech: Speech, names: Names, signal: str, exposure: float) -> str:
    """What is expected in proportion to: so many residents, or so many of another signal."""
    count = number(speech, exposure)
    of = names.offset(signal)
    if of is None:
        return speech.say("预期按 {count} 人计", count=count)
    return speech.say("预期按 {of} {count} 件计", of=of, count=count)
