"""The plain count on faust as its documentation has it: a tumbling window of a Table, by the time of the stream.

The Table is kept in memory, its changelog in Kafka. Its windows do not say when they are over: the counts that this
job saw last are written once the hour is over by event time.
"""

import sys
from datetime import timedelta

import faust
from job import DISORDER_MS, HOUR_MS, asked

job = asked()
app = faust.App(
    job.name,
    broker=f"kafka://{job.bootstrap}",
    store="memory://",
    datadir=job.folder,
    topic_partitions=job.partitions,
    topic_disable_leader=True,
    topic_replication_factor=1,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
    autodiscover=False,
)
source = app.topic(job.source, value_serializer="json")
results = app.topic(job.results, value_serializer="json")
table = app.Table("counts", default=int, partitions=job.partitions).tumbling(
    timedelta(milliseconds=HOUR_MS), key_index=False
)
counted = table.relative_to_stream()
hours: list[dict[int, dict[tuple[str, str], int]]] = [{} for _ in range(job.partitions)]
newest = [0] * job.partitions
next_close = [0] * job.partitions


@app.agent(source)
async def count(stream: faust.Stream) -> None:
    """Count every event in its window; once an hour is over in its partition, write its counts."""
    async for event in stream.events():
        message, value = event.message, event.value
        number, at = message.partition, round(message.timestamp * 1000)
        start = at - at % HOUR_MS
        key = value["county"], value["category"]
        counted[key] += 1
        hours[number].setdefault(start, {})[key] = counted[key].value()
        if at > newest[number]:
            newest[number] = at
            if at >= next_close[number]:
                await close(number)
                next_close[number] = min(hours[number]) + HOUR_MS + DISORDER_MS


async def close(number: int) -> None:
    """Write the counts of the hours that are over."""
    for start in sorted(hours[number]):
        if start + HOUR_MS + DISORDER_MS > newest[number]:
            break
        for (county, category), count in hours[number].pop(start).items():
            await results.send(value={"county": county, "category": category, "start": start, "count": count})


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "--loop", "uvloop", "worker", "--loglevel", "warn", "--without-web"]
    app.main()
