"""Types of aiokafka 0.14, of which faust and its transport use the consumer only."""

from typing import Any

class AIOKafkaConsumer:
    def __init__(self, *topics: str, **settings: Any) -> None: ...
