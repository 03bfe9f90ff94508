"""Rights as `topics.yaml` says them, as the ACLs that they are for a broker."""

from collections.abc import Iterator

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from streams.broker.topics_file import TopicsFile

CLUSTER = "kafka-cluster"
"""The one name of the resource that the brokers together are."""


def wanted(file: TopicsFile, prefix: str, group: str) -> list[ACL]:
    """Every ACL that the file's principals need; in the file's order."""
    found = []
    for principal, rights in file.principals.items():
        for operation, names in (
            (ACLOperation.READ, rights.read),
            (ACLOperation.WRITE, rights.write),
            (ACLOperation.DESCRIBE_CONFIGS, rights.describe),
        ):
            found += [_allow(principal, operation, ResourceType.TOPIC, f"{prefix}{name}") for name in names]
        if rights.groups:
            prefixed = ACLResourcePatternType.PREFIXED
            found.append(_allow(principal, ACLOperation.READ, ResourceType.GROUP, group, prefixed))
        if rights.brokers:
            found.append(_allow(principal, ACLOperation.DESCRIBE_CONFIGS, ResourceType.CLUSTER, CLUSTER))
    return found


def missing(want: list[ACL], there: list[ACL]) -> list[ACL]:
    """Those that are not there."""
    given = {identity(one) for one in there}
    return [one for one in want if identity(one) not in given]


def more(want: list[ACL], there: list[ACL]) -> Iterator[ACL]:
    """What the same principals may do beyond that."""
    asked = {identity(one) for one in want}
    principals = {one.principal for one in want}
    for one in there:
        if one.principal in principals and identity(one) not in asked:
            yield one


def in_words(acl: ACL) -> str:
    """One line."""
    pattern = acl.resource_pattern
    star = "*" if pattern.pattern_type == ACLResourcePatternType.PREFIXED else ""
    verb = "" if acl.permission_type == ACLPermissionType.ALLOW else "DENY "
    return f"{acl.principal} {verb}{acl.operation.name} {pattern.resource_type.name} {pattern.resource_name}{star}"


def identity(acl: ACL) -> tuple[str, ...]:
    """What makes two of them the same."""
    pattern = acl.resource_pattern
    kinds = (pattern.resource_type.name, pattern.pattern_type.name, acl.operation.name, acl.permission_type.name)
    return (acl.principal, acl.host, pattern.resource_name, *kinds)


def _allow(
    principal: str,
    operation: ACLOperation,
    kind: ResourceType,
    name: str,
    pattern: ACLResourcePatternType = ACLResourcePatternType.LITERAL,
) -> ACL:
    return ACL(principal, "*", operation, ACLPermissionType.ALLOW, ResourcePattern(kind, name, pattern))
