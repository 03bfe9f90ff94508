"""What the ledger says while it is being filled: at no time an accounting that is ahead of its rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from kafka import KafkaProducer

from streams.broker.errors import TopicError
from streams.broker.settings import REQUEST_SECONDS
from streams.core.outputs import Accounting
from streams.core.record import Reason
from streams.core.wire import DeadLetter, encode_dead_letter
from streams.ledger.glance import Glance
from streams.ledger.reader import LedgerReader
from streams.ledger.topics import TopicLedger
from streams.runtime.checkpoint_store import CheckpointStore
from streams.runtime.checkpoints import About, CheckpointWriter, Place
from streams.runtime.cluster import Cluster, TopicFacts
from streams.runtime.failures import Failure
from streams.runtime.topic_ledger import Progress, TopicLedgerRuntime
from streams.sources import step_topics
from streams.sources.step_topics import StepTopics
from tests.kafka.fixtures import SharedBroker
from tests.ledger.filled_topics import PartitionLog
from tests.ledger.samples import LAYOUT, START
from tests.runtime.lake_topics import LakeTopics
from tests.runtime.test_steps import sent

LETTERS = 5


@dataclass(frozen=True)
class Filling:
    """A ledger in a folder, and the topics that it is filled from, with nothing in them."""

    lake: LakeTopics
    folder: Path

    @cached_property
    def cluster(self) -> Cluster:
        return self.lake.cluster()

    @cached_property
    def facts(self) -> dict[str, TopicFacts]:
        """Of the topics as they are at first."""
        return self.cluster.topics(self.lake.names.all())

    @contextmanager
    def runtime(self, *, request_seconds: int = REQUEST_SECONDS) -> Iterator[TopicLedgerRuntime]:
        """What fills it, once or until it is told to stop."""
        names, facts = self.lake.names, self.facts
        config = self.lake.settings.for_kafka_python() | {"request_timeout_ms": request_seconds * 1000}
        with (
            TopicLedger(self.folder, LAYOUT, "events", self.lake.partitions) as ledger,
            StepTopics(config, [names.windows, names.scores, names.alerts, names.dlq]) as outputs,
            StepTopics(config, [names.checkpoints]) as checkpoints,
        ):
            same = self.cluster.check_same
            yield TopicLedgerRuntime(
                names, facts, outputs, checkpoints, ledger, LAYOUT.profile_version, 0, lambda: same(facts)
            )

    def letter(self, offset: int) -> DeadLetter:
        """A rejection of this record of the topic of events."""
        events = self.facts[self.lake.names.events].name
        return DeadLetter(Reason.NOT_JSON, events, 0, offset, f"{offset:064x}", START)

    def reject(self, letters: int) -> None:
        """Write what was rejected of the first records."""
        letter = [sent(offset, encode_dead_letter(self.letter(offset))) for offset in range(letters)]
        self.lake.write(self.lake.names.dlq, 0, letter)

    def checkpoint(self, place: Place, source: str, position: int, totals: Accounting) -> None:
        """Write one as a worker of this step does."""
        facts = self.facts[source]
        about = About(facts.name, facts.id, facts.partitions, LAYOUT.profile_version)
        with KafkaProducer(**self.lake.settings.for_kafka_python()) as producer:
            log = PartitionLog(producer, self.lake.names.checkpoints, place.partition)
            CheckpointWriter(place, about, "1-test", log).write(position, {"state": b"1"}, totals, START)


NewFilling = Callable[[int], Filling]


@pytest.fixture
def new_filling(kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path) -> NewFilling:
    """Makes one whose topic of events has so many partitions."""
    return lambda partitions: Filling(LakeTopics.made(kafka_broker.bootstrap, topic_prefix, partitions), tmp_path)


def test_an_account_waits_for_everything_that_was_written_before_it(
    new_filling: NewFilling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint is read first; what it speaks of comes a record at a time."""
    monkeypatch.setattr(step_topics, "_MOST_RECORDS", 1)
    filling = new_filling(1)
    filling.reject(LETTERS)
    totals = Accounting(received=LETTERS, rejected=LETTERS)
    filling.checkpoint(Place("tally", 0), filling.lake.names.events, LETTERS, totals)
    told: list[int] = []

    def watch(progress: Progress) -> bool:
        with LedgerReader(filling.folder) as reader:
            assert reader.damage() == []
            found = reader.progress()
        assert found is not None
        told.append(found.accounting.rejected)
        return True

    with filling.runtime() as runtime:
        assert runtime.run(watch, once=True) == LETTERS
    assert told == [0] * (LETTERS - 1) + [LETTERS]


def test_what_has_stopped_for_good_is_in_the_ledger_until_it_goes_on(new_filling: NewFilling) -> None:
    filling = new_filling(3)
    names = filling.lake.names
    store = CheckpointStore(filling.lake.settings, filling.cluster, names.checkpoints, LAYOUT.profile_version)
    store.note_stop(Failure("tally", names.events, 2, 10, 19, "KeyError: 'a'"))
    store.note_stop(Failure("score", names.windows, 1, 3, 3, "RefusedError: gone"))

    def stopped_after_taking_all() -> list[tuple[str, int, str]]:
        with filling.runtime() as runtime:
            runtime.run(lambda _: True, once=True)
        with Glance(filling.folder) as glance:
            return glance.look(lambda look: look.stopped())

    assert stopped_after_taking_all() == [("score", 1, "RefusedError: gone"), ("tally", 2, "KeyError: 'a'")]
    filling.checkpoint(Place("score", 1), names.windows, 4, Accounting())
    assert stopped_after_taking_all() == [("tally", 2, "KeyError: 'a'")]


@pytest.mark.parametrize(("again", "said"), [(False, "there is no such topic; make it"), (True, "was made again")])
def test_a_topic_that_goes_away_under_a_running_ledger_ends_it_and_nothing_of_another_is_taken(
    new_filling: NewFilling, *, again: bool, said: str
) -> None:
    filling = new_filling(1)
    lake = filling.lake
    with filling.runtime(request_seconds=5) as runtime:
        runtime.run(lambda _: True, once=True)
        lake.delete(lake.names.dlq)
        if again:
            lake.make(lake.names.dlq)
            filling.reject(1)
        with pytest.raises(TopicError, match=said):
            runtime.run(lambda _: True, once=False)
    with LedgerReader(filling.folder) as reader:
        assert reader.rejections() == []
