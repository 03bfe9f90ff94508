"""What can go wrong, done on purpose. Each returns when it has happened, and asserts that it did.

They may overlap: each chooses its worker while nobody else does anything to one, and waits for what workers say.
"""

import threading
import time
from collections.abc import Callable, Sequence
from signal import SIGTERM

from tests.faults.campaign import BROKERS, Campaign, Kill
from tests.faults.fleet import FAILED, STOP_AT, WorkerProcess, last_words
from tests.faults.proxy import Mode, Proxy
from tests.kafka.server import Server


class Faults:
    """Of one campaign."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._fleet = campaign.fleet
        self._names: dict[str, int] = {}
        self._proxied: WorkerProcess | None = None
        self._broker = threading.Lock()
        """Held while a broker is away: the quorum of three bears one."""
        self.unclean = 0
        """Workers that could not leave with everything safe, because of another fault at that moment."""

    # ---- workers -------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """SIGKILL of a worker that has partitions, while records come; its supervisor starts it again."""
        with self._campaign.one_at_work() as worker:
            self._campaign.kills.append(Kill(time.time(), self._campaign.partitions_of(worker)))
            self._fleet.kill(worker)
        self._campaign.happened("kill")

    def kill_while_recovering(self) -> None:
        """SIGKILL of a worker in the middle of reading a checkpoint back."""
        self._kill_while("recovery", 1)

    def kill_while_checkpointing(self) -> None:
        """SIGKILL of a worker in the middle of a checkpoint, between its packs and its manifest."""
        self._kill_while("checkpoint", self._campaign.chance.randint(1, 3))

    def _kill_while(self, where: str, times: int) -> None:
        worker = self._start(where, **{STOP_AT: f"{where}:{times}"})
        worker = self._wait_until_frozen(worker, where)
        with self._campaign.supervised:
            self._campaign.kills.append(Kill(time.time(), self._campaign.partitions_of(worker)))
            self._fleet.kill(worker)
            del self._fleet.workers[worker.name]
        self._campaign.happened(where)

    def zombie(self, seconds: float = 20.0) -> None:
        """SIGSTOP of a worker until others have taken over its partitions, and for so long at least; then SIGCONT."""
        with self._campaign.one_at_work() as worker:
            frozen_at = time.time()
            self._fleet.freeze(worker)
        self._sleep(worker, frozen_at, seconds)
        self._campaign.happened("zombie")

    def zombie_in_checkpoint(self, seconds: float = 20.0) -> None:
        """The same in the middle of a checkpoint, between its packs and its manifest: it wakes, and writes that."""
        worker = self._start("zombie", **{STOP_AT: f"checkpoint:{self._campaign.chance.randint(1, 3)}"})
        worker = self._wait_until_frozen(worker, "checkpoint")
        frozen = worker.last("frozen")
        assert frozen is not None
        woken = self._sleep(worker, frozen.at, seconds)
        self._campaign.happened("zombie")
        self._fleet.wait_for(worker, "assigned", since=woken)
        self._dismiss(worker.name)

    def restart(self) -> None:
        """SIGTERM of a worker, which leaves with everything safe; it is started again."""
        with self._campaign.one_at_work() as worker:
            self._fleet.tell_to_leave(worker)
        self._left(worker)
        with self._campaign.supervised:
            again = self._fleet.start_supervised(worker.name)
        self._fleet.wait_for(again, "assigned")
        self._campaign.happened("restart")

    def guest(self, seconds: float = 5.0) -> None:
        """One more worker, which joins, and leaves after so many seconds."""
        worker = self._start("guest")
        self._fleet.wait_for(worker, "assigned")
        time.sleep(seconds)
        self._dismiss(worker.name)
        self._campaign.happened("guest")

    def _start(self, kind: str, **variables: str) -> WorkerProcess:
        with self._campaign.supervised:
            assert self._campaign.producer.running, "the stream was over before the fault"
            self._names[kind] = self._names.get(kind, 0) + 1
            return self._fleet.start(f"{kind}{self._names[kind]}", **variables)

    def _wait_until_frozen(self, worker: WorkerProcess, where: str) -> WorkerProcess:
        """Whichever of its lives it is that stands still."""
        said = self._fleet.wait_for(worker, "frozen")
        assert said.facts["where"] == where
        with self._campaign.supervised:
            worker = self._fleet.workers[worker.name]
        while not worker.frozen:
            assert worker.alive, last_words(worker.log)
            time.sleep(0.01)
        return worker

    def _sleep(self, worker: WorkerProcess, since: float, seconds: float) -> float:
        """Let it lie still until others have its partitions, and for so long; then wake it. When it woke."""
        self._campaign.wait_until_taken_over(worker, since)
        time.sleep(max(0.0, since + seconds - time.time()))
        assert worker.frozen
        assert time.time() - since >= seconds
        woken = time.time()
        self._fleet.thaw(worker)
        return woken

    def _dismiss(self, name: str) -> None:
        """Have a worker that was only here for a while leave."""
        with self._campaign.supervised:
            worker = self._fleet.workers.pop(name)
            worker.stopped_by_us = True
            if worker.alive:
                self._fleet.tell_to_leave(worker)
        self._left(worker)

    def _left(self, worker: WorkerProcess) -> None:
        """Leaving ends with 0; or as a failure, where it was disturbed: then it is as if it had been killed."""
        code = self._fleet.wait_until_left(worker)
        assert code in (0, FAILED, 128 + SIGTERM), f"{worker.name} left with {code}:\n{last_words(worker.log)}"
        self.unclean += code != 0

    # ---- brokers -------------------------------------------------------------------------------------------------

    def broker(self, servers: Sequence[Server], seconds: float, what: str = "broker") -> None:
        """SIGKILL of one of the brokers under load; it comes back on the same data after so many seconds."""
        with self._broker:
            assert self._campaign.producer.running, "the stream was over before the fault"
            server = self._campaign.chance.choice(servers)
            pid = server.pid
            assert pid is not None
            assert server.running
            server.kill()
            assert server.pid is None
            time.sleep(seconds)
            server.start()
            assert server.pid != pid
        self._campaign.happened(what)

    # ---- connections ---------------------------------------------------------------------------------------------

    def slow(self, proxies: Sequence[Proxy]) -> None:
        """Every piece that a worker and the broker say to each other waits for a while."""
        self._through(proxies)
        delayed = sum(proxy.delayed for proxy in proxies)
        _set(proxies, "slow")
        self._wait(lambda: sum(proxy.delayed for proxy in proxies) >= delayed + 20)
        _set(proxies, "open")
        self._campaign.happened("slow connection")

    def cut(self, proxies: Sequence[Proxy]) -> None:
        """All connections of a worker are reset; it finds its way back."""
        worker = self._through(proxies)
        since = time.time()
        assert sum(proxy.cut() for proxy in proxies) > 0
        self._fleet.wait_for(worker, "checkpoint", since=since)
        self._campaign.happened("cut connection")

    def half_open(self, proxies: Sequence[Proxy]) -> None:
        """Connections stay, and nothing is heard; others take over, then it wakes."""
        worker = self._through(proxies)
        held, since = sum(proxy.held for proxy in proxies), time.time()
        _set(proxies, "half-open")
        self._campaign.wait_until_taken_over(worker, since)
        self._wait(lambda: sum(proxy.held for proxy in proxies) > held)
        _set(proxies, "open")
        self._campaign.happened("half-open connection")

    def _through(self, proxies: Sequence[Proxy]) -> WorkerProcess:
        """The worker that reaches the brokers through proxies alone; it has partitions when this returns."""
        if self._proxied is None:
            addresses = ",".join(proxy.address for proxy in proxies)
            self._proxied = self._start("proxied", **{BROKERS: addresses})
        since = time.time()
        self._fleet.wait_for(self._proxied, "checkpoint", since=since)
        assert sum(proxy.passed for proxy in proxies) > 0
        with self._campaign.supervised:
            self._proxied = self._fleet.workers[self._proxied.name]
        return self._proxied

    def _wait(self, true: Callable[[], bool]) -> None:
        self._campaign.wait_until(lambda _progress: true())


def _set(proxies: Sequence[Proxy], mode: Mode) -> None:
    for proxy in proxies:
        proxy.mode = mode
