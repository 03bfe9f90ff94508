"""The topics of the distributed runtime into a ledger, put together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streams.ledger.place import Where
from streams.ports import SeriesLayout
from streams.profile import Profile
from streams.profile.kept import keep_profile, yaml_of

if TYPE_CHECKING:  # numba takes a second to import: only what runs the steps waits for it
    from streams.broker.settings import BrokerSettings
    from streams.runtime.topic_ledger import TopicLedgerRuntime


@contextmanager
def open_topic_ledger(profile: Profile, brokers: "BrokerSettings", where: Where) -> Iterator["TopicLedgerRuntime"]:
    """The topics of the distributed runtime and a ledger put together, at the ledger's own positions.

    Raises BrokerError, LedgerError; TopicError where the topics are not those that the ledger was filled from.
    """
    from streams.broker.names import Topics
    from streams.ledger.topics import TopicLedger
    from streams.runtime.cluster import Cluster
    from streams.runtime.topic_ledger import TopicLedgerRuntime
    from streams.sources.step_topics import StepTopics

    topics, config = Topics(brokers.topic_prefix), brokers.for_kafka_python()
    outputs = (topics.windows, topics.scores, topics.alerts, topics.dlq)
    cluster = Cluster(brokers)
    facts = cluster.topics([topics.events, *outputs, topics.checkpoints])
    events = facts[topics.events]
    city = profile.city
    ledger = TopicLedger(
        where, SeriesLayout.of(city), f"{events.name} {events.id}", events.partitions, profile.retention
    )
    with ledger, StepTopics(config, outputs) as made, StepTopics(config, [topics.checkpoints]) as checkpoints:
        if isinstance(where, Path):
            keep_profile(where, profile)
        else:
            ledger.keep_profile(yaml_of(profile))
        yield TopicLedgerRuntime(
            topics,
            facts,
            made,
            checkpoints,
            ledger,
            profile.version,
            city.allowed_lateness,
            lambda: cluster.check_same(facts),
        )
