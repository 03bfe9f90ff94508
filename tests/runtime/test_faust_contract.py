"""What the transport overrides, and what it relies on, is what it was when it was written: a new faust fails here.

When it does: read what changed in the listed methods, see whether `faust_transport.py` still does what it says, run
`make test` and the fault campaign, then pin the new versions and the digests that this test prints.
"""

import hashlib
import inspect
from importlib.metadata import version
from typing import Any

import aiokafka
from aiokafka.consumer import fetcher, group_coordinator, subscription_state
from faust.app import base as app
from faust.transport import conductor, consumer
from faust.transport.drivers import aiokafka as driver

from streams.runtime import faust_transport as ours

RELIED_ON = {
    # overridden
    driver.AIOKafkaConsumerThread: (
        "_fetch_records", "__post_init__", "on_start", "on_thread_stop", "seek_to_committed", "_create_worker_consumer",
        "highwater", "verify_event_path", "_commit", "_ensure_consumer", "_shutdown_thread", "getmany",
    ),
    driver.Consumer: ("_to_message", "_new_consumer_thread"),
    consumer.Consumer: (
        "__init__", "perform_seek", "ack", "_new_offset", "_filter_tps_with_pending_acks", "_should_commit",
        "_commit_tps", "_commit_offsets", "getmany", "_wait_next_records", "_drain_messages",
        "on_partitions_revoked", "on_partitions_assigned", "wait_empty",
    ),
    driver.ConsumerRebalanceListener: ("on_partitions_revoked", "on_partitions_assigned"),
    app.App: ("_on_partitions_revoked", "_on_partitions_assigned", "on_first_start", "_create_directories"),
    # what keeps aiokafka in the group, and from fetching
    fetcher.Fetcher: ("_get_actions_per_node",),
    subscription_state.SubscriptionState: (
        "fetch_context", "fetcher_idle_time", "pause", "assign_from_subscribed", "begin_reassignment",
    ),
    subscription_state.Assignment: ("__init__", "tps"),
    group_coordinator.GroupCoordinator: (
        "_on_join_prepare", "_on_join_complete", "_push_error_to_user", "_coordination_routine", "_maybe_leave_group",
    ),
    aiokafka.AIOKafkaConsumer: ("pause", "seek_to_committed"),
    conductor.ConductorCompiler: ("build",),
}  # fmt: skip
DIGESTS = {
    "AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "AIOKafkaConsumerThread.__post_init__": "913dc7c0d9578e2d",
    "AIOKafkaConsumerThread.on_start": "38b4e8bd1e10723a",
    "AIOKafkaConsumerThread.on_thread_stop": "8dfc004e258b6c25",
    "AIOKafkaConsumerThread.seek_to_committed": "775ab0adc4b052ab",
    "AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "AIOKafkaConsumerThread.highwater": "6f7dbe109ae6807f",
    "AIOKafkaConsumerThread.verify_event_path": "b983e7735f647cb3",
    "AIOKafkaConsumerThread._commit": "932852ce7a23f658",
    "AIOKafkaConsumerThread._ensure_consumer": "ff4a4c693b7ec63f",
    "AIOKafkaConsumerThread._shutdown_thread": "d7377862e73421a2",
    "AIOKafkaConsumerThread.getmany": "26fc5fc9f3b667e1",
    "Consumer._to_message": "7c24f6511b2fcef7",
    "Consumer._new_consumer_thread": "0870ec53dea75083",
    "Consumer.__init__": "302410d59e6972d1",
    "Consumer.perform_seek": "0e8c130ff4b0afd8",
    "Consumer.ack": "5fcf41cf45153475",
    "Consumer._new_offset": "1d2c7ea89a7ad4f1",
    "Consumer._filter_tps_with_pending_acks": "f6f9239774234e7e",
    "Consumer._should_commit": "5ce941793947ad42",
    "Consumer._commit_tps": "a20e230b05ae8b15",
    "Consumer._commit_offsets": "1a69799041188441",
    "Consumer.getmany": "4b168d84882a70d6",
    "Consumer._wait_next_records": "6218e1969a636b3f",
    "Consumer._drain_messages": "44a2500309e83c63",
    "Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "Consumer.on_partitions_assigned": "29ce96596f05a18c",
    "Consumer.wait_empty": "e4662fe24f094819",
    "ConsumerRebalanceListener.on_partitions_revoked": "348c3aec879faf80",
    "ConsumerRebalanceListener.on_partitions_assigned": "1c1f8406ad3698a6",
    "App._on_partitions_revoked": "d5c895bbe57dc73a",
    "App._on_partitions_assigned": "de932b7927db85b3",
    "App.on_first_start": "ec655d9c223403cc",
    "App._create_directories": "a9f571c3b04abec3",
    "Fetcher._get_actions_per_node": "1dab2cf937d165d0",
    "SubscriptionState.fetch_context": "ff2a654dca239cfe",
    "SubscriptionState.fetcher_idle_time": "45289bef04d7a4e3",
    "SubscriptionState.pause": "9ba95fe7e1035124",
    "SubscriptionState.assign_from_subscribed": "faf16f1b629aa838",
    "SubscriptionState.begin_reassignment": "c141fe3db38455c0",
    "Assignment.__init__": "3300d8f0023ca53f",
    "Assignment.tps": "45623b46739581c4",
    "GroupCoordinator._on_join_prepare": "4d9524afc0ee2c2f",
    "GroupCoordinator._on_join_complete": "0b0b3d204b408f3c",
    "GroupCoordinator._push_error_to_user": "743ff515bd7e2e38",
    "GroupCoordinator._coordination_routine": "75273e127d4a4f5d",
    "GroupCoordinator._maybe_leave_group": "016cd88a16e6c4b5",
    "AIOKafkaConsumer.pause": "d5fc6f4236503615",
    "AIOKafkaConsumer.seek_to_committed": "f6cd85c8b70a4ccf",
    "ConductorCompiler.build": "837cf521368c1ee4",
}


def sources() -> dict[str, str]:
    found = {}
    for owner, names in RELIED_ON.items():
        for name in names:
            if name in vars(owner) or hasattr(owner, name):
                found_at: Any = getattr(owner, name)
                text = inspect.getsource(getattr(found_at, "fget", found_at))
                found[f"{owner.__name__}.{name}"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def test_versions_are_those_that_were_read() -> None:
    assert (version("faust-streaming"), version("aiokafka")) == ("0.15.3", "0.14.0")


def test_what_is_overridden_or_relied_on_has_not_changed() -> None:
    assert sources() == DIGESTS


def test_overrides_take_what_the_overridden_take() -> None:
    for own, theirs, names in (
        (ours.ConsumerThread, driver.AIOKafkaConsumerThread, ("_fetch_records", "highwater", "verify_event_path")),
        (ours.Consumer, driver.Consumer, ("_to_message", "perform_seek", "ack", "_new_offset")),
    ):
        for name in names:
            given = inspect.signature(getattr(own, name)).parameters
            assert list(given) == list(inspect.signature(getattr(theirs, name)).parameters)
