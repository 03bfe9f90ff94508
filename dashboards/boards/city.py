"""City overview: where something is wrong, what waits, whether the feeds are alive, what is left of the page budget."""

from dashboards import colours
from dashboards.boards.feeds import feeds
from dashboards.boards.series import county_columns
from dashboards.frame import ALERT_LABELS, Board, Placed, Tongue, alerts_raised, signals, sizes
from dashboards.panels import COUNT, HIDDEN, Builder, Column, Query, lines, number, rows, tile_map, value_map
from dashboards.queries import age, of_place, once, or_hidden, said_of_alerts, total
from dashboards.sdk import model
from streams import metrics
from streams.metrics.metric import Metric

CALM, LOOK, NOW = "✓", "!", "‼"
"""What a tile begins with: nothing waits; a warning waits; a critical alert waits."""
ZERO_UP = [(None, colours.CALM), (1, colours.NOTICE)]
ZERO_ALARM = [(None, colours.CALM), (1, colours.ALARM)]


def build(say: Tongue) -> model.Dashboard:
    """The board."""
    board = Board(
        "city",
        say,
        say(
            "全市一览：哪些县区有预警未确认，各观测点是否还在报送，误报额度还剩多少。",
            "The city at a glance: alerts that nobody took up, feeds that are silent, what is left of the page budget.",
        ),
        "now-14d",
        variables=[sizes(say), signals(say, 'size="$size"')],
        annotations=[alerts_raised(say)],
    )
    board.row(say("此刻", "Now"), *_now(say))
    board.row(say("县区", "Counties"), Placed(_map(say), 11, 11), Placed(_counties(say), 13, 11))
    board.row(say("待确认的预警", "Alerts to be taken up"), Placed(open_alerts(say), 24, 9))
    board.row(
        say("报送与额度", "Feeds and budget"),
        Placed(feeds(say), 8, 9),
        Placed(_total(say), 8, 9),
        Placed(_spent(say), 8, 9),
    )
    return board.build()


def _now(say: Tongue) -> list[Placed]:
    waiting = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity")
    critical = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity", where='severity="critical"')
    undisposed = total(metrics.ALERTS_UNDISPOSED, "county", "severity")
    panels = [
        number(
            say.words(
                "待确认：紧急",
                "To take up: critical",
                "紧急预警中尚无人确认的条数。",
                "Critical alerts that nobody has taken up.",
            ),
            COUNT,
            Query(critical),
            ZERO_ALARM,
        ),
        number(
            say.words(
                "待确认：全部",
                "To take up: all",
                "尚无人确认的预警条数。",
                "Alerts that nobody has taken up.",
            ),
            COUNT,
            Query(waiting),
            ZERO_UP,
        ),
        number(
            say.words(
                "待处置",
                "To dispose of",
                "尚未处置、排除或办结的预警条数。",
                "Alerts that nobody has disposed of, discarded or resolved.",
            ),
            COUNT,
            Query(undisposed),
        ),
        number(
            say.words(
                "一周预警占额度",
                "Pages against the budget",
                "最近 7 天占额度的预警条数，除以本市每周可接受的误报条数。长期超过 100%，不是出了事就是误报太多。",
                "Alerts under the budget of the last 7 days, over the false pages that a week accepts.",
            ),
            "percentunit",
            Query(f"{once(metrics.PAGES_LAST_WEEK)} / {once(metrics.BUDGET_PER_WEEK)}"),
            [(None, colours.CALM), (1, colours.NOTICE), (2, colours.ALARM)],
        ).decimals(0),
        number(
            say.words(
                "最久没有来件",
                "Longest silence",
                "最久没有新来件的观测点，距今多久。窗口以日计，一天多是正常的；满三天会报警。",
                "Since the last day with events, of the point silent longest; a day and a bit is normal, three page.",
            ),
            "s",
            Query(f"max({age(metrics.POINT_LAST_EVENT, 'point')})"),
            [(None, colours.CALM), (36 * 3600, colours.NOTICE), (3 * 86_400, colours.ALARM)],
        ),
        number(
            say.words(
                "水位落后",
                "Behind the watermark",
                "事件视为到齐的时刻（水位）距今多久。平时略大于容许的迟到时间。",
                "How long ago events are believed complete; usually a little more than the allowed lateness.",
            ),
            "s",
            Query(age(metrics.WATERMARK)),
            [(None, colours.CALM), (4 * 3600, colours.NOTICE), (6 * 3600, colours.ALARM)],
        ),
    ]
    return [Placed(panel, 4, 4) for panel in panels]


def _map(say: Tongue) -> Builder:
    """Tiles where the counties lie: a word and a colour for the worst that waits, and how many."""
    name = say.name
    critical = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity", by="county", where='severity="critical"')
    waiting = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity", by="county")
    place = once(metrics.COUNTY_INFO, "county", name, "column", "row")
    some = f"({waiting}) > 0"
    urgent = f"({critical}) > 0"

    def tile(mark: str, counted: str) -> str:
        """Number and name of a county as one label: the only way for a number into a label is count_values."""
        with_number = f'count_values by (county) ("number", {counted})'
        placed = f"({with_number}) * on (county) group_left ({name}, column, row) {place}"
        marked = f'label_replace({placed}, "mark", "{mark}", "", "")'
        return f'label_join({marked}, "tile", " ", "mark", "number", "{name}")'

    rest = f'label_replace({place} unless on (county) ({some}), "mark", "{CALM}", "", "")'
    calm = f'label_join({rest}, "tile", " ", "mark", "{name}")'
    expr = " or ".join(
        [
            tile(NOW, f"({waiting}) and on (county) ({urgent})"),
            tile(LOOK, f"({some}) unless on (county) ({urgent})"),
            calm,
        ]
    )
    return tile_map(
        say.words(
            "县区分布",
            "Map of counties",
            "按方位排列的县区：✓ 没有待确认的预警，! 有，‼ 有紧急的；数字是待确认的条数。",
            "Counties where they lie: ✓ nothing waits, ! alerts wait, ‼ a critical one; the number is how many.",
        ),
        Query(expr),
        row="row",
        column="column",
        tile="tile",
        marks={CALM: colours.CALM, LOOK: colours.NOTICE, NOW: colours.ALARM},
    )


def _counties(say: Tongue) -> Builder:
    where = 'signal="$signal",size="$size"'
    some = total(metrics.ALERTS_UNACKNOWLEDGED, "county", "severity", by="county")
    hidden = value_map({str(HIDDEN): ("<k", colours.NONE)})
    return rows(
        say.words(
            "县区一览",
            "Counties",
            "待确认的预警（全市的也在内），所选信号最近一个窗口的件数与预期；不足 k 人的不公布，写作 <k，不是零。",
            "Alerts to take up, of the whole city too; the chosen signal's last window; below k people: <k, not zero.",
        ),
        [
            *county_columns(say),
            Column("Value #A", say("待确认", "To take up"), unit=COUNT, width=84),
            Column("Value #B", say("件数", "Count"), unit=COUNT, width=84, mapping=hidden),
            Column("Value #C", say("预期", "Expected"), unit=COUNT, width=84),
            Column("Value #D", say("下限", "Low"), unit=COUNT, width=84),
            Column("Value #E", say("上限", "High"), unit=COUNT, width=84),
        ],
        Query(of_place(some, say.name)),
        *(
            Query(of_place(expr, say.name))
            for expr in (
                or_hidden(metrics.WINDOW_COUNT, "county", where=where),
                once(metrics.WINDOW_EXPECTED, "county", where=where),
                once(metrics.WINDOW_LOW, "county", where=where),
                once(metrics.WINDOW_HIGH, "county", where=where),
            )
        ),
        sort=[(say("待确认", "To take up"), True)],
    )


def open_alerts(say: Tongue, where: str = "") -> Builder:
    """Alerts that nobody has taken up, with a way to each in the console."""
    still = once(metrics.ALERT_OPEN, "alert", where=where)
    raised = f"(({once(metrics.ALERT_RAISED, *ALERT_LABELS, where=where)} and on (alert) {still}) * 1000)"
    severities = value_map(
        {
            "critical": (say("紧急", "critical"), colours.ALARM),
            "warning": (say("一般", "warning"), colours.NOTICE),
        }
    )
    sizes_named = value_map(
        {"day": (say("日", "day"), None), "week": (say("周", "week"), None), "hour": (say("时", "hour"), None)}
    )
    return rows(
        say.words(
            "待确认的预警",
            "Alerts to be taken up",
            "尚无人确认的预警，紧急的在前；点编号到控制台查看证据并确认。信号为空：件数不足 k，只在控制台。",
            "Critical ones first; the id leads to the evidence, in the console. No signal is named where below k.",
        ),
        [
            Column("severity", say("级别", "Severity"), mapping=severities, coloured=True, width=100),
            Column("Value", say("发出", "Raised"), unit="dateTimeAsIso", width=170),
            Column(say.name, say("县区", "County")),
            Column(say.title, say("类别", "Category")),
            Column("what", say("信号", "Signal")),
            Column("size", say("窗口", "Window"), mapping=sizes_named, width=80),
            Column(
                "alert",
                say("编号", "Id"),
                link=(say("在控制台打开", "Open in the console"), "${console:raw}/alerts/${__value.raw}"),
            ),
        ],
        Query(said_of_alerts(raised, say.name, say.title)),
        sort=[(say("级别", "Severity"), False), (say("发出", "Raised"), True)],
    )


def _total(say: Tongue) -> Builder:
    """The whole city, whose code windows carry as their county."""
    where = 'signal="$signal",size="$size"'
    city = once(metrics.CITY_INFO, "county", say.name)

    def of_city(metric: Metric) -> str:
        return f"{once(metric, 'county', where=where)} * on (county) group_left ({say.name}) {city}"

    return lines(
        say.words(
            "全市合计",
            "The whole city",
            "所选信号在全市的件数与预期；只有对全市合计作判断的信号才有。",
            "The chosen signal over the whole city; only for signals that are judged city-wide.",
        ),
        COUNT,
        Query(of_city(metrics.WINDOW_COUNT), say("件数", "Count")),
        Query(of_city(metrics.WINDOW_EXPECTED), say("预期", "Expected")),
        paint=[colours.COUNT, colours.EXPECTED],
    ).no_value(say("这个信号不作全市合计", "Not judged city-wide"))


def _spent(say: Tongue) -> Builder:
    return lines(
        say.words(
            "误报额度",
            "Page budget",
            "最近 7 天占额度的预警；每周可接受的误报条数；检验分到的额度（上限：误报的期望不超过它）。",
            "Pages of the last 7 days; false pages that a week accepts; what tests were given: a bound on false ones.",
        ),
        COUNT,
        Query(once(metrics.PAGES_LAST_WEEK), say("最近 7 天的预警", "Pages, last 7 days")),
        Query(once(metrics.BUDGET_PER_WEEK), say("每周额度", "A week's budget")),
        Query(once(metrics.BUDGET_SPENT), say("检验分到", "Given to tests")),
        paint=[colours.COUNT, colours.EXPECTED, colours.NONE],
    )
