"""`jiantu retention apply`: let go of what the profile keeps no longer."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, ProfileOption, examples, flag, where_of

if TYPE_CHECKING:
    from streams.core.instant import Duration, Instant
    from streams.ledger.place import Where
    from streams.profile import Profile

DryRunOption = Annotated[
    bool, flag("--dry-run", help="只说会删去什么，什么都不删 · only say what would go; nothing does")
]
_WORDS = {
    "scores": "评分 scores",
    "corrections": "迟到更正 corrections",
    "rejections": "拒收 rejections",
    "pages": "寻呼与回执 pages, receipts",
    "inbox": "收件箱分段 inbox segments",
}


@dataclass(frozen=True, slots=True)
class History:
    """One kind of thing that is kept for a time."""

    name: str
    period: "Duration"
    since: "Instant"
    """What is older goes."""
    gone: int
    """Rows, or files, that went; in a dry run, would go."""
    size: int | None = None
    """Of files: bytes."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    retention = typer.Typer(
        help="保存期限：到期的删去 · How long things are kept: what is older goes.",
        epilog=examples("jiantu retention apply --data-dir data --dry-run"),
        no_args_is_help=True,
    )
    shown = examples(
        "jiantu retention apply --data-dir data --dry-run",
        "jiantu retention apply --data-dir data              # every night: deploy/systemd/jiantu-retention.timer",
    )
    retention.command("apply", epilog=shown)(apply)
    app.add_typer(retention, name="retention")


def apply(
    *,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """到期删去 · Let go of what the profile (`retention:`) keeps no longer; beside a running service or without one.

    Scores, corrections and rejections go by event time, as the running parts let them go themselves; inbox and
    receipts by the clock. Nothing goes that is not counted yet or still has to be told.

    Alerts, what people did with them (the audit chain), totals and metrics of windows are kept for good.
    """
    from streams.cli.figures import rows_text
    from streams.cli.screen import print_json, show
    from streams.clock import WallClock
    from streams.core.instant import format_instant
    from streams.wiring.reading import open_reading

    where = where_of(data_dir, ledger)
    with open_reading(where, profile) as reading:
        made, progress = reading.profile, reading.ledger.progress()
    counted, watermark = (0, None) if progress is None else (progress.record, progress.watermark)
    now = WallClock().now()
    found = _ledger(where, made, watermark, now, does=not dry_run)
    if isinstance(where, Path):
        found.append(_inbox(where, made, counted, now, does=not dry_run))
    if as_json:
        print_json({"applied": not dry_run, "histories": [_document(one) for one in found]})
        return
    zone = made.city.zone
    show(rows_text([(_WORDS[one.name], f"{_said(one)}，自 since {format_instant(one.since, zone)}") for one in found]))
    _say_what_stays(dry_run=dry_run)


def _ledger(
    where: "Where", profile: "Profile", watermark: "Instant | None", now: "Instant", *, does: bool
) -> list[History]:
    from streams.core.instant import DAY
    from streams.ledger import retention
    from streams.ledger.connection import open_people

    periods, found = profile.retention, []
    database = open_people(where)
    try:
        if watermark is not None:
            reached = watermark
            gone = database.run(lambda db: retention.due(db, periods, reached))
            if does:
                database.run(lambda db: retention.apply(db, periods, reached))
            today = reached // DAY * DAY
            found = [
                History(name, getattr(periods, name), today - getattr(periods, name), n) for name, n in gone.items()
            ]
        before = now - periods.receipts
        work = retention.let_pages_go if does else retention.pages_due
        found.append(History(retention.PAGES, periods.receipts, before, database.run(lambda db: work(db, before))))
    finally:
        database.close()
    return found


def _inbox(data_dir: Path, profile: "Profile", counted: int, now: "Instant", *, does: bool) -> History:
    from streams.sources.inbox import FOLDER
    from streams.sources.inbox_retention import old_segments

    before = now - profile.retention.inbox
    going = old_segments(data_dir / FOLDER, counted, before)
    if does:
        for one in going:
            one.path.unlink(missing_ok=True)
    return History("inbox", profile.retention.inbox, before, len(going), sum(one.size for one in going))


def _document(one: History) -> dict[str, object]:
    from streams.core.instant import format_instant
    from streams.profile.describe import span_text

    size = {} if one.size is None else {"bytes": one.size}
    return {
        "history": one.name,
        "period": span_text(one.period),
        "since": format_instant(one.since),
        "gone": one.gone,
        **size,
    }


def _said(one: History) -> str:
    from streams.profile.describe import span_text

    size = "" if one.size is None else f" ({one.size / 1e6:,.1f} MB)"
    return f"{one.gone:,}{size}  保存 kept {span_text(one.period)}"


def _say_what_stays(*, dry_run: bool) -> None:
    from streams.cli.screen import say

    if dry_run:
        say("什么都没有删", "nothing was deleted")
    say("预警、处置与审计链永久保存", "alerts, what people did with them and the audit chain are kept for good")
