"""The largest non-alerts: how near the windows of every series came to a page."""

from streams.core.city import Size
from streams.core.instant import HOUR
from streams.core.quiet import Nearest, nearest
from tests.core.courtroom import LEVEL, MONDAY, Courtroom, Seen

NINE = MONDAY + 9 * HOUR


def test_the_nearest_come_first_by_how_many_times_less_p_would_have_had_to_be() -> None:
    court = Courtroom()
    seen = {("dust", "east"): Seen(30, 21.0, 3 * LEVEL), ("dust", "west"): Seen(26, 21.0, 8 * LEVEL)}
    first, second, *_ = nearest(court.plan, court.window(NINE, Size.HOUR, seen), 9)
    assert (first.county, second.county) == ("east", "west")
    assert first.ratio < second.ratio


def test_a_side_that_nobody_looks_at_is_near_only_where_it_would_have_been_a_verdict() -> None:
    court = Courtroom()
    few = {("dust", "east"): Seen(0, 20.0, 0.5 * LEVEL), ("dust", "west"): Seen(4, 20.0, 1.5 * LEVEL)}
    found = {
        one.county: one.ratio
        for one in nearest(court.plan, court.window(NINE, Size.HOUR, few), 99)
        if one.signal == "dust"
    }
    assert found["east"] <= 1.0
    assert found["west"] > 100.0


def test_of_a_series_its_best_window_is_kept_and_few_series() -> None:
    court = Courtroom()
    best = Nearest(2)
    for hour in range(1, 30):
        seen = {("dust", "east"): Seen(30, 21.0, (30 + abs(hour - 7)) * LEVEL)}
        best.take(nearest(court.plan, court.window(MONDAY + hour * HOUR, Size.HOUR, seen), 4))
    assert len(best.sorted()) == 2
    dust = best.sorted()[0]
    assert (dust.signal, dust.county, dust.start) == ("dust", "east", MONDAY + 6 * HOUR)
