"""How fast the live service is, on this machine: python -m tests.benchmarks.live, part of `make bench`.

A simulated Leshan is sent over HTTP in batches of 500 into `jiantu run --clock stream`, a process of its own, with
everything on: once as fast as it takes them, once at a steady rate. At that rate the clock is read when the request
goes out whose tick reaches an alert's watermark, and when the alert can be read in the ledger. Event time runs
thousands of times as fast as in a city, so far more windows close in a second than ever will there. A few weeks raise
a score of alerts, too few for a percentile; so the steady run has rules beside the profile's own signals, that hold
when some families have so many requests in an hour: hundreds of alerts more, at any hour.
"""

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np

import streams
from streams.core.instant import Instant
from streams.core.topic_line import read_line
from streams.ledger.connection import FILE
from streams.sources.recording import RecordingReader
from tests.benchmarks.embedded import HERE, Line, apart, commit, machine

Figures = dict[str, Any]
BATCH = 500
RATE = 5_000
SCALE = 3.0
_REST = 8.0
"""Seconds after the last answer, for the last alerts to be seen."""
_LIMITS = (4, 6, 8, 12, 16, 24)
"""Requests of a family in an hour that a rule of the steady run asks for."""
_FAMILIES = ("city_order", "labour", "health", "utilities")
_HEADERS = {"content-type": "application/x-ndjson"}


class Watch(threading.Thread):
    """Notes when each alert can first be read in a ledger."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(daemon=True)
        self.seen: dict[str, tuple[Instant, bool, float]] = {}
        """Alert -> (the watermark that raises it: its window's end and the allowed lateness, whether it waits for a
        window, when it was seen)."""
        self._path = data_dir / FILE
        self._end = threading.Event()

    def run(self) -> None:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as db:
            while not self._end.wait(0.05):
                now = time.perf_counter()
                for alert, at, size in db.execute("SELECT id, raised_at, size FROM alert").fetchall():
                    self.seen.setdefault(alert, (at, bool(size), now))

    def end(self) -> None:
        self._end.set()
        self.join()


def batches(recording: Path, events: int) -> Iterator[tuple[bytes, Instant | None]]:
    """Bodies of so many records, each with the latest tick in it."""
    reader = RecordingReader(recording, verify=False)
    yield reader.header.line(), None
    sent = 0
    for chunk in reader.chunks(max_records=BATCH):
        ticks = [read_line(line).tick for line in chunk.lines.split(b"\n") if line.startswith(b'{"tick"')]
        yield chunk.lines, max((tick for tick in ticks if tick is not None), default=None)
        sent += chunk.records
        if sent >= events:
            return


def with_rules(folder: Path) -> Path:
    """Leshan's profile, with rules that raise hundreds of alerts."""
    made = Path(shutil.copytree(Path(streams.__file__).parent / "profiles" / "leshan", folder / "leshan"))
    rules = "".join(
        f"  {family}_{limit}: {{title: {family} {limit}, title_en: {family} {limit}, family: {family}, sizes: hour, "
        f"where: {{kind: accepted, family: {family}}}, minimum_count: 0, detectors: [], threshold: {limit}}}\n"
        for family in _FAMILIES
        for limit in _LIMITS
    )
    with (made / "signals.yaml").open("a", encoding="utf-8") as file:
        file.write(rules)
    return made


def drive(
    recording: Path, data_dir: Path, events: int, rate: float | None, rest: float = _REST, profile: str = "leshan"
) -> Figures:
    """Send into a service of its own; `rate`: records a second, None: as fast as it takes them."""
    token = _jiantu("token", "create", "-d", str(data_dir), "--name", "bench", "--scope", "ingest", "--json")
    log = data_dir / "log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "streams", "run", "-p", profile, "-d", str(data_dir)]
        service = subprocess.Popen([*command, "--listen", "127.0.0.1:0", "--clock", "stream"], stdout=out, stderr=out)
    try:
        url = _wait_for(lambda: _url(log))
        headers = _HEADERS | {"authorization": f"Bearer {json.loads(token)['token']}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False, verify=False) as client:
            _wait_for(lambda: client.get("/readyz").status_code == 200)
            before = _cpu_seconds(service.pid)
            figures = _send(client, recording, data_dir, events, rate, rest)
            cpu = _cpu_seconds(service.pid) - before
            return figures | {"cpu_microseconds_per_event": 1e6 * cpu / figures["events"]}
    finally:
        service.terminate()
        service.wait()


def _send(
    client: httpx.Client, recording: Path, data_dir: Path, events: int, rate: float | None, rest: float
) -> Figures:
    watch = Watch(data_dir)
    watch.start()
    told: list[tuple[Instant, float]] = []
    answers, received, again = [], 0, 0
    began = time.perf_counter()
    for number, (body, tick) in enumerate(batches(recording, events)):
        if rate is not None:
            time.sleep(max(0.0, began + number * BATCH / rate - time.perf_counter()))
        while True:
            sent = time.perf_counter()
            response = client.post("/v1/events", content=body)
            if response.status_code not in (429, 503):
                break
            again += 1
            time.sleep(float(response.headers["retry-after"]))
        assert response.status_code == 202, response.text
        answers.append(time.perf_counter() - sent)
        received += response.json()["received"]
        if tick is not None:
            told.append((tick, sent))
    seconds = time.perf_counter() - began
    time.sleep(rest)
    watch.end()
    waits = [
        max(0.0, seen - next(sent for tick, sent in told if tick >= at))  # its county's own events may be first
        for at, windowed, seen in watch.seen.values()
        if windowed and told[-1][0] >= at
    ]
    return {
        "events": received,
        "seconds": seconds,
        "events_per_second": received / seconds,
        "answered_p50": float(np.quantile(answers, 0.5)),
        "answered_p99": float(np.quantile(answers, 0.99)),
        "come_again": again,
        "alerts": len(waits),
        "alert_p50": float(np.quantile(waits, 0.5)) if waits else None,
        "alert_p99": float(np.quantile(waits, 0.99, method="higher")) if waits else None,
    }


def measure(events: int, folder: Path, rate: float = RATE, scale: float = SCALE) -> Figures:
    """Both runs over one recording; its ledgers lie in `folder`."""
    recording = folder / "live.jsonl.zst"
    apart("record", path=str(recording), scale=scale, events=events + BATCH)
    (folder / "fast").mkdir()
    (folder / "steady").mkdir()
    return {
        "fast": drive(recording, folder / "fast", events, None),
        "steady": drive(recording, folder / "steady", events, rate, profile=str(with_rules(folder))),
    }


def table(figures: Figures) -> list[Line]:
    """The figures as lines with their targets."""
    fast, steady = figures["fast"], figures["steady"]
    waited = steady["alert_p99"]
    return [
        Line(
            f"events a second over HTTP, batches of {BATCH}, {fast['events']:,} events",
            f"{fast['events_per_second']:,.0f}",
            ">= 5,000",
            fast["events_per_second"] >= 5_000,
        ),
        Line("  answered, median and p99, seconds", _two(fast["answered_p50"], fast["answered_p99"]), "", None),
        Line("  processor time of the service, us an event", f"{fast['cpu_microseconds_per_event']:.0f}", "", None),
        Line(
            f"at a steady {RATE:,}: kept up with, events a second",
            f"{steady['events_per_second']:,.0f}",
            ">= 4,900",
            steady["events_per_second"] >= 4_900,
        ),
        Line("  answered, median and p99, seconds", _two(steady["answered_p50"], steady["answered_p99"]), "", None),
        Line(
            f"  alert after its watermark, median and p99 of {steady['alerts']}, seconds",
            "none" if waited is None else _two(steady["alert_p50"], waited),
            "p99 < 5",
            None if waited is None else waited < 5,
        ),
    ]


def _cpu_seconds(process: int) -> float:
    """What a process has had of the processors."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _two(one: float, other: float) -> str:
    return f"{one:.2f}, {other:.2f}"


def _jiantu(*arguments: str) -> str:
    command = [sys.executable, "-m", "streams", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _url(log: Path) -> str | None:
    words = log.read_text(encoding="utf-8").split()
    return next((word.rstrip(",") for word in words if word.startswith("http://") and word.endswith(",")), None)


def _wait_for(found: Callable[[], Any]) -> Any:
    for _ in range(1_200):
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise TimeoutError("the service did not come up in two minutes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.live", description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--report", action="store_true", help="write LIVE.md and live.json beside this file")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="jiantu-bench-") as folder:
        figures = measure(given.events, Path(folder))
    lines = table(figures)
    for line in lines:
        print(f"{line.name:<78}{line.value:>14}  {line.target}")
    command = f"python -m tests.benchmarks.live --events {given.events}"
    report = {"command": command, "commit": commit(), "machine": machine(), "figures": figures}
    print(json.dumps(report, indent=2))
    if given.report:
        where = report["machine"]
        assert isinstance(where, dict)
        cores = f"{where['cores']} cores ({where['processor']}) for sender and service"
        taken = f"`{command}`, commit {report['commit']}, {cores}."
        met = {True: "yes", False: "no", None: ""}
        rows = [f"| {line.name.strip()} | {line.value} | {line.target} | {met[line.met]} |" for line in lines]
        head = [
            "# Speed of the live service",
            "",
            taken,
            "",
            "| figure | measured | target | met |",
            "| --- | ---: | --- | --- |",
        ]
        (HERE / "LIVE.md").write_text("\n".join([*head, *rows, ""]), encoding="utf-8")
        (HERE / "live.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
