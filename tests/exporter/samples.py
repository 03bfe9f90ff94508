"""An exposition, read as Prometheus reads it."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.cli.exporter import profile_of
from streams.exporter.app import registry_of
from streams.exporter.collector import LedgerCollector
from streams.ledger.place import Where

Labels = frozenset[tuple[str, str]]
Samples = dict[str, dict[Labels, float]]
"""Name -> labels -> value."""


def collector_of(where: Where) -> LedgerCollector:
    """The collector of `jiantu exporter`."""
    return LedgerCollector(where, lambda: profile_of(where, None))


def scraped(collector: LedgerCollector) -> Samples:
    """Name -> labels -> value."""
    return read(generate_latest(registry_of(collector)).decode())


def read(text: str) -> Samples:
    """The same of text."""
    made: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            made.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    return made


def one(samples: Mapping[str, Mapping[Labels, float]], name: str) -> float:
    """The value of a metric that has one sample."""
    ((_, value),) = samples[name].items()
    return value


def labels_of(samples: Mapping[Labels, float], name: str) -> list[str]:
    """The values of one label, sorted."""
    return sorted(dict(labels)[name] for labels in samples)


def once(data: Path) -> Samples:
    """One scrape of a data directory, by an exporter that has just started."""
    return scraped(collector_of(data))
