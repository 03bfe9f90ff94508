"""The workers on Kafka, where there are some: the row of the pipeline's board that is about them."""

from collections.abc import Iterator

from dashboards import colours
from dashboards.frame import Tongue
from dashboards.panels import COUNT, Builder, Query, lines
from dashboards.queries import age, total
from streams import metrics


def workers(say: Tongue) -> Iterator[Builder]:
    """The panels of the row."""
    for panel in (_alive(say), _lag_by_step(say), _checkpoints_by_step(say)):
        yield panel.no_value(say("没有工作进程", "no workers"))


def _alive(say: Tongue) -> Builder:
    """How many take part, and how often one ends that should not."""
    return lines(
        say.words(
            "工作进程",
            "Workers",
            "在组里工作的与全部的工作进程；右轴：每小时结束的次数（出错、停滞、被杀）。",
            "Workers that take part in the group, and all; right axis: endings an hour (failed, stalled, killed).",
        ),
        COUNT,
        Query(f"sum({metrics.WORKER_ALIVE.name})", say("在工作", "At work")),
        Query(f"count({metrics.WORKER_ALIVE.name})", say("全部", "All")),
        Query(f"sum(increase({metrics.WORKER_ENDINGS.name}[1h]))", say("结束", "Endings")),
        paint=[colours.COUNT, colours.NONE, colours.ALARM],
        on_the_right={2: COUNT},
    )


def _lag_by_step(say: Tongue) -> Builder:
    """What waits on the broker."""
    return lines(
        say.words(
            "各步尚未处理",
            "Lag by step",
            "各步的分区里已有、尚未处理的记录数。",
            "Records that the partitions of each step have and that it has not taken yet.",
        ),
        COUNT,
        Query(total(metrics.WORKER_LAG, "step", "partition", by="step"), "{{step}}"),
    )


def _checkpoints_by_step(say: Tongue) -> Builder:
    """How much a crash would repeat."""
    return lines(
        say.words(
            "各步检查点距今",
            "Since the last checkpoint, by step",
            "各步最旧的分区检查点距今多久；没有新记录时不写。",
            "Age of each step's oldest partition checkpoint; where nothing comes, none is written.",
        ),
        "s",
        Query(f"max by (step) ({age(metrics.WORKER_CHECKPOINT, 'step', 'partition')})", "{{step}}"),
    )
