"""Progress bars, on stderr and only where a person watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from streams.cli.screen import err, say
from streams.clock import Stopwatch
from streams.core.instant import SECOND

_LONG = 4 * SECOND
_REFRESHES = 5
"""A second: a bar that is drawn more often takes its time from what it shows."""


class RateColumn(ProgressColumn):
    """Events a second, as the task's `rate` field says."""

    def render(self, task: Task) -> Text:
        rate = task.fields.get("rate")
        return Text("" if not rate else f"{rate:,.0f} 件 events/s", style="cyan")


class ReachedColumn(ProgressColumn):
    """Event time reached, as the task's `reached` field says."""

    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get("reached", "")))


class AlertsColumn(ProgressColumn):
    """Alerts raised so far."""

    def render(self, task: Task) -> Text:
        alerts = task.fields.get("alerts", 0)
        return Text(f"预警 alerts {alerts}", style="bold red" if alerts else "dim")


def bar(*columns: ProgressColumn, quiet: bool) -> Progress:
    """A bar with columns of its own; invisible when quiet, or where nobody watches."""
    return Progress(*columns, console=err, disable=quiet or not err.is_terminal, refresh_per_second=_REFRESHES)


@contextmanager
def day_bar(words: str, days: int, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar over days; yields what to call with (days done, days in all)."""
    with bar(TextColumn(words), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), quiet=quiet) as shown:
        task = shown.add_task("", total=days)
        yield lambda done, _all: shown.update(task, completed=done)


@contextmanager
def preparing(*, quiet: bool) -> Iterator[None]:
    """Around the compiling of the detectors: says what takes so long, the first time."""
    clock = Stopwatch()
    if quiet or not err.is_terminal:
        yield
        return
    with err.status("准备检测程序（首次运行要编译） preparing (compiled on the first run)"):
        yield
    if clock.elapsed() > _LONG:
        say(f"编译用了 {clock.seconds():.0f} 秒，以后不用", f"compiled in {clock.seconds():.0f} s, once")


def replay_bar(*, quiet: bool) -> Progress:
    """The bar of a replay: that of a stream, and alerts."""
    return stream_bar(AlertsColumn(), quiet=quiet)


def stream_bar(*more: ProgressColumn, quiet: bool) -> Progress:
    """The bar of a stream: event time reached, rate, time to go, and more columns."""
    return bar(
        ReachedColumn(),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        RateColumn(),
        TimeRemainingColumn(compact=True),
        *more,
        quiet=quiet,
    )
