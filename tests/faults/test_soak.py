"""DESIGN's table of faults, all of it, on three brokers: hours. `make soak ARGS=tests/faults`.

Cut into campaigns, each a storm of everything over a recording of its own. What is done is written down in
$JIANTU_SOAK_DIR (or .soak in the working directory), so that the same command goes on after an interruption; what it
comes to is written beside it, as SOAK.md and soak.json (`soak_report.py`). $JIANTU_SOAK_SHARE asks for a part: 0.1 is
a tenth of every number.
"""

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.campaign import Campaign
from tests.faults.faults import Faults
from tests.faults.recordings import leshan
from tests.faults.soak_plan import FULL, Part, parts
from tests.faults.soak_report import commit, write_report
from tests.faults.storm import Lanes, storm
from tests.faults.three_brokers import COPIES, three_brokers

pytestmark = pytest.mark.soak
FOLDER = Path(os.environ.get("JIANTU_SOAK_DIR", ".soak")).absolute()
PROGRESS = FOLDER / "faults.jsonl"
SHARE = float(os.environ.get("JIANTU_SOAK_SHARE", "1"))
RATE = 3_000
"""Records a second, where nothing is waited for."""
DAYS = 180


@pytest.mark.parametrize("part", parts(FULL, SHARE), ids=str)
def test_everything_at_once(part: Part, topic_prefix: str, tmp_path: Path) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in PROGRESS.read_text().splitlines()] if PROGRESS.exists() else []
    if any(one["part"] == str(part) for one in done):
        print(f"{part}: done before")
        return
    stream = leshan(FOLDER, days=DAYS, events=part.events, seed=part.number)
    began = datetime.now(UTC)
    with (
        three_brokers(tmp_path) as brokers,
        Campaign(
            brokers.bootstrap,
            topic_prefix,
            tmp_path,
            stream,
            workers=2 + part.number % 2,
            partitions=6,
            copies=COPIES,
            seed=secrets.randbits(32),
        ) as campaign,
    ):
        faults = Faults(campaign)
        zombies = [faults.zombie, faults.zombie_in_checkpoint]
        worst = [faults.kill_while_checkpointing, faults.kill_while_recovering]
        connections = [
            lambda: faults.slow(brokers.proxies),
            lambda: faults.cut(brokers.proxies),
            lambda: faults.half_open(brokers.proxies),
        ]
        lanes: Lanes = {
            "kills": [faults.kill] * part.kills,
            "zombies": [zombies[(part.zombies_before + number) % 2] for number in range(part.zombies)],
            "rolling": [(faults.restart, faults.guest)[number % 2] for number in range(part.restarts)],
            "brokers": [lambda: faults.broker(brokers.servers, 5)] * part.brokers,
            "worst moments": [worst[number % 2] for number in range(2 * part.worst)],
            "connections": [connections[(part.connections_before + number) % 3] for number in range(part.connections)],
            "a broker away": [lambda: faults.broker(brokers.servers, part.away, "broker away")] * bool(part.away),
        }
        storm(campaign, lanes, rate=RATE)
        report = campaign.finish(7200)
        campaign.check_again()
    assert report.faults.total() == part.faults
    document = {
        "part": str(part),
        "share": SHARE,
        "commit": commit(),
        "began": began.isoformat(timespec="seconds"),
        "partitions": 6,
        "workers": 2 + part.number % 2,
        "brokers": 3,
        "recording_seed": part.number,
        "left_unclean": faults.unclean,
        "load_average": os.getloadavg(),
        "nice": os.nice(0),
    }
    with PROGRESS.open("a") as file:
        file.write(json.dumps(document | report.document()) + "\n")
    write_report(PROGRESS, FULL, FOLDER)
