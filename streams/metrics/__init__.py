"""Every name of a metric that jiantu exports, in one place: what rules, boards and their tests may ask for.

The tables of `deploy/METRICS.md` are made of this (`python -m streams.exporter.table`). Instants are exported, never
ages; totals end in `_total`; units are base units.

Law 6. No number is exported that lets anybody narrow a cell below k people: such a series has
`jiantu_window_suppressed` 1 and no number, and so may others that would give it away. What is compartmented has no
county, no signal and no series of its own. `streams.exporter.disclosure` decides, nothing else.
"""

from collections.abc import Callable, Iterable
from functools import partial

from streams.metrics.metric import Group, Kind, Metric, Unit

_ALL: list[Metric] = []


def _made(kind: Kind, group: Group, name: str, zh: str, en: str, *labels: str, unit: Unit = Unit.NONE) -> Metric:
    made = Metric(f"jiantu_{name}", kind, group, zh, en, labels, unit)
    _ALL.append(made)
    return made


def _of(group: Group) -> Iterable[Callable[..., Metric]]:
    """What adds a gauge, a counter, a histogram to a group."""
    return [partial(_made, kind, group) for kind in Kind]


# ---- alerts: level-triggered, from the ledger ------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.ALERTS)

ALERT_LABELS = ("alert", "county", "category", "signal", "size", "severity", "replayed")

ALERT_OPEN = _gauge(
    "alert_open",
    "预警尚无人确认，值为 1；签收、处置或排除后消失。category 为类别代码；件数不足 k 时 signal、size 为空。",
    "1 while nobody has taken the alert up; gone once acknowledged, disposed or discarded. category is the family's "
    "code; signal and size are empty where its count is below k.",
    *ALERT_LABELS,
)
ALERT_RAISED = _gauge(
    "alert_raised_timestamp_seconds",
    "预警的发出时刻（事件时间）；尚未处置的，以及最近 14 天内发出的。",
    "When the alert was raised, event time: of those nobody has disposed of, and of the last 14 days.",
    *ALERT_LABELS,
    unit=Unit.TIMESTAMP,
)
ALERTS_UNACKNOWLEDGED = _gauge(
    "alerts_unacknowledged", "尚无人确认的预警数。", "Alerts that nobody has taken up.", "county", "severity"
)
ALERTS_UNDISPOSED = _gauge(
    "alerts_undisposed",
    "尚未处置、排除或办结的预警数。",
    "Alerts that nobody has disposed of, discarded or resolved.",
    "county",
    "severity",
)
COMPARTMENTED_UNACKNOWLEDGED = _gauge(
    "compartmented_alerts_unacknowledged",
    "尚无人确认的保密预警数（全市）；不分县区、信号，详情只在控制台。",
    "Compartmented alerts that nobody has taken up, in the whole city; no county and no signal: the console has them.",
    "replayed",
)
ALERTS_RAISED = _counter(
    "alerts_raised_total", "发出的预警累计（保密的除外）。", "Alerts raised (not compartmented ones).", "severity"
)
STEPS = _counter(
    "alert_steps_total",
    "人员对预警所做步骤的累计；choice 为处置措施或排除理由。",
    "Steps that people took on alerts; choice: the measure, or why it was discarded.",
    "step",
    "choice",
)
ACKNOWLEDGE_SECONDS = _histogram(
    "alert_acknowledge_seconds",
    "从发出到首次有人接手的时长（重放的数据不计）。",
    "From raised to first taken up (not of replayed data).",
    "severity",
    unit=Unit.SECONDS,
)
DISPOSE_SECONDS = _histogram(
    "alert_dispose_seconds",
    "从发出到处置、排除或办结的时长（重放的数据不计）。",
    "From raised to disposed, discarded or resolved (not of replayed data).",
    "severity",
    unit=Unit.SECONDS,
)

# ---- windows: the last closed one of every series --------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.WINDOWS)

SERIES_LABELS = ("county", "signal", "size")

WINDOW_COUNT = _gauge(
    "window_observed",
    "最近一个已关闭窗口的计数；county 为市代码时是全市合计。在办类信号向下取整到 k 的倍数。",
    "Count of the last closed window; the city's own code is the whole city. Signals of what is open are rounded down "
    "to multiples of k.",
    *SERIES_LABELS,
)
WINDOW_EXPECTED = _gauge(
    "window_expected", "该窗口的预期（取整）。", "What that window was expected to count, whole.", *SERIES_LABELS
)
WINDOW_LOW = _gauge("window_low", "预期区间下限（95%，取整）。", "Lower end of the 95 % band, whole.", *SERIES_LABELS)
WINDOW_HIGH = _gauge("window_high", "预期区间上限（95%，取整）。", "Upper end of the 95 % band, whole.", *SERIES_LABELS)
WINDOW_P = _gauge(
    "window_p",
    "该窗口的尾概率，向上取到 10 的幂。",
    "Tail probability of that window, rounded up to a power of ten.",
    *SERIES_LABELS,
)
WINDOW_RATIO = _gauge(
    "window_ratio",
    "占比信号（满意率、按期率等）：计数除以其分母；分母为零则无。",
    "Of signals that are shares (satisfied, on time): their count over the whole's; absent for 0/0.",
    *SERIES_LABELS,
    unit=Unit.RATIO,
)
WINDOW_SUPPRESSED = _gauge(
    "window_suppressed",
    "1：该窗口的数字不公布（不足 k 人，或会泄露不足 k 人的格子）；0：公布。",
    "1: no number of that window is shown (below k people, or it would tell one that is); 0: it is.",
    *SERIES_LABELS,
)
WINDOW_END = _gauge(
    "window_end_timestamp_seconds",
    "最近一个已关闭窗口的结束时刻。",
    "End of the last closed window.",
    "size",
    unit=Unit.TIMESTAMP,
)
PRIVACY_K = _gauge("privacy_k", "不足这么多人的格子不公布。", "Cells below so many people are not shown.")

# ---- the page budget -------------------------------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.BUDGET)

BUDGET_PER_WEEK = _gauge(
    "page_budget_pages_per_week", "每周可接受的误报数。", "False pages that the city accepts per week.", unit=Unit.PAGES
)
BUDGET_SPENT = _gauge(
    "page_budget_spent_pages",
    "最近 7 天各项检验用去的额度（设计上几乎用满）。",
    "What the tests of the last 7 days spent of it: nearly all, by design.",
    unit=Unit.PAGES,
)
BUDGET_REMAINING = _gauge("page_budget_remaining_pages", "余下的额度。", "What is left of it.", unit=Unit.PAGES)
PAGES_LAST_WEEK = _gauge(
    "pages_raised_last_week",
    "水位前 7 天内发出的、占额度的预警数（真假都算）：超过每周额度时，多半有真事。",
    "Alerts under the budget raised in the 7 days up to the watermark, true ones included.",
    unit=Unit.PAGES,
)
PAGES = _gauge(
    "pages",
    "占额度的预警，按人员目前的结论：right 属实，false 误报，other 不计入误报的排除，open 尚无结论。",
    "Alerts under the budget by what people make of them now: right, false, other (discarded, not as false), open.",
    "outcome",
    unit=Unit.PAGES,
)
FALSE_PAGE_RATIO = _gauge(
    "false_page_ratio",
    "有结论的预警中误报的比例；尚无结论则无。",
    "False ones among the pages judged; absent where none is judged.",
    unit=Unit.RATIO,
)
FALSE_PAGES_PER_WEEK = _gauge(
    "false_pages_per_week",
    "实际误报：最近 28 天发出的预警中人员判为误报的，每周。",
    "Realised false pages a week: of the alerts of the last 28 days, those that people discarded as false.",
    unit=Unit.PAGES,
)

# ---- the pipeline ----------------------------------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.PIPELINE)

WATERMARK = _gauge(
    "watermark_timestamp_seconds", "水位：此前的事件视为到齐。", "Event time believed complete.", unit=Unit.TIMESTAMP
)
POINT_LAST_EVENT = _gauge(
    "point_last_event_timestamp_seconds",
    "观测点最近一个有受理事件的窗口的结束时刻。",
    "End of the last window in which events came from the point.",
    "point",
    unit=Unit.TIMESTAMP,
)
RECORDS_RECEIVED = _counter("records_received_total", "收到的记录。", "Records received, whatever became of them.")
RECORDS = _counter(
    "records_total",
    "收到的记录按结论：counted 计入，duplicate 重复，late 迟到，rejected 拒收；合计等于收到。",
    "Records by verdict: counted, duplicate, late, rejected; they sum to those received.",
    "verdict",
)
RECORDS_REJECTED = _counter("records_rejected_total", "拒收的记录按原因。", "Records rejected, by reason.", "reason")
WINDOWS_CLOSED = _counter("windows_closed_total", "已关闭的窗口。", "Windows closed.")
CHECKPOINT = _gauge(
    "checkpoint_timestamp_seconds",
    "运行最近一次推进的时刻（检查点）；人员的操作不算。",
    "When the run last came further (a checkpoint); steps of people are none.",
    unit=Unit.TIMESTAMP,
)
SOURCE_LAG = _gauge(
    "source_lag_records",
    "来源中尚未处理的记录数。",
    "Records of the source that have not been taken yet.",
    unit=Unit.RECORDS,
)
STOPPED = _gauge(
    "stopped_for_good",
    "1：同一处记录失败三次，或不能再往下算（记录已过期、主题被重建……），已停下，须有人查看后再启动；0：没有。",
    "1: the same records failed three times, or it must not go on (records that retention deleted, a topic made again "
    "...): it has stopped until somebody has looked. 0: it has not.",
)
CALENDAR_COVERAGE = _gauge(
    "calendar_coverage_days",
    "节假日历自水位起还覆盖的天数；过期为负。",
    "Days from the watermark on for which the official holidays are known; negative: run out.",
    unit=Unit.DAYS,
)
CALENDAR_UNTIL = _gauge(
    "calendar_covered_until_timestamp_seconds",
    "节假日历覆盖到的时刻。",
    "Until when the official holidays are known.",
    unit=Unit.TIMESTAMP,
)

# ---- names: joined to the codes by boards and pages ------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.NAMES)

BUILD = _gauge("build_info", "版本，值恒为 1。", "What is running; always 1.", "version", "profile", "profile_version")
REPLAYED = _gauge(
    "replayed",
    "1：台账里是重放的数据，不寻呼任何人；0：实时数据。",
    "1: the ledger holds replayed data, which pages nobody; 0: live data.",
)
CITY_INFO = _gauge("city_info", "城市。", "The city.", "county", "name", "name_en")
COUNTY_INFO = _gauge(
    "county_info",
    "县区；column、row 为其在方位图上的格子。",
    "Counties; column and row: their tile on a map.",
    "county",
    "name",
    "name_en",
    "position",
    "column",
    "row",
)
SIGNAL_INFO = _gauge(
    "signal_info",
    "信号（保密的除外）。measure 为度量，of 为占比的分母。",
    "Signals (not compartmented ones); `of`: the whole that it is a share of.",
    "signal",
    "title",
    "title_en",
    "family",
    "measure",
    "of",
)
POINT_INFO = _gauge("point_info", "观测点。", "Observation points.", "point", "name", "name_en")
CATEGORY_INFO = _gauge(
    "category_info",
    "类别（预警的 category）。",
    "Families: what an alert's category is.",
    "category",
    "title",
    "title_en",
)
SERVICE_INFO = _gauge(
    "service_info", "控制台与手册的地址。", "Addresses of the console and the runbook.", "console", "runbook"
)

# ---- the live service (`jiantu run`) ---------------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.SERVICE)

READY = _gauge("ready", "1：服务就绪。", "1: the service is ready.")
STALLS = _counter(
    "stalls_total",
    "服务启动以来停滞的次数。",
    "Times since its start that the service made no progress though there was something to do.",
)
HTTP_REQUESTS = _counter("http_requests_total", "HTTP 请求。", "HTTP requests.", "route", "status")
INGEST_RECORDS = _counter(
    "ingest_records_total", "HTTP 送来的记录按结论。", "Records that came by HTTP, by verdict.", "verdict"
)

# ---- workers (`jiantu worker --listen`) ------------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.WORKERS)

WORKER_ALIVE = _gauge(
    "worker_alive",
    "1：工作进程在组里工作；0：正在启动或重启。",
    "1: the worker takes part in the group; 0: it is starting, or starting again.",
)
WORKER_ENDINGS = _counter(
    "worker_endings_total",
    "工作进程结束的次数：failed 出错，stalled 被看门狗结束，killed 被信号结束。",
    "Times that a worker ended: it failed, the watchdog ended it (stalled), or a signal did (killed).",
    "how",
)
WORKER_LAG = _gauge(
    "worker_lag_records",
    "按中间件的数字，分区里尚未处理的记录。",
    "Records of a partition that the step has not taken yet, by the brokers' own figures.",
    "step",
    "partition",
    unit=Unit.RECORDS,
)
WORKER_CHECKPOINT = _gauge(
    "worker_checkpoint_timestamp_seconds",
    "分区最近一次检查点写成的时刻；没有新记录时不写。",
    "When the last checkpoint of a partition was written; where nothing comes, none is.",
    "step",
    "partition",
    unit=Unit.TIMESTAMP,
)

# ---- paging (`jiantu paging`) ----------------------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.PAGING)

PAGING_QUEUE = _gauge("paging_queue_pages", "等待送出的寻呼。", "Pages waiting to be delivered.", unit=Unit.PAGES)
PAGING_OLDEST = _gauge(
    "paging_oldest_timestamp_seconds",
    "其中最早一条进入队列的时刻；队列为空则无。",
    "Since when the oldest of them waits; absent where none does.",
    unit=Unit.TIMESTAMP,
)
PAGES_DELIVERED = _counter(
    "pages_delivered_total",
    "寻呼的投递，按渠道和结果。",
    "Deliveries of pages by channel and outcome.",
    "channel",
    "outcome",
)

# ---- the exporter ----------------------------------------------------------------------------------------------------

_gauge, _counter, _histogram = _of(Group.SELF)

WATCHDOG = _gauge("watchdog", "恒为 1：看门狗规则以此为据。", "Always 1: what the Watchdog rule stands on.")
EXPORTER_UP = _gauge(
    "exporter_up",
    "1：台账读出来了；0：没有，其余指标缺席。",
    "1: the ledger was read; 0: it was not, and the rest is absent.",
)
SCRAPE_SECONDS = _gauge(
    "exporter_scrape_duration_seconds",
    "本次读取台账用时。",
    "How long this reading of the ledger took.",
    unit=Unit.SECONDS,
)
SCRAPE_ERRORS = _counter(
    "exporter_errors_total",
    "导出器启动以来读不出台账的次数，按原因。",
    "Readings of the ledger that failed since the exporter started, by reason.",
    "reason",
)

METRICS: tuple[Metric, ...] = tuple(_ALL)
"""All of them, in the order of the table."""
NAMES: dict[str, Metric] = {metric.name: metric for metric in METRICS}
