"""What the live service itself counts, as metrics: beside those of its ledger."""

from collections.abc import Iterable, Iterator

from prometheus_client.registry import Collector

from streams import metrics
from streams.exporter.collector import Family, family
from streams.service.app import Service


class ServiceCollector(Collector):
    """Collects from a running service; its counters begin with the process, as Prometheus expects of them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> Iterable[Family]:
        """Nothing: a registry need not ask to know the names."""
        return ()

    def collect(self) -> Iterator[Family]:
        """One scrape."""
        service, health = self._service, self._service.writer.health
        yield family(metrics.READY, [((), float(health.recovered and not health.stopping and not health.failed))])
        requests = sorted(service.figures.requests.copy().items())
        yield family(metrics.HTTP_REQUESTS, [((route, str(status)), count) for (route, status), count in requests])
        records = sorted(service.figures.records.copy().items())
        yield family(metrics.INGEST_RECORDS, [((verdict,), count) for verdict, count in records])
        yield family(metrics.STALLS, [((), service.stalls)])
        yield family(metrics.SOURCE_LAG, [((), health.waiting)])
