"""Live ticks on a real broker: to every partition, never back, and the first one says where the stream starts."""

import pytest

from streams.broker.errors import TopicError
from streams.broker.names import Topics
from streams.clock import FixedClock
from streams.core.instant import HOUR, MINUTE, SECOND
from streams.runtime.cluster import Cluster
from streams.runtime.ticker import Ticker, tick_value, until_next
from tests.kafka.fixtures import SharedBroker
from tests.runtime.lake_topics import LakeTopics

NOW = 500_000 * HOUR + 17 * MINUTE


def values(cluster: Cluster, topic: str, partitions: int) -> list[list[bytes | None]]:
    return [[value for _, value in cluster.records(topic, number)] for number in range(partitions)]


def test_every_partition_is_told_in_order_and_first_of_all_the_hour(
    kafka_broker: SharedBroker, topic_prefix: str
) -> None:
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 3)
    clock, topic = FixedClock(NOW), Topics(topic_prefix).events
    ticker = Ticker(lake.settings, topic, clock)
    told = [ticker.tick()]
    clock.advance(-5 * MINUTE)  # somebody set the machine's clock
    told.append(ticker.tick())
    clock.advance(10 * MINUTE)
    told.append(Ticker(lake.settings, topic, clock).tick())
    assert told == [NOW, NOW, NOW + 5 * MINUTE]
    expected = [tick_value(at) for at in (NOW - 17 * MINUTE, *told)]
    assert values(lake.cluster(), topic, 3) == [expected] * 3


def test_ticks_fall_on_whole_multiples_of_their_distance() -> None:
    assert until_next(NOW + 12 * SECOND, MINUTE) == 48 * SECOND
    assert until_next(NOW, MINUTE) == MINUTE


def test_a_topic_that_is_gone_or_another_gets_no_ticks(kafka_broker: SharedBroker, topic_prefix: str) -> None:
    """In another the first tick has to say where it starts: a ticker that is started again does."""
    lake = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    clock, topic = FixedClock(NOW), lake.names.events
    remade, gone = Ticker(lake.settings, topic, clock), Ticker(lake.settings, topic, clock)
    lake.make_events_again()
    with pytest.raises(TopicError, match="was made again"):
        remade.tick()
    assert lake.cluster().span(topic, 0).next == 0
    lake.delete(topic)
    with pytest.raises(TopicError, match="there is no such topic; make it"):
        gone.tick()
