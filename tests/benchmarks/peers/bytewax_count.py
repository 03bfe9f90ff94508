"""The plain count on bytewax at its fastest: hours counted by a stateful operator of its own, batch by batch.

One worker; its windowing operators (bytewax_windows.py) are called once an event. Recovery is off, as everywhere in
these counts.
"""

from collections.abc import Iterable

import bytewax.operators as op
import msgspec
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.run import cli_main
from confluent_kafka import OFFSET_BEGINNING
from job import DISORDER_MS, HOUR_MS, Job, asked, closed_window


class Event(msgspec.Struct):
    """What is counted by."""

    county: str
    category: str


decode = msgspec.json.Decoder(Event).decode


def keyed(batch: list[KafkaSourceMessage]) -> list[tuple[str, int]]:
    """(county and category, event time) of every message."""
    events = []
    for message in batch:
        event = decode(message.value)
        events.append((f"{event.county}|{event.category}", message.timestamp[1]))
    return events


class Hours(StatefulBatchLogic):
    """The open hours of one key, which close by the key's own event time."""

    def __init__(self, resumed: tuple[int, dict[int, int]] | None) -> None:
        self.newest, self.counts = resumed or (0, {})

    def on_batch(self, values: list[int]) -> tuple[Iterable[tuple[int, int]], bool]:
        """Count; (hour, count) of every hour that is over."""
        counts = self.counts
        for at in values:
            start = at - at % HOUR_MS
            counts[start] = counts.get(start, 0) + 1
        self.newest = max(self.newest, *values) if len(values) > 1 else max(self.newest, values[0])
        over = [start for start in sorted(counts) if start + HOUR_MS + DISORDER_MS <= self.newest]
        return [(start, counts.pop(start)) for start in over], False

    def snapshot(self) -> tuple[int, dict[int, int]]:
        """For recovery."""
        return self.newest, dict(self.counts)


def result(closed: tuple[str, tuple[int, int]]) -> KafkaSinkMessage:
    """A closed hour as a record."""
    key, (start, count) = closed
    county, category = key.split("|")
    return KafkaSinkMessage(None, closed_window(county, category, start, count))


def flow(job: Job) -> Dataflow:
    """From the source to the results."""
    made = Dataflow("count")
    source = KafkaSource(
        [job.bootstrap],
        [job.source],
        starting_offset=OFFSET_BEGINNING,
        batch_size=10_000,
        add_config={"fetch.queue.backoff.ms": "5", "queued.min.messages": "50000"},
    )
    messages = op.input("source", made, source)
    events = op.flat_map_batch("decode", messages, keyed)
    counted = op.stateful_batch("count", events, Hours)
    op.output("results", op.map("result", counted, result), KafkaSink([job.bootstrap], job.results))
    return made


if __name__ == "__main__":
    cli_main(flow(asked()), workers_per_process=1)
