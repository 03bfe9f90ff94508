"""The watchdog: bites what stands still while there is work, and only that."""

import time
from collections.abc import Mapping

import pytest

from streams.broker.errors import BrokerError, TopicError
from streams.runtime.cluster import Span
from streams.runtime.watchdog import LONGEST_SAVE, Place, Seen, Watchdog

EVENTS = ("events", 0)


class BittenError(Exception):
    """The process would have ended."""


class Kennel:
    """A watchdog over a worker and a broker that are what the test says."""

    def __init__(self) -> None:
        self.seen: dict[Place, Seen] = {EVENTS: Seen(10, 0, 0)}
        self.span = Span(0, 100)
        self.away = self.deleted = False
        self.said: list[str] = []
        self.remade = False
        self.dog = Watchdog(
            self._look, self._ask, self._check, self._say, self._bite, no_progress=50_000, missing=50_000
        )

    def _look(self) -> Mapping[Place, Seen]:
        return self.seen

    def _ask(self, topic: str, partition: int) -> Span:
        if self.away:
            raise BrokerError("broker", "no answer", "wait")
        if self.deleted:
            raise TopicError("events", "there is no such topic", "make it")
        return self.span

    def _check(self) -> None:
        if self.remade:
            raise TopicError("events", "was made again", "put the old one back")

    def _say(self, event: str, /, **facts: object) -> None:
        self.said.append(event)

    def _bite(self, why: Exception) -> None:
        raise BittenError(f"{type(why).__name__} {why}")

    def later(self) -> None:
        """After the time within which something must have moved."""
        time.sleep(0.06)
        self.dog.watch_once()


@pytest.fixture
def kennel() -> Kennel:
    made = Kennel()
    made.dog.watch_once()
    return made


def test_a_partition_that_stands_with_records_to_go_is_bitten(kennel: Kennel) -> None:
    with pytest.raises(BittenError, match=r"events 0: stands at record 10 .* with 90 records to go"):
        kennel.later()


def test_one_that_moves_is_not_and_neither_is_one_without_work(kennel: Kennel) -> None:
    kennel.seen[EVENTS] = Seen(11, 0, 0)
    kennel.later()
    kennel.seen[EVENTS] = Seen(100, 0, 0)
    for _ in range(3):
        kennel.later()


def test_one_that_stands_is_bitten_though_others_move(kennel: Kennel) -> None:
    kennel.seen["events", 1] = Seen(1, 0, 0)
    with pytest.raises(BittenError, match="events 0"):
        kennel.later()


def test_a_checkpoint_that_is_never_read_is_bitten_though_there_is_no_record(kennel: Kennel) -> None:
    kennel.span = Span(0, 0)
    kennel.seen[EVENTS] = Seen(-1, -1, 0)
    kennel.dog.watch_once()
    with pytest.raises(BittenError, match="its checkpoint is not read"):
        kennel.later()


def test_a_checkpoint_that_never_ends_is_bitten(kennel: Kennel) -> None:
    kennel.seen[EVENTS] = Seen(100, 0, LONGEST_SAVE + 1)
    with pytest.raises(BittenError, match="under way"):
        kennel.dog.watch_once()


def test_while_no_broker_answers_nobody_is_bitten_and_time_begins_anew_when_one_does(kennel: Kennel) -> None:
    kennel.away = True
    kennel.later()
    kennel.later()
    assert "unreachable" in kennel.said
    kennel.away = False
    kennel.dog.watch_once()
    with pytest.raises(BittenError):
        kennel.later()


def test_a_topic_that_stays_away_is_told_and_one_that_comes_back_is_not(kennel: Kennel) -> None:
    kennel.deleted = True
    kennel.dog.watch_once()
    kennel.deleted = False
    kennel.dog.watch_once()
    kennel.deleted = True
    kennel.later()
    with pytest.raises(BittenError, match="StalledError events: there is no such topic"):
        kennel.later()


def test_a_partition_that_went_elsewhere_is_forgotten(kennel: Kennel) -> None:
    kennel.seen = {}
    kennel.later()
    kennel.seen = {EVENTS: Seen(10, 0, 0)}
    kennel.dog.watch_once()


def test_brokers_that_are_away_are_said_once_and_once_that_they_are_back(kennel: Kennel) -> None:
    kennel.seen = {EVENTS: Seen(100, 100, 0)}
    kennel.dog.watch_once()
    kennel.said.clear()
    kennel.away = True
    for _ in range(3):
        kennel.dog.watch_once()
    kennel.away = False
    for _ in range(3):
        kennel.dog.watch_once()
    assert kennel.said == ["unreachable", "reachable"]


def test_that_there_is_no_lag_any_more_is_said_once(kennel: Kennel) -> None:
    assert kennel.said == ["lag"]
    kennel.seen = {EVENTS: Seen(100, 100, 0)}
    for _ in range(3):
        kennel.dog.watch_once()
    assert kennel.said == ["lag", "lag"]


def test_a_topic_that_is_another_one_bites_though_nothing_of_it_is_assigned_any_more(kennel: Kennel) -> None:
    kennel.seen = {}
    kennel.remade = True
    kennel.dog.watch_once()
    with pytest.raises(BittenError, match="events: was made again; put the old one back"):
        kennel.later()
