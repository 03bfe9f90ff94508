"""Real servers of monitoring for the tests of any folder: made by whoever asks, gone with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.prometheus.server import Alertmanager, Prometheus

NewPrometheus = Callable[..., Prometheus]
NewAlertmanager = Callable[..., Alertmanager]


@pytest.fixture
def new_prometheus(tmp_path: Path) -> Iterator[NewPrometheus]:
    """Makes a Prometheus from the text of its settings; `start` it when its data folder is as it should be.

    prometheus = new_prometheus(settings, options=["--enable-feature=..."])
    prometheus.start()
    """
    numbers = count(1)
    with ExitStack() as stack:

        def make(settings: str, *, options: tuple[str, ...] = ()) -> Prometheus:
            made = Prometheus(tmp_path / f"prometheus-{next(numbers)}", settings, options=options)
            stack.callback(made.kill)
            return made

        yield make


@pytest.fixture
def new_alertmanager(tmp_path: Path) -> Iterator[NewAlertmanager]:
    """Makes an Alertmanager from the text of its settings; not started."""
    numbers = count(1)
    with ExitStack() as stack:

        def make(settings: str, *, options: tuple[str, ...] = ()) -> Alertmanager:
            made = Alertmanager(tmp_path / f"alertmanager-{next(numbers)}", settings, options=options)
            stack.callback(made.kill)
            return made

        yield make
