"""The plain count on quixstreams: a tumbling window counted and handed on when it is final.

The records are keyed by what is counted, so nothing is repartitioned. Windows close by the time of their partition.
"""

import json
from datetime import timedelta

from job import DISORDER_MS, HOUR_MS, asked
from quixstreams import Application


def main() -> None:
    """Count until stopped."""
    job = asked()
    app = Application(
        broker_address=job.bootstrap,
        consumer_group=job.name,
        auto_offset_reset="earliest",
        state_dir=job.folder,
        auto_create_topics=False,
        use_changelog_topics=False,
        loglevel="WARNING",
        consumer_extra_config={"fetch.queue.backoff.ms": 5, "queued.min.messages": 50_000},
    )
    source = app.topic(job.source, key_deserializer="str", value_deserializer="json")
    results = app.topic(job.results, key_serializer="str", value_serializer="bytes")
    counted = (
        app.dataframe(source)
        .tumbling_window(timedelta(milliseconds=HOUR_MS), grace_ms=timedelta(milliseconds=DISORDER_MS))
        .count()
        .final(closing_strategy="partition")
    )
    counted.apply(_result, metadata=True).to_topic(results)
    app.run()


def _result(window: dict[str, int], key: str, *_: object) -> bytes:
    county, category = key.split("|")
    return json.dumps(
        {"county": county, "category": category, "start": window["start"], "count": window["value"]}
    ).encode()


if __name__ == "__main__":
    main()
