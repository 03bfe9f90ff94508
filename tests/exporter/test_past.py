"""What totals were: the same that a scrape of then would have told, as far as a ledger knows it."""

from itertools import pairwise
from pathlib import Path

import pytest

from streams import metrics
from streams.core.city import Size
from streams.core.instant import DAY, WEEK, Instant
from streams.exporter.history import History
from streams.exporter.past import Totals
from streams.exporter.state import LedgerState, plan_of
from streams.ledger.glance import Glance, Look
from tests.promises.lake import city_profile

Told = dict[str, list[tuple[Instant, Instant, dict[tuple[str, ...], float]]]]


def told(look: Look, blocks: int) -> Told:
    """All that is told of a ledger's past, by metric, asked for in so many parts."""
    city = city_profile().city
    span = History(Path(), city_profile())._span(look)
    assert span is not None
    first, last = span
    totals, made = Totals(city, plan_of(city)), Told()
    edges = [first + n * (last + 1 - first) // blocks for n in range(blocks + 1)]
    for begin, end in pairwise(edges):
        for since, until, families in totals.told(look, begin, end):
            for one in families:
                samples = {tuple(sample.labels.values()): sample.value for sample in one.samples}
                if since < until:
                    made.setdefault(one.name, []).append((since, until, samples))
    return made


@pytest.mark.parametrize("blocks", [1, 7])
def test_what_was_spent_is_what_a_scrape_of_then_would_have_told(lake_data: Path, blocks: int) -> None:
    city = city_profile().city
    with Glance(lake_data) as glance:
        spent = glance.look(lambda look: told(look, blocks))[metrics.BUDGET_SPENT.name]
        ends = glance.look(lambda look: look.scored_ends(Size.DAY, 0, 1 << 60))
        for end in ends[WEEK // DAY :: 5]:
            at = end + city.allowed_lateness
            then = glance.look(lambda look, end=end: LedgerState(city_profile())._spent(look, end))  # type: ignore[misc]  # bound now
            assert [samples[()] for since, until, samples in spent if since <= at < until] == [round(then, 9)]
    assert max(samples[()] for _, _, samples in spent) > 0


@pytest.mark.parametrize("blocks", [1, 7])
def test_records_and_windows_grow_to_what_they_are_now(lake_data: Path, blocks: int) -> None:
    with Glance(lake_data) as glance:
        found = glance.look(lambda look: told(look, blocks))
        progress = glance.look(lambda look: look.progress())
    assert progress is not None
    windows = found["jiantu_windows_closed"]
    counts = [samples[()] for _, _, samples in windows]
    assert counts == sorted(counts)
    assert counts[-1] == progress.accounting.windows_closed
    records = found["jiantu_records"]
    for verdict, total in (("counted", progress.accounting.counted), ("late", progress.accounting.late)):
        values = [samples[verdict,] for _, _, samples in records]
        assert values == sorted(values)
        assert values[-1] == total
        assert 0 <= values[0] < total / 10
    for name in found:
        for (_, until, _), (since, _, _) in pairwise(sorted(found[name], key=lambda one: one[0])):
            assert until == since  # nothing twice, and no gap
