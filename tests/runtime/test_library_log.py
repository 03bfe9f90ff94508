"""What libraries log comes out as a worker says things: JSON, and of each kind the first."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from streams.runtime.library_log import LibraryLog

Said = list[dict[str, Any]]


@pytest.fixture
def said() -> Iterator[tuple[logging.Logger, Said]]:
    """A library's logger, and what is said of what it logs."""
    heard: Said = []
    logger = logging.getLogger("somebodys.library")
    handler = LibraryLog(lambda event, /, **facts: heard.append({"event": event} | facts))
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, heard
    logger.removeHandler(handler)
    logger.propagate = True


def test_the_same_words_are_said_once_whatever_their_figures(said: tuple[logging.Logger, Said]) -> None:
    logger, heard = said
    for offset in range(3):
        logger.warning("Topic %s not found at %d", "events", offset)
    logger.error("Group is gone")
    logger.info("nothing to speak of")
    assert [(one["level"], one["text"]) for one in heard] == [
        ("warning", "Topic events not found at 0"),
        ("error", "Group is gone"),
    ]
    assert {one["event"] for one in heard} == {"library"}


def test_an_error_comes_with_where_it_was_raised(said: tuple[logging.Logger, Said]) -> None:
    logger, heard = said
    try:
        raise KeyError("a")
    except KeyError:
        logger.exception("it failed")
    assert heard[0]["error"] == "KeyError: 'a'"
    assert "test_library_log.py" in heard[0]["trace"][0]
