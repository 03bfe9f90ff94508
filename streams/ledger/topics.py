"""The ledger as it is filled from topics: rows and the positions that they were read at in one transaction (law 3).

So every record of a topic is taken once, whenever the process is killed. What a worker that repeats its work sends
again has the key that it had, and is ignored. The accounting is that of the steps' own checkpoints, partition by
partition: it is written only when all that was emitted up to them has been taken.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

import msgspec
from sqlalchemy import Connection, select

from streams.core.instant import Instant
from streams.core.outputs import Accounting
from streams.core.record import Rejection
from streams.core.wire import DeadLetter
from streams.ledger import rejects, retention, rows, tables
from streams.ledger.errors import LedgerBusyError, LedgerError
from streams.ledger.place import Where
from streams.ledger.stopped import put_stops
from streams.ledger.writer import LedgerWriter, put_position
from streams.ports import Checkpoint, Outputs, SeriesLayout

_TOTALS = tuple(total.name for total in fields(Accounting))
_topic, _account, _until = tables.topic, tables.account, tables.rejected_until

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class TopicPosition:
    """How far a partition was read."""

    topic_id: str
    """The broker's own: a topic that is made again has another."""
    position: int
    """Offset of the next record."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the records of one partition of events, up to a position."""

    position: int
    watermark: Instant | None
    accounting: Accounting


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was read, and where reading goes on."""

    outputs: Outputs
    """Without rejections: those come as letters."""
    letters: Sequence[DeadLetter]
    accounts: Mapping[int, Account]
    """By partition of events: those that are newer than before, whose outputs have all been taken."""
    positions: Mapping[Place, TopicPosition]
    """Of every partition of every topic."""
    stops: Mapping[tuple[str, int], str | None] = field(default_factory=dict)
    """By step and partition: why it has stopped for good; None: it goes on."""


class TopicLedger(LedgerWriter):
    """Writes what was read from topics."""

    def __init__(
        self, where: Where, layout: SeriesLayout, source: str, partitions: int, periods: retention.Periods | None = None
    ) -> None:
        """`source`: the identity of the topic of events, of so many `partitions`. `periods`: as LedgerStore's.

        Raises LedgerBusyError where another process writes it, LedgerError where it holds something else.
        """
        super().__init__(where, layout, periods)
        self._source = source
        self._partitions = partitions
        try:
            self._positions = self._database.run(self._begin)
        except BaseException:
            self.close()
            raise

    @property
    def positions(self) -> Mapping[Place, TopicPosition]:
        """Where reading goes on; empty in a fresh ledger."""
        return self._positions

    def keep_profile(self, content: Mapping[str, bytes]) -> None:
        """Keep a profile's files, so that names stay readable where there is no folder beside the ledger."""
        kept = [{"name": name, "content": content[name]} for name in sorted(content)]
        self._database.run(lambda db: rows.put(db, tables.profile_file, kept))

    def commit(self, taken: Taken) -> None:
        """Make what was read durable with the positions that it was read at, in one transaction.

        Raises DiskFullError, LedgerLostError, LedgerBusyError where another process has gone on with this ledger;
        then nothing of it is written.
        """
        self._database.run(lambda db: self._write(db, taken))
        self._positions = dict(taken.positions)

    def _begin(self, db: Connection) -> dict[Place, TopicPosition]:
        source = db.execute(select(tables.checkpoint.c.source)).scalar()
        if source not in (None, self._source):
            raise LedgerError(
                f"{self.name}: holds another run ({source}, not {self._source}); give another --data-dir or --ledger"
            )
        return _positions(db)

    def _write(self, db: Connection, taken: Taken) -> None:
        stored = _positions(db)
        if stored == taken.positions:
            return  # cut off after the end of the transaction: all of it is there
        if stored != self._positions:
            raise LedgerBusyError(f"{self.name}: another process has gone on with it; nothing was written")
        self._append(db, taken.outputs)
        for partition in sorted({letter.partition for letter in taken.letters}):
            _append_letters(db, partition, [letter for letter in taken.letters if letter.partition == partition])
        known = dict(db.execute(select(_account.c.partition, _account.c.position)).all())
        rows.put(
            db,
            _account,
            [
                {"partition": p, "position": one.position, "watermark": one.watermark, **asdict(one.accounting)}
                for p, one in sorted(taken.accounts.items())
                if one.position > known.get(p, -1)  # a worker that wakes late says what it knew then
            ],
        )
        self._put_sum(db)
        put_stops(db, taken.stops)
        rows.put(
            db,
            _topic,
            [
                {"name": name, "partition": partition, "topic_id": at.topic_id, "position": at.position}
                for (name, partition), at in sorted(taken.positions.items())
            ],
        )

    def _put_sum(self, db: Connection) -> None:
        """The accounts of all partitions together, as one checkpoint; and what retention lets go there."""
        found = db.execute(select(_account).order_by(_account.c.partition)).mappings().all()
        marks = [one["watermark"] for one in found]
        watermark = min(marks) if len(marks) == self._partitions and None not in marks else None
        put_position(
            db,
            Checkpoint(
                source=self._source,
                profile_version=self._layout.profile_version,
                record=sum(one["position"] for one in found),
                place=msgspec.json.encode({str(one["partition"]): one["position"] for one in found}),
                watermark=watermark,
                accounting=Accounting(**{total: sum(one[total] for one in found) for total in _TOTALS}),
            ),
        )
        if self._periods is not None and watermark is not None:
            retention.apply(db, self._periods, watermark)


def _positions(db: Connection) -> dict[Place, TopicPosition]:
    found = db.execute(select(_topic.c.name, _topic.c.partition, _topic.c.topic_id, _topic.c.position))
    return {(name, partition): TopicPosition(topic_id, position) for name, partition, topic_id, position in found}


def _append_letters(db: Connection, partition: int, letters: Iterable[DeadLetter]) -> None:
    """Append the rejections of one partition and count those that never were: a letter may come twice, the second time
    when retention has let the first one go."""
    by_position = {letter.offset: letter for letter in letters}
    until: int = db.execute(select(_until.c.position).where(_until.c.partition == partition)).scalar() or 0
    rejection = tables.rejection
    again = [position for position in by_position if position < until]
    wanted = select(rejection.c.position).where(rejection.c.partition == partition, rejection.c.position.in_(again))
    there = set(db.execute(wanted).scalars()) if again else set()
    since = retention.retained(db).get("rejections", (0, 0))[0]
    new = [
        (letter.reached, Rejection(letter.reason, position, letter.digest, letter.place))
        for position, letter in sorted(by_position.items())
        if position >= until or (position not in there and letter.reached >= since)
    ]
    rejects.append_rejections(db, new, partition)
    rejects.add_rejection_totals(db, new)
    rows.put(db, _until, [{"partition": partition, "position": max(until, *(p + 1 for p in by_position))}])
