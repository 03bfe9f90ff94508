from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import TracebackType
from typing import Any, Literal, Self

from kafka import TopicPartition

class ResourceType(IntEnum):
    ANY = 1
    TOPIC = 2
    GROUP = 3
    CLUSTER = 4

class ACLOperation(IntEnum):
    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12

class ACLPermissionType(IntEnum):
    ANY = 1
    DENY = 2
    ALLOW = 3

class ACLResourcePatternType(IntEnum):
    ANY = 1
    MATCH = 2
    LITERAL = 3
    PREFIXED = 4

class ResourcePatternFilter:
    resource_type: ResourceType
    resource_name: str | None
    pattern_type: ACLResourcePatternType
    def __init__(
        self, resource_type: ResourceType, resource_name: str | None, pattern_type: ACLResourcePatternType
    ) -> None: ...

class ResourcePattern(ResourcePatternFilter):
    resource_name: str
    def __init__(
        self, resource_type: ResourceType, resource_name: str, pattern_type: ACLResourcePatternType = ...
    ) -> None: ...

class ACLFilter:
    principal: str | None
    host: str | None
    operation: ACLOperation
    permission_type: ACLPermissionType
    resource_pattern: ResourcePatternFilter
    def __init__(
        self,
        principal: str | None,
        host: str | None,
        operation: ACLOperation,
        permission_type: ACLPermissionType,
        resource_pattern: ResourcePatternFilter,
    ) -> None: ...

class ACL(ACLFilter):
    principal: str
    host: str
    resource_pattern: ResourcePattern
    def __init__(
        self,
        principal: str,
        host: str,
        operation: ACLOperation,
        permission_type: ACLPermissionType,
        resource_pattern: ResourcePattern,
    ) -> None: ...

class ConfigResourceType(IntEnum):
    TOPIC = 2
    BROKER = 4

class ConfigResource:
    def __init__(
        self, resource_type: ConfigResourceType, name: str, configs: Mapping[str, str] | Sequence[str] | None = ...
    ) -> None: ...

class NewTopic:
    def __init__(
        self,
        name: str,
        num_partitions: int = ...,
        replication_factor: int = ...,
        replica_assignments: Mapping[int, Sequence[int]] | None = ...,
        topic_configs: Mapping[str, str] | None = ...,
    ) -> None: ...

class KafkaAdminClient:
    def __init__(self, **configs: Any) -> None: ...
    def list_topics(self) -> list[str]: ...
    def describe_topics(self, topics: Sequence[str] | None = ...) -> list[dict[str, Any]]: ...
    def create_topics(
        self,
        new_topics: Sequence[NewTopic] | Sequence[str] | Mapping[str, Mapping[str, Any]],
        timeout_ms: int | None = ...,
        validate_only: bool = ...,
        raise_errors: bool = ...,
        wait_for_metadata: bool = ...,
    ) -> dict[str, Any]: ...
    def wait_for_topics(self, topic_names: Sequence[str], timeout_ms: int = ...) -> None: ...
    def create_partitions(
        self, topic_partitions: Mapping[str, int], timeout_ms: int | None = ..., validate_only: bool = ...
    ) -> dict[str, Any]: ...
    def delete_topics(
        self, topics: Sequence[str], timeout_ms: int | None = ..., raise_errors: bool = ...
    ) -> dict[str, Any]: ...
    def delete_records(
        self,
        records_to_delete: Mapping[TopicPartition, int],
        timeout_ms: int | None = ...,
        partition_leader_id: int | None = ...,
    ) -> dict[TopicPartition, Any]: ...
    def describe_configs(
        self,
        config_resources: Sequence[ConfigResource],
        include_synonyms: bool = ...,
        config_filter: Literal["modified", "dynamic", "all"] = ...,
    ) -> dict[str, dict[str, dict[str, dict[str, Any]]]]: ...
    def alter_configs(
        self,
        config_resources: Sequence[ConfigResource],
        validate_only: bool = ...,
        raise_on_unknown: bool = ...,
        incremental: bool | None = ...,
    ) -> dict[str, dict[str, str]]: ...
    def describe_cluster(self) -> dict[str, Any]: ...
    def describe_acls(self, acl_filter: ACLFilter) -> tuple[list[ACL], Any]: ...
    def create_acls(self, acls: Sequence[ACL]) -> dict[str, list[Any]]: ...
    def delete_acls(self, acl_filters: Sequence[ACLFilter]) -> list[Any]: ...
    def describe_groups(self, group_ids: Sequence[str]) -> dict[str, Any]: ...
    def list_group_offsets(self, group_specs: Any) -> Any: ...
    def list_partition_offsets(
        self,
        topic_partition_specs: Mapping[TopicPartition, Any],
        isolation_level: Any = ...,
        timeout_ms: int | None = ...,
    ) -> dict[TopicPartition, Any]: ...
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...
