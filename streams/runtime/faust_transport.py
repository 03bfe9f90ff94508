"""faust's Kafka transport, with a whole fetch of one partition as one message.

faust makes two tasks and a message of every record: 11 thousand events a second, whatever is done with them. Here an
agent's message is everything that one fetch brought of one partition, as raw bytes. What follows from it:

* **Committing** is the agent's word. Only what it called `processed`, in the present generation, is committed; that
  faust acknowledges a message by itself, also where it skipped, cancelled or failed it, means nothing.
* **Positions** are the agent's too: it resumes from its checkpoint, by `go_to`. faust goes to the group's offset
  whenever it pleases (`perform_seek`); here it goes back to where the agent is, once that is known.
* **A hole in the offsets** (compacted records, a transaction's markers) looks like records that were dropped on the
  way. A batch therefore says where the consumer stood before it (`follows`), and which seek it comes after (`epoch`).

Two clients share the work. aiokafka takes part in the group and commits, with the generation that fences off who has
lost a partition; it fetches nothing. librdkafka fetches (`fetcher.py`), in a thread of its own, what the group gave and
the agent has said from where: it knows nothing of the group, and no offset of its own.

Overrides private parts of faust 0.15.3 and aiokafka 0.14.0; `tests/runtime/test_faust_contract.py` holds their sources.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, GroupAuthorizationFailedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message

from streams.broker.errors import TopicError
from streams.broker.settings import BrokerSettings
from streams.runtime.fetcher import NOWHERE, Fetched, Fetcher

SESSION_MS = 8_000
"""A worker that was not heard of for so long is dead: its partitions move."""
HEARTBEAT_MS = 2_000
"""How soon a worker hears, at the latest, that the group is giving partitions anew."""
REBALANCE_MS = 30_000
"""How long the others wait for a worker that has checkpoints to write before it lets its partitions go."""
MAX_POLL_MS = 300_000
METADATA_MS = 3_000
"""How soon the group's leader looks again what partitions there are. Brokers that have just come back know of no topic
for a moment; a leader that asked in it gives everybody nothing, and nobody has anything until it looks again."""
GROUP_REST = 1.0
"""Seconds until the group is asked again what it could not say."""
FETCH_SECONDS = 0.1
"""The longest that a fetch waits until it is full; nothing is moved to another offset meanwhile."""


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Sees to it that aiokafka fetches nothing."""

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Before anything else."""
        consumer: Any = self._thread._ensure_consumer()  # noqa: SLF001 - its own thread
        consumer.pause(*assigned)
        await super().on_partitions_assigned(assigned)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Takes part in the group in the loop of its thread; fetches in another, where no seek comes in between."""

    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ARG002 - what it holds, its class holds
        """aiokafka's consumer: faust has no settings for some of this."""
        return aiokafka.AIOKafkaConsumer(
            group_id=self.app.conf.id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_interval_ms=MAX_POLL_MS,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=min(SESSION_MS // 4, HEARTBEAT_MS),
            rebalance_timeout_ms=REBALANCE_MS,
            group_instance_id=Transport.instance or None,
            metadata_max_age_ms=METADATA_MS,
            **Transport.settings.for_aiokafka(),
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._in_fetcher = ThreadPoolExecutor(1, "fetcher")
        self._fetcher: Fetcher
        self._moving = 0
        """Seeks that wait for a fetch to end."""
        self._assigned: object = None
        """The assignment that the fetcher was last told something in; another object after every rebalance."""

    async def on_start(self) -> None:
        """While aiokafka asks for the group's coordinator, librdkafka finds the brokers."""
        settings = Transport.settings
        self._fetcher = Fetcher(settings.for_confluent(), f"{settings.group}-reader")
        await super().on_start()
        coordinator = self._coordinator
        coordinator._push_error_to_user = self._on_group_error  # noqa: SLF001
        coordinator._coordination_task.add_done_callback(self._on_group_end)  # noqa: SLF001

    @property
    def _coordinator(self) -> Any:
        consumer: Any = self._ensure_consumer()
        return consumer._coordinator  # noqa: SLF001 - there is no other way

    async def _on_group_error(self, error: Any) -> None:
        """aiokafka would hand it to whoever fetches next, and wait until somebody does: nobody does here."""
        if error.retriable:
            await asyncio.sleep(GROUP_REST)
        elif isinstance(error, GroupAuthorizationFailedError):
            instead = "give it the ACL: `jiantu topics plan` shows them; names of groups begin with JIANTU_KAFKA_GROUP"
            await self.crash(TopicError(f"group {self.app.conf.id}", "this user may not take part in it", instead))
        else:
            await self.crash(error)

    def _on_group_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crashing = asyncio.ensure_future(self.crash(error))

    async def on_thread_stop(self) -> None:
        """Leave the group, also as a member that would be waited for; what was being fetched comes to nothing."""
        self._coordinator._group_instance_id = None  # noqa: SLF001
        await super().on_thread_stop()
        await asyncio.get_running_loop().run_in_executor(self._in_fetcher, self._fetcher.close)
        self._in_fetcher.shutdown()

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Set[TP],  # noqa: ARG002 - faust holds back by not asking
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - faust's signature
        max_records: int | None = None,  # noqa: ARG002
    ) -> Mapping[TP, list[Any]]:
        if not self.consumer.flow_active:
            return {}
        if consumer._closed:  # noqa: SLF001 - as faust asks
            raise ConsumerStoppedError
        with consumer._fetcher._subscriptions.fetch_context():  # noqa: SLF001 - aiokafka leaves the group without it
            return await asyncio.get_running_loop().run_in_executor(self._in_fetcher, self._fetch, consumer)

    def _fetch(self, consumer: Any) -> Mapping[TP, list[Any]]:
        self._assignment(consumer)
        found = self._fetcher.fetch(0.0 if self._moving else FETCH_SECONDS)
        return {TP(*place): [fetched] for place, fetched in found.items()}

    async def go_to(self, tp: TP, offset: int) -> int:
        """Fetch from an offset on; the epoch of what is fetched from there. NOWHERE: it is no longer this worker's."""
        consumer = self._ensure_consumer()

        def go() -> int:
            return (
                self._fetcher.go_to((tp.topic, tp.partition), offset) if tp in self._assignment(consumer) else NOWHERE
            )

        self._moving += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._in_fetcher, go)
        finally:
            self._moving -= 1

    def _assignment(self, consumer: Any) -> Set[TP]:
        """What the group has given this worker; nothing is fetched any more of what it gave before."""
        subscription = consumer._fetcher._subscriptions.subscription  # noqa: SLF001 - there is no other way
        assigned = None if subscription is None else subscription.assignment
        if assigned is not self._assigned:
            self._assigned = assigned
            self._fetcher.let_go()
        return frozenset() if assigned is None else assigned.tps

    def highwater(self, tp: TP) -> int:  # noqa: ARG002
        """aiokafka's is of its own fetches; nobody needs one."""
        return 0

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Asks aiokafka when it last fetched; the watchdog asks the brokers."""


class _Unread(dict[TP, int | None]):
    """faust passes over messages below what it read last, and counts gaps; what is new here says the agent."""

    def __getitem__(self, tp: TP) -> int | None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        pass


class Consumer(driver.Consumer):
    """Hands batches on, and commits what the agent has processed."""

    _thread: ConsumerThread
    RebalanceListener = RebalanceListener

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
        batch: Any = record  # where faust expects bytes
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.after - 1,
            0.0,
            0,
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
        """Have a partition fetched from an offset on, which is never done else; the epoch of the batches from there."""
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
    """A whole fetch a message."""

    Consumer = Consumer
    Producer = Producer
    settings: ClassVar[BrokerSettings]
    """How to reach the brokers. One process, one cluster."""
    instance: ClassVar[str] = ""
    """The group's member that this process is, as were those before it."""
