"""What goes wrong with real workers on a real broker changes nothing: one alert log, every record accounted for,
nothing lost, nothing twice.

DESIGN's table of faults in two storms over one recording of 300 thousand events of Leshan, late, twice and wrong ones
among them; `test_soak.py` has it at full length, with three brokers. Everything is due by progress, and both end
with the proof. Kill to first new record is printed (`-s`); sessions are shorter than the product's, so that a worker
that is silent is missed sooner.
"""

import secrets
from pathlib import Path

import pytest

from tests.cli.commands import LAKE, RECORDING
from tests.faults.campaign import Campaign, StalledError
from tests.faults.faults import Faults
from tests.faults.proof import BrokenPromiseError
from tests.faults.proxy import ProxiedServer
from tests.faults.recordings import Stream, leshan
from tests.faults.storm import Lanes, storm
from tests.kafka.fixtures import SharedBroker

pytestmark = pytest.mark.long
LAKE_CITY = Stream(RECORDING, str(LAKE))
RATE = 4_000
"""Records a second, where nothing is waited for."""
SHORT_SESSION_MS = 3_000


def seed() -> int:
    return secrets.randbits(32)


@pytest.fixture(scope="session")
def many_events(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """300 thousand events and some more, however the dice fall; one recording for the whole run."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if hasattr(request.config, "workerinput") else base
    return leshan(folder, days=60, events=350_000, seed=int(request.config.option.hypothesis_seed))


def test_workers_are_killed_and_sleep_and_come_and_go(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, many_events: Stream
) -> None:
    with Campaign(
        kafka_broker.bootstrap,
        topic_prefix,
        tmp_path,
        many_events,
        workers=3,
        partitions=6,
        seed=seed(),
        session_ms=SHORT_SESSION_MS,
    ) as campaign:
        faults = Faults(campaign)
        lanes: Lanes = {
            "kills": [faults.kill] * 20,
            "zombies": [faults.zombie, faults.zombie_in_checkpoint, faults.zombie],
            "rolling": [faults.restart, faults.guest] * 3,
        }
        storm(campaign, lanes, rate=RATE, at_once=0.5)
        report = campaign.finish()
        campaign.check_again()
    assert many_events.truth.accounting.received >= 300_000
    assert report.faults == {"kill": 20, "zombie": 3, "restart": 3, "guest": 3}
    assert len(report.back_after) == 20


def test_brokers_and_connections_fail_and_workers_die_where_it_hurts_most(
    topic_prefix: str, tmp_path: Path, many_events: Stream
) -> None:
    with (
        ProxiedServer(tmp_path / "broker") as server,
        server.proxy() as proxy,
        Campaign(
            server.bootstrap,
            topic_prefix,
            tmp_path,
            many_events,
            workers=2,
            partitions=4,
            seed=seed(),
            session_ms=SHORT_SESSION_MS,
        ) as campaign,
    ):
        faults = Faults(campaign)
        lanes: Lanes = {
            "brokers": [lambda: faults.broker([server], 1)] * 2,
            "connections": [
                lambda: faults.slow([proxy]),
                lambda: faults.cut([proxy]),
                lambda: faults.half_open([proxy]),
            ],
            "worst moments": [faults.kill_while_checkpointing, faults.kill_while_recovering] * 5,
        }
        storm(campaign, lanes, rate=RATE)
        report = campaign.finish()
        campaign.check_again()
    assert report.faults == {
        "broker": 2,
        "slow connection": 1,
        "cut connection": 1,
        "half-open connection": 1,
        "checkpoint": 5,
        "recovery": 5,
    }


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
            storm(campaign, {"kills": [Faults(campaign).kill] * 3}, rate=400)
            campaign.finish()

    for attempt in range(4):
        try:
            killed_thrice(attempt)
        except (BrokenPromiseError, StalledError) as noticed:
            print(f"{rule}, campaign {attempt + 1}: {noticed}")
            return
    pytest.fail(f"nobody noticed that {rule} is broken")
