"""From topics into the ledger: what the steps wrote, taken once, with the accounting of their checkpoints.

In rounds: look which checkpoints the tally has written; read the other topics at least to where they ended then; write.
A checkpoint is written only after everything before it is durable, so that no accounting is ever ahead of its rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import zstandard
from kafka.consumer.fetcher import ConsumerRecord

from streams.broker.errors import BrokerError, TopicError
from streams.broker.names import Topics
from streams.core.alert import Transition
from streams.core.instant import Duration
from streams.core.outputs import ClosedWindow, Correction, ScoredWindow
from streams.core.wire import DeadLetter, WireError, decode_alert, decode_dead_letter, decode_score, decode_window
from streams.ledger.topics import Account, Place, Taken, TopicLedger, TopicPosition
from streams.ports import Outputs
from streams.runtime.checkpoints import FORMAT, STOPPED, Manifest
from streams.runtime.cluster import TopicFacts
from streams.runtime.failures import Failure
from streams.sources.step_topics import StepTopics

_WAIT_MS = 200
_TALLY = "tally"
_manifests = msgspec.msgpack.Decoder(Manifest)

_Stops = dict[tuple[str, int], str | None]
"""By step and partition: why it has stopped for good; None: it goes on."""

Watch = Callable[["Progress"], bool]
"""Told after every transaction; False: stop here."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it has come."""

    taken: int
    """Records that this call read."""
    behind: int
    """Records that lay before it when the round began."""


@dataclass(slots=True)
class _Read:
    """What a transaction will hold."""

    transitions: list[Transition] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    scored: list[ScoredWindow] = field(default_factory=list)
    closed: list[ClosedWindow] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    def outputs(self) -> Outputs:
        return Outputs(
            transitions=self.transitions, scored=self.scored, closed=self.closed, corrections=self.corrections
        )


class TopicLedgerRuntime:
    """Fills one ledger from the topics of one installation."""

    def __init__(
        self,
        topics: Topics,
        facts: Mapping[str, TopicFacts],
        outputs: StepTopics,
        checkpoints: StepTopics,
        ledger: TopicLedger,
        profile_version: str,
        allowed_lateness: Duration,
        check: Callable[[], None],
    ) -> None:
        """`outputs`: windows, scores, alerts and dead letters. Goes to where the ledger is; raises TopicError where
        a topic was made again, or no longer holds what would come next. `check` raises it where one is no longer what
        `facts` say: it is called before anything is written, as nobody else says that a topic was made again."""
        self._topics = topics
        self._facts = facts
        self._outputs = outputs
        self._checkpoints = checkpoints
        self._ledger = ledger
        self._profile = profile_version.encode()
        self._lateness = allowed_lateness
        self._check = check
        self._positions: dict[Place, int] = {}
        for reader in (outputs, checkpoints):
            begin = self._starts(reader)
            reader.go_to(begin)
            self._positions |= begin

    def _starts(self, reader: StepTopics) -> dict[Place, int]:
        begin, ends = reader.beginnings(), reader.ends()
        for place in begin:
            known = self._ledger.positions.get(place)
            if known is None:
                continue
            topic, partition = place
            if known.topic_id != self._facts[topic].id:
                raise TopicError(topic, "is another topic than the ledger was filled from", "give a fresh ledger")
            if not begin[place] <= known.position <= ends[place]:
                what = f"partition {partition} holds {begin[place]} to {ends[place]}, the ledger is at {known.position}"
                raise TopicError(topic, what, "records between are lost: restore the topic, or give a fresh ledger")
            begin[place] = known.position
        return begin

    def run(self, watch: Watch, *, once: bool) -> int:
        """Take what comes until told to stop, or (`once`) what there is now; how many records were read. Raises
        TopicError, BrokerError, LedgerError."""
        try:
            return self._run(watch, once=once)
        except TopicError:
            raise
        except BrokerError:
            self._check()  # kafka-python says of a topic that is gone that nobody answers
            raise

    def _run(self, watch: Watch, *, once: bool) -> int:
        taken = 0
        while True:
            accounts, stops, checked = self._new_accounts(wait_ms=0 if once else _WAIT_MS, to_the_end=once)
            goals = self._outputs.ends()
            behind = sum(goals[place] - self._positions[place] for place in goals)
            read, more = _Read(), True
            while more:
                count = self._poll(read, wait_ms=_WAIT_MS if behind else 0)
                more = any(self._positions[place] < goal for place, goal in goals.items())
                if not more:
                    self._positions |= checked
                if count or not more:
                    taken += count
                    self._commit(read, {} if more else accounts, {} if more else stops)
                    read = _Read()
                    if not watch(Progress(taken, behind)):
                        return taken
            if once:
                return taken

    def _poll(self, read: _Read, wait_ms: int) -> int:
        """Read what came; how many records."""
        count = 0
        for (topic, _), records in self._outputs.poll(wait_ms):
            count += len(records)
            for record in records:
                self._check_profile(record)
                self._decode(topic, record, read)
        self._positions |= self._outputs.reached()
        return count

    def _decode(self, topic: str, record: ConsumerRecord, read: _Read) -> None:
        value = record.value or b""
        try:
            if topic == self._topics.alerts:
                alerted = decode_alert(value)
                if isinstance(alerted, Correction):
                    read.corrections.append(alerted)
                else:
                    read.transitions.append(alerted)
            elif topic == self._topics.scores:
                scored = decode_score(value)
                if isinstance(scored, ScoredWindow):
                    read.scored.append(scored)
            elif topic == self._topics.windows:
                window = decode_window(value)
                if window.metrics is not None:
                    read.closed.append(window)
            else:
                read.letters.append(decode_dead_letter(value))
        except WireError as error:
            what = f"record {record.offset} of partition {record.partition} is none of jiantu's ({error})"
            raise TopicError(
                topic, what, "somebody else writes into this topic; give jiantu topics of its own"
            ) from None

    def _check_profile(self, record: ConsumerRecord) -> None:
        made_with = dict(record.headers).get("profile", self._profile)
        if made_with != self._profile:
            raise TopicError(
                record.topic,
                f"record {record.offset} of partition {record.partition} was made with another version of the profile",
                "give the --profile that the workers have",
            )

    def _new_accounts(self, wait_ms: int, *, to_the_end: bool) -> tuple[dict[int, Account], _Stops, dict[Place, int]]:
        """The accounts of the newest checkpoints of the tally, by partition; what has stopped for good, or goes on
        since; and where reading them goes on."""
        found: dict[int, Account] = {}
        stops: _Stops = {}
        ends = self._checkpoints.ends() if to_the_end else {}
        while True:
            for _, records in self._checkpoints.poll(_WAIT_MS if to_the_end else wait_ms):
                for record in records:
                    self._look(record, found, stops)
            reached = self._checkpoints.reached()
            if all(reached[place] >= end for place, end in ends.items()):
                return found, stops, reached

    def _look(self, record: ConsumerRecord, found: dict[int, Account], stops: _Stops) -> None:
        """Take up a manifest of the tally. Of whoever, whenever: what a tally says at a position is always the same."""
        step, _, rest = (record.key or b"").decode(errors="replace").partition("/")
        partition, _, writer = rest.partition("/")
        if "/" in writer or not partition.isdecimal():
            return
        if writer == STOPPED:
            stops[step, int(partition)] = _why(record.value)
            return
        if record.value is None:
            return
        stops[step, int(partition)] = None  # a step that writes a checkpoint goes on
        if step != _TALLY:
            return
        try:
            manifest = _manifests.decode(zstandard.ZstdDecompressor().decompress(record.value))
        except (msgspec.MsgspecError, zstandard.ZstdError):
            return
        events = self._facts[self._topics.events]
        if manifest.format != FORMAT or manifest.about.topic_id != events.id:
            return
        number = int(partition)
        if number not in found or found[number].position < manifest.position:
            watermark = None if manifest.reached is None else manifest.reached - self._lateness
            found[number] = Account(manifest.position, watermark, manifest.accounting)

    def _commit(self, read: _Read, accounts: Mapping[int, Account], stops: _Stops) -> None:
        positions = {
            place: TopicPosition(self._facts[place[0]].id, position) for place, position in self._positions.items()
        }
        if positions == self._ledger.positions:
            return
        self._check()
        self._ledger.commit(
            Taken(outputs=read.outputs(), letters=read.letters, accounts=accounts, positions=positions, stops=stops)
        )


def _why(note: bytes | None) -> str | None:
    """What a note says of a stop; None: it was taken away."""
    if note is None:
        return None
    try:
        return msgspec.json.decode(note, type=Failure).error
    except msgspec.MsgspecError:
        return "?"
