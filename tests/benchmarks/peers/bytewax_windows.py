"""The plain count on bytewax as its documentation has it: a window operator with an event clock, one worker.

A batch is decoded at once, which saves a call an event; recovery is off, as everywhere in these counts.
"""

from datetime import UTC, datetime, timedelta

import bytewax.operators as op
import bytewax.operators.windowing as win
import msgspec
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main
from confluent_kafka import OFFSET_BEGINNING
from job import DISORDER_MS, HOUR_MS, Job, asked, closed_window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PATIENCE = timedelta(milliseconds=DISORDER_MS, minutes=5)
"""Its watermark moves with the machine's clock as well: the minutes are for that."""


class Event(msgspec.Struct):
    """What is counted by."""

    county: str
    category: str


decode = msgspec.json.Decoder(Event).decode


def keyed(batch: list[KafkaSourceMessage]) -> list[tuple[str, datetime]]:
    """(county and category, event time) of every message."""
    events = []
    for message in batch:
        event = decode(message.value)
        at = datetime.fromtimestamp(message.timestamp[1] / 1000, UTC)
        events.append((f"{event.county}|{event.category}", at))
    return events


def result(closed: tuple[str, tuple[int, int]]) -> KafkaSinkMessage:
    """Windows are numbered from the epoch on."""
    key, (number, count) = closed
    county, category = key.split("|")
    return KafkaSinkMessage(None, closed_window(county, category, number * HOUR_MS, count))


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
    counted = win.fold_window(
        "count",
        events,
        win.EventClock(lambda at: at, PATIENCE),
        win.TumblingWindower(length=timedelta(milliseconds=HOUR_MS), align_to=EPOCH),
        builder=lambda: 0,
        folder=lambda count, _: count + 1,
        merger=lambda one, other: one + other,
        ordered=False,
    )
    op.output("results", op.map("result", counted.down, result), KafkaSink([job.bootstrap], job.results))
    return made


if __name__ == "__main__":
    cli_main(flow(asked()), workers_per_process=1)
