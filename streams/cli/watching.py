"""What a person sees of a run, and how they pace and stop it: the runtime's `Watcher` of the command line."""

from rich.progress import Progress as Bar
from rich.text import Text

from streams.cli.interruption import Interruption
from streams.cli.pacing import Pace
from streams.clock import Stopwatch
from streams.core.alert import Raised, Severity
from streams.core.decode import Batch
from streams.core.decode_values import read_time
from streams.core.instant import SECOND, Instant, to_datetime
from streams.core.outputs import Accounting
from streams.core.pipeline import PipelineOutputs
from streams.core.record import Arrival, Reason
from streams.profile import Profile
from streams.runtime.embedded import Progress
from streams.wording.sentence import sentence

_MILLISECOND = SECOND // 1000


def arrived(arrival: object) -> Instant | None:
    """When a record came in, as far as it says."""
    if not isinstance(arrival, Arrival):
        return None
    if arrival.received is not None:
        return arrival.received * _MILLISECOND
    text = arrival.tick if arrival.event is None else arrival.event.at
    at = None if text is None else read_time(text)
    return None if isinstance(at, Reason) else at


class Watching:
    """Moves a bar, shows alerts as they are raised, paces, and stops when asked."""

    def __init__(
        self,
        profile: Profile,
        bar: Bar,
        span: tuple[Instant, Instant],
        interruption: Interruption,
        *,
        pace: Pace | None = None,
        alerts: int = 0,
        lang: str | None = "zh",
    ) -> None:
        """`alerts`: raised by earlier runs. `lang`: language of the sentences shown; None shows none."""
        self._profile = profile
        self._bar = bar
        self._span = span
        self._interruption = interruption
        self._pace = pace
        self._alerts = alerts
        self._lang = lang
        self._clock = Stopwatch()
        self._before: Accounting | None = None
        self._task = bar.add_task("", total=span[1] - span[0], reached="", rate=None, alerts=alerts)

    def before(self, batch: Batch, /) -> bool:
        """Wait until the batch is due."""
        if self._pace is not None:
            due = next((at for arrival in reversed(batch.arrivals) if (at := arrived(arrival)) is not None), None)
            if due is not None:
                self._pace.until(due)
        return not self._interruption.asked

    def after(self, progress: Progress, outputs: PipelineOutputs, /) -> bool:
        """Show where the run is, and what was found."""
        if self._before is None:  # the first batch starts the clock: restoring and compiling are not the rate
            self._before = progress.accounting
            self._clock.restart()
        for one in outputs.transitions:
            if isinstance(one, Raised):
                self._alerts += 1
                if self._lang is not None:
                    self._show(one, self._lang)
        seconds = self._clock.seconds()
        done = progress.accounting.received - self._before.received
        self._bar.update(
            self._task,
            completed=min(progress.reached, self._span[1]) - self._span[0],
            reached=f"{to_datetime(progress.reached, self._profile.city.zone):%Y-%m-%d %H:%M}",
            rate=done / seconds if seconds else None,
            alerts=self._alerts,
        )
        return not self._interruption.asked

    def _show(self, raised: Raised, lang: str) -> None:
        """One line above the bar, cut to the terminal's width; the whole of it where nobody watches."""
        console = self._bar.console
        style = "bold red" if raised.severity is Severity.CRITICAL else "yellow"
        words = sentence(self._profile, raised, locale=lang)
        line = Text.assemble(("● ", style), words)
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            console.print(line, soft_wrap=True)
