"""The topics that there are to be, and who may do what with them: `topics.yaml`, read and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

BUNDLED = Path(__file__).with_name("topics.yaml")

TopicName = Literal["events", "windows", "scores", "alerts", "events.dlq", "checkpoints"]
SOURCES: tuple[TopicName, ...] = ("events", "windows", "scores")
"""Topics that a step reads: it has checkpoints for each of their partitions."""


class TopicsFileError(Exception):
    """A file of topics that cannot be used: where, what, and what it may hold; one line each."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Topic(_Model):
    """One topic, as it is to be."""

    partitions: Annotated[int, Field(ge=1, le=1000)]
    config: Mapping[str, str]
    """Kafka's own names and values."""
    replay: Mapping[str, str] = {}
    """What is different where recordings are replayed into it."""

    @field_validator("config", "replay", mode="before")
    @classmethod
    def _as_kafka_writes_it(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


class Rights(_Model):
    """What one account may do."""

    read: tuple[TopicName, ...] = ()
    write: tuple[TopicName, ...] = ()
    describe: tuple[TopicName, ...] = ()
    """See the settings of."""
    groups: bool = False
    """Be a member of the consumer groups."""
    brokers: bool = False
    """See the settings of the brokers."""


class TopicsFile(_Model):
    """A whole file."""

    replication: Annotated[int, Field(ge=1, le=10)]
    topics: Mapping[TopicName, Topic]
    principals: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z]+:\S.*$")], Rights] = {}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        missing = [name for name in TopicName.__args__ if name not in self.topics]  # type: ignore[attr-defined]  # Literal has
        if missing:
            raise ValueError(f"topics: {', '.join(missing)}: missing")
        if self.topics["scores"].partitions != 1:
            raise ValueError("topics.scores.partitions: the judge sees everything in one order: 1")
        most = max(self.topics[name].partitions for name in SOURCES)
        if self.topics["checkpoints"].partitions < most:
            raise ValueError(
                f"topics.checkpoints.partitions: at least {most}, as many as the largest of {', '.join(SOURCES)}"
            )
        return self

    def changed(self, *, replication: int | None = None, partitions: int | None = None) -> "TopicsFile":
        """The same with so many copies; with so many partitions of `events`, and of what follows from it."""
        given = self.model_dump()
        if replication is not None:
            given["replication"] = replication
        if partitions is not None:
            others = max(self.topics[name].partitions for name in SOURCES if name != "events")
            given["topics"]["events"]["partitions"] = partitions
            given["topics"]["checkpoints"]["partitions"] = max(partitions, others)
        return _checked(given, "--replication, --partitions")

    def config_of(self, name: TopicName, *, replay: bool) -> dict[str, str]:
        """The settings of one topic, those included that follow from others."""
        topic = self.topics[name]
        in_sync = {"min.insync.replicas": str(max(1, self.replication - 1))}
        return {**in_sync, **topic.config, **(topic.replay if replay else {})}


def read_topics_file(path: Path | None = None) -> TopicsFile:
    """The topics of a file, or of the one that comes with jiantu. Raises TopicsFileError."""
    path = path or BUNDLED
    try:
        given = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TopicsFileError(f"{path}: 没有这个文件 no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise TopicsFileError(f"{path}: 读不了 cannot be read ({error})") from None
    except YAMLError as error:
        raise TopicsFileError(f"{path}: 不是 YAML is no YAML: {' '.join(str(error).split())}") from None
    return _checked(given, str(path))


def _checked(given: object, where: str) -> TopicsFile:
    try:
        return TopicsFile.model_validate(given)
    except ValidationError as error:
        lines = []
        for one in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in one["loc"] if part != "[key]")
            lines.append(f"{where}: {place}{': ' if place else ''}{one['msg'].removeprefix('Value error, ')}")
        raise TopicsFileError("\n".join(lines)) from None
