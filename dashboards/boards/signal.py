"""One signal in all counties side by side: counts with their bands, and how improbable each was."""

from dashboards import colours
from dashboards.boards.series import counted, county_columns, shown
from dashboards.frame import Board, Placed, Tongue, alerts_raised, counties_with, every, signals, sizes
from dashboards.panels import COUNT, HIDDEN, Builder, Column, Query, lines, rows, value_map
from dashboards.queries import of_place, once, or_hidden
from dashboards.sdk import common, common_model, model
from streams import metrics

ALL = 'signal="$signal",size="$size"'
SOME = f'county=~"$county",{ALL}'
NOT_SAID = 2
"""Instead of a p where there is none: mapped to a dash, and the rarest stand above it."""


def build(say: Tongue) -> model.Dashboard:
    """The board."""
    board = Board(
        "signal",
        say,
        say(
            "一个信号在各县区的件数、预期区间与尾概率，并排比较。",
            "One signal in all counties side by side: counts, expected bands, tail probabilities.",
        ),
        "now-90d",
        variables=[
            sizes(say),
            signals(say, 'size="$size"'),
            every(counties_with(say, ALL), say),
        ],
        annotations=[alerts_raised(say, ALL)],
    )
    board.row(say("最近一个窗口", "The last window"), Placed(_last(say), 12, 11), Placed(_improbable(say), 12, 11))
    one = counted(say, "$county", f'county="$county",{ALL}')
    board.row(
        say("各县区", "Counties"),
        Placed(one.repeat("county").repeat_direction("h").max_per_row(4), 24, 7),
    )
    board.row(say("公布与否", "What is shown"), Placed(_shown(say), 24, 9))
    return board.build()


def _last(say: Tongue) -> Builder:
    hidden = value_map({str(HIDDEN): ("<k", colours.NONE)})
    flag = once(metrics.WINDOW_SUPPRESSED, "county", where=SOME)
    queries = (
        or_hidden(metrics.WINDOW_COUNT, "county", where=SOME),
        once(metrics.WINDOW_EXPECTED, "county", where=SOME),
        once(metrics.WINDOW_LOW, "county", where=SOME),
        once(metrics.WINDOW_HIGH, "county", where=SOME),
        f"{once(metrics.WINDOW_P, 'county', where=SOME)} or 0 * {flag} + {NOT_SAID}",
    )
    return rows(
        say.words(
            "各县区最近一个窗口",
            "The last window in each county",
            "件数、预期、95% 区间与尾概率（向上取到 10 的幂）；不足 k 人写作 <k，不是零。",
            "Count, expected, 95 % band, tail probability (up to a power of ten); below k people: <k, not zero.",
        ),
        [
            *county_columns(say),
            Column("Value #A", say("件数", "Count"), unit=COUNT, width=84, mapping=hidden),
            Column("Value #B", say("预期", "Expected"), unit=COUNT, width=84),
            Column("Value #C", say("下限", "Low"), unit=COUNT, width=84),
            Column("Value #D", say("上限", "High"), unit=COUNT, width=84),
            Column("Value #E", "p", unit="sci", width=84, mapping=value_map({str(NOT_SAID): ("–", colours.NONE)})),
        ],
        *(Query(of_place(expr, say.name)) for expr in queries),
        sort=[("p", False)],
    )


def _improbable(say: Tongue) -> Builder:
    panel = lines(
        say.words(
            "尾概率",
            "Tail probability",
            "这样多（或少）的件数有多不寻常：对数刻度，越低越不寻常。是否预警还要看误报额度。",
            "How improbable so many (or so few) are: log scale, lower is rarer. The page budget decides on alerts.",
        ),
        "sci",
        Query(of_place(once(metrics.WINDOW_P, "county", where=SOME), say.name), f"{{{{{say.name}}}}}"),
        least=None,
    )
    log = common.ScaleDistributionConfig().type(common_model.ScaleDistribution.LOG).log(10)
    return panel.scale_distribution(log).max(1).no_value(say("没有公布的 p", "no p is shown"))


def _shown(say: Tongue) -> Builder:
    flag = once(metrics.WINDOW_SUPPRESSED, "county", where=SOME)
    whose = say("各县区的窗口", "the windows of a county")
    return shown(say, whose, Query(of_place(flag, say.name), f"{{{{{say.name}}}}}"))
