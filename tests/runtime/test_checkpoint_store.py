"""Checkpoints on a real broker: taken up where they were left, and refused where nothing can be right."""

import msgspec
import pytest

from streams.runtime.checkpoint_store import CheckpointStore
from streams.runtime.checkpoints import CheckpointReader, Place
from streams.runtime.failures import Failure
from streams.runtime.partition import HeldPartition, RefusedError
from streams.runtime.steps import TallyPlace, TallyStep
from tests.kafka.fixtures import SharedBroker
from tests.promises.lake import city_profile
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import events

CITY = city_profile().city


@pytest.fixture
def lake(kafka_broker: SharedBroker, topic_prefix: str) -> LakeTopics:
    made = LakeTopics.made(kafka_broker.bootstrap, topic_prefix, 1)
    made.write(made.names.events, 0, events(1)[0][:900])
    return made


def taken_up(lake: LakeTopics, generation: int, version: str = CITY.profile_version) -> HeldPartition:
    cluster = lake.cluster()
    store = CheckpointStore(lake.settings, cluster, lake.names.checkpoints, version)
    step = TallyStep(CITY, TallyPlace(lake.names.events, 0, [county.code for county in CITY.counties], 3))
    return store.load(step, cluster.topics([lake.names.events])[lake.names.events], 0, generation)


@pytest.fixture
def left_at_700(lake: LakeTopics) -> LakeTopics:
    """A worker took 700 records, wrote a checkpoint, and was gone."""
    held = taken_up(lake, 1)
    assert held.position == 0
    held.step.take(events(1)[0][:700])
    chunks = held.snapshot()
    assert chunks is not None
    held.writer.write(700, chunks, held.step.accounting, held.step.reached)
    return lake


def test_a_partition_goes_on_at_its_checkpoints_own_position_with_its_state(left_at_700: LakeTopics) -> None:
    held = taken_up(left_at_700, 2)
    fresh = TallyStep(CITY, TallyPlace(left_at_700.names.events, 0, [county.code for county in CITY.counties], 3))
    fresh.take(events(1)[0][:700])
    assert held.position == held.saved == 700
    assert held.step.accounting == fresh.accounting
    assert held.step.take(events(1)[0][700:]) == fresh.take(events(1)[0][700:])
    assert held.step.chunks(whole=True) == fresh.chunks(whole=True)


def test_a_topic_that_was_made_again_is_refused(left_at_700: LakeTopics) -> None:
    left_at_700.make_events_again()
    with pytest.raises(RefusedError, match="made again"):
        taken_up(left_at_700, 2)


def test_more_partitions_than_the_checkpoint_knows_are_refused(left_at_700: LakeTopics) -> None:
    left_at_700.add_partition()
    with pytest.raises(RefusedError, match="knows 1 partitions, the topic has 2"):
        taken_up(left_at_700, 2)


def test_another_version_of_the_profile_is_refused(left_at_700: LakeTopics) -> None:
    with pytest.raises(RefusedError, match="another version of the profile"):
        taken_up(left_at_700, 2, version="another")


def test_records_that_retention_deleted_before_they_were_counted_are_refused(left_at_700: LakeTopics) -> None:
    left_at_700.delete_before(0, 700)
    assert taken_up(left_at_700, 2).position == 700
    left_at_700.delete_before(0, 711)
    with pytest.raises(RefusedError, match="records 700 to 710 were deleted"):
        taken_up(left_at_700, 3)


def test_fewer_records_than_the_checkpoint_has_seen_are_refused(left_at_700: LakeTopics) -> None:
    held = taken_up(left_at_700, 2)
    chunks = held.snapshot()
    assert chunks is not None
    held.writer.write(901, chunks, held.step.accounting, held.step.reached)
    with pytest.raises(RefusedError, match="holds records up to 900 only"):
        taken_up(left_at_700, 3)


def stop_of(lake: LakeTopics) -> Failure | None:
    reader = CheckpointReader(Place("tally", 0))
    for key, value in lake.cluster().records(lake.names.checkpoints, 0):
        reader.take(key, value)
    return None if reader.stop is None else msgspec.json.decode(reader.stop, type=Failure)


def test_word_of_a_stop_is_there_until_the_next_checkpoint(left_at_700: LakeTopics) -> None:
    lake = left_at_700
    store = CheckpointStore(lake.settings, lake.cluster(), lake.names.checkpoints, CITY.profile_version)
    failure = Failure("tally", lake.names.events, 0, 700, 720, "KeyError")
    store.note_stop(failure)
    assert stop_of(lake) == failure
    held = taken_up(lake, 2)
    held.step.take(events(1)[0][700:800])
    chunks = held.snapshot()
    assert chunks is not None
    held.writer.write(800, chunks, held.step.accounting, held.step.reached)
    assert stop_of(lake) is None
