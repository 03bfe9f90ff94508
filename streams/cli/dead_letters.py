"""Dead letters, listed and redriven, as the command line shows them."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from streams.broker.names import Topics
from streams.broker.partitioner import partition_of
from streams.broker.settings import BrokerSettings
from streams.cli.ending import WrongInputError
from streams.cli.figures import rows_text
from streams.cli.progress import bar
from streams.cli.screen import print_json, say, show, warn
from streams.clock import WallClock
from streams.core.record import Reason
from streams.core.wire import DeadLetter, id_of
from streams.sinks.redrive import Original, Outcome, Redrive, Redriven
from streams.sources.dead_letters import Letters, read_letters, redriven
from streams.sources.topic_reading import TopicReader
from streams.wiring.inputs import open_profile

OUTCOME_NAMES = {
    Outcome.REDRIVEN: ("已重投", "redriven"),
    Outcome.CAN_BE: ("可以重投", "can be redriven"),
    Outcome.ALREADY: ("以前已重投", "redriven before"),
    Outcome.STILL: ("仍不能", "still rejected"),
    Outcome.AGAIN: ("重投后又被拒", "rejected again after it was redriven"),
    Outcome.GONE: ("原件已过保存期", "gone: retention has removed it"),
    Outcome.DIFFERS: ("原件不符", "another record lies there: is it the same topic?"),
}


def letters_of(brokers: BrokerSettings, reason: str | None, *, quiet: bool) -> list[DeadLetter]:
    """The dead letters there are, of one reason or of all."""
    return list(_of_reason(_read(brokers, quiet=quiet), reason).values())


def show_letters(letters: Sequence[DeadLetter], limit: int, *, as_json: bool) -> None:
    """As JSON, or the counts and the latest of them as tables."""
    counts = Counter(letter.reason for letter in letters)
    by_reason = dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))
    if as_json:
        print_json(
            {
                "total": len(letters),
                "by_reason": {reason.value: total for reason, total in by_reason.items()},
                "letters": [_place(letter) for letter in letters],
            }
        )
        return
    if not letters:
        say("没有拒收的记录", "no dead letters")
        return
    show(rows_text([("合计 in all", f"{len(letters):,}"), *((one.value, f"{n:,}") for one, n in by_reason.items())]))
    latest = sorted(letters, key=lambda one: (one.reached, one.partition, one.offset))[-limit:] if limit else []
    if latest:
        table = Table("理由 reason", "字段 field", "分区:位置 partition:offset", "摘要 digest", box=None)
        for one in latest:
            table.add_row(one.reason.value, one.place, f"{one.topic} {one.partition}:{one.offset}", one.digest[:16])
        show(table)


def redriven_now(
    brokers: BrokerSettings, profile: str, reason: str | None, *, rehearsal: bool, quiet: bool
) -> list[Redriven]:
    """Redrive what can be; every letter with its outcome."""
    city = open_profile(profile).city
    found = _read(brokers, quiet=quiet)
    wanted = _of_reason(found, reason)
    if not wanted:
        return []
    topic = Topics(brokers.topic_prefix).events
    config = brokers.for_kafka_python()
    clock = WallClock()
    done: list[Redriven] = []
    with TopicReader(config, topic) as events:

        def place(county: str) -> int:
            return partition_of(county, events.partitions)

        with _bar("查已重投的 looking for what was redriven", quiet=quiet) as progress:
            before = redriven(events, found.earliest, progress)
        with (
            Redrive(config, topic, city, place, rehearsal=rehearsal) as redrive,
            _bar("重投 redriving", quiet=quiet) as progress,
        ):
            for name, letter in wanted.items():
                if name in before:
                    done.append(Redriven(letter, Outcome.ALREADY))
                else:
                    done.append(redrive.take(letter, _original(events, letter), clock.now()))
                progress(len(done), len(wanted))
    return done


def show_redriven(done: Sequence[Redriven], *, as_json: bool) -> None:
    """As JSON, or counts by outcome with the reasons of what still cannot."""
    outcomes = Counter(one.outcome for one in done)
    still = Counter(one.reason for one in done if one.reason is not None)
    if as_json:
        print_json(
            {
                "total": len(done),
                "by_outcome": {outcome.value: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
                "letters": [
                    {
                        **_place(one.letter),
                        "outcome": one.outcome.value,
                        "still": None if one.reason is None else one.reason.value,
                    }
                    for one in done
                ],
            }
        )
        return
    if not done:
        say("没有拒收的记录", "no dead letters")
        return
    rows = []
    for outcome in Outcome:
        if outcomes[outcome]:
            zh, en = OUTCOME_NAMES[outcome]
            rows.append((f"{zh} {en}", f"{outcomes[outcome]:,}"))
    rows += [(f"  {reason.value}", f"{total:,}") for reason, total in sorted(still.items())]
    show(rows_text(rows))


def _read(brokers: BrokerSettings, *, quiet: bool) -> Letters:
    with (
        TopicReader(brokers.for_kafka_python(), Topics(brokers.topic_prefix).dlq) as reader,
        _bar("读拒收 reading dead letters", quiet=quiet) as progress,
    ):
        found = read_letters(reader, progress)
    if found.unreadable:
        warn(f"{found.unreadable} 条不是拒收记录，略过", f"{found.unreadable} records are no dead letters: left out")
    return found


def _of_reason(found: Letters, reason: str | None) -> dict[str, DeadLetter]:
    if reason is None:
        return dict(found.letters)
    try:
        wanted = Reason(reason)
    except ValueError:
        words = ", ".join(Reason)
        raise WrongInputError(f"没有理由 “{reason}”；有 {words}", f'no reason "{reason}"; there are: {words}') from None
    return {name: letter for name, letter in found.letters.items() if letter.reason is wanted}


def _original(events: TopicReader, letter: DeadLetter) -> Original | None:
    if letter.topic != events.topic:
        return None
    record = events.record(letter.partition, letter.offset)
    if record is None:
        return None
    return Original(record.value or b"", tuple((name, value or b"") for name, value in record.headers))


def _place(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": id_of(letter),
        "reason": letter.reason.value,
        "field": letter.place,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "digest": letter.digest,
    }


@contextmanager
def _bar(words: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar over records; yields what to call with (done, in all)."""
    with bar(TextColumn(words), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), quiet=quiet) as shown:
        task = shown.add_task("", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
