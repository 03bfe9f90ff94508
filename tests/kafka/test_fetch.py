"""Where the broker comes from: the cache, and on a machine without Java and Maven, Debian's packages, without root."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.kafka.server import DEPLOY, Server, program


def fetch(**environment: str) -> list[str]:
    done = subprocess.run([DEPLOY / "fetch.sh"], env={**os.environ, **environment}, capture_output=True, check=True)
    return done.stdout.decode().splitlines()


def test_what_is_there_is_not_fetched_again() -> None:
    java, jars = program()
    assert fetch() == [str(java), str(jars)]
    assert {"kafka_2.13-4.1.1.jar", "kafka-tools-4.1.1.jar"} <= {jar.name for jar in jars.iterdir()}


@pytest.mark.soak
def test_without_java_without_maven_without_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads 150 MB. Two at once: one fetches, the other waits for it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in ("/usr/bin", "/usr/sbin"):
        for tool in Path(folder).iterdir():
            if tool.name not in {"java", "mvn"} and not (tools / tool.name).is_symlink():
                (tools / tool.name).symlink_to(tool)
    bare = {"PATH": str(tools), "XDG_CACHE_HOME": str(tmp_path / "cache"), "JIANTU_WITHOUT_ROOT": "1", "JAVA_HOME": ""}
    with subprocess.Popen([DEPLOY / "fetch.sh"], env={**os.environ, **bare}, stdout=subprocess.PIPE) as other:
        java, jars = fetch(**bare)
        assert other.communicate()[0].decode().splitlines() == [java, jars]
    assert Path(java).is_relative_to(tmp_path)
    for name, value in bare.items():
        monkeypatch.setenv(name, value)
    program.cache_clear()
    with Server(tmp_path / "broker") as server:
        assert Path(f"/proc/{server.pid}/cmdline").read_bytes().split(b"\0")[0].decode() == java
    program.cache_clear()
