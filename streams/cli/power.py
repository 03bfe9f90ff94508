"""`jiantu power`: how large a burst must be to be found."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import DataDirOption, JsonOption, LedgerOption, examples, where_if_any
from streams.cli.screen import print_json, show

if TYPE_CHECKING:
    from streams.core.city import Signal
    from streams.ledger.place import Where
    from streams.profile import Profile
    from streams.replay.power import Usual

_WEEKS = 8
"""Whose expected values a data directory is asked for."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "power",
        epilog=examples(
            "jiantu power --profile leshan --signal complaints_total",
            "jiantu power --profile leshan --signal 劳动社保诉求 --county 市中区 --json",
            "jiantu power --data-dir data --signal environment --replicates 100",
        ),
    )(power)


def power(  # noqa: PLR0913 - one parameter an option
    *,
    signal: Annotated[str, typer.Option("--signal", metavar="S", help="信号 · signal")],
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", "-p", metavar="NAME|DIR", help="城市配置 · profile; default: the data directory's, or leshan"
        ),
    ] = None,
    county: Annotated[
        str | None, typer.Option("--county", metavar="C", help="只看一个县区 · one county, or the city")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="种子；同一种子同一结果 · same seed, same answer")] = 7,
    replicates: Annotated[int, typer.Option("--replicates", help="每个县区模拟多少遍 · histories of each county")] = 60,
    hours: Annotated[int, typer.Option("--hours", help="突增持续几小时 · hours that the burst lasts")] = 24,
    data_dir: DataDirOption = None,
    ledger: LedgerOption = None,
    as_json: JsonOption = False,
) -> None:
    """检出力 · The smallest burst that is found in four of five cases: extra events, per county.

    Within 24 hours and within 7 days of its start, by the signal's own tests at the levels of the profile's budget.
    Counts are simulated at the scale of the profile's city, or of what a data directory's detectors expect.
    """
    from streams.cli.naming import county_code, signal_name
    from streams.cli.progress import day_bar
    from streams.replay.power import Trial, check, power_of, usual_of
    from streams.wiring.warming import warm_up

    where = where_if_any(data_dir, ledger) if profile is None or data_dir or ledger else None
    made = _profile(where, profile)
    name = signal_name(made, signal)
    watched = next(one for one in made.city.signals if one.name == name)
    check(watched)
    trial = Trial(seed=seed, replicates=replicates, burst_hours=hours)
    codes = [*(one.code for one in made.city.counties), made.city.code]
    chosen = None if county is None else [codes.index(county_code(made, county))]
    with day_bar("模拟 simulating", 100, quiet=as_json) as progress:
        usual = usual_of(made, watched, seed)
        if where is not None:
            usual = _expected(where, profile, watched, usual)
        warm_up()
        found = power_of(made.city, watched, usual, trial, chosen, lambda done, of: progress(100 * done // of, 100))
    if as_json:
        print_json(
            {
                "profile": made.name,
                "signal": name,
                "scale": "profile" if where is None else "data_dir",
                "budget_per_week": made.city.budget_per_week,
                "seed": seed,
                "replicates": replicates,
                "history_weeks": trial.weeks,
                "burst_hours": hours,
                "power": trial.share,
                "counties": [asdict(one) for one in found],
            }
        )
        return
    from streams.cli.power_view import parts

    show(*parts(made, watched, trial, found))


def _profile(where: "Where | None", profile: str | None) -> "Profile":
    from streams.wiring.inputs import open_profile
    from streams.wiring.reading import open_reading

    if where is None or profile is not None:
        return open_profile(profile or "leshan")
    with open_reading(where) as reading:
        return reading.profile


def _expected(where: "Where", profile: str | None, signal: "Signal", simulated: "Usual") -> "Usual":
    """What the detectors of a ledger expected in its last weeks."""
    from streams.core.city import Size
    from streams.core.instant import WEEK, to_datetime
    from streams.replay.power import Expected, usual_of_expected
    from streams.wiring.reading import open_reading

    def known() -> Iterator[Expected]:
        for size in signal.sizes:
            last = reading.ledger.last_scored(size)
            for place, one in enumerate(reading.profile.city.counties) if last is not None else ():
                for window in reading.ledger.series(one.code, signal.name, size, (last or 0) - _WEEKS * WEEK):
                    local = to_datetime(window.start, reading.profile.city.zone)
                    scores = [score for score in window.detectors.values() if score.expected is not None]
                    if scores:
                        hour = local.weekday() * 24 + local.hour
                        yield Expected(place, Size(size), hour, scores[0].expected or 0.0, scores[0].size)

    with open_reading(where, profile) as reading:
        return usual_of_expected(simulated, list(known()))
