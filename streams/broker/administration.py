"""kafka-python's admin client, with its silences broken: every answer's error is raised, every wait has an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    NewTopic,
    ResourcePatternFilter,
    ResourceType,
)
from kafka.errors import SecurityDisabledError, UnknownTopicOrPartitionError, for_code

from streams.broker.errors import BrokerError, told
from streams.broker.reach import reach
from streams.broker.settings import BrokerSettings

_NO_SUCH_TOPIC = UnknownTopicOrPartitionError.errno
_LOOKS = 100
"""A few milliseconds each."""
_HIDDEN = for_code(29)
"""TopicAuthorizationFailed: the broker does not say whether there is such a topic."""


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the broker has it."""

    name: str
    identity: str
    """Its id: another one after it was deleted and made again."""
    partitions: int
    replication: int
    """The smallest number of copies that a partition has."""
    may: frozenset[str]
    """What this account may do with it: READ, WRITE, DESCRIBE_CONFIGS ..."""


class Administration:
    """A connection for looking and changing. As a context manager it closes itself."""

    def __init__(self, settings: BrokerSettings) -> None:
        """Raises BrokerError with the reason why no broker lets us in."""
        reach(settings)
        self.where = ",".join(settings.addresses)
        with told(self.where):
            self._client = KafkaAdminClient(**settings.for_kafka_python())

    def brokers(self) -> list[int]:
        """The ids of the brokers that are there."""
        with told(self.where):
            return sorted(one["broker_id"] for one in self._client.describe_cluster()["brokers"])

    def topics(self, names: Sequence[str]) -> dict[str, FoundTopic]:
        """Those of the topics that there are, and that this account may see."""
        with told(self.where):
            answers = self._client.describe_topics(list(names))
        found = {}
        for one in answers:
            code, name = one["error_code"], one["name"]
            if code == _NO_SUCH_TOPIC:
                continue
            if code:
                raise BrokerError(f"{self.where}: {name}", *_words_for(for_code(code)))
            found[name] = FoundTopic(
                name,
                str(one["topic_id"]),
                len(one["partitions"]),
                min(len(partition["replica_nodes"]) for partition in one["partitions"]),
                frozenset(one.get("authorized_operations") or ()),
            )
        return found

    def configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """All settings of these topics, by topic."""
        found = self._describe([ConfigResource(ConfigResourceType.TOPIC, name) for name in names]).get("topic", {})
        return {name: self._told(name, found.get(name, {})) for name in names}

    def broker_config(self, broker: int) -> dict[str, str]:
        """All settings of a broker that are no secret."""
        found = self._describe([ConfigResource(ConfigResourceType.BROKER, str(broker))]).get("broker", {})
        return self._told(f"broker {broker}", found.get(str(broker), {}))

    def group(self, name: str) -> None:
        """Look at a consumer group, there or not. Raises BrokerError where this account may not be in it."""
        with told(f"{self.where}: {name}"):
            self._client.describe_groups([name])

    def create(self, name: str, partitions: int, replication: int, config: Mapping[str, str]) -> None:
        """Make a topic, and wait until it can be used."""
        topic = NewTopic(name, partitions, replication, topic_configs=dict(config))
        with told(f"{self.where}: {name}"):
            self._client.create_topics([topic])
            self._client.wait_for_topics([name])

    def alter(self, name: str, config: Mapping[str, str]) -> None:
        """Change settings of a topic; the others stay."""
        resource = ConfigResource(ConfigResourceType.TOPIC, name, dict(config))
        with told(f"{self.where}: {name}"):
            answer = self._client.alter_configs([resource], raise_on_unknown=False, incremental=True)
        said = answer.get("topic", {}).get(name, "no answer")  # an error is a text among the results
        if said != "OK":
            raise BrokerError(
                f"{self.where}: {name}", f"设置改不了 the settings are refused ({said})", "see topics.yaml"
            )
        for _ in range(_LOOKS):  # the brokers have it a moment later than they say
            now = self.configs([name])[name]
            if all(now.get(key) == value for key, value in config.items()):
                return

    def acls(self) -> list[ACL] | None:
        """Everything that anybody may do; None where the brokers do not ask."""
        anything = ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY)
        try:
            with told(self.where):
                found, _ = self._client.describe_acls(
                    ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, anything)
                )
        except BrokerError as error:
            if isinstance(error.__cause__, SecurityDisabledError):
                return None
            raise
        return found

    def allow(self, acls: Sequence[ACL]) -> None:
        """Give these rights."""
        with told(self.where):
            answer = self._client.create_acls(acls)
        if answer["failed"]:  # each an error beside its ACL, among the results
            raise BrokerError(
                self.where, f"权限设不了 rights are refused ({answer['failed'][0]})", "see the broker's log"
            )

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _describe(self, resources: list[ConfigResource]) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
        with told(self.where):
            return self._client.describe_configs(resources, config_filter="all")

    def _told(self, what: str, config: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        if not config:  # the client drops the error; nothing has no settings at all
            raise BrokerError(
                f"{self.where}: {what}",
                "无权查看设置 this account may not see its settings, or it is gone",
                "give it the ACL DESCRIBE_CONFIGS: `jiantu topics apply` as an administrator",
            )
        return {name: "" if one["value"] is None else str(one["value"]) for name, one in config.items()}


def _words_for(error: type[Exception]) -> tuple[str, str]:
    if error is _HIDDEN:
        return "无权 this account may not see it", "give it the ACL: `jiantu topics apply` as an administrator"
    return f"{error.__name__}", "see the broker's log"
