"""What a metric is: a name, a type, what it means, its labels and unit."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a metric is to Prometheus."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Group(StrEnum):
    """What a metric is about: a section of the table."""

    ALERTS = "预警 · Alerts"
    WINDOWS = "窗口 · Windows"
    BUDGET = "误报额度 · Page budget"
    PIPELINE = "管道 · Pipeline"
    NAMES = "名称 · Names"
    SERVICE = "服务 · Live service"
    WORKERS = "工作进程 · Workers on Kafka"
    PAGING = "寻呼 · Paging"
    SELF = "导出器 · The exporter itself"


class Unit(StrEnum):
    """Base unit of a value."""

    NONE = ""
    SECONDS = "seconds"
    TIMESTAMP = "timestamp_seconds"
    """Seconds since 1970-01-01T00:00Z."""
    RATIO = "ratio"
    """0..1."""
    RECORDS = "records"
    EVENTS = "events"
    PAGES = "pages"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: what a query may name, and what it means."""

    name: str
    """As queries write it; a counter's ends in _total, a histogram's gets _bucket, _sum and _count."""
    kind: Kind
    group: Group
    zh: str
    en: str
    labels: tuple[str, ...] = ()
    unit: Unit = Unit.NONE

    @property
    def help(self) -> str:
        """One line, Chinese first."""
        return f"{self.zh} {self.en}"
