"""What the pager itself tells Prometheus: what waits, and what was told. From the ledger, so a restart loses none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streams.core.instant import SECOND
from streams.ledger.pages import Backlog, Outcome
from streams.metrics import PAGES_DELIVERED, PAGING_OLDEST, PAGING_QUEUE

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Figures:
    """What there is to tell."""

    backlog: Backlog
    receipts: Mapping[tuple[str, Outcome], int]


class _Told(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Three families; the oldest is absent where nothing waits."""
        waiting = self._figures.backlog
        yield GaugeMetricFamily(PAGING_QUEUE.name, PAGING_QUEUE.help, value=waiting.pages)
        oldest = GaugeMetricFamily(PAGING_OLDEST.name, PAGING_OLDEST.help)
        if waiting.oldest is not None:
            oldest.add_metric([], waiting.oldest / SECOND)
        yield oldest
        told = CounterMetricFamily(PAGES_DELIVERED.name, PAGES_DELIVERED.help, labels=PAGES_DELIVERED.labels)
        for (channel, outcome), attempts in self._figures.receipts.items():
            told.add_metric([channel, outcome.value], attempts)
        yield told


def exposition(figures: Figures) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(_Told(figures))
    return generate_latest(registry)
