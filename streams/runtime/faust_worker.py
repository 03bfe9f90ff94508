"""The distributed runtime's worker: faust drives the steps of the partitions that the group gives this process.

One rule (law 3): a checkpoint is (position, whole state) of one source partition, written when everything emitted up
to the position is durable; whoever takes the partition up goes on at the checkpoint's own position, by seeking there,
never at the group's offset. So a crash, a rebalance or a zombie that wakes late only repeats work.

* A state is read once a generation, in a thread of its own, for every partition that was assigned, idle ones too. A
  partition that stays with its worker from one generation to the very next keeps its state in memory.
* A step runs in the event loop, a fetch at a time. A checkpoint takes a copy of the state there; the rest (waiting for
  what was emitted, packing, writing) goes on beside the step's further work.
* Anything unexpected ends the process at once, before anything is committed.
"""

import asyncio
import gc
import os
import signal
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import faust
from faust.transport.drivers import TRANSPORTS
from faust.types import TP

from streams.broker.errors import TopicError
from streams.broker.settings import BrokerSettings
from streams.clock import Stopwatch
from streams.core.instant import SECOND, Duration
from streams.core.record import BATCH
from streams.runtime.checkpoint_store import CheckpointStore
from streams.runtime.cluster import Cluster
from streams.runtime.delivery import Outbox
from streams.runtime.failures import Failure, in_words, of_worker
from streams.runtime.faust_transport import Consumer, Transport
from streams.runtime.fetcher import Fetched
from streams.runtime.partition import HeldPartition, RefusedError, Verdict, verdict
from streams.runtime.steps import offset_of
from streams.runtime.supervisor import report
from streams.runtime.watchdog import Place, Seen, StalledError, Watchdog
from streams.runtime.worker_setup import FAILED, INSTANCE, REFUSED, STOP_AT, Say, WorkerSetup
from streams.runtime.worker_topics import WorkerTopics

TRANSPORTS.aliases["jiantu"] = f"{Transport.__module__}:Transport"


class App(faust.App):
    """faust's, but for the folders that it would make where the worker was started: there are no tables to keep."""

    def _create_directories(self) -> None:
        pass


GARBAGE_INTERVAL: Duration = 30 * SECOND
"""From one look for reference cycles to the next. The collector's own runs are off: allocations would set them off, and
each would walk what a fetch just brought. A look every 0.5 s cost 8 to 11 % of a worker for the same reason. Cycles are
small and rare (errors with their tracebacks, tasks, requests: some a fetch, none a record): half a minute of them is
nothing. What outlives one look and dies later is left to a look at everything."""
TROUBLE_REST = 1.0
"""Seconds until what the brokers would not give is asked for again."""
LOOKS_A_WHOLE_ONE = 120
"""The first is after the group gave partitions anew: the states that went elsewhere are large."""


class StepFailedError(Exception):
    """A step raised what it should not: at which records."""

    def __init__(self, failure: Failure) -> None:
        where = f"{failure.topic} {failure.partition}, records {failure.first} to {failure.last}"
        super().__init__(f"{where}: {failure.error}")
        self.failure = failure


class Worker:
    """Everything that one process holds."""

    def __init__(self, setup: WorkerSetup, say: Say) -> None:
        """Looks at the topics. Raises TopicError, RefusedError, BrokerError."""
        self._interval = setup.interval
        self._say = say
        self._topics = WorkerTopics(setup, say)
        version = setup.city.profile_version
        self._profile_header = version.encode()
        self._outbox = Outbox(setup.settings, self._topics.names, version)
        self._store = CheckpointStore(setup.settings, self._topics.cluster, self._topics.names.checkpoints, version)
        self._in_store = ThreadPoolExecutor(1, "checkpoints")
        self._held: dict[TP, HeldPartition] = {}
        self._locks: dict[TP, asyncio.Lock] = {}
        self._background: set[asyncio.Future[Any]] = set()
        self._assigned: tuple[TP, ...] = ()
        self._since_garbage = Stopwatch()
        self._looks_left = LOOKS_A_WHOLE_ONE
        self._begun = False
        """It has taken up what it was given: whatever a worker was refused for before is over."""
        self._stop_at = dict(part.split(":") for part in os.environ.get(STOP_AT, "").split(",") if part)
        self.app = self._faust(setup)

    # ---- faust ---------------------------------------------------------------------------------------------------

    def _faust(self, setup: WorkerSetup) -> faust.App:
        Transport.settings = setup.settings
        Transport.instance = os.environ.get(INSTANCE, "")
        app = App(
            setup.settings.group,
            broker="jiantu://" + ";jiantu://".join(setup.settings.addresses),
            store="memory://",
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            table_standby_replicas=0,
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            stream_buffer_maxsize=8,  # fetches
            broker_commit_interval=1.0,
            processing_guarantee="at_least_once",
        )
        for name, topic in self._topics.sources.items():
            source = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
            app.agent(source, name=name, concurrency=1)(self._agent)
        app.on_partitions_assigned.connect(self._on_assigned)
        app.on_partitions_revoked.connect(self._on_revoked)
        return app

    @property
    def _consumer(self) -> Consumer:
        consumer = self.app.consumer
        assert isinstance(consumer, Consumer)
        return consumer

    @property
    def _generation(self) -> int:
        generation: int = self.app.consumer_generation_id
        return generation

    async def _agent(self, stream: Any) -> AsyncIterator[None]:
        async for event in stream.events():
            message = event.message
            await self._dying(self._on_batch(message.tp, message.generation_id, event.value), message.tp)
            yield

    async def _dying(self, work: Any, at: TP | None = None) -> None:
        """Do it, or end the process: nothing may go on that something was left out of."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - law 4: whatever it is
            self.die(error, at)

    def die(self, error: BaseException, at: TP | None = None) -> NoReturn:
        """End now, with nothing committed that is not safe. `at`: the partition that it was about."""
        refused = isinstance(error, RefusedError | TopicError)
        if isinstance(error, StepFailedError):
            report(error.failure)
        trace = [] if refused else [line.rstrip() for line in traceback.format_tb(error.__traceback__)]
        cause = error.__cause__
        if cause is not None:
            trace += [type(cause).__name__, *(line.rstrip() for line in traceback.format_tb(cause.__traceback__))]
        said = f"{type(error).__name__}: {error}"
        if refused:
            failure = of_worker(said) if at is None else self._refusal(at, said)
            self._say("refused", error=said, page=True, failure=failure)
        else:
            self._say("failed", error=said, trace=trace, stalled=isinstance(error, StalledError))
        os._exit(REFUSED if refused else FAILED)

    def _refusal(self, tp: TP, said: str) -> Failure:
        held = self._held.get(tp)
        position = -1 if held is None else held.position
        return Failure(self._topics.step_of[tp.topic], tp.topic, tp.partition, position, position, said)

    # ---- taking part in the group --------------------------------------------------------------------------------

    async def _on_assigned(self, _app: Any, /, *given: Any, **_: Any) -> None:
        tps = sorted(TP(tp.topic, tp.partition) for tp in given[0])
        generation = self._generation
        self._assigned = tuple(tps)
        self._looks_left = 0
        self._say("assigned", generation=generation, partitions=",".join(f"{tp.topic}-{tp.partition}" for tp in tps))
        self._held = {
            tp: held for tp, held in self._held.items() if tp in tps and held.generation in (generation, generation - 1)
        }
        for held in self._held.values():
            # One that joins anew may be given its generation again; the fetcher has let everything go all the same.
            held.generation = min(held.generation, generation - 1)
        self._consumer.position_of = self._position_of
        for tp in tps:
            self._background.add(self._start(self._take_up(tp, generation), tp))

    async def _take_up(self, tp: TP, generation: int) -> None:
        async with self._lock(tp):
            await self._hold(tp, generation)

    def _seen(self) -> dict[Place, Seen]:
        """What the watchdog is to look at; it asks from its own thread."""
        held = dict(self._held)
        return {(tp.topic, tp.partition): held[tp].seen() if tp in held else Seen(-1, -1, 0) for tp in self._assigned}

    def watchdog(self, settings: BrokerSettings) -> Watchdog:
        """One that looks after this worker."""
        cluster, facts = Cluster(settings), self._topics.facts
        return Watchdog(self._seen, cluster.span, lambda: cluster.check_same(facts), self._say, self.die)

    async def _on_revoked(self, _app: Any, /, *given: Any, **_: Any) -> None:
        await self._dying(self.save())
        self._assigned = ()
        self._say("revoked", partitions=len(given[0]))

    def close(self) -> None:
        """Ask the brokers nothing any more."""
        self._topics.close()

    async def save(self) -> None:
        """Have everything that this process holds in checkpoints, and committed."""
        for tp in list(self._held):
            async with self._lock(tp):
                held = self._held.get(tp)
                if held is not None and held.generation == self._generation:
                    await held.settled()
                    if held.dirty:
                        self._save(tp, held)
                        await held.settled()
        await self._consumer.commit()

    def _lock(self, tp: TP) -> asyncio.Lock:
        return self._locks.setdefault(tp, asyncio.Lock())

    def _position_of(self, tp: TP) -> int | None:
        held = self._held.get(tp)
        return held.position if held is not None and held.generation == self._generation else None

    async def _hold(self, tp: TP, generation: int) -> HeldPartition | None:
        """The partition as this process holds it; None where it is no longer its own. The caller has its lock."""
        if generation != self._generation:
            return None
        held = self._held.get(tp)
        if held is not None and held.generation == generation:
            return held
        if held is None:
            facts = self._topics.facts[tp.topic]

            def load() -> HeldPartition:
                self._freeze("recovery")
                step = self._topics.step(tp.topic, tp.partition)
                return self._store.load(step, facts, tp.partition, generation)

            held = await asyncio.get_running_loop().run_in_executor(self._in_store, self._topics.patiently, load)
            if generation != self._generation:
                return None
        held.generation = generation
        held.epoch = await self._consumer.go_to(tp, held.position)
        self._held[tp] = held
        self._consumer.processed(tp, generation, held.saved)
        self._say("resumed", step=held.step.name, partition=tp.partition, position=held.position, generation=generation)
        return held

    # ---- work ----------------------------------------------------------------------------------------------------

    async def _on_batch(self, tp: TP, generation: int, batch: Fetched) -> None:
        async with self._lock(tp):
            held = await self._hold(tp, generation)
            if held is None:
                return
            if batch.trouble:
                if batch.epoch == held.epoch:
                    await self._check_trouble(tp, held, batch.trouble)
                return
            found = verdict(held.position, held.epoch, batch)
            if found is Verdict.HOLE:
                await self._asked(self._topics.check_hole, tp.topic, tp.partition, held.position)
            elif found is Verdict.ASTRAY:
                held.epoch = await self._consumer.go_to(tp, held.position)
                return
            elif found is not Verdict.NEXT:
                return
            await self._take(tp, held, batch)

    async def _take(self, tp: TP, held: HeldPartition, batch: Fetched) -> None:
        if self._topics.step_of[tp.topic] != "tally":
            for record in batch.records:
                self._check_profile(tp, record)
        records = held.records(batch.records)
        for start in range(0, len(records), BATCH):
            some = records[start : start + BATCH]
            try:
                made = held.step.take(some)
            except RefusedError:
                raise
            except Exception as error:
                where = (held.step.name, tp.topic, tp.partition, offset_of(some[0]), offset_of(some[-1]))
                raise StepFailedError(Failure(*where, in_words(error))) from error
            for one in made:
                self._outbox.send(one)
            await asyncio.sleep(0)
        held.position = batch.after
        if held.due(self._interval, len(self._held)):
            self._save(tp, held)

    def _check_profile(self, tp: TP, record: Any) -> None:
        made_with = dict(record.headers() or ()).get("profile", self._profile_header)
        if made_with != self._profile_header:
            raise RefusedError(
                f"{tp.topic} {tp.partition}: record {record.offset()} was made with another version of the profile "
                f"({made_with.decode(errors='replace')[:12]}); run with that, or begin anew (RUNBOOK: beginning anew)"
            )

    async def _check_trouble(self, tp: TP, held: HeldPartition, trouble: str) -> None:
        self._say("not_given", step=held.step.name, partition=tp.partition, position=held.position, error=trouble)
        await self._asked(self._topics.check_trouble, tp.topic, tp.partition, held.position)
        await asyncio.sleep(TROUBLE_REST)
        held.epoch = await self._consumer.go_to(tp, held.position)

    async def _asked(self, ask: Callable[..., None], *about: Any) -> None:
        await asyncio.get_running_loop().run_in_executor(None, ask, *about)

    # ---- checkpoints ---------------------------------------------------------------------------------------------

    def _start(self, work: Any, at: TP | None = None) -> asyncio.Task[None]:
        task = asyncio.ensure_future(self._dying(work, at))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _save(self, tp: TP, held: HeldPartition) -> None:
        """Begin a checkpoint of where the step is now. The copy of its state is taken here and at once; whoever calls
        has the partition's lock, so that no step is in the middle of a fetch."""
        chunks = held.snapshot()
        if chunks is None:
            return
        generation, position, step = held.generation, held.position, held.step
        accounting, reached, tranche = step.accounting, step.reached, self._outbox.tranche()

        def write() -> int:
            self._outbox.wait(tranche)
            return held.writer.write(position, chunks, accounting, reached, lambda: self._freeze("checkpoint"))

        async def finish() -> None:
            written = await asyncio.get_running_loop().run_in_executor(self._in_store, write)
            held.saved = position
            held.saving = None
            self._consumer.processed(tp, generation, position)
            self._say(
                "checkpoint",
                step=step.name,
                partition=tp.partition,
                position=position,
                bytes=written,
                received=accounting.received,
            )

        held.saving = self._start(finish())

    async def _note_begun(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._in_store, self._store.note_begun)

    def _freeze(self, where: str) -> None:
        """Of the fault harness: stop here, in the middle, once."""
        left = int(self._stop_at.get(where, 0))
        if left:
            self._stop_at[where] = str(left - 1)
            if left == 1:
                self._say("frozen", where=where)
                os.kill(os.getpid(), signal.SIGSTOP)

    async def tick(self) -> None:
        """Every now and then: checkpoints that are due though nothing comes, and garbage."""
        if not self._begun and self._assigned and all(tp in self._held for tp in self._assigned):
            self._begun = True
            self._background.add(self._start(self._note_begun()))
        for tp, held in list(self._held.items()):
            if held.generation == self._generation and held.due(self._interval, len(self._held)):
                async with self._lock(tp):
                    if held.due(self._interval, len(self._held)):
                        self._save(tp, held)
        if self._outbox.failure:
            self.die(RuntimeError(self._outbox.failure))
        if self._since_garbage.elapsed() >= GARBAGE_INTERVAL:
            whole = self._looks_left <= 0
            self._looks_left = LOOKS_A_WHOLE_ONE if whole else self._looks_left - 1
            gc.collect(2 if whole else 1)
            self._since_garbage.restart()


async def work(worker: Worker, settings: BrokerSettings, stop: asyncio.Event) -> None:
    """Take part in the group until told to stop; then leave it, with everything safe."""
    app = worker.app
    watchdog = worker.watchdog(settings)
    watchdog.start()
    app.finalize()
    gc.collect()
    gc.freeze()
    gc.disable()
    await app.start()
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), 0.5)
        except TimeoutError:
            if app.crashed:
                worker.die(app.crash_reason or RuntimeError("faust gave up"))
            await worker.tick()
    watchdog.stop()
    await worker.save()
    worker.close()
    await asyncio.wait_for(app.stop(), 15)
