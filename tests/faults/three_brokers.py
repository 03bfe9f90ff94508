"""Three brokers that are one cluster (KRaft, each a controller too), behind a proxy each: the soak's.

Every topic is on all three; two have a record before it is acknowledged. One of them may be away.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.proxy import ProxiedServer, Proxy
from tests.kafka.server import Quorum, free_ports, new_cluster_id

COPIES = 3
_SETTINGS = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
}


@dataclass(frozen=True, slots=True)
class ThreeBrokers:
    """Running."""

    servers: tuple[ProxiedServer, ...]
    proxies: tuple[Proxy, ...]

    @property
    def bootstrap(self) -> str:
        """All three, separated by commas."""
        return ",".join(server.bootstrap for server in self.servers)


@contextmanager
def three_brokers(folder: Path) -> Iterator[ThreeBrokers]:
    """A new cluster in a folder, until the block ends."""
    cluster, controllers = new_cluster_id(), dict(zip((1, 2, 3), free_ports(3), strict=True))
    servers = tuple(
        ProxiedServer(folder / f"broker{node}", settings=_SETTINGS, quorum=Quorum(cluster, controllers, node))
        for node in controllers
    )
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.kill)
        with ThreadPoolExecutor(len(servers)) as starters:  # none is ready before two of them are there
            list(starters.map(lambda server: server.start(), servers))
        yield ThreeBrokers(servers, tuple(stack.enter_context(server.proxy()) for server in servers))
