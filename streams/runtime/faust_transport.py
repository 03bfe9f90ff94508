"""faust's Kafka transport, with a whole fetch of one partition as one message.

faust makes two tasks and a message of every record: 11 thousand events a second, whatever is done with them. Here an
agent's message is everything that one fetch brought of one partition, as raw bytes. What follows from it:

* **Committing** is the agent's word. Only what it called `processed`, in the present generation, is committed; that
  faust acknowledges a message by itself, also where it skipped, cancelled or failed it, means nothing.
* **Positions** are the agent's too: it resumes from its checkpoint, by `go_to`. faust goes to the group's offset
  whenever it pleases (`perform_seek`); here it goes back to where the agent is, once that is known.
* **A hole in the offsets** (compacted records, a transaction's markers) looks like records that were dropped on the
  way. A batch therefore says where the consumer stood before it (`follows`), and which seek it comes after (`epoch`).

Overrides private parts of faust 0.15.3 and aiokafka 0.14.0; `tests/runtime/test_faust_contract.py` holds their sources.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any, ClassVar

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

SESSION_MS = 8_000
"""A worker that was not heard of for so long is dead: its partitions move."""
REBALANCE_MS = 30_000
"""How long the others wait for a worker that has checkpoints to write before it lets its partitions go."""
MAX_POLL_MS = 300_000
FETCH_BYTES = 1 << 20
"""Of one partition at a time."""
NOWHERE = -1
"""Where the consumer stood before a batch, when that is not known."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one fetch brought of one partition."""

    records: list[Any]
    """aiokafka's ConsumerRecords, at least one."""
    follows: int
    """The offset that the consumer asked for; no record lies between it and the first one here. NOWHERE: not known."""
    after: int
    """The offset that it asks for next: past the last record, and past what holds none."""
    epoch: int
    """Number of the seek that it comes after."""

    @property
    def first(self) -> int:
        """Offset of the first record."""
        first: int = self.records[0].offset
        return first


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches; everything here runs in its own thread's loop, so no seek can come in between."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        """aiokafka's consumer: faust has no settings for some of this."""
        return aiokafka.AIOKafkaConsumer(
            group_id=self.app.conf.id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=MAX_POLL_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=200,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 4,
            rebalance_timeout_ms=REBALANCE_MS,
            metadata_max_age_ms=60_000,
            **transport.client_settings,
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._epochs: dict[TP, int] = {}
        self._stands: dict[TP, tuple[object, int]] = {}
        """The assignment in which a partition was fetched last, and where that ended."""

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - faust's signature
        max_records: int | None = None,
    ) -> Mapping[TP, list[Any]]:
        fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)  # type: ignore[arg-type] # it only asks `in`
        return {tp: [self._fetched(consumer, tp, records)] for tp, records in fetched.items() if records}

    def _fetched(self, consumer: Any, tp: TP, records: list[Any]) -> Fetched:
        assignment = _assignment(consumer)
        after: int = assignment.state_value(tp).position
        held, stood = self._stands.get(tp, (None, NOWHERE))
        self._stands[tp] = assignment, after
        return Fetched(records, stood if held is assignment else NOWHERE, after, self._epochs.get(tp, 0))

    async def go_to(self, tp: TP, offset: int) -> int:
        """Fetch from an offset on; the epoch of what is fetched from there."""
        consumer: Any = self._ensure_consumer()
        consumer.seek(tp, offset)
        self._stands[tp] = _assignment(consumer), offset
        self._epochs[tp] = self._epochs.get(tp, 0) + 1
        return self._epochs[tp]

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        for tp in committed:
            self._stands.pop(tp, None)
        return committed


def _assignment(consumer: Any) -> Any:
    """What the consumer was assigned, with where it is in each partition; another object after every rebalance."""
    return consumer._fetcher._subscriptions.subscription.assignment  # noqa: SLF001 - there is no other way


class _Unread(dict[TP, int | None]):
    """faust passes over messages below what it read last, and counts gaps; what is new here says the agent."""

    def __getitem__(self, tp: TP) -> int | None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        pass


class Consumer(driver.Consumer):
    """Hands batches on, and commits what the agent has processed."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _Unread()
        self._processed: dict[TP, tuple[int, int]] = {}
        """Generation and offset up to which the agent's work is safe."""
        self.position_of: Callable[[TP], int | None] = lambda _tp: None
        """Where the agent is in a partition in the present generation; None: it does not know yet."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: Fetched) -> ConsumerMessage:
        last = record.records[-1]
        batch: Any = record  # where faust expects bytes
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            [],
            None,
            batch,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def go_to(self, tp: TP, offset: int) -> int:
        """Have a partition fetched from an offset on; the epoch of the batches from there."""
        epoch: int = await self._thread.call_thread(self._thread.go_to, tp, offset)
        return epoch

    async def perform_seek(self) -> None:
        await super().perform_seek()
        for tp in sorted(self.assignment()):
            offset = self.position_of(tp)
            if offset is not None:
                await self.go_to(tp, offset)

    # ---- committing ----------------------------------------------------------------------------------------------

    def processed(self, tp: TP, generation: int, offset: int) -> None:
        """Everything before an offset is safe, says the agent that had the partition in a generation."""
        if generation == self.app.consumer_generation_id:
            self._processed[tp] = generation, offset
            _ = self._acked[tp]  # a look-up makes the partition one of those that are committed

    def ack(self, message: Message) -> bool:
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def _new_offset(self, tp: TP) -> int | None:
        generation, offset = self._processed.get(tp, (None, 0))
        return offset if generation == self.app.consumer_generation_id else None


class Producer(driver.Producer):
    """None: what the steps make goes another way (`delivery.py`), and faust would connect without its passwords."""

    async def on_start(self) -> None:
        pass

    async def on_stop(self) -> None:
        pass

    async def flush(self) -> None:
        pass


class Transport(driver.Transport):
    """aiokafka, a whole fetch a message."""

    Consumer = Consumer
    Producer = Producer
    client_settings: ClassVar[Mapping[str, Any]] = {}
    """How to reach the brokers: what aiokafka's clients take. One process, one cluster."""
