"""Which partition a county's records are in: as Kafka's own producers choose it, so that any producer may be used.

Murmur2 with Kafka's seed over the key's bytes, without the sign, modulo the number of partitions. Java's producer,
kafka-python and librdkafka with `partitioner=murmur2` all do that; librdkafka's default is another one (CRC32).
"""

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_32_BITS = 0xFFFFFFFF


def partition_of(county: str, partitions: int) -> int:
    """The partition, from 0, of a topic with so many of them.

    >>> [partition_of(county, 12) for county in ("511102", "511111", "511181")]
    [6, 6, 5]
    """
    if partitions < 1:
        raise ValueError(f"a topic has at least one partition, not {partitions}")
    return (murmur2(county.encode()) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """Kafka's hash of a record's key, 32 bits without sign.

    Source: org.apache.kafka.common.utils.Utils.murmur2.
    """
    mixed = _SEED ^ len(key)
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(key[start : start + 4], "little") * _MULTIPLIER & _32_BITS
        word = (word ^ word >> 24) * _MULTIPLIER & _32_BITS
        mixed = mixed * _MULTIPLIER & _32_BITS ^ word
    if rest := key[whole:]:
        mixed = (mixed ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _32_BITS
    mixed = (mixed ^ mixed >> 13) * _MULTIPLIER & _32_BITS
    return mixed ^ mixed >> 15
