"""A replay as the command line runs it, and what it reports: figures as JSON, and as words."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from streams.cli.figures import balance, rows_text
from streams.cli.interruption import Interruption
from streams.cli.pacing import Pace
from streams.cli.progress import preparing, replay_bar
from streams.cli.screen import out, show
from streams.cli.watching import Watching
from streams.config import settings
from streams.core.alert_log import alert_log_sha256
from streams.core.explanation import Explanation
from streams.core.instant import format_instant, to_datetime
from streams.core.record import Reason
from streams.core.snapshot import state_sha256
from streams.profile import Profile
from streams.replay.expected import Difference, differences
from streams.runtime.embedded import Run
from streams.sources.contract import Source
from streams.wiring.reading import alerts_so_far, open_reading
from streams.wiring.replaying import open_replay
from streams.wiring.warming import warm_up


@dataclass(frozen=True, slots=True)
class Request:
    """How a replay is to run."""

    data_dir: Path
    batch: int
    factor: float | None
    """Seconds of event time a second; None: as fast as possible."""
    lang: str | None
    """Language of the sentences shown as alerts are raised; None shows none."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a replay did, with what the data directory holds after it."""

    profile: Profile
    source: Source
    request: Request
    run: Run
    record: int
    """Number of the next record."""
    alerts: int
    log: bytes
    rejections: Mapping[Reason, int]

    @property
    def reached_text(self) -> str:
        """Event time reached, on the city's clock."""
        return f"{to_datetime(self.run.reached, self.profile.city.zone):%Y-%m-%d %H:%M}"

    @property
    def took(self) -> str:
        """How long this run took and how fast it was; empty where there was nothing to do."""
        run = self.run
        if not run.processed or not run.seconds:
            return ""
        return f"{run.processed:,} 件 events, {run.seconds:.1f} s, {run.processed / run.seconds:,.0f} 件 events/s"

    @property
    def altered(self) -> bool:
        """The source's content is not what was written."""
        return self.run.ending is not None and self.run.ending.state == "altered"

    def document(self) -> dict[str, object]:
        """The figures as JSON-ready data; totals are over all runs into the data directory."""
        run, totals = self.run, self.run.accounting
        ending = run.ending
        return {
            "received": totals.received,
            "counted": totals.counted,
            "duplicate": totals.duplicate,
            "late": totals.late,
            "rejected": totals.rejected,
            "windows_closed": totals.windows_closed,
            "alerts": self.alerts,
            "alert_log_sha256": alert_log_sha256(self.log),
            "state_sha256": state_sha256(run.state),
            "seconds": round(run.seconds, 3),
            "events_per_second": round(run.processed / run.seconds) if run.seconds else None,
            "processed": run.processed,
            "record": self.record,
            "reached": format_instant(run.reached, self.profile.city.zone),
            "stopped": run.stopped,
            "ending": None
            if ending is None
            else {
                "state": ending.state,
                "records": ending.records,
                "verified": ending.verified,
                "message": ending.message,
            },
            "rejections": {reason.value: total for reason, total in self.rejections.items()},
            "closings_dropped": getattr(self.source, "closings_dropped", None),
            "profile": self.profile.name,
            "profile_version": self.profile.version,
            "data_dir": str(self.request.data_dir),
        }

    def compared(self, kept: bytes) -> list[Difference]:
        """How the alert log differs from one that was stored."""
        return differences(kept, self.log)

    def quiet(self, most: int) -> list[Explanation]:
        """The largest non-alerts of all runs into the data directory."""
        from streams.cli.asking import quiet

        with open_reading(self.request.data_dir) as reading:
            return quiet(reading, most)

    def trouble(self) -> tuple[str, str] | None:
        """What is wrong with the source, in Chinese and English; None where nothing is."""
        ending = self.run.ending
        if ending is None or ending.state == "complete":
            return None
        what = "记录不完整（被截断）" if ending.state == "truncated" else "记录被改动过"
        return f"{what}，读到 {ending.records:,} 条", f"{ending.state}: {ending.message}"

    def report(self, recording: Path) -> None:
        """The figures for a person."""
        run, totals = self.run, self.run.accounting
        dropped = getattr(self.source, "closings_dropped", None)
        out.print(
            f"[bold]{escape(str(recording))}[/bold] → [bold]{escape(str(self.request.data_dir))}[/bold]", soft_wrap=True
        )
        show(
            rows_text(
                [
                    ("到 up to", self.reached_text),
                    *balance(totals),
                    ("拒收 rejected", ", ".join(f"{reason} {total:,}" for reason, total in self.rejections.items())),
                    ("未计 left out", f"{dropped:,} 条办结在时段之后 closings after the span" if dropped else ""),
                    ("窗口 windows", f"{totals.windows_closed:,}"),
                    ("预警 alerts", f"{self.alerts:,}"),
                    ("预警日志 log", alert_log_sha256(self.log)),
                    ("状态 state", state_sha256(run.state)),
                    ("本次 this run", self.took or "没有新的 nothing new"),
                    ("接着 next", f"jiantu alerts list --data-dir {shlex.quote(str(self.request.data_dir))}"),
                ]
            )
        )


def run(profile: Profile, source: Source, request: Request, interruption: Interruption, *, quiet: bool) -> Result:
    """Run a source through the service into a data directory, from where that stands, to its end or until stopped."""
    with preparing(quiet=quiet):
        warm_up()
    pace = None if request.factor is None else Pace(request.factor, interruption)
    with open_replay(
        profile,
        source,
        request.data_dir,
        batch=request.batch if pace is None else 1,
        checkpoint_seconds=settings().checkpoint_seconds,
    ) as replay:
        alerts = alerts_so_far(request.data_dir)
        with replay_bar(quiet=quiet) as bar:
            watching = Watching(profile, bar, source.span, interruption, pace=pace, alerts=alerts, lang=request.lang)
            done = replay.runtime.run(watching)
        position = replay.runtime.position
        with open_reading(request.data_dir) as reading:
            return Result(
                profile,
                source,
                request,
                done,
                position.record,
                len(reading.ledger.alerts()),
                reading.alert_log(),
                reading.ledger.rejection_totals(),
            )
