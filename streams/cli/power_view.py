"""The power of a signal for a person: a county a row."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.text import Text

from streams.cli.profile_view import table
from streams.core.city import Signal
from streams.profile import Profile
from streams.replay.power import Power, Trial
from streams.wording.catalog import Speech
from streams.wording.names import Names


def parts(profile: Profile, signal: Signal, trial: Trial, found: Sequence[Power]) -> Iterator[RenderableType]:
    """The table, and what it stands on."""
    names = Names(profile, Speech("zh"))
    made = table(
        escape(
            f"{signal.title} {signal.title_en}：{trial.burst_hours} 小时的突增 a burst of {trial.burst_hours} hours"
        ),
        "县区\ncounty",
        ">平时每天\nusual a day",
        ">24 小时内发现\nfound within 24 h",
        ">7 天内发现\nfound within 7 d",
    )
    for one in found:
        cells = [_extra(extra, one) for extra in (one.within_day, one.within_week)]
        made.add_row(escape(names.county(one.county)), f"{one.expected_per_day:,.1f}", *cells)
    yield made
    yield Text(
        f"多出这么多件，{trial.share:.0%} 的情形会预警（每县模拟 {trial.replicates} 遍，额度每周 "
        f"{profile.city.budget_per_week:g} 次）；— 试过的都不会",
        style="dim",
    )
    yield Text(
        f"so many extra events are paged in {trial.share:.0%} of {trial.replicates} histories a county, at "
        f"{profile.city.budget_per_week:g} false pages a week; — none that was tried is",
        style="dim",
    )


def _extra(extra: int | None, one: Power) -> str:
    """Extra events, and how many times the usual of a day they are."""
    if extra is None:
        return "—"
    return f"+{extra:,} ({extra / one.expected_per_day:.1f}×)" if one.expected_per_day else f"+{extra:,}"
