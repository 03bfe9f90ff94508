"""One county: every signal beside what was expected of it, its shares, what is open and how old, its alerts."""

from dashboards import colours
from dashboards.boards.city import ZERO_ALARM, ZERO_UP, open_alerts
from dashboards.boards.series import counted, shown
from dashboards.frame import Board, Placed, Tongue, alerts_raised, counties, every, signals, sizes
from dashboards.panels import COUNT, Builder, Query, lines, number
from dashboards.queries import by_measure, once, titled, total
from dashboards.sdk import model
from streams import metrics

HERE = 'county="$county"'
SERIES = f'{HERE},signal=~"$signal",size="$size"'


def build(say: Tongue) -> model.Dashboard:
    """The board."""
    board = Board(
        "county",
        say,
        say(
            "一个县区：各信号的件数与预期区间、办理质量、积压与时长、预警。",
            "One county: signals beside their expected bands, quality of handling, what is open and how old, alerts.",
        ),
        "now-90d",
        variables=[
            counties(say),
            sizes(say),
            every(signals(say, f'{HERE},size="$size"'), say),
        ],
        annotations=[alerts_raised(say, HERE)],
    )
    board.row(say("此刻", "Now"), *_now(say))
    board.row(
        say("办理质量与积压", "Handling, and what is open"),
        Placed(_shares(say), 8, 9),
        Placed(_open(say), 8, 9),
        Placed(_ages(say), 8, 9),
    )
    one = counted(say, "$signal", f'{HERE},signal="$signal",size="$size"')
    board.row(
        say("各信号的件数与预期区间", "Counts beside what was expected"),
        Placed(one.repeat("signal").repeat_direction("h").max_per_row(3), 24, 8),
    )
    board.row(say("公布与否", "What is shown"), Placed(_shown(say), 24, 9))
    board.row(say("本县区待确认的预警", "Alerts of this county to be taken up"), Placed(open_alerts(say, HERE), 24, 8))
    return board.build()


def _now(say: Tongue) -> list[Placed]:
    critical = total(metrics.ALERTS_UNACKNOWLEDGED, "severity", where=f'{HERE},severity="critical"')
    waiting = total(metrics.ALERTS_UNACKNOWLEDGED, "severity", where=HERE)
    undisposed = total(metrics.ALERTS_UNDISPOSED, "severity", where=HERE)
    hidden = total(metrics.WINDOW_SUPPRESSED, "signal", where=f'{HERE},size="$size"')
    panels = [
        number(
            say.words(
                "待确认：紧急",
                "To take up: critical",
                "本县区尚无人确认的紧急预警。",
                "Critical alerts of this county that nobody has taken up.",
            ),
            COUNT,
            Query(critical),
            ZERO_ALARM,
        ),
        number(
            say.words(
                "待确认：全部",
                "To take up: all",
                "本县区尚无人确认的预警。",
                "Alerts of this county that nobody has taken up.",
            ),
            COUNT,
            Query(waiting),
            ZERO_UP,
        ),
        number(
            say.words(
                "待处置",
                "To dispose of",
                "本县区尚未处置、排除或办结的预警。",
                "Alerts of this county that nobody has disposed of, discarded or resolved.",
            ),
            COUNT,
            Query(undisposed),
        ),
        number(
            say.words(
                "不公布的信号",
                "Signals not shown",
                "最近一个窗口里不足 k 人、因而不公布的信号个数。",
                "Signals whose last window is below k people, and is not shown.",
            ),
            COUNT,
            Query(hidden),
            [(None, colours.NONE)],
        ),
    ]
    return [Placed(panel, 6, 4) for panel in panels]


def _shares(say: Tongue) -> Builder:
    # Of weeks: on most days so few call-backs fail that the share would tell of fewer than k people.
    ratio = once(metrics.WINDOW_RATIO, "signal", where=f'{HERE},size="week"')
    return lines(
        say.words(
            "办理质量（周）",
            "Quality of handling (weeks)",
            "占比信号（如按期办结率、回访满意率），按周；没有分母或不足 k 人的周没有数据，不是 0%。",
            "Signals that are shares (closed on time, satisfied), by week; 0/0 or below k people: no data, not 0 %.",
        ),
        "percentunit",
        Query(titled(ratio, say.title), f"{{{{{say.title}}}}}"),
    ).max(1)


def _open(say: Tongue) -> Builder:
    where = f'{HERE},size="$size"'
    either = " or ".join(
        f"({by_measure(metrics.WINDOW_COUNT, measure, say.title, where)})" for measure in ("backlog", "overdue")
    )
    return lines(
        say.words(
            "积压与超期",
            "Open and overdue",
            "在办件与其中超期的件数，向下取整到 k 的倍数。",
            "Open tickets, and those overdue; rounded down to multiples of k.",
        ),
        COUNT,
        Query(either, f"{{{{{say.title}}}}}"),
    )


def _ages(say: Tongue) -> Builder:
    median = by_measure(metrics.WINDOW_COUNT, "backlog_age", say.title, f'{HERE},size="$size"')
    return lines(
        say.words(
            "在办时长",
            "Age of what is open",
            "在办件已办时长的中位数：越高，积压越老。",
            "Median age of the open tickets: the higher, the older the backlog.",
        ),
        "h",
        Query(median, f"{{{{{say.title}}}}}"),
        paint=[colours.SECOND],
    )


def _shown(say: Tongue) -> Builder:
    flag = once(metrics.WINDOW_SUPPRESSED, "signal", where=SERIES)
    whose = say("各信号的窗口", "the windows of a signal")
    return shown(say, whose, Query(titled(flag, say.title), f"{{{{{say.title}}}}}"))
