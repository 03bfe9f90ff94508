"""The three steps of one partition each, as bytes in and bytes out: records of a topic to records of the next.

| step | reads | key | writes |
|---|---|---|---|
| tally | events | county | windows; scores (always-page events); alerts (corrections); events.dlq |
| score | windows | window size | scores |
| judge | scores | city | alerts |

Score's vectors run over all counties and signals of one window size: a shift asks what the other signals of a county
did. So `windows` is keyed by the size alone; hours, days and weeks may go to three workers.

Nothing here speaks to a broker. Every step is a function of its partition's records: repeated, it writes the same
again, under the same ids; and what reaches it again, or too early, it passes over.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from detectors.registry import DETECTORS
from streams.core import judge
from streams.core.city import City, Size
from streams.core.columns import NONE
from streams.core.decode import Batch, RecordDecoder
from streams.core.decode_values import read_time
from streams.core.instant import Instant
from streams.core.judge_state import JudgeState, restore, snapshot
from streams.core.levels import levels_of
from streams.core.outputs import Accounting, AlwaysPage, ClosedWindow, Correction, ScoredWindow
from streams.core.record import Reason, Rejection
from streams.core.score import Score
from streams.core.tally import Tally
from streams.core.wire import (
    Alerted,
    DeadLetter,
    decode_score,
    decode_window,
    encode_alert,
    encode_dead_letter,
    encode_score,
    encode_window,
    id_of,
)

Chunks = dict[str, bytes | None]
"""State by name; None: gone since the last time."""

MOST_HELD = 200_000
"""Records of a partition that may come before its first tick."""


class StepError(Exception):
    """Records that a step cannot go on with: what is wrong, and what to do."""


class TopicRecord(Protocol):
    """A record of the topic that a step reads, as librdkafka hands it over: copying it costs as much as counting it."""

    def offset(self) -> int | None:
        """Its own; of what was read from a topic never None."""

    def value(self) -> bytes | None:
        """Its bytes; None: deleted, which says nothing here."""

    def timestamp(self) -> tuple[int, int]:
        """What the second is, and the broker's, epoch milliseconds; below 0: there is none."""


class Made(NamedTuple):
    """A record for another topic."""

    topic: str
    """As `streams.broker.names.Topics` calls it: windows, scores, alerts, dlq."""
    partition: int | None
    """None: as the key says."""
    key: str
    value: bytes
    id: str
    """The same whenever the step makes this record again."""


class Step(Protocol):
    """One step of one partition."""

    @property
    def name(self) -> str:
        """tally, score or judge."""

    @property
    def accounting(self) -> Accounting:
        """Totals over the records so far; of a tally, nothing but zeros else."""

    @property
    def reached(self) -> Instant | None:
        """Event time that the step has passed; None: before the first."""

    def take(self, records: Sequence[TopicRecord]) -> list[Made]:
        """Take records in the order of their offsets."""

    def chunks(self, *, whole: bool) -> Chunks | None:
        """The state: all of it, or at least what changed since the last call. None: there is none to keep yet."""

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a whole state."""


def size_partition(size: Size, partitions: int) -> int:
    """The partition of `windows` that a size's windows go to: told apart as far as there are partitions."""
    return list(Size).index(size) % partitions


# ---- tally ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TallyPlace:
    """Where a tally stands: what it reads, and how far the topic of windows spreads."""

    topic: str
    partition: int
    counties: Collection[str]
    """Codes of those that the partitioner gives this partition."""
    windows_partitions: int


class TallyStep:
    """The tally of one partition of events. The first tick says where its windows start."""

    name = "tally"

    def __init__(self, city: City, place: TallyPlace) -> None:
        self._city = city
        self._place = place
        self._decoder = RecordDecoder(city)
        self._tally: Tally | None = None
        self._held: list[TopicRecord] = []
        """What came before the first tick."""

    @property
    def accounting(self) -> Accounting:
        """Totals over the records so far."""
        return Accounting() if self._tally is None else self._tally.accounting

    @property
    def reached(self) -> Instant | None:
        """The latest tick."""
        return None if self._tally is None else self._tally.reached

    def take(self, records: Sequence[TopicRecord]) -> list[Made]:
        """Take records in the order of their offsets."""
        batch = self._batch(records)
        if self._tally is None:
            start = _first_tick(batch)
            if start is None:
                return self._hold(records)
            self._tally = self._fresh(start)
            if self._held:
                records = [*self._held, *records]
                self._held = []
                batch = self._batch(records)
        out = self._tally.step(batch)
        made = [self._emitted(one) for one in out.emitted]
        made += [self._corrected(one) for one in out.corrections]
        made += [self._rejected(one, reached, offset_of(records[one.position])) for reached, one in out.rejections]
        return made

    def _batch(self, records: Sequence[TopicRecord]) -> Batch:
        stamps = np.array([record.timestamp()[1] for record in records], dtype=np.int64)
        stamps[stamps < 0] = NONE
        return self._decoder.stamped([record.value() or b"" for record in records], stamps, 0)

    def _fresh(self, start: Instant) -> Tally:
        return Tally(self._city, start, self._place.counties)

    def _hold(self, records: Sequence[TopicRecord]) -> list[Made]:
        self._held += records
        if len(self._held) > MOST_HELD:
            raise StepError(
                f"{self._place.topic} {self._place.partition}: {len(self._held)} records and no tick, which would say "
                "where windows start; run `jiantu ticker`"
            )
        return []

    def _emitted(self, made: ClosedWindow | AlwaysPage) -> Made:
        if isinstance(made, AlwaysPage):
            return Made("scores", 0, self._city.code, encode_score(made), id_of(made))
        where = size_partition(made.size, self._place.windows_partitions)
        return Made("windows", where, made.size, encode_window(made), id_of(made))

    def _corrected(self, made: Correction) -> Made:
        return Made("alerts", None, made.county, encode_alert(made), id_of(made))

    def _rejected(self, made: Rejection, reached: Instant, offset: int) -> Made:
        place = self._place
        letter = DeadLetter(made.reason, place.topic, place.partition, offset, made.digest, reached, made.place)
        return Made("dlq", None, id_of(letter), encode_dead_letter(letter), id_of(letter))

    def chunks(self, *, whole: bool) -> Chunks | None:
        """The state: all of it, or at least what changed since the last call."""
        tally = self._tally
        return None if tally is None else tally.snapshot(whole=whole) | {"start": _encode(tally.start)}

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a whole state."""
        self._tally = self._fresh(msgspec.msgpack.decode(chunks["start"], type=int))
        self._tally.restore(chunks)


def offset_of(record: TopicRecord) -> int:
    """Offset of a record that was read from a topic."""
    offset = record.offset()
    assert offset is not None
    return offset


def _first_tick(batch: Batch) -> Instant | None:
    for arrival in batch.arrivals:
        if not isinstance(arrival, Rejection) and arrival.event is None and arrival.tick is not None:
            at = read_time(arrival.tick)
            if not isinstance(at, Reason):
                return at
    return None


# ---- score ---------------------------------------------------------------------------------------------------


class ScoreStep:
    """The score of the window sizes of one partition of windows."""

    name = "score"
    accounting = Accounting()

    def __init__(self, city: City) -> None:
        self._city = city
        self._score = Score(city, detail_p=max(levels_of(city).values(), default=0.0))
        self._closed_to: dict[str, Instant] = {}
        """County and size -> end of the last window that was taken."""
        self.reached: Instant | None = None

    def take(self, records: Sequence[TopicRecord]) -> list[Made]:
        """Take records in the order of their offsets."""
        made = []
        for record in records:
            scored = self._take(decode_window(record.value() or b""))
            if scored is not None:
                self.reached = max(self.reached or scored.end, scored.end)
                made.append(Made("scores", 0, self._city.code, encode_score(scored), id_of(scored)))
        return made

    def _take(self, window: ClosedWindow) -> ScoredWindow | None:
        """A county's windows of a size follow on each other. One that was taken is a repetition. One that lies
        further ahead was sent by a worker whose message before it was lost with it: it will send both again."""
        series = f"{window.county}/{window.size}"
        last = self._closed_to.get(series, window.start)
        if window.start != last:
            return None
        self._closed_to[series] = window.end
        return self._score.step(window)

    def chunks(self, *, whole: bool) -> Chunks | None:  # noqa: ARG002 - all of it changes all the time
        """The whole state."""
        return self._score.snapshot() | {"closed_to": _encode((self._closed_to, self.reached))}

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a whole state."""
        self._score.restore(chunks)
        self._closed_to, self.reached = msgspec.msgpack.decode(
            chunks["closed_to"], type=tuple[dict[str, Instant], Instant | None]
        )


# ---- judge ---------------------------------------------------------------------------------------------------


class JudgeStep:
    """The judge of the city."""

    name = "judge"
    accounting = Accounting()

    def __init__(self, city: City) -> None:
        versions = {name: made.version for name, made in DETECTORS.items()}
        self._plan = judge.JudgePlan.of(city, levels_of(city), versions)
        self._state = JudgeState()

    @property
    def reached(self) -> Instant | None:
        """The last window end that was judged."""
        return self._state.judged_to

    def take(self, records: Sequence[TopicRecord]) -> list[Made]:
        """Take records in the order of their offsets."""
        made: list[Made] = []
        for record in records:
            made += [_alerted(one) for one in self._take(decode_score(record.value() or b""))]
        return made

    def _take(self, given: ScoredWindow | AlwaysPage) -> Sequence[Alerted]:
        """As in score, a window that does not follow on the last of its size will be sent again."""
        if isinstance(given, ScoredWindow) and given.start > self._state.arrived.get(given.size, given.start):
            return ()
        self._state, made = judge.step(self._plan, self._state, given)
        return made

    def chunks(self, *, whole: bool) -> Chunks | None:  # noqa: ARG002 - all of it changes all the time
        """The whole state."""
        return {"judge": snapshot(self._state)}

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Go on from a whole state."""
        self._state = restore(chunks["judge"])


def _alerted(made: Alerted) -> Made:
    key = made.county if isinstance(made, Correction) else made.alert
    return Made("alerts", None, key, encode_alert(made), id_of(made))


_encode = msgspec.msgpack.Encoder().encode
