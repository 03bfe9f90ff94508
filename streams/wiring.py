"""Everything that a command needs, built in one place: profile, source, store, runtime, and the reading side."""

import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from streams.clock import Clock, WallClock
from streams.core.alert import Ended, Joined, Transition
from streams.core.alert_log import alert_log
from streams.core.city import City, Size
from streams.core.instant import SECOND, WEEK, Duration, Instant
from streams.core.window import NOMINAL, WindowGrid
from streams.ledger.alerts import Alert, AlertFilter
from streams.ledger.connection import FILE
from streams.ledger.desk import AlertDesk
from streams.ledger.place import Where
from streams.ledger.reader import ANY, LedgerReader
from streams.ledger.store import LedgerStore
from streams.ports import BATCH, SeriesLayout
from streams.profile import Profile, load
from streams.profile.kept import keep_profile, kept_profile, yaml_of
from streams.replay.evaluate import Evaluation, evaluate
from streams.replay.labels import Label, Shape
from streams.replay.simulate import Progress, Simulation, simulate
from streams.sources.between import Between
from streams.sources.contract import Source
from streams.sources.csv_export import CsvSource
from streams.sources.inbox import InboxReader, read_header
from streams.sources.memory import MemorySource
from streams.sources.recorder import RecordingWriter
from streams.sources.recording import Header, RecordingReader

if TYPE_CHECKING:  # numba takes a second to import: only what runs the steps waits for it
    from streams.broker.settings import BrokerSettings
    from streams.core.clusters import ScannedDay
    from streams.core.explanation import Explanation
    from streams.core.judge import JudgePlan
    from streams.runtime.embedded import EmbeddedRuntime
    from streams.runtime.topic_ledger import TopicLedgerRuntime

_GZIP = b"\x1f\x8b"
_LONGEST_WARM_UP_WEEKS = 60


def open_profile(which: str | Path) -> Profile:
    """The profile of a name or folder, checked against the detectors that there are. Raises ProfileError."""
    return load(which)


def warm_up(city: City | None = None) -> None:
    """Compile the detectors, or load what was compiled before; with a city the steps too, for a process whose first
    hour, day or week must not wait for it."""
    import numpy as np

    from detectors.observation import Slot
    from detectors.registry import COMPILED
    from detectors.scan import find, zones_of

    slot = Slot(0, 0, 0.0, 1.0, np.zeros(1, np.int64))
    for made in COMPILED:
        for windows_per_week in (168, 7, 1):
            detector = made.fresh(1, windows_per_week)
            detector.score(np.array([3]), slot)
            detector.learn(np.array([3]), slot)
    two = np.full((2, 28), 3.0)
    find(two + 1.0, two, two, zones_of([[1], [0]]))
    if city is not None:
        from streams.core.rehearsal import rehearse
        from streams.ledger.packing import Packer

        Packer().pack(rehearse(city))


def compiled_code_folder() -> str:
    """Where numba keeps the machine code of the detectors. Raises RuntimeError where it finds no place."""
    from detectors import tails

    compiled: Any = tails.probability
    return str(compiled.stats.cache_path)


class DataDirError(Exception):
    """A data directory that a command cannot read: which, why, and what to do."""


# ---- sources -------------------------------------------------------------------------------------------------


def recorded_profile(path: Path) -> str | None:
    """Name of the profile that a recording was made with; None for a source that does not say."""
    if path.is_dir():
        return read_header(path).profile
    return None if _is_csv(path) else RecordingReader(path, verify=False).header.profile


def open_source(path: Path, profile: Profile, start: Instant | None = None, end: Instant | None = None) -> Source:
    """The source of a file, by its content: a recording, or a CSV through the profile's mapping; or of a folder, the
    inbox of a live service. Of it what came in between two instants of event time, from the beginning of the hour of
    `start` on: a part of an hour would look like a quiet one. Raises SourceError."""
    if start is not None:
        start = WindowGrid(profile.city.zone, profile.city.day_start).hour(start).start
    source: Source
    if path.is_dir():
        source = InboxReader(path)
    else:
        source = CsvSource(path, profile) if _is_csv(path) else RecordingReader(path)
    return source if start is None and end is None else Between(source, start, end)


def given_source(lines: Sequence[bytes], span: tuple[Instant, Instant]) -> Source:
    """The source of records that are in memory already: a recording's lines, each with its newline."""
    return MemorySource(lines, span)


def _is_csv(path: Path) -> bool:
    """Whether a file is a CSV rather than a recording: by its first bytes, then by its name."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
        if head.startswith(_GZIP):
            with gzip.open(path) as file:
                head = file.read(4)
            return not head.startswith(b"{")
    except (OSError, EOFError):
        return path.name.endswith((".csv", ".csv.gz"))  # the source itself says what is wrong
    return path.suffix.lower() in {".csv", ".tsv", ".txt"} and not head.startswith(b"{")


# ---- replaying -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay that is ready to run: everything it is made of."""

    profile: Profile
    source: Source
    store: LedgerStore
    runtime: "EmbeddedRuntime"


@contextmanager
def open_replay(
    profile: Profile,
    source: Source,
    data_dir: Path,
    *,
    batch: int = BATCH,
    checkpoint_seconds: float = 5.0,
) -> Iterator[Replay]:
    """A source, a profile and a data directory put together, at the directory's own position; closed at the end.

    Raises LedgerError, or ResumeError where the directory holds another run.
    """
    from streams.runtime.embedded import EmbeddedRuntime, ResumeError

    with LedgerStore(data_dir, SeriesLayout.of(profile.city), profile.retention) as store:
        interval = round(checkpoint_seconds * SECOND)
        try:
            runtime = EmbeddedRuntime(profile, source, store, batch=batch, checkpoint_interval=interval)
        except ResumeError as error:
            raise ResumeError(f"{data_dir}: {error}") from None
        keep_profile(data_dir, profile)
        yield Replay(profile, source, store, runtime)


# ---- topics into a ledger ------------------------------------------------------------------------------------


@contextmanager
def open_topic_ledger(profile: Profile, brokers: "BrokerSettings", where: Where) -> Iterator["TopicLedgerRuntime"]:
    """The topics of the distributed runtime and a ledger put together, at the ledger's own positions.

    Raises BrokerError, LedgerError; TopicError where the topics are not those that the ledger was filled from.
    """
    from streams.broker.names import Topics
    from streams.ledger.topics import TopicLedger
    from streams.runtime.cluster import Cluster
    from streams.runtime.topic_ledger import TopicLedgerRuntime
    from streams.sources.step_topics import StepTopics

    topics, config = Topics(brokers.topic_prefix), brokers.for_kafka_python()
    outputs = (topics.windows, topics.scores, topics.alerts, topics.dlq)
    cluster = Cluster(brokers)
    facts = cluster.topics([topics.events, *outputs, topics.checkpoints])
    events = facts[topics.events]
    city = profile.city
    ledger = TopicLedger(
        where, SeriesLayout.of(city), f"{events.name} {events.id}", events.partitions, profile.retention
    )
    with ledger, StepTopics(config, outputs) as made, StepTopics(config, [topics.checkpoints]) as checkpoints:
        if isinstance(where, Path):
            keep_profile(where, profile)
        else:
            ledger.keep_profile(yaml_of(profile))
        yield TopicLedgerRuntime(
            topics,
            facts,
            made,
            checkpoints,
            ledger,
            profile.version,
            city.allowed_lateness,
            lambda: cluster.check_same(facts),
        )


# ---- reading -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertTold:
    """An alert with all that its sentence is made of."""

    alert: Alert
    joined: tuple[Joined, ...]
    ended: Ended | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A run as it can be read: its ledger, and the profile that names what is in it."""

    where: Where
    profile: Profile
    ledger: LedgerReader

    def alerts(self, which: AlertFilter = ANY) -> list[AlertTold]:
        """Alerts in the order in which they were raised, each with what joined it and its end."""
        joined: dict[str, list[Joined]] = {}
        ended: dict[str, Ended] = {}
        for transition in self.ledger.transitions():
            if isinstance(transition, Joined):
                joined.setdefault(transition.alert, []).append(transition)
            elif isinstance(transition, Ended):
                ended[transition.alert] = transition
        return [
            AlertTold(alert, tuple(joined.get(alert.id, ())), ended.get(alert.id))
            for alert in self.ledger.alerts(which)
        ]

    def alert_log(self) -> bytes:
        """The alert log so far."""
        return alert_log(self.ledger.transitions())


@contextmanager
def open_reading(where: Where, profile: str | None = None) -> Iterator[Reading]:
    """A ledger to read from, beside whoever writes it; `profile`: other names than those kept with it.

    Raises DataDirError where it holds no run, LedgerError, ProfileError.
    """
    with open_ledger(where) as ledger:
        made = open_profile(profile) if profile else _kept(where, ledger)
        if made is None:
            raise DataDirError(f"{where}: its profile is not with it; give it with --profile")
        yield Reading(where, made, ledger)


def _kept(where: Where, ledger: LedgerReader) -> Profile | None:
    """The profile that a data directory keeps as a folder, and a database as a table of files."""
    if isinstance(where, Path):
        folder = kept_profile(where)
        return None if folder is None else open_profile(folder)
    content = ledger.profile_files()
    if not content:
        return None
    with TemporaryDirectory(prefix="jiantu-profile-") as unpacked:
        for name, data in content.items():
            Path(unpacked, Path(name).name).write_bytes(data)
        return open_profile(unpacked)


def explanation(reading: Reading, county: str, signal: str, size: Size, at: Instant) -> "Explanation":
    """Why the window of a series that holds an instant did, or did not, lead to an alert: asked of the ledger."""
    from detectors.registry import DETECTORS
    from streams.core.explain import Around, explain
    from streams.core.judge import JudgePlan
    from streams.core.levels import levels_of

    city = reading.profile.city
    plan = JudgePlan.of(city, levels_of(city), {name: made.version for name, made in DETECTORS.items()})
    window = plan.grid.window(size, at)
    scored = reading.ledger.scored_window(size, window.end)
    week = [
        found
        for one in Size
        for end in _ends(plan.grid, one, window.end)
        if (found := reading.ledger.scored_window(one, end)) is not None
    ]
    transitions = reading.ledger.transitions()
    scanned = _scanned(reading, plan, window.end, transitions) if size is Size.DAY else ()
    return explain(plan, signal, county, size, at, scored, transitions, Around(week, scanned))


def _scanned(
    reading: Reading, plan: "JudgePlan", end: Instant, transitions: Sequence[Transition]
) -> "tuple[ScannedDay, ...]":
    """What the scan had before it as a day ended; () where not all of it is kept any more."""
    from detectors.scan import LONGEST
    from streams.core.recall import scans

    ledger = reading.ledger
    ends = [one for one in ledger.scored_ends(Size.DAY) if one <= end][-LONGEST:]
    if not plan.scans.signals or (len(ends) < LONGEST and ledger.retained().get("scores", (0, 0))[1]):
        return ()
    days = (ledger.scored_window(Size.DAY, one) for one in ends)
    seen = [scanned for _, scanned in scans(plan, (day for day in days if day is not None), transitions)]
    return seen[-1] if seen else ()


def evaluated(reading: Reading, labels: Sequence[Label]) -> Evaluation:
    """The alerts of a data directory held against labels."""
    city, ledger = reading.profile.city, reading.ledger
    progress = ledger.progress()
    days = ledger.metrics(city.counties[0].code, Size.DAY)
    start = days[0].start if days else 0
    reached = start if progress is None or progress.watermark is None else progress.watermark + city.allowed_lateness
    return evaluate(ledger.transitions(), labels, city, start + _shortest_warm_up(reading.profile), reached)


def _shortest_warm_up(profile: Profile) -> Duration:
    """How long after the beginning of a stream the first of its tests can judge: each detector is asked."""
    import numpy as np

    from detectors.observation import ScoreReason, Slot
    from detectors.registry import SCANS, create

    lengths: list[Duration] = []
    for name in sorted({name for signal in profile.city.signals for name in signal.detectors} - set(SCANS)):
        for size in sorted(
            {size for signal in profile.city.signals for size in signal.sizes if name in signal.detectors_at(size)}
        ):
            a_week = WEEK // NOMINAL[size]
            detector = create(name, 1, a_week)
            for window in range(_LONGEST_WARM_UP_WEEKS * a_week):
                hour_of_week = window % a_week * (168 // a_week)
                slot = Slot(window, hour_of_week, window / (a_week * 52) % 1, 1.0, np.zeros(1, np.int64))
                if detector.score(np.array([5]), slot).reason[0] == ScoreReason.SCORED:
                    lengths.append(window * NOMINAL[size])
                    break
                detector.learn(np.array([5]), slot)
    return min(lengths, default=0)


def _ends(grid: WindowGrid, size: Size, until: Instant) -> Iterator[Instant]:
    """Ends of the windows of a size that end in the 7 days up to an instant, latest first."""
    window = grid.window(size, until)
    if window.end > until:
        window = grid.window(size, window.start - 1)
    while window.end > until - WEEK:
        yield window.end
        window = grid.window(size, window.start - 1)


def open_ledger(where: Where) -> LedgerReader:
    """The ledger alone, to read from. Raises DataDirError, LedgerError."""
    _check_run(where)
    return LedgerReader(where)


def open_desk(where: Where, clock: Clock | None = None) -> AlertDesk:
    """Where people deal with alerts. Raises DataDirError, LedgerError."""
    _check_run(where)
    return AlertDesk(where, clock or WallClock())


def zone_of(where: Where) -> tzinfo:
    """The zone that times are shown in: of the profile that is kept with a ledger, or UTC where there is none."""
    with open_ledger(where) as ledger:
        kept = _kept(where, ledger)
    return UTC if kept is None else kept.city.zone


def _check_run(data_dir: Where) -> None:
    if isinstance(data_dir, Path) and not (data_dir / FILE).is_file():
        what = "holds no run" if data_dir.is_dir() else "no such directory"
        raise DataDirError(f"{data_dir}: {what}; give the --data-dir of a `jiantu replay`")


def alerts_so_far(data_dir: Path) -> int:
    """How many alerts a data directory holds; 0 where nothing has run into it."""
    if not (data_dir / FILE).is_file():
        return 0
    with LedgerReader(data_dir) as ledger:
        return len(ledger.alerts())


# ---- simulating ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """What a simulation wrote."""

    simulation: Simulation
    events: int
    ticks: int


def simulated(
    profile: Profile,
    days: int,
    seed: int,
    *,
    incidents: int,
    scale: float,
    start: date | None = None,
    shapes: Sequence[Shape] = (),
) -> Simulation:
    """A simulation, not run yet. Raises SimulationError."""
    return simulate(profile, days, seed, incidents=incidents, scale=scale, start=start, shapes=shapes)


def record_simulation(simulation: Simulation, path: Path, progress: Progress | None = None) -> Written:
    """Run a simulation into a recording, whole or not at all. Raises SourceError where it cannot be written."""
    header = Header(
        profile=simulation.profile.name, span=simulation.span_text, seed=simulation.seed, created_by="jiantu simulate"
    )
    events = ticks = 0
    with RecordingWriter(path, header) as writer:
        for block in simulation.blocks(progress):
            writer.write_lines(block.lines)
            events += block.events
            ticks += block.ticks
    return Written(simulation, events, ticks)
