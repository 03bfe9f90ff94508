"""DESIGN's table of faults, all of it: hours. `make soak ARGS=tests/faults`.

Cut into campaigns, each on topics of its own with a recording of its own seed. What is done is written down in
$JIANTU_SOAK_DIR (or .soak in the working directory), so that the same command goes on after an interruption.
"""

import json
import os
import secrets
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from streams import wiring
from tests.faults.campaign import Campaign, Stream
from tests.faults.proxy import ProxiedServer, Proxy

pytestmark = pytest.mark.soak
FOLDER = Path(os.environ.get("JIANTU_SOAK_DIR", ".soak")).absolute()
PROGRESS = FOLDER / "faults.jsonl"
EVENTS = 500_000
"""In a campaign's recording, about."""
PACE = "3000x"


@cache
def leshan(seed: int) -> Stream:
    """A year of Leshan of about so many events; kept, for it takes a minute to make."""
    recording = FOLDER / f"leshan-{seed}.jsonl.zst"
    if not recording.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        profile = wiring.open_profile("leshan")
        simulation = wiring.simulated(profile, 365, seed, incidents=12, scale=EVENTS / 3_000_000)
        wiring.record_simulation(simulation, recording)
    return Stream(recording, "leshan")


def kills(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """50: in storms, and now and then one alone, after which all come back to work."""
    for number in range(50):
        campaign.settle(*((20, 22) if number % 10 == 0 else (0.3, 6)))
        campaign.kill_one()


def zombies(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """5 that sleep for 20 seconds."""
    for number in range(5):
        if number % 2:
            campaign.freeze_in_checkpoint(20)
        else:
            campaign.freeze_one(20)
        campaign.settle(5, 8)


def rolling(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """20: leave, come back, a guest in between."""
    for number in range(20):
        if number % 3 == 2:
            campaign.join_and_leave(5)
        else:
            campaign.restart_one()
        campaign.settle(4, 6)


def broker_restarts(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """5 kills of the broker."""
    for _ in range(5):
        campaign.settle(10, 20)
        campaign.broker_dies(server, 2)


def broker_away(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """Ten minutes without a broker."""
    campaign.settle(10, 20)
    campaign.broker_dies(server, 600)


def worst_moments(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """10 kills in the middle of a checkpoint, 10 in the middle of a recovery."""
    for number in range(20):
        if number % 2:
            campaign.kill_while("recovery", 1)
        else:
            campaign.kill_while("checkpoint", campaign.chance.randint(1, 4))
        campaign.settle(1, 4)


def bad_connections(campaign: Campaign, server: ProxiedServer, proxy: Proxy) -> None:
    """10: slow, cut, half open."""
    worker = campaign.proxied(proxy)
    for number in range(10):
        campaign.settle(4, 8)
        since, cuts = time.time(), proxy.cuts
        if number % 3 == 0:
            proxy.mode = "slow"
            campaign.settle(8, 10)
        elif number % 3 == 1:
            assert proxy.cut() > 0
            assert proxy.cuts > cuts
        else:
            proxy.mode = "half-open"
            campaign.wait_until_taken_over(worker, since)
        proxy.mode = "open"
        campaign.happened("connection")
    assert proxy.delayed
    assert proxy.held


ROWS: dict[Callable[[Campaign, ProxiedServer, Proxy], None], int] = {
    kills: 20,
    zombies: 10,
    rolling: 10,
    broker_restarts: 4,
    broker_away: 1,
    worst_moments: 10,
    bad_connections: 5,
}
"""Campaigns of each row: times the faults of one, the column `soak` of the table."""


@pytest.mark.parametrize(("row", "number"), [(row, n) for row, count in ROWS.items() for n in range(count)])
def test_row_of_the_table(
    row: Callable[[Campaign, ProxiedServer, Proxy], None], number: int, topic_prefix: str, tmp_path: Path
) -> None:
    name = f"{row.__name__}-{number}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in PROGRESS.read_text().splitlines()] if PROGRESS.exists() else []
    before = next((one for one in done if one["campaign"] == name), None)
    if before is not None:
        print(f"done before: {before}")
        return
    with (
        ProxiedServer(tmp_path / "broker") as server,
        server.proxy() as proxy,
        Campaign(
            server.bootstrap,
            topic_prefix,
            tmp_path,
            leshan(number % 4),
            workers=2 + number % 2,
            seed=secrets.randbits(32),
        ) as campaign,
    ):
        campaign.produce(PACE)
        row(campaign, server, proxy)
        report = campaign.finish(limit=1800)
        campaign.check_again()
    with PROGRESS.open("a") as file:
        file.write(json.dumps({"campaign": name, "report": str(report)}) + "\n")
