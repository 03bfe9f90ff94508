"""Checkpoints: whole or not there, whoever is killed in the middle, whoever wakes late, whatever compaction removes."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.outputs import Accounting
from streams.runtime.checkpoints import (
    STOPPED,
    About,
    Checkpoint,
    CheckpointReader,
    CheckpointWriter,
    Entry,
    Place,
    writer_name,
)

PLACE = Place("tally", 3)
LARGEST_RECORD = 1_048_588 - 1_000
"""Of key and value: what a broker takes unless it is told otherwise, without frames and headers."""
ABOUT = About("events", "id", 12, "version")


class DeadError(Exception):
    """The process was killed."""


@dataclass
class Topic:
    """One partition of the topic of checkpoints."""

    records: list[tuple[int, str, bytes | None]] = field(default_factory=list)
    next: int = 0
    room: int = 1 << 60
    """Records that may still be written before the process dies."""

    def write(self, entries: Iterable[Entry]) -> None:
        for key, value in entries:
            if self.room <= 0:
                raise DeadError
            self.room -= 1
            assert len(key) + len(value or b"") <= LARGEST_RECORD
            self.records.append((self.next, key, value))
            self.next += 1

    def compact(self, keep: int) -> None:
        """As brokers do: of the records before the last `keep`, only each key's latest; deletions go in the end."""
        dirty = self.records[: max(0, len(self.records) - keep)]
        latest = {key: offset for offset, key, _ in self.records}
        kept = [one for one in dirty if latest[one[1]] == one[0] and one[2] is not None]
        self.records = kept + self.records[len(dirty) :]

    def read(self) -> CheckpointReader:
        reader = CheckpointReader(PLACE)
        for _, key, value in self.records:
            reader.take(key, value)
        return reader

    def best(self) -> Checkpoint | None:
        return self.read().best()


def state_at(position: int) -> dict[str, bytes]:
    """A state that is a function of its position: a part changes always, days of ids settle, old ones go."""
    day = position // 10
    chunks = {f"tally/c/ids/{one}": f"{one}:{min(position, one * 10 + 9)}".encode() for one in range(day - 3, day + 1)}
    return chunks | {"tally": b"%d" % position, "score": b"x" * (position % 7)}


def changes(before: int | None, position: int) -> dict[str, bytes | None]:
    """What a step hands over after `before`; everything that is new or gone, and what always comes."""
    now = state_at(position)
    if before is None:
        return dict(now)
    was = state_at(before)
    changed: dict[str, bytes | None] = {name: chunk for name, chunk in now.items() if was.get(name) != chunk}
    return changed | {name: None for name in was if name not in now}


@dataclass
class Owner:
    """A worker that holds the partition, or believes so."""

    writer: CheckpointWriter
    generation: int
    position: int
    before: int | None = None

    @staticmethod
    def takes_up(topic: Topic, generation: int) -> "Owner":
        reader = topic.read()
        best = reader.best()
        position = 0
        if best is not None:
            position = best.manifest.position
            assert best.chunks == state_at(position)
        writer = CheckpointWriter(
            PLACE, ABOUT, writer_name(generation, f"u{generation}"), topic, reader.keys_until(generation - 1)
        )
        return Owner(writer, generation, position)

    def saves(self, between: Callable[[], None] = lambda: None) -> None:
        whole = self.writer.wants_whole
        chunks = changes(None if whole else self.before, self.position)
        self.writer.write(self.position, chunks, Accounting(received=self.position), None, between)
        self.before = self.position


# ---- one writer ----------------------------------------------------------------------------------------------


def test_a_checkpoint_comes_back_with_all_that_it_says() -> None:
    topic = Topic()
    owner = Owner.takes_up(topic, 1)
    owner.position = 57
    owner.saves()
    best = topic.best()
    assert best is not None
    assert best.chunks == state_at(57)
    assert (best.manifest.position, best.manifest.about, best.manifest.accounting.received) == (57, ABOUT, 57)


def test_pieces_fit_into_records_however_large_the_state() -> None:
    topic = Topic()
    random = np.random.default_rng(1)
    chunks = {f"tally/c/ids/{n}": random.bytes(700_000) for n in range(14)} | {"tally": random.bytes(3_000_000)}
    CheckpointWriter(PLACE, ABOUT, writer_name(1, "a"), topic).write(1, chunks, Accounting(), None)
    best = topic.best()
    assert best is not None
    assert best.chunks == chunks


def test_what_did_not_change_is_not_written_again() -> None:
    topic = Topic()
    writer = CheckpointWriter(PLACE, ABOUT, writer_name(1, "a"), topic)
    random = np.random.default_rng(1)
    settled = {f"tally/c/ids/{n}": random.bytes(300_000) for n in range(20)}
    first = writer.write(1, settled | {"tally": b"1"}, Accounting(), None)
    assert first > 6_000_000
    assert not writer.wants_whole
    assert writer.write(2, {"tally": b"2", "tally/c/ids/19": settled["tally/c/ids/19"]}, Accounting(), None) < 3000
    best = topic.best()
    assert best is not None
    assert best.chunks == settled | {"tally": b"2"}


def test_dead_chunks_are_swept_out_when_they_are_more_than_the_living() -> None:
    topic = Topic()
    writer = CheckpointWriter(PLACE, ABOUT, writer_name(1, "a"), topic)
    random = np.random.default_rng(1)
    state: dict[str, bytes] = {}
    sweeps = 0
    for position in range(1, 40):
        changed: dict[str, bytes | None] = {f"tally/c/ids/{position}": random.bytes(500_000)}
        if position > 5:
            changed[f"tally/c/ids/{position - 5}"] = None
        state |= {name: chunk for name, chunk in changed.items() if chunk is not None}
        state = {name: chunk for name, chunk in state.items() if changed.get(name, b"") is not None}
        whole = writer.wants_whole
        sweeps += whole
        writer.write(position, dict(state) if whole else changed, Accounting(), None)
        topic.compact(keep=0)
        assert sum(len(value or b"") for _, _, value in topic.records) < 12_000_000
    best = topic.best()
    assert best is not None
    assert best.chunks == state
    assert 1 <= sweeps < 20


@pytest.mark.parametrize("room", range(40))
def test_killed_between_any_two_records_the_last_whole_checkpoint_stands(room: int) -> None:
    topic = Topic(room=room)
    owner = Owner.takes_up(topic, 1)
    durable = 0
    try:
        while True:
            owner.position += 7
            owner.saves()
            durable = owner.position
    except DeadError:
        pass
    topic.room = 1 << 60
    for compacted in (False, True):
        if compacted:
            topic.compact(keep=0)
        best = topic.best()
        position = 0 if best is None else best.manifest.position
        assert position in (durable, durable + 7)  # its manifest may have been the last thing it wrote
        assert best is None or best.chunks == state_at(position)


# ---- several that believe to be the one ----------------------------------------------------------------------


@settings(max_examples=100)
@given(st.data())
def test_zombies_displace_nothing_and_every_checkpoint_taken_up_is_right(data: st.DataObject) -> None:
    """Owners come, go on, sleep, wake and die in the middle of a write, while the broker compacts."""
    topic = Topic()
    owners: list[Owner] = [Owner.takes_up(topic, 1)]
    generation = 1
    for _ in range(data.draw(st.integers(1, 25))):
        who = data.draw(st.integers(0, len(owners)))
        if who == len(owners):
            generation += 1
            owners.append(Owner.takes_up(topic, generation))
            continue
        owner = owners[who]
        owner.position += data.draw(st.integers(1, 15))
        others = owners[:who] + owners[who + 1 :]
        beside = data.draw(st.none() | st.sampled_from(others)) if others else None

        def meanwhile(beside: Owner | None = beside) -> None:
            left, topic.room = topic.room, 1 << 60
            if beside is not None:
                beside.position += 1
                beside.saves()
            topic.room = left

        topic.room = data.draw(st.just(1 << 60) | st.integers(0, 12))
        try:
            owner.saves(meanwhile)
        except DeadError:
            owners.remove(owner)
            if not owners:
                generation += 1
                topic.room = 1 << 60
                owners.append(Owner.takes_up(topic, generation))
        topic.room = 1 << 60
        topic.compact(keep=data.draw(st.integers(0, 10)))
        best = topic.best()
        if best is not None:
            assert best.chunks == state_at(best.manifest.position)
        # The newest owner's durable work is never lost, whatever the zombies before it do.
        newest = owners[-1]
        if newest.generation == generation and newest.before is not None and newest.position == newest.before:
            assert best is not None
            assert best.manifest.position >= newest.position


def test_a_zombie_that_wakes_after_its_keys_were_deleted_is_not_taken_for_whole() -> None:
    topic = Topic()
    zombie = Owner.takes_up(topic, 1)
    zombie.position = 40
    zombie.saves()
    heir = Owner.takes_up(topic, 2)
    heir.position = 60
    heir.saves()
    zombie.position = 62  # further on, but days that it wrote long ago are gone
    zombie.saves()
    topic.compact(keep=0)
    best = topic.best()
    assert best is not None
    assert best.manifest.writer.startswith("2-")
    assert best.chunks == state_at(60)


@pytest.mark.parametrize("room", range(9))
def test_an_heir_that_is_killed_in_its_first_checkpoint_has_taken_nothing_away(room: int) -> None:
    topic = Topic()
    before = Owner.takes_up(topic, 1)
    before.position = 40
    before.saves()
    heir = Owner.takes_up(topic, 2)
    heir.position = 60
    topic.room = room
    with suppress(DeadError):
        heir.saves()
    topic.compact(keep=0)
    best = topic.best()
    assert best is not None
    assert best.manifest.position in (40, 60)
    assert best.chunks == state_at(best.manifest.position)


def test_a_spoilt_piece_makes_the_older_checkpoint_the_best() -> None:
    topic = Topic()
    for generation, position in ((1, 10), (2, 25)):
        writer = CheckpointWriter(PLACE, ABOUT, writer_name(generation, "a"), topic)
        writer.write(position, changes(None, position), Accounting(), None)
    spoilt = max(i for i, (_, key, _) in enumerate(topic.records) if key.count("/") == 4)
    offset, key, value = topic.records[spoilt]
    topic.records[spoilt] = (offset, key, (value or b"")[:-1] + b"?")
    best = topic.best()
    assert best is not None
    assert best.chunks == state_at(10)


def test_other_places_manifests_of_other_versions_and_notes_are_passed_over() -> None:
    topic = Topic()
    CheckpointWriter(Place("tally", 30), ABOUT, writer_name(1, "a"), topic).write(9, {"a": b""}, Accounting(), None)
    topic.write([(PLACE.prefix + STOPPED, b"{}"), (PLACE.prefix + "1-b", b"?"), (PLACE.prefix + "1-c", None)])
    assert topic.best() is None
    assert topic.read().keys_until(1) == [PLACE.prefix + STOPPED, PLACE.prefix + "1-b"]
    assert topic.read().keys_until(0) == [PLACE.prefix + STOPPED]
