"""Pipeline health: every record accounted for, how far behind, what was rejected and why, does anything stand still."""

from collections.abc import Iterator, Mapping

from dashboards import colours
from dashboards.boards.feeds import feeds
from dashboards.boards.workers import workers
from dashboards.frame import Board, Placed, Tongue
from dashboards.panels import COUNT, Builder, Column, Query, bars, lines, number, rows
from dashboards.queries import age, once
from dashboards.sdk import common, common_model, model
from streams import metrics
from streams.metrics.metric import Metric

_DAY = 86_400
RATE = "$__rate_interval"
VERDICTS = (
    ("counted", "计入", "counted"),
    ("duplicate", "重复", "duplicate"),
    ("late", "迟到", "late"),
    ("rejected", "拒收", "rejected"),
)
PAINT = (colours.COUNT, colours.NONE, colours.EXPECTED, colours.ALARM)
"""Of the verdicts, in their order."""


def build(say: Tongue) -> model.Dashboard:
    """The board."""
    board = Board(
        "pipeline",
        say,
        say(
            "系统自身：每条记录的去向、落后多少、拒收的原因、检查点、寻呼队列。",
            "jiantu itself: what became of every record, how far behind, rejections by reason, checkpoints, paging.",
        ),
        "now-24h",
    )
    board.row(say("此刻", "Now"), *_now(say))
    board.row(
        say("记录的去向", "What became of every record"),
        Placed(_verdicts(say), 12, 9),
        Placed(_rejected(say), 6, 9),
        Placed(_balance(say), 6, 9),
    )
    board.row(
        say("进度", "Progress"),
        Placed(_watermark(say), 6, 8),
        Placed(_windows(say), 6, 8),
        Placed(_checkpoint(say), 6, 8),
        Placed(_lag(say), 6, 8),
    )
    board.row(
        say("报送与服务", "Feeds and service"),
        Placed(feeds(say), 8, 9),
        Placed(_requests(say), 8, 9),
        Placed(_ingested(say), 8, 9),
    )
    board.row(
        say("寻呼与导出", "Paging and export"),
        Placed(_queue(say), 8, 8),
        Placed(_delivered(say), 8, 8),
        Placed(_scrapes(say), 8, 8),
    )
    board.row(
        say("Kafka 上的工作进程", "Workers on Kafka"),
        *(Placed(panel, 8, 8) for panel in workers(say)),
    )
    board.row(say("版本", "What runs"), Placed(_builds(say), 20, 5), Placed(_k(say), 4, 5))
    return board.build()


def _now(say: Tongue) -> list[Placed]:
    panels = [
        number(
            say.words(
                "账本可读",
                "Ledger is read",
                "1：导出器读得到账本；0：读不到，其余数字缺席。",
                "1: the exporter reads the ledger; 0: it does not, and all other numbers are absent.",
            ),
            "bool_yes_no",
            Query(f"min({metrics.EXPORTER_UP.name}) or vector(0)"),
            names=_yes_no(say),
        ),
        number(
            say.words(
                "实时服务就绪",
                "Live service ready",
                "1：实时服务已恢复、在收事件；没有实时服务则无数据。",
                "1: the live service is recovered and takes events in; no data where there is none.",
            ),
            "bool_yes_no",
            Query(f"min({metrics.READY.name})"),
            names=_yes_no(say),
        ),
        number(
            say.words(
                "数据",
                "Data",
                "实时，或重放（不寻呼任何人）。",
                "Live, or replayed (which pages nobody).",
            ),
            COUNT,
            Query(once(metrics.REPLAYED)),
            names={"0": (say("实时", "live"), colours.CALM), "1": (say("重放", "replayed"), colours.NONE)},
        ),
        number(
            say.words(
                "收到",
                "Received",
                "收到的记录累计，不论去向。",
                "Records received so far, whatever became of them.",
            ),
            COUNT,
            Query(once(metrics.RECORDS_RECEIVED)),
        ).decimals(0),
        number(
            say.words(
                "停滞",
                "Stalls",
                "所选时间内看门狗发现没有进展的次数。",
                "Times in the chosen range that the watchdog saw no progress.",
            ),
            COUNT,
            Query(f"sum(increase({metrics.STALLS.name}[$__range]))"),
            [(None, colours.CALM), (1, colours.ALARM)],
        ).decimals(0),
        number(
            say.words(
                "等待寻呼",
                "Pages waiting",
                "等待送出的寻呼条数。",
                "Pages that wait to be delivered.",
            ),
            COUNT,
            Query(f"sum({metrics.PAGING_QUEUE.name})"),
            [(None, colours.CALM), (1, colours.NOTICE), (10, colours.ALARM)],
        ),
        number(
            say.words(
                "停下待人",
                "Stopped for good",
                "同一处记录失败三次，或不能再往下算，已停下，须有人查看；处理办法见处置手册。",
                "The same records failed three times, or it must not go on: somebody has to look; see the runbook.",
            ),
            "bool_yes_no",
            Query(f"max({metrics.STOPPED.name})"),
            names={"0": (say("没有", "no"), colours.CALM), "1": (say("停下了", "yes"), colours.ALARM)},
        ),
        number(
            say.words(
                "节假日历",
                "Calendar",
                "节假日历自水位起还覆盖的天数；到期前请补上新一年。",
                "Days for which the official holidays are known; add the new year before they run out.",
            ),
            say("suffix: 天", "suffix: d"),
            Query(once(metrics.CALENDAR_COVERAGE)),
            [(None, colours.ALARM), (14, colours.NOTICE), (60, colours.CALM)],
        ).decimals(0),
    ]
    return [Placed(panel, 3, 4) for panel in panels]


def _yes_no(say: Tongue) -> Mapping[str, tuple[str, str]]:
    return {"0": (say("否", "no"), colours.ALARM), "1": (say("是", "yes"), colours.CALM)}


def _by_verdict(say: Tongue, metric: Metric, over: str) -> Iterator[Query]:
    """Records a second by verdict, each in words and one colour; `over` processes that export the same, or a part.

    A past that was filled in has a sample an hour (`jiantu backfill`): there a rate is one of two hours.
    """
    for verdict, zh, en in VERDICTS:
        some = f'{metric.name}{{verdict="{verdict}"}}'
        yield Query(f"{over}(rate({some}[{RATE}])) or {over}(rate({some}[130m]))", say(zh, en))


def _verdicts(say: Tongue) -> Builder:
    panel = lines(
        say.words(
            "记录按去向",
            "Records by verdict",
            "每秒记录数：计入、重复、迟到、拒收；相加等于收到。",
            "Records a second: counted, duplicate, late, rejected; they sum to those received.",
        ),
        "cps",
        *_by_verdict(say, metrics.RECORDS, "max"),
        paint=PAINT,
    )
    return panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL)).fill_opacity(30)


def _rejected(say: Tongue) -> Builder:
    return bars(
        say.words(
            "拒收，按原因",
            "Rejected, by reason",
            "拒收的记录累计。原因见处置手册；修好发送端或配置后可重新送入。",
            "Records rejected so far. The runbook says what each reason means, and how to take them up again.",
        ),
        COUNT,
        Query(f"sort_desc({once(metrics.RECORDS_REJECTED, 'reason')} > 0)", "{{reason}}"),
        steps=[(None, colours.NOTICE)],
    ).no_value(say("没有拒收", "none rejected"))


def _balance(say: Tongue) -> Builder:
    verdicts = f"sum({once(metrics.RECORDS, 'verdict')})"
    return number(
        say.words(
            "账目之差",
            "Not accounted for",
            "收到减去计入、重复、迟到、拒收：必须是 0。",
            "Received less counted, duplicate, late and rejected: must be 0.",
        ),
        COUNT,
        Query(f"abs({once(metrics.RECORDS_RECEIVED)} - {verdicts})"),
        [(None, colours.CALM), (1, colours.ALARM)],
    ).decimals(0)


def _watermark(say: Tongue) -> Builder:
    return lines(
        say.words(
            "水位落后",
            "Behind the watermark",
            "事件视为到齐的时刻距今多久；平时略大于容许的迟到时间，一直上升是停住了。",
            "How long ago events are believed complete; what rises and rises has stopped.",
        ),
        "s",
        Query(age(metrics.WATERMARK), say("水位", "Watermark")),
        paint=[colours.COUNT],
    )


def _windows(say: Tongue) -> Builder:
    return lines(
        say.words(
            "最近关闭的窗口距今",
            "Since the last window closed",
            "时、日、周各自最近一个窗口的结束时刻距今多久；右轴：每小时关闭的窗口数。",
            "Since the end of the last hour, day and week that closed; right axis: windows closed an hour.",
        ),
        "s",
        *(
            Query(age(metrics.WINDOW_END, where=f'size="{size}"'), word)
            for size, word in (("hour", say("时", "Hour")), ("day", say("日", "Day")), ("week", say("周", "Week")))
        ),
        Query(f"max(increase({metrics.WINDOWS_CLOSED.name}[130m])) * 60 / 130", say("每小时关闭", "Closed an hour")),
        paint=[colours.COUNT, colours.EXPECTED, colours.SECOND, colours.NONE],
        on_the_right={3: COUNT},
    )


def _checkpoint(say: Tongue) -> Builder:
    return lines(
        say.words(
            "检查点距今",
            "Since the last checkpoint",
            "账本最近一次写入距今多久；检查点之后的工作重启后会重做，不会丢失。",
            "Since the ledger was last written to; what came after is repeated by a restart, never lost.",
        ),
        "s",
        Query(age(metrics.CHECKPOINT), say("检查点", "Checkpoint")),
        paint=[colours.COUNT],
    )


def _lag(say: Tongue) -> Builder:
    return lines(
        say.words(
            "尚未处理",
            "Lag",
            "来源中已有、尚未处理的记录数。",
            "Records that the source has and that have not been taken yet.",
        ),
        COUNT,
        Query(f"sum({once(metrics.SOURCE_LAG)})", say("记录", "Records")),
        paint=[colours.COUNT],
    ).no_value(say("来源没有余量可报", "nothing reported"))


def _requests(say: Tongue) -> Builder:
    return lines(
        say.words(
            "HTTP 请求",
            "HTTP requests",
            "实时服务每秒的请求，按路径和状态码；4xx 是发送端的问题，5xx 是这里的。",
            "Requests a second to the live service, by route and status; 4xx is the sender's fault, 5xx ours.",
        ),
        "reqps",
        Query(f"sum by (route, status) (rate({metrics.HTTP_REQUESTS.name}[{RATE}]))", "{{route}} {{status}}"),
    ).no_value(say("没有实时服务", "no live service"))


def _ingested(say: Tongue) -> Builder:
    return lines(
        say.words(
            "HTTP 送来的记录",
            "Records by HTTP",
            "实时服务每秒收到的记录，按结论。",
            "Records a second that came to the live service, by verdict.",
        ),
        "cps",
        *_by_verdict(say, metrics.INGEST_RECORDS, "sum"),
        paint=PAINT,
    ).no_value(say("没有实时服务", "no live service"))


def _queue(say: Tongue) -> Builder:
    return lines(
        say.words(
            "寻呼队列",
            "Paging queue",
            "等待送出的寻呼，以及最早一条等了多久（右轴）。",
            "Pages that wait to be delivered, and how long the oldest has waited (right axis).",
        ),
        COUNT,
        Query(f"sum({metrics.PAGING_QUEUE.name})", say("条数", "Pages")),
        Query(f"time() - min({metrics.PAGING_OLDEST.name})", say("最早一条已等", "Oldest waits")),
        paint=[colours.COUNT, colours.EXPECTED],
        on_the_right={1: "s"},
    ).no_value(say("没有寻呼服务", "no paging service"))


def _delivered(say: Tongue) -> Builder:
    return lines(
        say.words(
            "寻呼投递",
            "Deliveries",
            "每小时的投递，按渠道和结果。",
            "Deliveries of pages an hour, by channel and outcome.",
        ),
        COUNT,
        Query(f"sum by (channel, outcome) (increase({metrics.PAGES_DELIVERED.name}[1h]))", "{{channel}} {{outcome}}"),
    ).no_value(say("没有寻呼服务", "no paging service"))


def _scrapes(say: Tongue) -> Builder:
    return lines(
        say.words(
            "导出用时",
            "Exporter",
            "每次读取账本的用时；右轴：每小时读不出的次数。",
            "How long reading the ledger takes; right axis: readings that failed, an hour.",
        ),
        "s",
        Query(once(metrics.SCRAPE_SECONDS), say("用时", "Takes")),
        Query(f"sum(increase({metrics.SCRAPE_ERRORS.name}[1h])) or vector(0)", say("失败", "Failed")),
        paint=[colours.COUNT, colours.ALARM],
        on_the_right={1: COUNT},
    )


def _builds(say: Tongue) -> Builder:
    return rows(
        say.words(
            "版本与配置",
            "Version and profile",
            "正在运行的版本、城市配置及其摘要。",
            "The version that runs, the profile of the city, and its digest.",
        ),
        [
            Column("profile", say("配置", "Profile")),
            Column("profile_version", say("配置摘要", "Digest of the profile")),
            Column("version", say("版本", "Version")),
        ],
        Query(once(metrics.BUILD, "profile", "profile_version", "version")),
    )


def _k(say: Tongue) -> Builder:
    return number(
        say.words(
            "不公布的界限 k",
            "Not shown below k",
            "不足这么多人的格子不公布数字。",
            "Cells below so many people are not shown.",
        ),
        COUNT,
        Query(once(metrics.PRIVACY_K)),
    )
