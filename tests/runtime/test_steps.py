"""The steps over bytes: whatever the pace, the crashes, the repetitions and what gets lost with a worker, one log."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import msgspec
import numpy as np
import pytest
from confluent_kafka import Message

from streams.broker.partitioner import partition_of
from streams.core.alert_log import alert_log
from streams.core.city import Size
from streams.core.decode import Frame
from streams.core.instant import format_instant
from streams.core.outputs import Accounting, Correction
from streams.core.wire import Alerted, decode_alert, decode_dead_letter
from streams.runtime import steps as steps_module
from streams.runtime.steps import (
    JudgeStep,
    Made,
    ScoreStep,
    Step,
    StepError,
    TallyPlace,
    TallyStep,
    offset_of,
    size_partition,
)
from streams.sources.recording import RecordingReader
from tests.promises.lake import RECORDING, Outcome, city_profile, is_tick, piped, recorded_lines

CITY = city_profile().city
WINDOWS = 2


def sent(offset: int, value: bytes | None, received: int | None = None) -> Message:
    """A record as it comes out of a topic."""
    return Message(topic="", offset=offset, value=value, timestamp=(0, -1) if received is None else (1, received))


@cache
def undisturbed() -> Outcome:
    return piped(recorded_lines())


class County(msgspec.Struct):
    county: object = None


@cache
def events(partitions: int) -> tuple[tuple[Message, ...], ...]:
    """The recording as a producer writes it to a topic, with a hole in the offsets here and there."""
    topic: list[list[Message]] = [[] for _ in range(partitions)]

    def write(number: int, value: bytes, received: int | None) -> None:
        offset = offset_of(topic[number][-1]) + 1 if topic[number] else 0
        topic[number].append(sent(offset + (offset % 97 == 0), value, received))

    start = b'{"tick":"%s"}' % format_instant(RecordingReader(RECORDING).span[0]).encode()
    for number in range(partitions):
        write(number, start, None)
    codes = {county.code for county in CITY.counties}
    for line in recorded_lines():
        text = line.rstrip(b"\n")
        if is_tick(line):
            for number in range(partitions):
                write(number, text, None)
            continue
        try:
            frame = msgspec.json.decode(text, type=Frame)
            value, received = frame.value() or b"", frame.received
            county = msgspec.json.decode(value, type=County).county
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
            value, received, county = text, None, None
        write(partition_of(county, partitions) if isinstance(county, str) and county in codes else 0, value, received)
    return tuple(map(tuple, topic))


@dataclass
class Held:
    """A partition of a step: its records, and where the present worker is."""

    fresh: Callable[[], Step]
    log: list[Message]
    step: Step
    position: int = 0
    """Index into the log, not an offset."""
    saved: tuple[int, dict[str, bytes]] | None = None
    sent: list[Made] = field(default_factory=list)
    """Since the last checkpoint."""


class Cluster:
    """Topics in memory, and workers of which a step or a message may get lost at any time."""

    def __init__(self, partitions: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.alerts: list[Alerted] = []
        self.letters: list[bytes] = []
        self.ids: list[tuple[str, str]] = []

        def tally(number: int) -> Callable[[], Step]:
            counties = [c.code for c in CITY.counties if partition_of(c.code, partitions) == number]
            return lambda: TallyStep(CITY, TallyPlace("events", number, counties, WINDOWS))

        def held(fresh: Callable[[], Step], log: list[Message]) -> Held:
            return Held(fresh, log, fresh())

        self.tallies = [held(tally(number), list(log)) for number, log in enumerate(events(partitions))]
        self.scores = [held(lambda: ScoreStep(CITY), []) for _ in range(WINDOWS)]
        self.judge = held(lambda: JudgeStep(CITY), [])
        self.all = [*self.tallies, *self.scores, self.judge]

    def run(self, crashes: float, lost: float) -> None:
        """Until everything is taken. `crashes`: share of the turns that end in one; `lost`: of a crashed worker's
        messages, from some point on, which never arrived."""
        pace = self.random.uniform(0.02, 1, len(self.all))
        while waiting := [i for i, held in enumerate(self.all) if held.position < len(held.log)]:
            weights = pace[waiting] / pace[waiting].sum()
            held = self.all[int(self.random.choice(waiting, p=weights))]
            some = held.log[held.position : held.position + int(self.random.integers(1, 300))]
            made = held.step.take(some)
            if self.random.random() < crashes:
                # It is killed: some of what it sent arrives, one in the middle of it may be missing.
                arrived = made[: int(self.random.integers(0, len(made) + 1))]
                if arrived and self.random.random() < lost:
                    del arrived[int(self.random.integers(0, len(arrived)))]
                self._deliver(arrived)
                self._restart(held)
                continue
            self._deliver(made)
            held.position += len(some)
            if self.random.random() < 0.06:
                chunks = held.step.chunks(whole=True)
                if chunks is not None:
                    held.saved = held.position, {name: chunk for name, chunk in chunks.items() if chunk is not None}

    def _restart(self, held: Held) -> None:
        held.step = held.fresh()
        held.position = 0
        if held.saved is not None:
            held.position, chunks = held.saved
            held.step.restore(chunks)

    def _deliver(self, made: list[Made]) -> None:
        for one in made:
            self.ids.append((one.topic, one.id))
            match one.topic:
                case "windows":
                    assert one.partition is not None
                    log = self.scores[one.partition].log
                    log.append(sent(len(log), one.value))
                case "scores":
                    self.judge.log.append(sent(len(self.judge.log), one.value))
                case "alerts":
                    self.alerts.append(decode_alert(one.value))
                case "dlq":
                    self.letters.append(one.value)

    @property
    def log(self) -> bytes:
        return alert_log([one for one in self.alerts if not isinstance(one, Correction)])

    @property
    def accounting(self) -> Accounting:
        total = Accounting()
        for held in self.tallies:
            a = held.step.accounting
            total = total.plus(a.received, a.counted, a.duplicate, a.late, a.rejected, a.windows_closed)
        return total


@pytest.mark.parametrize("partitions", [1, 12])
def test_partitions_at_any_pace_give_the_embedded_log_and_accounts(partitions: int) -> None:
    cluster = Cluster(partitions, seed=partitions)
    cluster.run(crashes=0, lost=0)
    assert cluster.log == undisturbed().log
    assert cluster.accounting == undisturbed().accounting
    assert len(set(cluster.ids)) == len(cluster.ids)


@pytest.mark.parametrize("seed", [1, 3])
def test_crashes_and_messages_lost_with_them_change_nothing(seed: int) -> None:
    cluster = Cluster(3, seed)
    cluster.run(crashes=0.04, lost=0.5)
    assert len(set(cluster.ids)) < len(cluster.ids), "nothing was repeated"
    assert cluster.log == undisturbed().log
    assert cluster.accounting == undisturbed().accounting


def test_dead_letters_name_the_records_own_offset_and_never_its_payload() -> None:
    cluster = Cluster(3, seed=5)
    for held in cluster.tallies:
        for first in range(0, len(held.log), 500):
            cluster._deliver(held.step.take(held.log[first : first + 500]))
    letters = {(one.partition, one.offset): one for one in map(decode_dead_letter, cluster.letters)}
    assert len(letters) == undisturbed().accounting.rejected
    for (partition, offset), letter in letters.items():
        record = next(one for one in events(3)[partition] if one.offset() == offset)
        assert letter.digest == hashlib.sha256(record.value() or b"").hexdigest()
        assert len(record) < 40 or (record.value() or b"") not in b"".join(cluster.letters)


def test_windows_are_told_apart_by_size_as_far_as_partitions_go() -> None:
    assert [size_partition(size, 3) for size in Size] == [0, 1, 2]
    assert {size_partition(size, 1) for size in Size} == {0}


# ---- where a partition starts --------------------------------------------------------------------------------


def tally() -> TallyStep:
    return TallyStep(CITY, TallyPlace("events", 0, [county.code for county in CITY.counties], 1))


def test_what_comes_before_the_first_tick_is_held_until_it_says_where_windows_start() -> None:
    records = list(events(1)[0])
    tick, rest = records[0], records[1:400]
    before, after = tally(), tally()
    made = before.take([*rest[:5], tick]) + before.take(rest[5:])
    assert made == after.take([tick, *rest])
    assert before.accounting == after.accounting
    held = tally()
    assert held.take(rest[:5]) == []
    assert held.chunks(whole=True) is None, "a checkpoint would leave out what is held"


def test_a_partition_without_any_tick_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps_module, "MOST_HELD", 50)
    with pytest.raises(StepError, match="jiantu ticker"):
        tally().take([record for record in events(1)[0][:200] if not is_tick(record.value() or b"")])
