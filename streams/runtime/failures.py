"""Failures at the same records: the third stops for good, for a fourth try would fail too (law 4).

Who counts them is their caller's affair: a supervisor in its memory, a live service in its data directory.
"""

from collections.abc import Sequence

from msgspec import Struct

MOST_FAILURES = 3
WORKER = "worker"
"""In place of a step, where a worker as a whole may not go on: no rights, a topic that is missing."""


class Failure(Struct, frozen=True):
    """The records at which a step failed."""

    step: str
    topic: str
    partition: int
    first: int
    last: int
    """Numbers of the records that were being taken; which of them it was nobody can say."""
    error: str

    def same(self, other: "Failure") -> bool:
        """Whether both may be about one record: after a restart the records may be cut otherwise."""
        return (self.topic, self.partition) == (other.topic, other.partition) and (
            self.first <= other.last and other.first <= self.last
        )


def of_worker(error: str) -> Failure:
    """What a worker was refused for that is about no partition."""
    return Failure(WORKER, "", 0, -1, -1, error)


def with_another(failures: Sequence[Failure], failure: Failure) -> list[Failure]:
    """The failures so far that may be about the same record, and this one; MOST_FAILURES of them are enough."""
    return [*(one for one in failures if one.same(failure)), failure]


def in_words(error: Exception) -> str:
    """An error as it may be written down and shown: others than our own quote what they had before them."""
    own = type(error).__module__.startswith(("streams.", "detectors."))
    return f"{type(error).__name__}: {error}" if own else type(error).__name__
