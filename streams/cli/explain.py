"""`jiantu explain`: why an alert, or why not."""

from typing import Annotated

import typer

from streams.cli.options import (
    DataDirOption,
    JsonOption,
    LangOption,
    LedgerOption,
    ProfileOption,
    examples,
    lang_of,
    where_of,
)
from streams.cli.screen import print_json, show


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "explain",
        epilog=examples(
            "jiantu explain -d data --county 511102 --signal complaints_total --at 2025-03-14",
            "jiantu explain -d data --county 市中区 --signal 诉求总量 --at 2025-03-14T09:30 --size hour",
        ),
    )(explain)


def explain(  # noqa: PLR0913 - one parameter an option
    *,
    county: Annotated[str, typer.Option("--county", metavar="C", help="县区代码或名称，或全市 · county, or the city")],
    signal: Annotated[str, typer.Option("--signal", metavar="S", help="信号 · signal")],
    at: Annotated[str, typer.Option("--at", metavar="T", help="窗口内的任一时刻 · an instant in the window")],
    size: Annotated[
        str | None, typer.Option("--size", metavar="hour|day|week", help="只看一种窗口 · one window size only")
    ] = None,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    profile: ProfileOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """解释 · Why an alert, or why not.

    With the smallest count that would have paged. Every window that holds T and that the signal is watched in is
    explained: the hour, the day, the week.
    """
    from streams.cli.explanation import answers, document, parts
    from streams.cli.instants import instant
    from streams.cli.naming import county_code, one_of, signal_name
    from streams.core.city import Size
    from streams.wiring.reading import open_reading

    language = lang_of(lang)
    with open_reading(where_of(data_dir, ledger), profile) as reading:
        made = reading.profile
        where, what = county_code(made, county), signal_name(made, signal)
        when = instant(at, made.city.zone, "--at")
        assert when is not None
        sizes = None if size is None else (Size(one_of("size", "窗口", size, {s.value: s.value for s in Size})),)
        found = answers(reading, where, what, when, sizes)
    if as_json:
        print_json(document(made, where, what, when, found, language))
        return
    show(*(part for one in found for part in parts(made, one, language)))
