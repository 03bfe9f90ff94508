"""`jiantu alerts`: list them, look at one, and deal with it."""

from typing import Annotated

import typer

from streams.cli.instants import deadline_instant, instant
from streams.cli.options import (
    ByOption,
    DataDirOption,
    JsonOption,
    LangOption,
    LedgerOption,
    NoteOption,
    ProfileOption,
    examples,
    lang_of,
    where_of,
    who,
)
from streams.cli.screen import out, print_json
from streams.cli.screen import show as show_all
from streams.ledger.lifecycle import (
    DISCARD_REASON_NAMES,
    MEASURE_NAMES,
    STATE_NAMES,
    STEP_NAMES,
    AlertState,
    DiscardReason,
    Measure,
    Step,
    StepKind,
)
from streams.ledger.place import Where

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="预警编号，可只写前几位 · alert id, or its beginning")]
_ANOTHER = {"督导": "supervision", "整治": "rectification", "巡察": "inspection", "关注": "watch"}
MEASURES = (
    _ANOTHER | {name: measure.value for measure, name in MEASURE_NAMES.items()} | {m.value: m.value for m in Measure}
)
REASONS = {name: r.value for r, name in DISCARD_REASON_NAMES.items()} | {r.value: r.value for r in DiscardReason}
STATES = {name: s.value for s, name in STATE_NAMES.items()} | {s.value: s.value for s in AlertState}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="预警 · List alerts, look at them, and deal with them.",
        epilog=examples("jiantu alerts list --data-dir data", "jiantu alerts show 3f2a9c1b --data-dir data"),
    )
    group.command(
        "list",
        epilog=examples(
            "jiantu alerts list --data-dir data",
            "jiantu alerts list -d data --state open --county 市中区",
            "jiantu alerts list -d data --since 2025-03-01 --json",
        ),
    )(list_)
    group.command("show", epilog=examples("jiantu alerts show 3f2a9c1b --data-dir data"))(show)
    group.command(
        "acknowledge", epilog=examples("jiantu alerts acknowledge 3f2a9c1b -d data --by zhang --note 已联系街道")
    )(acknowledge)
    group.command(
        "dispose",
        epilog=examples(
            "jiantu alerts dispose 3f2a9c1b -d data --measure 督导 --owner 城管局 \\\n"
            "      --deadline 2099-12-31 --by zhang",
        ),
    )(dispose)
    group.command("discard", epilog=examples("jiantu alerts discard 3f2a9c1b -d data --reason false_page --by zhang"))(
        discard
    )
    group.command("resolve", epilog=examples("jiantu alerts resolve 3f2a9c1b -d data --by zhang --note 已整改"))(
        resolve
    )
    app.add_typer(group, name="alerts")


def list_(  # noqa: PLR0913 - one parameter an option
    *,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help=f"状态 · state: {', '.join(AlertState)}")
    ] = None,
    county: Annotated[str | None, typer.Option("--county", help="县区代码或名称 · county, by code or name")] = None,
    signal: Annotated[str | None, typer.Option("--signal", help="信号 · the signal that raised it")] = None,
    severity: Annotated[
        str | None, typer.Option("--severity", metavar="critical|warning", help="级别 · severity")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="T", help="自何时起发出 · raised from T on")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="T", help="至何时前发出 · raised before T")] = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """列出 · List alerts by time, each with its sentence."""
    from streams.cli.alert_view import AlertView
    from streams.cli.naming import county_code, one_of, signal_name
    from streams.core.alert import Severity
    from streams.ledger.alerts import AlertFilter
    from streams.wiring.reading import open_reading

    language = lang_of(lang)
    with open_reading(where_of(data_dir, ledger), profile) as reading:
        made = reading.profile
        which = AlertFilter(
            county=None if county is None else county_code(made, county),
            signal=None if signal is None else signal_name(made, signal),
            severity=None
            if severity is None
            else Severity(one_of("severity", "级别", severity, {s.value: s.value for s in Severity})),
            state=None if state is None else AlertState(one_of("state", "状态", state, STATES)),
            since=instant(since, made.city.zone, "--since"),
            until=instant(until, made.city.zone, "--until"),
        )
        view, found = AlertView(made, language), reading.alerts(which)
    if as_json:
        print_json([view.document(told) for told in found])
        return
    show_all(*(view.lines(told) for told in found))
    still = sum(told.alert.state is AlertState.OPEN for told in found)
    out.print(f"[bold]{len(found)}[/bold] 条预警 alerts，[bold red]{still}[/bold red] 条未处理 open")


def show(
    *,
    alert: IdArgument,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """查看 · Show one alert: evidence, what joined it, what people did."""
    from streams.cli.alert_view import AlertView
    from streams.wiring.reading import AlertTold, open_reading

    language = lang_of(lang)
    with open_reading(where_of(data_dir, ledger), profile) as reading:
        view = AlertView(reading.profile, language)
        life = reading.ledger.alert(alert)
    told = AlertTold(life.alert, life.joined, life.ended)
    if as_json:
        print_json(view.life(told, life.steps))
        return
    show_all(*view.page(told, life.steps))


def acknowledge(
    *,
    alert: IdArgument,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    as_json: JsonOption = False,
) -> None:
    """确认 · Acknowledge: somebody looks after it, paging stops."""
    _take(alert, where_of(data_dir, ledger), Step(StepKind.ACKNOWLEDGE, who(by), note=note), as_json=as_json)


def dispose(  # noqa: PLR0913 - one parameter an option
    *,
    alert: IdArgument,
    measure: Annotated[
        str,
        typer.Option(
            "--measure", metavar="督导|整治|巡察|关注", help="措施 · supervision, rectification, inspection, watch"
        ),
    ],
    owner: Annotated[str, typer.Option("--owner", help="责任人或单位 · who carries it out")],
    deadline: Annotated[str, typer.Option("--deadline", metavar="T", help="期限 · until when; a date: until its end")],
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    as_json: JsonOption = False,
) -> None:
    """处置 · Dispose: what is done about it, by whom, until when."""
    from streams.cli.naming import one_of
    from streams.wiring.reading import open_reading

    where = where_of(data_dir, ledger)
    with open_reading(where, profile) as reading:
        until = deadline_instant(deadline, reading.profile.city.zone, "--deadline")
    chosen = Measure(one_of("measure", "措施", measure, MEASURES))
    step = Step(StepKind.DISPOSE, who(by), measure=chosen, owner=owner, deadline=until, note=note)
    _take(alert, where, step, as_json=as_json)


def discard(
    *,
    alert: IdArgument,
    reason: Annotated[str, typer.Option("--reason", metavar="REASON", help=f"理由 · {', '.join(DiscardReason)}")],
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    as_json: JsonOption = False,
) -> None:
    """排除 · Discard: nothing needs to be done, and why."""
    from streams.cli.naming import one_of

    chosen = DiscardReason(one_of("reason", "理由", reason, REASONS))
    _take(alert, where_of(data_dir, ledger), Step(StepKind.DISCARD, who(by), reason=chosen, note=note), as_json=as_json)


def resolve(
    *,
    alert: IdArgument,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    by: ByOption = None,
    note: NoteOption = "",
    as_json: JsonOption = False,
) -> None:
    """办结 · Resolve: what was to be done is done."""
    _take(alert, where_of(data_dir, ledger), Step(StepKind.RESOLVE, who(by), note=note), as_json=as_json)


def _take(alert: str, where: Where, step: Step, *, as_json: bool) -> None:
    from streams.cli.alert_view import possible_steps, step_document
    from streams.wiring.reading import open_desk, zone_of

    with open_desk(where) as desk:
        result = desk.take(alert, step)
    if as_json:
        taken = step_document(result.taken, zone_of(where))
        print_json({"id": result.taken.alert, "state": result.state, "repeated": result.repeated, "step": taken})
        return
    again = "（已经是了 already so）" if result.repeated else ""
    out.print(
        f"[green]{STEP_NAMES[step.kind]} {step.kind}[/green]{again}  [bold]{result.taken.alert}[/bold]  "
        f"{STATE_NAMES[result.state]} {result.state}"
    )
    out.print(possible_steps(result.state), style="dim")
