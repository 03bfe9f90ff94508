"""Ledgers of Leshan in folders and in databases, and a robot to be told."""

from collections.abc import Iterator

import pytest

from streams.profile import Profile, load
from tests.ledger.conftest import home, new_home
from tests.paging.receiver import Receiver, receiving

__all__ = ["home", "new_home"]


@pytest.fixture(scope="session")
def leshan() -> Profile:
    return load("leshan")


@pytest.fixture
def robot() -> Iterator[Receiver]:
    with receiving() as found:
        yield found
