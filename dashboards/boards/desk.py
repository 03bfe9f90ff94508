"""Alert desk: what waits and for how long, how fast alerts are taken up and disposed of, what the pages were worth."""

from dashboards import colours
from dashboards.boards.city import ZERO_ALARM, ZERO_UP, open_alerts
from dashboards.frame import Board, Placed, Tongue, alerts_raised
from dashboards.panels import COUNT, Builder, Query, bars, lines, named, number
from dashboards.queries import of_place, once, quantile, total
from dashboards.sdk import model
from streams import metrics
from streams.metrics.metric import Metric

_HOUR, _DAY = 3600, 86_400
AGES = (
    ("不到 1 小时", "below 1 h", 0, _HOUR),
    ("1–4 小时", "1–4 h", _HOUR, 4 * _HOUR),
    ("4–24 小时", "4–24 h", 4 * _HOUR, _DAY),
    ("1–7 天", "1–7 d", _DAY, 7 * _DAY),
    ("7 天以上", "above 7 d", 7 * _DAY, None),
)
"""How long an alert has waited: words, from, to; seconds."""
STEPS = {
    "acknowledge: ": ("确认", "acknowledged"),
    "dispose: supervision": ("专项督导", "supervision"),
    "dispose: rectification": ("专项整治", "rectification"),
    "dispose: inspection": ("专项巡察", "inspection"),
    "dispose: watch": ("持续关注", "watch"),
    "discard: false_page": ("排除：误报", "discarded: false page"),
    "discard: known_cause": ("排除：原因已知", "discarded: known cause"),
    "discard: data_fault": ("排除：数据故障", "discarded: data fault"),
    "discard: duplicate": ("排除：重复预警", "discarded: duplicate"),
    "discard: exercise": ("排除：演练", "discarded: exercise"),
    "resolve: ": ("办结", "resolved"),
}
"""What people do, as the metric says it, in words; what is not here is said as it is."""
NO_ALERT = f"0 * max({metrics.ALERTS_UNACKNOWLEDGED.name})"
"""0 where the exporter tells of alerts at all: nobody is to take its silence for calm."""


def build(say: Tongue) -> model.Dashboard:
    """The board."""
    board = Board(
        "desk",
        say,
        say(
            "预警台：等了多久、多快有人接手和处置、发出的预警有多少是误报。",
            "The alert desk: what waits and how long, how fast it is taken up and disposed of, how many were false.",
        ),
        "now-30d",
        annotations=[alerts_raised(say)],
    )
    board.row(say("此刻", "Now"), *_now(say))
    board.row(say("待确认的预警", "Alerts to be taken up"), Placed(open_alerts(say), 16, 10), Placed(_ages(say), 8, 10))
    board.row(
        say("各县区", "By county"),
        Placed(_by_county(say), 12, 9),
        Placed(_over_time(say), 12, 9),
    )
    board.row(
        say("快慢", "How fast"),
        Placed(_times(say, metrics.ACKNOWLEDGE_SECONDS, ("接手用时", "Time to take up")), 12, 8),
        Placed(_times(say, metrics.DISPOSE_SECONDS, ("处置用时", "Time to dispose")), 12, 8),
    )
    board.row(
        say("预警的价值", "What the pages were worth"),
        Placed(_raised(say), 6, 8),
        Placed(_outcomes(say), 6, 8),
        Placed(_steps(say), 6, 8),
        Placed(_false(say), 6, 8),
    )
    return board.build()


def _now(say: Tongue) -> list[Placed]:
    critical = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity", where='severity="critical"')
    waiting = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity")
    undisposed = total(metrics.ALERTS_UNDISPOSED, "county", "severity")
    oldest = f"max(time() - {once(metrics.ALERT_RAISED, 'alert')} and on (alert) {once(metrics.ALERT_OPEN, 'alert')})"
    panels = [
        number(
            say.words(
                "待确认：紧急",
                "To take up: critical",
                "尚无人确认的紧急预警。",
                "Critical alerts that nobody has taken up.",
            ),
            COUNT,
            Query(critical),
            ZERO_ALARM,
        ),
        number(
            say.words("待确认：全部", "To take up: all", "尚无人确认的预警。", "Alerts that nobody has taken up."),
            COUNT,
            Query(waiting),
            ZERO_UP,
        ),
        number(
            say.words(
                "待确认：保密",
                "To take up: compartmented",
                "全市尚无人确认的保密预警条数；不分县区、信号，详情只在控制台。",
                "Compartmented alerts that nobody has taken up, in the whole city; only the console has them.",
            ),
            COUNT,
            Query(total(metrics.COMPARTMENTED_UNACKNOWLEDGED, "replayed")),
            ZERO_ALARM,
        ),
        number(
            say.words(
                "等得最久",
                "Longest wait",
                "最早发出、仍无人确认的预警，距今多久。",
                "Age of the oldest alert nobody took up.",
            ),
            "s",
            Query(f"{oldest} or {NO_ALERT}"),
            [(None, colours.CALM), (4 * _HOUR, colours.NOTICE), (_DAY, colours.ALARM)],
        ),
        number(
            say.words(
                "待处置",
                "To dispose of",
                "尚未处置、排除或办结的预警。",
                "Alerts that nobody has disposed of, discarded or resolved.",
            ),
            COUNT,
            Query(undisposed),
        ),
        number(
            say.words(
                "误报比例",
                "False pages",
                "已有结论的预警中，人员判为误报的比例；尚无结论则无数据。",
                "False ones among the pages that somebody judged; no data where none was.",
            ),
            "percentunit",
            Query(once(metrics.FALSE_PAGE_RATIO)),
            [(None, colours.CALM), (0.3, colours.NOTICE), (0.6, colours.ALARM)],
            absent=say("尚无结论", "none judged"),
        ).decimals(0),
    ]
    return [Placed(panel, 4, 4) for panel in panels]


def _ages(say: Tongue) -> Builder:
    waits = f"(time() - {once(metrics.ALERT_RAISED, 'alert')} and on (alert) {once(metrics.ALERT_OPEN, 'alert')})"
    queries = []
    for zh, en, since, until in AGES:
        bounds = f"{waits} >= {since}" + (f" < {until}" if until is not None else "")
        queries.append(Query(f"count({bounds}) or {NO_ALERT}", say(zh, en)))
    return bars(
        say.words(
            "等了多久",
            "How long they have waited",
            "尚无人确认的预警，按发出至今的时长。",
            "Alerts that nobody has taken up, by the time since they were raised.",
        ),
        COUNT,
        *queries,
        steps=[(None, colours.COUNT)],
    )


def _by_county(say: Tongue) -> Builder:
    waiting = total(metrics.ALERTS_UNDISPOSED, "county", "severity", by="county")
    return bars(
        say.words(
            "待处置，按县区",
            "To dispose of, by county",
            "各县区（和全市）尚未处置、排除或办结的预警条数。",
            "Alerts of each county, and of the whole city, that nobody has disposed of, discarded or resolved.",
        ),
        COUNT,
        Query(f"sort_desc({of_place(waiting, say.name)})", f"{{{{{say.name}}}}}"),
    )


def _over_time(say: Tongue) -> Builder:
    return lines(
        say.words(
            "待确认与待处置",
            "To take up, to dispose of",
            "尚无人确认的、尚未处置的预警条数。",
            "Alerts that nobody has taken up, and those that nobody has disposed of.",
        ),
        COUNT,
        Query(total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity"), say("待确认", "To take up")),
        Query(total(metrics.ALERTS_UNDISPOSED, "county", "severity"), say("待处置", "To dispose of")),
        paint=[colours.ALARM, colours.COUNT],
    )


def _times(say: Tongue, metric: Metric, title: tuple[str, str]) -> Builder:
    return lines(
        say.words(
            *title,
            "从发出起算，滚动 30 天；一半的预警不超过中位数，九成不超过 90% 线。重放的数据不计。",
            "Since it was raised, over 30 days: half take no longer than the median, 90 % than the 90 % line. "
            "Not of replayed data.",
        ),
        "s",
        Query(quantile(0.5, metric, "30d"), say("中位数", "Median")),
        Query(quantile(0.9, metric, "30d"), "90 %"),
        paint=[colours.COUNT, colours.EXPECTED],
    ).no_value(say("尚无", "none yet"))


def _raised(say: Tongue) -> Builder:
    return bars(
        say.words(
            "所选时间内发出",
            "Raised in the chosen range",
            "所选时间内发出的预警条数，按级别（保密的除外）。",
            "Alerts raised in the chosen range, by severity (not compartmented ones).",
        ),
        COUNT,
        *(
            Query(f'max(increase({metrics.ALERTS_RAISED.name}{{severity="{severity}"}}[$__range]))', word)
            for severity, word in (("critical", say("紧急", "critical")), ("warning", say("一般", "warning")))
        ),
    ).decimals(0)


def _outcomes(say: Tongue) -> Builder:
    words = {
        "right": say("属实", "right"),
        "false": say("误报", "false"),
        "other": say("其他", "other"),
        "open": say("尚无结论", "not judged"),
    }
    queries = [Query(once(metrics.PAGES, where=f'outcome="{outcome}"'), word) for outcome, word in words.items()]
    return bars(
        say.words(
            "预警的结论",
            "What people made of them",
            "占额度的预警累计，按人员的结论。",
            "Alerts under the budget, by what people made of them.",
        ),
        COUNT,
        *queries,
    )


def _steps(say: Tongue) -> Builder:
    panel = bars(
        say.words(
            "处理步骤",
            "Steps taken",
            "人员对预警所做的步骤累计（确认、督导、整治、巡察、排除等）。",
            "What people did with alerts (acknowledged, supervision, rectification, inspection, discarded ...).",
        ),
        COUNT,
        Query(f"sort_desc({once(metrics.STEPS, 'step', 'choice')})", "{{step}}: {{choice}}"),
    ).no_value(say("尚无", "none yet"))
    for code, words in STEPS.items():
        panel = panel.override_by_name(code, named(say(*words)))
    return panel


def _false(say: Tongue) -> Builder:
    return lines(
        say.words(
            "实际误报与额度",
            "Realised false pages, and the budget",
            "人员判为误报的预警，每周；与本市每周可接受的条数相比。",
            "Alerts that people discarded as false, a week, beside what the city accepts.",
        ),
        COUNT,
        Query(once(metrics.FALSE_PAGES_PER_WEEK), say("误报/周", "False a week")),
        Query(once(metrics.BUDGET_PER_WEEK), say("每周额度", "A week's budget")),
        paint=[colours.ALARM, colours.NONE],
    )
