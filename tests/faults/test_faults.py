"""What goes wrong with real workers on a real broker changes nothing: one alert log, every record accounted for,
nothing lost, nothing twice.

Scale of every run: Lake City's six weeks (7,212 events of all kinds: late, twice, wrong), 2 or 3 workers, 3 partitions
of events; of DESIGN's table a part of each row (`test_soak.py` has all of it). The session timeout is the product's
in the first two, shorter elsewhere, so that a worker that is silent is missed sooner.
"""

import secrets
import time
from pathlib import Path

import pytest

from tests.cli.commands import LAKE, RECORDING
from tests.faults.campaign import Campaign, StalledError, Stream
from tests.faults.proof import BrokenPromiseError
from tests.faults.proxy import ProxiedServer
from tests.kafka.fixtures import SharedBroker

LAKE_CITY = Stream(RECORDING, str(LAKE))
PACE = "15000x"
"""Six weeks in four minutes: what is left when the faults are done comes at full speed."""
SHORT_SESSION_MS = 3_000


def seed() -> int:
    return secrets.randbits(32)


def test_workers_are_killed(kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path) -> None:
    with Campaign(kafka_broker.bootstrap, topic_prefix, tmp_path, LAKE_CITY, workers=3, seed=seed()) as campaign:
        campaign.produce(PACE)
        for _ in range(4):
            campaign.settle(2, 5)
            campaign.kill_one()
        report = campaign.finish()
    assert report.faults == {"kill": 4}


def test_a_worker_sleeps_for_twenty_seconds_and_wakes(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    with Campaign(kafka_broker.bootstrap, topic_prefix, tmp_path, LAKE_CITY, seed=seed()) as campaign:
        campaign.produce(PACE)
        campaign.settle()
        campaign.freeze_one(20)
        campaign.settle()
        campaign.finish()
        campaign.check_again()


def test_workers_die_and_sleep_where_it_hurts_most(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path
) -> None:
    with Campaign(
        kafka_broker.bootstrap, topic_prefix, tmp_path, LAKE_CITY, seed=seed(), session_ms=SHORT_SESSION_MS
    ) as campaign:
        campaign.produce(PACE)
        campaign.settle()
        campaign.kill_while("checkpoint", 2)
        campaign.kill_while("recovery", 1)
        campaign.freeze_in_checkpoint(4)
        campaign.settle()
        report = campaign.finish()
        campaign.check_again()
    assert report.faults == {"checkpoint": 1, "recovery": 1, "zombie in checkpoint": 1}


def test_workers_come_and_go(kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path) -> None:
    with Campaign(
        kafka_broker.bootstrap, topic_prefix, tmp_path, LAKE_CITY, seed=seed(), session_ms=SHORT_SESSION_MS
    ) as campaign:
        campaign.produce(PACE)
        campaign.settle()
        for _ in range(2):
            campaign.restart_one()
        campaign.join_and_leave(5)
        report = campaign.finish()
    assert report.faults == {"restart": 2, "guest": 1}
    assert not any(line.event in ("failed", "refused") for line in campaign.fleet.said())


def test_the_broker_dies_and_connections_are_slow_half_open_and_cut(topic_prefix: str, tmp_path: Path) -> None:
    with (
        ProxiedServer(tmp_path / "broker") as server,
        server.proxy() as proxy,
        Campaign(
            server.bootstrap, topic_prefix, tmp_path, LAKE_CITY, workers=1, seed=seed(), session_ms=SHORT_SESSION_MS
        ) as campaign,
    ):
        campaign.produce(PACE)
        worker = campaign.proxied(proxy)
        proxy.mode = "slow"
        campaign.settle(4, 5)
        proxy.mode = "open"
        assert proxy.delayed > 0
        assert proxy.cut() > 0
        campaign.fleet.wait_for(worker, "checkpoint", since=time.time())
        since = time.time()
        proxy.mode = "half-open"
        campaign.wait_until_taken_over(worker, since)
        assert proxy.held > 0
        proxy.mode = "open"
        campaign.settle()
        campaign.broker_dies(server, 1)
        campaign.finish()
        campaign.check_again()


@pytest.mark.parametrize(
    ("rule", "checkpoint_seconds"),
    [("group-offset", 9.0), ("outputs-later", 2.0)],  # so that what is lost is never nothing
)
def test_the_harness_notices_a_broken_rule(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, rule: str, checkpoint_seconds: float
) -> None:
    """The naive rules, each the product with one line of law 3 left out, must not pass what the product passes.

    Whether a kill falls where it hurts is chance: of some campaigns one is enough. The product passes all of its own.
    """

    def killed_thrice(attempt: int) -> None:
        folder = tmp_path / str(attempt)
        folder.mkdir()
        with Campaign(
            kafka_broker.bootstrap,
            f"{topic_prefix}{attempt}.",
            folder,
            LAKE_CITY,
            seed=seed(),
            session_ms=SHORT_SESSION_MS,
            rule=rule,
            checkpoint_seconds=checkpoint_seconds,
        ) as campaign:
            campaign.produce("40000x")
            for _ in range(3):
                campaign.settle(5, 6)
                campaign.kill_one()
            campaign.finish(limit=60)

    for attempt in range(4):
        try:
            killed_thrice(attempt)
        except (BrokenPromiseError, StalledError) as noticed:
            print(f"{rule}, campaign {attempt + 1}: {noticed}")
            return
    pytest.fail(f"nobody noticed that {rule} is broken")
