"""What is asked of brokers while they die and come back: a topic is gone when a broker says so, and not before."""

import pytest

from streams.broker.errors import BrokerError, TopicError
from streams.runtime.cluster import Cluster, Span
from tests.faults.proof import settings_for
from tests.kafka.fixtures import make_topics
from tests.kafka.server import Server


def test_a_broker_that_is_away_or_just_back_is_no_missing_topic(own_broker: Server, topic_prefix: str) -> None:
    topics = make_topics(own_broker.bootstrap, topic_prefix, replay=True)
    cluster = Cluster(settings_for(own_broker.bootstrap, topic_prefix))
    assert cluster.span(topics.events, 0) == Span(0, 0)
    own_broker.kill()
    with pytest.raises(BrokerError) as raised:
        cluster.span(topics.events, 0)
    assert not isinstance(raised.value, TopicError), raised.value
    own_broker.start()
    assert cluster.span(topics.events, 0) == Span(0, 0)


def test_a_topic_that_is_not_there_is_said_so(own_broker: Server, topic_prefix: str) -> None:
    cluster = Cluster(settings_for(own_broker.bootstrap, topic_prefix))
    with pytest.raises(TopicError, match="there is no such topic"):
        cluster.span(f"{topic_prefix}events", 0)
