"""One alert log, whatever the partitions and the workers, and whatever machine each worker believes it runs on."""

from importlib.resources import files
from pathlib import Path

import pytest

from tests.cli.commands import LAKE, RECORDING
from tests.faults.campaign import Campaign
from tests.faults.recordings import Stream
from tests.faults.worker_main import CLOCK
from tests.kafka.fixtures import SharedBroker


def machine(zone: str, hash_seed: str, clock: int) -> dict[str, str]:
    # from the package: an image of Debian may have no time zones of its own
    return {"TZ": f":{files('tzdata') / 'zoneinfo' / zone}", "PYTHONHASHSEED": hash_seed, CLOCK: str(clock)}


MACHINES = (
    machine("Australia/Lord_Howe", "271828", 946_684_798),  # the last seconds of 1999
    machine("Asia/Kathmandu", "0", 2_147_483_640),  # before 32 bits are full
    machine("America/New_York", "4294967295", 1_741_503_590),  # within the recording, before clocks are put forward
)


@pytest.mark.parametrize(("partitions", "workers"), [(1, 1), (3, 2), (12, 3)])
def test_partitions_workers_and_machines_do_not_matter(
    kafka_broker: SharedBroker, topic_prefix: str, tmp_path: Path, partitions: int, workers: int
) -> None:
    with Campaign(
        kafka_broker.bootstrap,
        topic_prefix,
        tmp_path,
        Stream(RECORDING, str(LAKE)),
        partitions=partitions,
        workers=workers,
        seed=0,
        machines=MACHINES,
    ) as campaign:
        campaign.produce()
        campaign.finish()
        held = [campaign.partitions_of(worker) for worker in campaign.fleet.workers.values()]
    assert len(frozenset().union(*held)) == partitions + 3 + 1
    assert all(held)
