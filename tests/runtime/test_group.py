"""The group's leader gives what there is, also where its brokers knew of nothing when it first asked."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.broker.names import Topics
from streams.broker.settings import BrokerSettings
from streams.runtime.faust_transport import ConsumerThread, Transport
from tests.kafka.fixtures import SharedBroker
from tests.runtime.lake_topics import LakeTopics

LOOKS = 600
"""Of a twentieth of a second each: half a minute."""


def test_partitions_that_the_leader_did_not_see_at_first_are_given_all_the_same(
    kafka_broker: SharedBroker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brokers that have just come back say of every topic that they know none: here there is none as yet."""
    names = Topics(topic_prefix)
    settings = BrokerSettings(brokers=kafka_broker.bootstrap, topic_prefix=topic_prefix)
    monkeypatch.setattr(Transport, "settings", settings, raising=False)
    thread: Any = SimpleNamespace(app=SimpleNamespace(conf=SimpleNamespace(id=f"{topic_prefix}group")))

    async def given() -> set[int]:
        consumer = ConsumerThread._create_worker_consumer(thread, None)
        await consumer.start()
        try:
            consumer.subscribe([names.events])
            for _ in range(LOOKS):
                if consumer._subscription.subscription.assignment is not None:
                    break
                await asyncio.sleep(0.05)
            assert consumer.assignment() == set(), "the group stands, and nobody has anything"
            await asyncio.to_thread(LakeTopics.made, kafka_broker.bootstrap, topic_prefix, 3)
            for _ in range(LOOKS):
                if consumer.assignment():
                    break
                with consumer._fetcher._subscriptions.fetch_context():
                    await asyncio.sleep(0.05)
            return {partition for _, partition in consumer.assignment()}
        finally:
            await consumer.stop()

    assert asyncio.run(given()) == {0, 1, 2}
