"""A worker as a process of its own: faust let in carefully, signals, words, the end."""

import asyncio
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from streams.broker.errors import BrokerError, TopicError
from streams.broker.names import Topics
from streams.broker.reach import reach
from streams.clock import Clock, WallClock
from streams.core.instant import format_instant
from streams.runtime.checkpoint_store import CheckpointStore
from streams.runtime.cluster import Cluster
from streams.runtime.delivery import DeliveryError
from streams.runtime.failures import Failure, of_worker
from streams.runtime.library_log import hear_libraries
from streams.runtime.partition import RefusedError
from streams.runtime.supervisor import Hear, Supervisor, end_with_parent, tell
from streams.runtime.template import become_a_life
from streams.runtime.worker_setup import FAILED, REFUSED, Say, WorkerSetup


@contextmanager
def _alone() -> Iterator[None]:
    """`import faust` reads the command line for options of its own, and warns of old ways of others."""
    arguments = sys.argv
    sys.argv = arguments[:1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        sys.argv = arguments


def say_to_stderr(clock: Clock | None = None) -> Say:
    """Say what happens as lines of JSON, each whole however many processes write; a worker's supervisor hears it."""
    clock = clock or WallClock()

    def say(event: str, /, **facts: Any) -> None:
        told = {"at": format_instant(clock.now()), "event": event, "pid": os.getpid()} | facts
        line = msgspec.json.encode(told) + b"\n"
        os.write(sys.stderr.fileno(), line)
        tell(line)

    return say


def run_worker(setup: WorkerSetup, say: Say) -> int:
    """Be a worker until SIGTERM or Ctrl-C; the exit code. Raises BrokerError where no broker answers.

    In a supervisor's template: every worker that is forked off here is one.
    """
    with _alone():
        from streams.runtime.faust_worker import Worker, work
    become_a_life()
    end_with_parent()
    say("begun")
    hear_libraries(say)

    async def run() -> int:
        try:
            worker = Worker(setup, say)
        except TopicError:
            raise
        except BrokerError:
            reach(setup.settings)  # which says why
            raise
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)

        await work(worker, setup.settings, stop)
        return 0

    code = FAILED
    try:
        code = asyncio.run(run())
    except (TopicError, RefusedError) as error:
        code = REFUSED
        told = f"{type(error).__name__}: {error}"
        say("refused", error=told, page=True, failure=of_worker(told))
    finally:
        say("left", code=code)
    return code


def supervise(command: Sequence[str], setup: WorkerSetup, say: Say, hear: Hear) -> int:
    """Run workers, one after another, until one ends for good; the exit code. `hear`: as Supervisor's."""

    def stopped(failure: Failure) -> None:
        cluster, topic = Cluster(setup.settings), Topics(setup.settings.topic_prefix).checkpoints
        try:
            cluster.topics([topic])  # it may be the very one that is missing
            CheckpointStore(setup.settings, cluster, topic, setup.city.profile_version).note_stop(failure)
        except (BrokerError, DeliveryError) as error:
            say("unreachable", error=str(error))

    return Supervisor(command, say, stopped, hear).run()
