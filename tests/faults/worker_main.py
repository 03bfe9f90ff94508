"""A worker for the fault harness: `jiantu worker`, with what only tests may change in it.

    python -m tests.faults.worker_main [--session-ms N] [--rule RULE] worker --profile ...

RULE breaks the product on purpose, to see that the harness notices:

    group-offset      resume at the group's offset, which is committed as records are taken, not at the checkpoint's own
    outputs-later     write checkpoints without waiting for what was emitted before them; it arrives seconds later
"""

import argparse
import ctypes
import os
import signal
import sys
from typing import Any
from unittest.mock import patch

import time_machine

from streams.cli import worker
from streams.cli.app import run
from streams.runtime import checkpoint_store, delivery, faust_transport, faust_worker

CLOCK = "FAULTS_CLOCK"
"""Environment variable: seconds since the epoch that the process believes it to be when it starts."""
_PR_SET_PDEATHSIG = 1
_COMMAND = (sys.executable, "-W", "ignore", "-m", "tests.faults.worker_main")
RULES = ("group-offset", "outputs-later")


def end_with_parent() -> None:
    """Have this process killed when who started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def shorten_session(milliseconds: int) -> None:
    """Have a worker that is not heard of taken for dead sooner than the product would."""
    faust_transport.SESSION_MS = milliseconds


def follow_the_groups_offset() -> None:
    """The naive rule: state from the checkpoint, position from the group."""
    from confluent_kafka import Consumer, TopicPartition

    load = checkpoint_store.CheckpointStore.load
    take = faust_worker.Worker._take

    def load_at_offset(store: Any, step: Any, facts: Any, partition: int, generation: int) -> Any:
        held = load(store, step, facts, partition, generation)
        asked = Consumer(store.settings.for_confluent() | {"group.id": store.settings.group})
        (found,) = asked.committed([TopicPartition(facts.name, partition)], timeout=10)
        asked.close()
        if found.offset > held.position:
            held.position = held.saved = found.offset
        return held

    async def take_and_commit(worker: Any, tp: Any, held: Any, batch: Any) -> None:
        await take(worker, tp, held, batch)
        worker._consumer.processed(tp, held.generation, held.position)

    made = checkpoint_store.CheckpointStore.__init__

    def remember(store: Any, settings: Any, *more: Any) -> None:
        store.settings = settings
        made(store, settings, *more)

    patch.object(checkpoint_store.CheckpointStore, "__init__", remember).start()
    patch.object(checkpoint_store.CheckpointStore, "load", load_at_offset).start()
    patch.object(faust_worker.Worker, "_take", take_and_commit).start()


def let_outputs_come_later() -> None:
    """The naive rule: a checkpoint first, what was emitted before it whenever it arrives."""
    settings = delivery.producer_settings

    def slowly(given: Any) -> dict[str, Any]:
        return settings(given) | {"linger.ms": 10_000}

    patch.object(delivery, "producer_settings", slowly).start()
    patch.object(delivery.Outbox, "wait", lambda _outbox, _number: None).start()


def main(arguments: list[str]) -> int:
    """Change what is asked for, then be a worker; one that ends with whoever started it."""
    end_with_parent()
    os.register_at_fork(after_in_child=end_with_parent)  # a frozen worker, too
    parser = argparse.ArgumentParser()
    parser.add_argument("--session-ms", type=int)
    parser.add_argument("--rule", choices=RULES)
    given, rest = parser.parse_known_args(arguments)
    changed = arguments[: len(arguments) - len(rest)]
    patch.object(worker, "COMMAND", (*_COMMAND, *changed)).start()
    if clock := os.environ.get(CLOCK):
        time_machine.travel(float(clock), tick=True).start()
    if given.session_ms is not None:
        shorten_session(given.session_ms)
    if given.rule == "group-offset":
        follow_the_groups_offset()
    elif given.rule == "outputs-later":
        let_outputs_come_later()
    return run(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
