"""How the whole suite runs: one hypothesis profile, one seed that is said, real servers for who asks."""

import secrets
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.kafka.fixtures import kafka_broker, own_broker, secured_broker, topic_prefix
from tests.postgres.fixtures import new_schema, postgres, postgres_server
from tests.prometheus.fixtures import new_alertmanager, new_prometheus

__all__ = [
    "kafka_broker",
    "new_alertmanager",
    "new_prometheus",
    "new_schema",
    "own_broker",
    "postgres",
    "postgres_server",
    "secured_broker",
    "topic_prefix",
]

settings.register_profile(
    "jiantu",
    deadline=None,  # two busy cores make any deadline a coin toss
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("jiantu")


@pytest.fixture(scope="session")
def plain_cpu(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process that takes its CPU for the plainest of this kind. The machine code for that is compiled
    afresh, but once in a run: all of it takes the better part of a minute."""
    from tests.promises.on_this_machine import wide_cpu_features

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if hasattr(request.config, "workerinput") else base) / "numba-of-a-plain-cpu"
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(wide_cpu_features()),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "NUMBA_CACHE_DIR": str(folder),
    }


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """One seed for the whole run, chosen here unless --hypothesis-seed names it; a worker takes its controller's."""
    if config.option.hypothesis_seed is None:
        given = getattr(config, "workerinput", {})
        config.option.hypothesis_seed = given.get("hypothesis_seed", str(secrets.randbits(32)))
    # kafka-python's own reading of its own files, on Python 3.11 and 3.12; nothing that its users could do otherwise.
    config.addinivalue_line("filterwarnings", "ignore:(read|open)_text is deprecated:DeprecationWarning")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["hypothesis_seed"] = node.config.option.hypothesis_seed


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first: whichever worker has them, the others take the short ones off its hands meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_report_header(config: pytest.Config) -> str:
    return f"hypothesis: --hypothesis-seed={config.option.hypothesis_seed}"
