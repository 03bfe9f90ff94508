"""The topic `alerts`, followed and shown."""

from dataclasses import dataclass
from typing import Self

import msgspec
from rich.text import Text

from streams.broker.names import Topics
from streams.broker.settings import BrokerSettings
from streams.cli.ending import WrongInputError
from streams.cli.interruption import Interruption
from streams.cli.screen import out, print_bytes, warn
from streams.core.alert import Ended, Joined, Raised, Severity, Transition
from streams.core.instant import format_instant, to_datetime
from streams.core.outputs import Correction
from streams.core.wire import WireError, decode_alert, id_of
from streams.profile import Profile
from streams.sources.topic_reading import TopicReader
from streams.wiring.inputs import open_profile
from streams.wording.catalog import Speech
from streams.wording.names import Names
from streams.wording.sentence import sentence


@dataclass(slots=True)
class Shown:
    """How transitions are shown."""

    profile: Profile | None
    lang: str
    as_json: bool

    @classmethod
    def of(cls, profile: str | None, lang: str, *, as_json: bool) -> Self:
        """`profile`: its name or folder. Raises ProfileError."""
        return cls(None if profile is None else open_profile(profile), lang, as_json)

    def show(self, transition: Transition, partition: int, offset: int) -> None:
        """One line."""
        if self.as_json:
            document = {"partition": partition, "offset": offset, **self._document(transition)}
            print_bytes(msgspec.json.encode(document) + b"\n")
            return
        style = "dim"
        if isinstance(transition, Raised):
            style = "bold red" if transition.severity is Severity.CRITICAL else "yellow"
        out.print(Text.assemble((f"● {transition.alert[:8]} ", style), self._words(transition)), soft_wrap=True)

    def _document(self, transition: Transition) -> dict[str, object]:
        zone = None if self.profile is None else self.profile.city.zone
        made: dict[str, object] = {"type": transition.__struct_config__.tag, "id": id_of(transition)}
        made |= msgspec.to_builtins(transition)
        made["at"] = format_instant(transition.at) if zone is None else format_instant(transition.at, zone)
        if isinstance(transition, Raised) and self.profile is not None:
            made["sentence"] = sentence(self.profile, transition, locale="zh")
            made["sentence_en"] = sentence(self.profile, transition, locale="en")
        return made

    def _words(self, transition: Transition) -> str:
        if self.profile is None:
            return _codes(transition)
        if isinstance(transition, Raised):
            return sentence(self.profile, transition, locale=self.lang)
        at = f"{to_datetime(transition.at, self.profile.city.zone):%Y-%m-%d %H:%M}"
        if isinstance(transition, Ended):
            return f"{at} 结束 ended"
        names = Names(self.profile, Speech(self.lang))
        return f"{at} 又有 joined by {names.signal(transition.evidence.signal)} {transition.evidence.count}"


def _codes(transition: Transition) -> str:
    """What a transition says without the names of its city."""
    at = format_instant(transition.at)
    if isinstance(transition, Ended):
        return f"{at} ended"
    case = transition.evidence
    what = f"{case.signal} {case.size} {case.count} (expected {case.expected})"
    if isinstance(transition, Joined):
        return f"{at} joined {what}"
    return f"{at} raised {transition.severity} {transition.county} {what}"


def follow(brokers: BrokerSettings, shown: Shown, since: str, interruption: Interruption, *, once: bool) -> None:
    """Show what is in the topic from a place on, each transition once however often it was written."""
    seen: set[str] = set()
    with TopicReader(brokers.for_kafka_python(), Topics(brokers.topic_prefix).alerts) as reader:
        until = reader.ends() if once else None
        for polled in reader.read(_places(reader, since), until):
            for partition, records in polled.items():
                for record in records:
                    try:
                        alerted = decode_alert(record.value or b"")
                    except WireError as error:
                        warn(f"位置 {partition}:{record.offset} 读不懂", f"at {partition}:{record.offset}: {error}")
                        continue
                    if isinstance(alerted, Correction) or (name := id_of(alerted)) in seen:
                        continue
                    seen.add(name)
                    shown.show(alerted, partition, record.offset)
            if interruption.asked:
                return


def _places(reader: TopicReader, since: str) -> list[int]:
    if since == "end":
        return reader.ends()
    places = reader.beginnings()
    if since == "start":
        return places
    # Partitions that are not named are read from their end on.
    places = reader.ends()
    try:
        for place in since.split(","):
            partition, _, offset = place.rpartition(":")
            places[int(partition or "0")] = int(offset) + 1
    except (ValueError, IndexError):
        raise WrongInputError(
            f"--from “{since}” 不对，写 end、start 或 分区:位置",
            f'--from "{since}": write end, start or PARTITION:OFFSET',
        ) from None
    return places
