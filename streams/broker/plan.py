"""What a broker lacks of `topics.yaml`, and making it so; what would break state is refused, and all else with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from kafka.admin import ACL

from streams.broker import acls
from streams.broker.administration import Administration, FoundTopic
from streams.broker.settings import BrokerSettings
from streams.broker.topics_file import TopicName, TopicsFile

_DELETING = ("retention.ms", "retention.bytes")
"""Smaller than before, they delete records."""
_MEANING = ("message.timestamp.type", "cleanup.policy")
"""What records in the topic already rely on."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    kind: Literal["create", "alter", "allow", "refused", "note"]
    what: str
    """The topic, or whom it is about."""
    words: str
    todo: str = ""
    config: dict[str, str] = field(default_factory=dict)
    acl: ACL | None = None
    topic: TopicName | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that differs, in the order in which it is done."""

    changes: list[Change]

    @property
    def refused(self) -> list[Change]:
        """What cannot be done without breaking state. With any of it, nothing is done."""
        return [one for one in self.changes if one.kind == "refused"]

    @property
    def todo(self) -> list[Change]:
        """What apply does."""
        return [one for one in self.changes if one.kind in ("create", "alter", "allow")]


class Planner:
    """Compares a file with a broker."""

    def __init__(
        self,
        broker: Administration,
        settings: BrokerSettings,
        file: TopicsFile,
        *,
        replay: bool,
        may_delete: bool = False,
    ) -> None:
        """`replay`: topics for recordings. `may_delete`: retention may become shorter, which deletes records."""
        self._broker = broker
        self._prefix = settings.topic_prefix
        self._group = settings.group
        self._file = file
        self._replay = replay
        self._may_delete = may_delete

    def plan(self) -> Plan:
        """What differs now."""
        there = self._broker.topics([f"{self._prefix}{name}" for name in self._file.topics])
        configs = self._broker.configs(list(there)) if there else {}
        changes: list[Change] = []
        if len(there) < len(self._file.topics):
            changes += self._too_few_brokers()
        for name in self._file.topics:
            full = f"{self._prefix}{name}"
            if full in there:
                changes += self._compared(name, there[full], configs[full])
            else:
                changes.append(self._created(name, full))
        return Plan([*changes, *self._rights()])

    def apply(self, plan: Plan) -> None:
        """Do what the plan says, nothing where something of it is refused."""
        assert not plan.refused
        for one in plan.todo:
            if one.kind == "create" and one.topic is not None:
                self._broker.create(
                    one.what, self._file.topics[one.topic].partitions, self._file.replication, one.config
                )
            elif one.kind == "alter":
                self._broker.alter(one.what, one.config)
        if rights := [one.acl for one in plan.todo if one.acl is not None]:
            self._broker.allow(rights)

    def _too_few_brokers(self) -> Iterator[Change]:
        brokers = len(self._broker.brokers())
        if brokers < self._file.replication:
            words = f"{self._file.replication} 份副本要 {self._file.replication} 个 broker，现有 {brokers} 个 "
            words += f"{self._file.replication} copies need as many brokers; there are {brokers}"
            yield Change("refused", "replication", words, "--replication 1 试用时 for a trial on one broker")

    def _created(self, name: TopicName, full: str) -> Change:
        config = self._file.config_of(name, replay=self._replay)
        counts = f"{self._file.topics[name].partitions} 分区 partitions, {self._file.replication} 副本 copies"
        words = f"{counts}, {', '.join(f'{key}={value}' for key, value in config.items())}"
        return Change("create", full, words, config=config, topic=name)

    def _compared(self, name: TopicName, there: FoundTopic, config: dict[str, str]) -> Iterator[Change]:
        full = there.name
        asked = self._file.topics[name].partitions
        if there.partitions != asked:
            words = f"有 {there.partitions} 个分区，应为 {asked} has {there.partitions} partitions, not {asked}"
            todo = "县区会换分区而状态留在原处：换个前缀重放 counties would move and their state would not; "
            yield Change("refused", full, words, todo + "use a new --prefix and replay into it, or change the file")
        if there.replication != self._file.replication:
            words = f"有 {there.replication} 份副本，应为 {self._file.replication} "
            words += f"has {there.replication} copies, not {self._file.replication}"
            todo = (
                "用 Kafka 自带工具迁移副本 move replicas with Kafka's own kafka-reassign-partitions, or --replication"
            )
            yield Change("refused", full, words, todo)
        wanted = self._file.config_of(name, replay=self._replay)
        different = {key: value for key, value in wanted.items() if config.get(key, "") != value}
        for key in list(different):
            reason = self._refusal(key, config.get(key, ""), different[key])
            if reason:
                yield Change("refused", full, f"{key}: {config.get(key, '')} → {different.pop(key)}", reason)
        if different:
            words = ", ".join(f"{key}: {config.get(key, '')} → {value}" for key, value in different.items())
            yield Change("alter", full, words, config=different)

    def _refusal(self, key: str, now: str, then: str) -> str:
        """Why a setting is not changed, or nothing."""
        if key in _MEANING:
            todo = "已有的记录依赖它：换个前缀 records that are there rely on it: use a new --prefix"
            return todo + (" (--replay?)" if key == "message.timestamp.type" and not self._replay else "")
        if key in _DELETING and not self._may_delete and _shorter(now, then):
            return "会删除记录；确要删除时加 --may-delete this deletes records; add --may-delete where that is meant"
        return ""

    def _rights(self) -> Iterator[Change]:
        if not self._file.principals:
            return
        there = self._broker.acls()
        if there is None:
            words = "broker 没有启用权限检查，略过权限 the brokers have no authorizer: rights are left out"
            yield Change("note", "ACL", words)
            return
        wanted = acls.wanted(self._file, self._prefix, self._group)
        for one in acls.missing(wanted, there):
            yield Change("allow", one.principal, acls.in_words(one).removeprefix(f"{one.principal} "), acl=one)
        ours = (f"{self._prefix}{name}" for name in self._file.topics)
        about = {*ours, self._group, acls.CLUSTER}
        for one in acls.more(wanted, there):
            if one.resource_pattern.resource_name in about:
                words = "文件里没有，保留 not in the file, left as it is: "
                yield Change("note", one.principal, words + acls.in_words(one).removeprefix(f"{one.principal} "))


def _shorter(now: str, then: str) -> bool:
    """Whether less is kept; -1 is for ever."""
    return then != "-1" and (now == "-1" or int(then) < int(now))
