"""The report that a demo ends with: what was raised and why, how the counties stand, and how good it was."""

from collections.abc import Container, Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.markup import escape
from rich.rule import Rule
from rich.text import Text

from streams.cli import county_table, evaluation
from streams.cli.alert_view import SHORT_ID, AlertView
from streams.cli.figures import balance, rows_text
from streams.cli.prose import Prose
from streams.cli.replaying import Result
from streams.core.alert_log import alert_log_sha256
from streams.core.city import Size
from streams.core.instant import to_datetime
from streams.replay.evaluate import Evaluation
from streams.wiring.reading import AlertTold, Reading


def parts(
    reading: Reading, result: Result, found: Evaluation, lang: str, kept_at: Path | None, again: str
) -> Iterator[RenderableType]:
    """The report, part by part. `kept_at`: where the data is afterwards; `again`: the options of this demo."""
    city = reading.profile.city
    told = reading.alerts()
    start, end = (f"{to_datetime(at, city.zone):%Y-%m-%d}" for at in result.source.span)
    yield Rule(f"[bold]{escape(city.title)} {escape(city.title_en)}[/bold]  {start} – {end}", style="dim")
    yield heading("预警与理由", "alerts, and why")
    view = AlertView(reading.profile, lang)
    if not told:
        yield Text("没有预警 none", style="dim")
    finders = {verdict.alert: verdict.label.id for verdict in found.verdicts if verdict.alert is not None}
    for one in told:
        yield view.lines(one)
        if one.alert.id in finders:
            if lang == "zh":
                yield Prose(view.sentence(one, "en"), style="dim", indent=2)
            yield Text(f"  ✓ 发现事件 found incident {finders[one.alert.id]}", style="green")
    yield Text()
    size = Size.WEEK if reading.ledger.latest_metrics(Size.WEEK) else Size.DAY
    yield county_table.county_table(reading, county_table.latest(reading, size))
    yield Text()
    yield evaluation.incidents(found, reading.profile)
    yield heading("小结", "in short")
    yield from evaluation.summary(found)
    yield rows_text(
        [
            *balance(result.run.accounting),
            ("窗口 windows", f"{result.run.accounting.windows_closed:,}"),
            ("用时 took", result.took),
            ("预警日志 log", f"{alert_log_sha256(result.log)}"),
        ]
    )
    yield heading("接着试试", "what to try next")
    yield from next_commands(reading, told, finders, kept_at, again)


def heading(zh: str, en: str) -> Text:
    """A heading of a part."""
    return Text.assemble(("\n" + zh, "bold"), (f" {en}", "bold dim"))


def next_commands(
    reading: Reading, told: list[AlertTold], best: Container[str], kept_at: Path | None, again: str
) -> Iterator[RenderableType]:
    """Commands that work as they stand; where nothing was kept, the first one makes it again and keeps it.

    `best`: alerts to look at first.
    """
    folder = kept_at or Path("jiantu-demo")
    lines = [f"jiantu alerts list --data-dir {folder}"]
    if kept_at is None:
        lines.insert(0, f"jiantu demo {again} --data-dir {folder}    # 再来一次，并保留 the same again, kept")
    pages = [t for t in told if t.alert.raised.evidence.shape not in ("always_page", "rule")]
    one = next((t for t in pages if t.alert.id in best), pages[0] if pages else None)
    if one is not None:
        case = one.alert.raised.evidence
        at = f"{to_datetime(case.window_start, reading.profile.city.zone):%Y-%m-%dT%H:%M}"
        county = case.county or one.alert.raised.county
        lines += [
            f"jiantu alerts show {one.alert.id[:SHORT_ID]} --data-dir {folder}",
            f"jiantu explain --county {county} --signal {case.signal} --at {at} --data-dir {folder}",
            f"jiantu alerts acknowledge {one.alert.id[:SHORT_ID]} --by 值班员 --data-dir {folder}",
        ]
    lines += [
        f"jiantu evaluate --labels {folder / 'labels.jsonl'} --data-dir {folder}",
        f"jiantu profile show {reading.profile.name}",
    ]
    for line in lines:
        yield Text("  " + line, no_wrap=True, overflow="ignore")
