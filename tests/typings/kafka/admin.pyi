from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any

class ConfigResourceType(IntEnum):
    BROKER = 4
    TOPIC = 2

class ConfigResource:
    def __init__(
        self, resource_type: ConfigResourceType, name: str, configs: Mapping[str, str] | Sequence[str] | None = None
    ) -> None: ...

class NewTopic:
    def __init__(
        self,
        name: str,
        num_partitions: int = -1,
        replication_factor: int = -1,
        replica_assignments: Mapping[int, Sequence[int]] | None = None,
        topic_configs: Mapping[str, str] | None = None,
    ) -> None: ...

class KafkaAdminClient:
    def __init__(self, **configs: Any) -> None: ...
    def create_topics(
        self,
        new_topics: Sequence[NewTopic],
        timeout_ms: int | None = None,
        validate_only: bool = False,
        raise_errors: bool = True,
    ) -> Any: ...
    def delete_topics(self, topics: Sequence[str], timeout_ms: int | None = None, raise_errors: bool = True) -> Any: ...
    def wait_for_topics(self, topic_names: Sequence[str], timeout_ms: int = 10000) -> Any: ...
    def list_topics(self) -> list[str]: ...
    def describe_topics(self, topics: Sequence[str] | None = None) -> list[dict[str, Any]]: ...
    def describe_configs(
        self,
        config_resources: Sequence[ConfigResource],
        include_synonyms: bool = False,
        config_filter: str = "modified",
    ) -> dict[str, dict[str, dict[str, dict[str, Any]]]]: ...
    def delete_records(
        self, records_to_delete: Mapping[Any, int], timeout_ms: int | None = None, partition_leader_id: int | None = None
    ) -> Any: ...
    def close(self) -> None: ...
