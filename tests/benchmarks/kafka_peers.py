"""The peers: how each is had and started. What each is stands in its own file under peers/.

Packages come by uv from peers/uv.lock, one environment a peer, jars by Maven, into the user's cache. A peer that
cannot be had here is named with the error, and left out.
"""

import hashlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.kafka.server import program

_ROOT = Path(__file__).resolve().parents[2]
_PEERS = Path(__file__).resolve().parent / "peers"
_UV = Path(sys.executable).with_name("uv")
_PATIENCE = 1_200
"""Seconds that getting one peer may take: Flink is half a gigabyte."""


class NotHadError(Exception):
    """A peer that this machine cannot have: the command and what it said."""


class Command(NamedTuple):
    """How a job is started: `before`, the arguments of `peers/job.py`, `after`."""

    before: Sequence[str]
    after: Sequence[str] = ()
    env: Mapping[str, str] = MappingProxyType({})


class Peer(NamedTuple):
    """Another framework, doing the plain count."""

    name: str
    package: str
    """As uv.lock or pom.xml calls it."""
    slow: bool
    """So slow that it counts the short stream: its speed does not change with the length."""
    get: Callable[[], Command]
    """Makes sure it is there. Raises NotHadError."""

    @property
    def version(self) -> str:
        """The version that is pinned."""
        locked = tomllib.loads((_PEERS / "uv.lock").read_text())["package"]
        versions = {package["name"]: package["version"] for package in locked}
        if self.package in versions:
            return str(versions[self.package])
        pom = (_PEERS / "kafka_streams/pom.xml").read_text()
        return pom.partition(f"<artifactId>{self.package}</artifactId><version>")[2].partition("<")[0]


def _cache() -> Path:
    """A folder of its own for every state of the lock and of the Maven projects."""
    digest = hashlib.sha256()
    for name in ("uv.lock", "flink/pom.xml", "kafka_streams/pom.xml", "kafka_streams/src/main/java/Count.java"):
        digest.update((_PEERS / name).read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    made = root / "jiantu" / f"peers-{digest.hexdigest()[:16]}"
    made.mkdir(parents=True, exist_ok=True)
    return made


def _run(*command: str | Path, env: dict[str, str] | None = None) -> None:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHadError(f"{' '.join(words)}: {error}") from error
    if done.returncode:
        raise NotHadError(f"{' '.join(words)}: {done.stdout[-1_000:]}")


def _python(group: str, script: str) -> Callable[[], Command]:
    def get() -> Command:
        place = _cache() / group
        _run(
            _UV,
            "sync",
            "--project",
            _PEERS,
            "--frozen",
            "--only-group",
            group,
            env={"UV_PROJECT_ENVIRONMENT": str(place), "VIRTUAL_ENV": ""},
        )
        return Command([str(place / "bin/python"), str(_PEERS / script)])

    return get


def _flink() -> Command:
    command = _python("flink", "flink_count.py")()
    jars = _cache() / "flink-jars"
    if not jars.exists():
        _maven("flink", "dependency:copy-dependencies", f"-DoutputDirectory={jars}", "-DexcludeTransitive=true")
    return Command(command.before, [str(next(jars.glob("flink-sql-connector-kafka-*.jar")))])


def _kafka_streams() -> Command:
    built = _cache() / "kafka_streams"
    if not (built / "jars").exists():
        _maven(
            "kafka_streams",
            f"-Dbuilt={built}",
            "compile",
            "dependency:copy-dependencies",
            f"-DoutputDirectory={built / 'jars'}",
        )
    java, _ = program()
    return Command([str(java), "-Xms512m", "-Xmx1g", "-cp", f"{built / 'classes'}:{built / 'jars'}/*", "Count"])


def _maven(project: str, *goals: str) -> None:
    program()  # makes sure of Java and Maven
    _run("mvn", "--batch-mode", "--quiet", "--strict-checksums", "--file", _PEERS / project / "pom.xml", *goals)


LIMIT = Peer("librdkafka + msgspec", "confluent-kafka", slow=False, get=_python("limit", "limit.py"))
"""No framework: what Python can do at most."""
PEERS = (
    Peer("faust", "faust-streaming", slow=True, get=_python("faust", "faust_count.py")),
    Peer("faust, its Table", "faust-streaming", slow=True, get=_python("faust", "faust_table.py")),
    Peer("quixstreams", "quixstreams", slow=True, get=_python("quixstreams", "quixstreams_count.py")),
    Peer("bytewax", "bytewax", slow=False, get=_python("bytewax", "bytewax_count.py")),
    Peer("bytewax, its windows", "bytewax", slow=False, get=_python("bytewax", "bytewax_windows.py")),
    Peer("Flink SQL", "apache-flink", slow=False, get=_flink),
    Peer("Kafka Streams", "kafka-streams", slow=False, get=_kafka_streams),
)


def plain_jiantu() -> Command:
    """jiantu doing what its peers do, in the environment that runs this."""
    # As a module: as a script it would find the benchmark kafka.py beside it, in place of the library of that name.
    return Command([sys.executable, "-m", "tests.benchmarks.kafka_plain"], env={"PYTHONPATH": str(_ROOT)})
