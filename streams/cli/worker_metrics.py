"""What the supervisor of a worker hears and counts, as metrics: they outlive the worker that they are about."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client.registry import Collector

from streams import metrics
from streams.broker.names import Topics
from streams.core.instant import Instant, parse_instant
from streams.exporter.collector import Family, family
from streams.exporter.state import seconds
from streams.runtime.supervisor import Hear
from streams.runtime.worker_setup import Say

Place = tuple[str, str]
"""Step and partition."""
_HOW = ("failed", "stalled", "killed")


class WorkerCollector(Collector):
    """Hears what lives of a worker say, in the supervisor's thread; is asked in others."""

    def __init__(self, topics: Topics) -> None:
        self._step_of = {topics.events: "tally", topics.windows: "score", topics.scores: "judge"}
        self._alive = False
        self._endings: Counter[str] = Counter(dict.fromkeys(_HOW, 0))
        self._lags: dict[Place, int] = {}
        self._checkpoints: dict[Place, Instant] = {}
        self._lock = threading.Lock()

    def hear(self, event: str, facts: Mapping[str, Any]) -> None:
        """Take up one line of a life, or that it has `ended`."""
        with self._lock:
            match event:
                case "assigned":
                    self._alive = True
                    places = [self._place(one) for one in facts["partitions"].split(",") if one]
                    self._lags = {place: self._lags.get(place, 0) for place in places}
                    self._checkpoints = {p: at for p, at in self._checkpoints.items() if p in self._lags}
                case "lag":
                    self._lags |= {self._place(one): lag for one, lag in facts["partitions"].items()}
                case "checkpoint":
                    self._checkpoints[facts["step"], str(facts["partition"])] = parse_instant(facts["at"])
                case "ended":
                    self._end(facts["code"], stalled=facts["stalled"])

    def _end(self, code: int, *, stalled: bool) -> None:
        self._alive = False
        self._lags, self._checkpoints = {}, {}
        if code:
            self._endings["killed" if code < 0 else "stalled" if stalled else "failed"] += 1

    def _place(self, partition: str) -> Place:
        topic, _, number = partition.rpartition("-")
        return self._step_of[topic], number

    def describe(self) -> Iterable[Family]:
        """Nothing: a registry need not ask to know the names."""
        return ()

    def collect(self) -> Iterator[Family]:
        """One scrape."""
        with self._lock:
            alive, endings = float(self._alive), dict(self._endings)
            lags, checkpoints = sorted(self._lags.items()), sorted(self._checkpoints.items())
        yield family(metrics.WORKER_ALIVE, [((), alive)])
        yield family(metrics.WORKER_ENDINGS, [((how,), count) for how, count in endings.items()])
        yield family(metrics.STALLS, [((), endings["stalled"])])
        yield family(metrics.WORKER_LAG, lags)
        yield family(metrics.WORKER_CHECKPOINT, [(place, seconds(at)) for place, at in checkpoints])


@contextmanager
def metrics_served(listen: str | None, topics: Topics, say: Say) -> Iterator[Hear]:
    """Serve them while the block runs, where an address is given; what is to hear. Raises ListenError."""
    collector = WorkerCollector(topics)
    if listen is None:
        yield collector.hear
        return
    from streams.exporter.app import MetricsApp
    from streams.serving.server import serving

    with serving(listen) as (server, url):
        server.config.app = MetricsApp(collector)
        thread = threading.Thread(target=server.serve_here, name="metrics", daemon=True)
        thread.start()
        say("listening", metrics=f"{url}/metrics")
        try:
            yield collector.hear
        finally:
            server.end()
            thread.join()
