"""What `jiantu doctor --brokers` looks at: everything on the brokers' side that would make a worker fail or lose.

As the account that the settings name: run it with the worker's own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from kafka import KafkaProducer
from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError

from streams.broker.administration import Administration, FoundTopic
from streams.broker.errors import BrokerError, told
from streams.broker.names import Topics
from streams.broker.settings import PREFIX, BrokerSettings
from streams.broker.topics_file import SOURCES
from streams.cli.checks import Check
from streams.clock import Clock, Stopwatch, pause
from streams.core.instant import MINUTE, SECOND
from streams.runtime.checkpoint_store import OF_WORKER
from streams.runtime.checkpoints import LARGEST_PIECE, About, CheckpointReader, Place
from streams.runtime.cluster import Cluster, TopicFacts
from streams.runtime.failures import Failure
from streams.runtime.faust_transport import SESSION_MS
from streams.runtime.partition import RefusedError, check_manifest

_AS_ADMINISTRATOR = "由管理员运行 as an administrator: jiantu topics apply"
_SKEW_NOTED, _SKEW_FATAL = 30 * SECOND, 5 * MINUTE
"""An event whose time is further ahead of when it was received than the latter is rejected."""
_FRAME = 2_000
"""Bytes of a record beside its value: key, headers, frame."""
_PATIENCE = 8 * SECOND
"""For reading checkpoints; the rest is said not to be looked at."""
_NEEDED = {
    "read": ("events", "windows", "scores", "checkpoints"),
    "write": (*SOURCES[1:], "alerts", "events.dlq", "checkpoints"),
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the brokers said, by the topics' short names."""

    topics: Mapping[str, FoundTopic]
    configs: Mapping[str, Mapping[str, str]]


def broker_checks(settings: BrokerSettings, clock: Clock) -> list[Check]:
    """Every check, in the order in which they are shown; after one that makes the rest meaningless, no more."""
    where = ",".join(settings.addresses)
    found = [*_secrets(settings)]
    try:
        with Administration(settings) as broker:
            brokers = broker.brokers()
            found.append(Check(f"brokers {where}", "ok", f"{len(brokers)} 个 brokers, {_who(settings)}"))
            found += _brokers(broker, brokers)
            found += _group(broker, settings)
            topics = Topics(settings.topic_prefix)
            seen, problems = _look(broker, topics)
            found += problems
        if seen.topics:
            for check in (_partitions, _rights, _policies, _times, _sizes, _copies):
                found += check(seen)
            found += _clock(settings, topics, seen, clock)
            found += _checkpoints(settings, topics)
    except BrokerError as error:
        found.append(Check(f"brokers {where}", "fail", f"{error.where}: {error.what}", error.instead))
    return found


def _who(settings: BrokerSettings) -> str:
    return f"{settings.security_protocol}, {settings.sasl_user or '匿名 anonymous'}"


def _secrets(settings: BrokerSettings) -> Iterator[Check]:
    for path in (settings.sasl_password_file, settings.key_password_file, settings.key_file):
        if path is not None and path.stat().st_mode & 0o077:
            words = f"{path}: 别的账号也能读 other accounts may read it"
            yield Check("secrets", "warn", words, f"chmod 600 {path}")
    if settings.security_protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        words = f"{settings.security_protocol}: 没有加密 anyone on the way can read and change what is sent"
        yield Check("secrets", "warn", words, f"{PREFIX}SECURITY_PROTOCOL=SASL_SSL")


# ---- brokers and the group ----------------------------------------------------------------------------------------


def _brokers(broker: Administration, brokers: list[int]) -> Iterator[Check]:
    try:
        configs = {one: broker.broker_config(one) for one in brokers}
    except BrokerError as error:
        yield Check("broker settings", "warn", error.what, _AS_ADMINISTRATOR)
        return
    for one, config in configs.items():
        name = f"broker {one}"
        if config.get("auto.create.topics.enable") == "true":
            words = "写错的主题名会成为新主题 a misspelt topic becomes a new one"
            yield Check(name, "fail", words, "auto.create.topics.enable=false (server.properties)")
        shortest, longest = (int(config.get(f"group.{end}.session.timeout.ms", SESSION_MS)) for end in ("min", "max"))
        if not shortest <= SESSION_MS <= longest:
            words = f"会话时限 session timeouts {shortest}–{longest} ms, worker 用 uses {SESSION_MS} ms"
            yield Check(
                name, "fail", words, f"group.min.session.timeout.ms={min(shortest, SESSION_MS)} (server.properties)"
            )
        if config.get("unclean.leader.election.enable") == "true":
            words = "落后的副本会当选，已确认的记录会丢 a copy that is behind may lead: acknowledged records are lost"
            yield Check(name, "warn", words, "unclean.leader.election.enable=false (server.properties)")
    yield Check("broker settings", "ok", f"看过 looked at {', '.join(str(one) for one in configs)}")


def _group(broker: Administration, settings: BrokerSettings) -> Iterator[Check]:
    watch = Stopwatch()
    while True:
        try:
            broker.group(settings.group)
            return
        except BrokerError as error:
            # The first question after groups makes the brokers' own topic for them, and finds it not ready.
            waiting = isinstance(error.__cause__, (CoordinatorNotAvailableError, CoordinatorLoadInProgressError))
            if not waiting or watch.elapsed() > _PATIENCE:
                yield Check(f"group {settings.group}", "fail", error.what, _AS_ADMINISTRATOR)
                return
        pause(SECOND // 5)


# ---- topics -------------------------------------------------------------------------------------------------------


def _look(broker: Administration, topics: Topics) -> tuple[_Seen, list[Check]]:
    found: dict[str, FoundTopic] = {}
    configs: dict[str, dict[str, str]] = {}
    problems: list[Check] = []
    for full in topics.all():
        short = full.removeprefix(topics.prefix)
        try:
            there = broker.topics([full]).get(full)
            if there is None:
                problems.append(Check(f"topic {full}", "fail", "没有 is not there", "jiantu topics apply, or --prefix"))
                continue
            found[short] = there
            configs[short] = broker.configs([full])[full]
        except BrokerError as error:
            problems.append(Check(f"topic {full}", "fail", error.what, _AS_ADMINISTRATOR))
    return _Seen(found, configs), problems


def _partitions(seen: _Seen) -> Iterator[Check]:
    counts = {name: topic.partitions for name, topic in seen.topics.items()}
    if counts.get("scores", 1) != 1:
        words = f"scores 有 has {counts['scores']} 个分区 partitions, 应为 1: the judge sees everything in one order"
        yield Check("partitions", "fail", words, "删去重建，或换个前缀 delete and make it again, or use a new --prefix")
    most = max((counts[name] for name in SOURCES if name in counts), default=0)
    if counts.get("checkpoints", most) < most:
        words = f"checkpoints 有 has {counts['checkpoints']} 个分区 partitions, 至少要 at least {most}"
        yield Check("partitions", "fail", words, f"kafka-topics --alter --topic checkpoints --partitions {most}")
    yield Check("partitions", "ok", ", ".join(f"{name} {count}" for name, count in counts.items()))


def _rights(seen: _Seen) -> Iterator[Check]:
    missing = [
        f"{right} {name}"
        for right, names in _NEEDED.items()
        for name in names
        if name in seen.topics and right.upper() not in seen.topics[name].may
    ]
    if missing:
        yield Check("rights", "fail", f"worker 还缺 a worker lacks: {', '.join(missing)}", _AS_ADMINISTRATOR)
    else:
        yield Check("rights", "ok", "读写够一个 worker 用 enough for a worker")


def _policies(seen: _Seen) -> Iterator[Check]:
    for name, config in seen.configs.items():
        policy, wanted = config["cleanup.policy"], "compact" if name == "checkpoints" else "delete"
        if policy != wanted:
            words = f"{name}: cleanup.policy={policy}, 应为 not {wanted}: "
            words += (
                "检查点会过期 checkpoints expire"
                if wanted == "compact"
                else "同键的记录会被删 records of one key vanish"
            )
            yield Check("cleanup", "fail", words, "换个前缀 use a new --prefix, or kafka-configs")


def _times(seen: _Seen) -> Iterator[Check]:
    config = seen.configs.get("events")
    if config is None:
        return
    kind, kept = config["message.timestamp.type"], int(config["retention.ms"])
    if kind == "LogAppendTime":
        yield Check("times", "ok", f"LogAppendTime: 接收时间由 broker 定 is the broker's word; 保存 kept {_kept(kept)}")
    elif kept == -1:
        words = "CreateTime, 永不过期 kept for ever: 供回放 for recordings; 直播不宜 live, senders could claim any time"
        yield Check("times", "ok", words)
    else:
        words = f"CreateTime, 保存 kept {_kept(kept)}: 回放的旧记录会立即过期 a recording's old records expire at once"
        yield Check("times", "fail", words, "jiantu topics apply --replay --prefix NEW.")


def _kept(milliseconds: int) -> str:
    return "永久 for ever" if milliseconds == -1 else f"{milliseconds / 86_400_000:.1f} 天 days"


def _sizes(seen: _Seen) -> Iterator[Check]:
    needed = LARGEST_PIECE + _FRAME
    for name, config in seen.configs.items():
        if int(config["max.message.bytes"]) < needed:
            words = f"{name}: max.message.bytes={config['max.message.bytes']}, 至少要 at least {needed}"
            yield Check("sizes", "fail", words, "jiantu topics apply (1048588)")
    if "events" in seen.configs:
        largest = int(seen.configs["events"]["max.message.bytes"]) / 1e6
        words = f"events 单条至多 takes records up to {largest:.2f} MB, 更大的发送时被拒 larger ones are refused"
        yield Check("sizes", "ok", words)


def _copies(seen: _Seen) -> Iterator[Check]:
    for name, topic in seen.topics.items():
        in_sync = int(seen.configs.get(name, {}).get("min.insync.replicas", "1"))
        if in_sync > topic.replication:
            words = f"{name}: min.insync.replicas={in_sync}, 只有 only {topic.replication} 份 copies"
            words += ": 写不进去 nothing can be written"
            yield Check("copies", "fail", words, "jiantu topics apply")
    fewest = min(topic.replication for topic in seen.topics.values())
    if fewest == 1:
        words = "只有一份 one copy: 一块磁盘坏了就丢 lost with one disk"
        yield Check("copies", "warn", words, "试用可以 fine for a trial; else 3 brokers, replication 3")


# ---- the brokers' clock -------------------------------------------------------------------------------------------


def _clock(settings: BrokerSettings, topics: Topics, seen: _Seen, clock: Clock) -> Iterator[Check]:
    """An empty record that nobody reads and compaction removes; the answer says when the broker received it."""
    topic, config = seen.topics.get("checkpoints"), seen.configs.get("checkpoints", {})
    if topic is None or "WRITE" not in topic.may or config.get("message.timestamp.type") != "LogAppendTime":
        todo = "jiantu topics apply" if topic is not None and "WRITE" in topic.may else _AS_ADMINISTRATOR
        yield Check("clock", "warn", "broker 的时钟看不到 the brokers' clock cannot be seen", todo)
        return
    with told(topics.checkpoints):
        producer = KafkaProducer(**settings.for_kafka_python(), max_block_ms=10_000, delivery_timeout_ms=20_000)
        try:
            sent = clock.now()
            received = (
                producer.send(topics.checkpoints, None, key=b"doctor/clock", partition=0).get(20).timestamp * 1000
            )
            answered = clock.now()
        finally:
            producer.close(timeout=5)
    skew = max(sent - received, received - answered, 0)
    most = "" if skew else "至多 at most "
    words = f"与 broker 相差 differs from the brokers' by {most}{max(skew, answered - sent) / SECOND:.1f} s"
    todo = "对时：两边都用 NTP set both by NTP (chrony)"
    if skew > _SKEW_FATAL:
        yield Check("clock", "fail", words + "; 5 分钟以上的未来事件会被拒收 events 5 min ahead are rejected", todo)
    elif skew > _SKEW_NOTED:
        yield Check("clock", "warn", words, todo)
    else:
        yield Check("clock", "ok", words)


# ---- checkpoints --------------------------------------------------------------------------------------------------


def _checkpoints(settings: BrokerSettings, topics: Topics) -> Iterator[Check]:
    """Can every step go on from its checkpoint: same topic, same partitions, no record deleted that was not counted?"""
    cluster = Cluster(settings)
    watch = Stopwatch()
    good = 0
    refused = _stop(_read(cluster, topics, OF_WORKER))
    if refused is not None:
        words = f"worker 被拒绝，等人查看 a worker was refused, until somebody looks: {refused.error}"
        yield Check("stopped", "fail", words, "RUNBOOK: refused")
    for step, source in (("tally", topics.events), ("score", topics.windows), ("judge", topics.scores)):
        facts = cluster.topics([source])[source]
        for partition in range(facts.partitions):
            if watch.elapsed() > _PATIENCE:
                words = f"{step} {partition} 起没有看 and later ones were not looked at: 太大 too large"
                yield Check("checkpoints", "warn", words, "worker 启动时会看 a worker looks when it starts")
                return
            problem, stop = _problem(cluster, topics, Place(step, partition), facts)
            if stop is not None:
                words = f"{step} {partition} 已停下，等人查看 has stopped until somebody looks: {stop.error}"
                yield Check("stopped", "fail", words, "RUNBOOK: stopped for good; refused")
            good += problem == ""
            if problem:
                yield Check("checkpoints", "fail", problem)
    if good:
        yield Check("checkpoints", "ok", f"{good} 个 worker 能接着算 can be gone on from")
    else:
        yield Check("checkpoints", "ok", "还没有 none yet: 从头开始 a worker starts with the first record")


def _problem(cluster: Cluster, topics: Topics, place: Place, facts: TopicFacts) -> tuple[str | None, Failure | None]:
    """Why a step cannot go on; empty where it can; None where there is nothing to go on from. And where it stopped."""
    reader = _read(cluster, topics, place)
    stop = _stop(reader)
    best = reader.best()
    if best is None:
        return None, stop
    about = About(facts.name, facts.id, facts.partitions, best.manifest.about.profile_version)
    try:
        check_manifest(best.manifest, about, cluster.span(facts.name, place.partition), place)
    except RefusedError as error:
        return str(error), stop
    return "", stop


def _read(cluster: Cluster, topics: Topics, place: Place) -> CheckpointReader:
    reader = CheckpointReader(place)
    for key, value in cluster.records(topics.checkpoints, place.partition):
        reader.take(key, value)
    return reader


def _stop(reader: CheckpointReader) -> Failure | None:
    return None if reader.stop is None else msgspec.json.decode(reader.stop, type=Failure)
