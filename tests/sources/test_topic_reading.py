"""A topic that is read for long, as `jiantu tail` and `jiantu record` do: it may go away meanwhile."""

from itertools import islice

import pytest

from streams.broker.errors import TopicError
from streams.sources import topic_reading
from streams.sources.topic_reading import TopicReader
from tests.kafka.fixtures import SharedBroker
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import sent


@pytest.mark.parametrize(("again", "said"), [(False, "the topic was deleted; make it"), (True, "another stream")])
def test_a_topic_that_goes_away_while_it_is_read_is_said_so(
    kafka_broker: SharedBroker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch, *, again: bool, said: str
) -> None:
    monkeypatch.setattr(topic_reading, "_LOOK_EVERY", 0.3)
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    topic = lake.names.alerts
    lake.write(topic, 0, [sent(0, b"1")])
    with TopicReader(lake.settings.for_kafka_python(), topic) as reader:
        stream = reader.read([0])
        seen = [
            record.offset for polled in (next(stream) for _ in range(3)) for one in polled.values() for record in one
        ]
        assert seen == [0]
        lake.delete(topic)
        if again:
            lake.make(topic)
            lake.write(topic, 0, [sent(0, b"other"), sent(0, b"other")])
        with pytest.raises(TopicError, match=said):
            list(islice(stream, 200))
