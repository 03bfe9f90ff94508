"""The topics of a worker: what they were when it began, the step of each partition, and whether they are that still."""

import threading
from collections.abc import Callable
from typing import TypeVar

from streams.broker.errors import BrokerError, TopicError
from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.clock import Stopwatch
from streams.core.instant import MINUTE, SECOND, Duration
from streams.runtime.absence import Absence
from streams.runtime.cluster import Cluster, TopicFacts
from streams.runtime.partition import check_retention, check_still_there
from streams.runtime.steps import JudgeStep, ScoreStep, Step, TallyPlace, TallyStep
from streams.runtime.worker_setup import STEPS, Say, WorkerSetup

_PATIENCE: Duration = 5 * MINUTE
"""How long the brokers may be away before a worker that has to ask them something ends. As for what it sends."""
_REST: Duration = SECOND

_Answer = TypeVar("_Answer")


class WorkerTopics:
    """Asks the brokers; any thread may, but for the event loop's: an answer may take as long as brokers are away."""

    def __init__(self, setup: WorkerSetup, say: Say) -> None:
        """Looks at the topics. Raises TopicError, BrokerError."""
        self._city = setup.city
        self._absence = Absence(say)
        self.cluster = Cluster(setup.settings)
        self._closed = threading.Event()
        self.names = Topics(setup.settings.topic_prefix)
        all_sources = zip(STEPS, (self.names.events, self.names.windows, self.names.scores), strict=True)
        self.sources = {name: topic for name, topic in all_sources if name in setup.steps}
        """Step -> the topic that it reads, of this worker's steps."""
        self.step_of = {topic: name for name, topic in self.sources.items()}
        self.facts = self._look()

    def _look(self) -> dict[str, TopicFacts]:
        """The topics as they are. Raises where they are not as they must be."""
        names, facts = self.names, self.cluster.topics(self.names.all())
        if facts[names.scores].partitions != 1:
            raise TopicError(
                names.scores,
                f"has {facts[names.scores].partitions} partitions; the judge hears a city in one",
                "make it with one: `jiantu topics plan` says how",
            )
        most = max(facts[topic].partitions for topic in (names.events, names.windows))
        if facts[names.checkpoints].partitions < most:
            raise TopicError(
                names.checkpoints,
                f"has {facts[names.checkpoints].partitions} partitions, {names.events} or {names.windows} has {most}",
                f"give it {most}: each has its checkpoints in the one of its number",
            )
        return facts

    def step(self, topic: str, partition: int) -> Step:
        """A fresh step of a partition."""
        name = self.step_of[topic]
        if name == "score":
            return ScoreStep(self._city)
        if name == "judge":
            return JudgeStep(self._city)
        partitions = self.facts[topic].partitions
        counties = [county.code for county in self._city.counties if partition_of(county.code, partitions) == partition]
        return TallyStep(self._city, TallyPlace(topic, partition, counties, self.facts[self.names.windows].partitions))

    # ---- on the way ----------------------------------------------------------------------------------------------

    def check_hole(self, topic: str, partition: int, position: int) -> None:
        """Offsets are missing from a position on: compacted or a transaction's, or deleted before they were read?

        Raises RefusedError for the latter, BrokerError.
        """
        span = self.patiently(lambda: self.cluster.span(topic, partition))
        check_retention(position, span, self._where(topic, partition))

    def check_trouble(self, topic: str, partition: int, position: int) -> None:
        """The brokers do not give what is at a position. Was it deleted, or cut off, or do they only say so for now?

        Raises RefusedError, TopicError, BrokerError.
        """
        now = self.patiently(lambda: self.cluster.topics([topic]))[topic]
        span = self.patiently(lambda: self.cluster.span(topic, partition))
        check_still_there(position, self.facts[topic], now, span, self._where(topic, partition))

    def _where(self, topic: str, partition: int) -> str:
        return f"{topic} {partition} ({self.step_of[topic]})"

    def patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask, and ask again while no broker answers. Raises what it raises else, and BrokerError in the end."""
        patience = Stopwatch()
        while True:
            try:
                answer = ask()
            except TopicError:
                raise
            except BrokerError as error:
                self._absence.noticed(error)
                if patience.elapsed() > _PATIENCE or self._closed.wait(_REST / SECOND):
                    raise
            else:
                self._absence.over()
                return answer

    def close(self) -> None:
        """Ask nobody any more."""
        self._closed.set()
