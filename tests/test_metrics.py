"""The names' file: what every metric is called, and that the table says the same."""

import re
from pathlib import Path

import pytest

from streams.exporter.table import table
from streams.metrics import METRICS, NAMES
from streams.metrics.metric import Kind, Metric, Unit

REPOSITORY = Path(__file__).parents[1]
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_the_committed_table_is_the_one_that_the_names_make() -> None:
    made = (REPOSITORY / "deploy/METRICS.md").read_text(encoding="utf-8")
    assert made == table(), "run: python -m streams.exporter.table > deploy/METRICS.md"


def test_no_name_is_there_twice() -> None:
    assert len(NAMES) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_name_says_what_it_is(metric: Metric) -> None:
    assert re.fullmatch(r"jiantu_[a-z][a-z0-9_]*[a-z0-9]", metric.name)
    assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
    assert metric.name.endswith("_timestamp_seconds") == (metric.unit is Unit.TIMESTAMP)
    assert "age" not in metric.name.split("_"), "instants are exported, never ages"
    assert HAN.search(metric.zh)
    assert not HAN.search(metric.en)
    assert metric.en.endswith(".")
    assert len(set(metric.labels)) == len(metric.labels)
    assert not {"le", "quantile", "job", "instance"} & set(metric.labels), "Prometheus' own labels"
