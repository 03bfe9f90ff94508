"""Running the real commands: in this process where that shows the same, in one of their own where signals matter."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.cli.app import run

REPOSITORY = Path(__file__).parents[2]
LAKE = REPOSITORY / "tests/promises/lake_city"
"""A small city, and its recording of six weeks."""
RECORDING = LAKE / "recording.jsonl.zst"
PATIENCE = 600
"""Seconds for a command to end: the first of a fresh clone compiles everything, beside whatever else there is to do."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout: nothing before it, nothing after it but a newline."""
        assert self.out.endswith("\n")
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """Everything that a person saw, in one line."""
        return " ".join((self.out + " " + self.err).split())


class Cli:
    """Runs commands in this process, and catches what they print."""

    def __init__(self, capsys: Any) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ended:
        self._capsys.readouterr()
        code = run([str(one) for one in arguments])
        out, err = self._capsys.readouterr()
        assert "Traceback" not in out + err
        return Ended(code, out, err)

    def refused(self, *arguments: object) -> str:
        """What is said of wrong input: exit 2, nothing on stdout."""
        ended = self(*arguments)
        assert ended.code == 2, ended
        assert not ended.out
        return ended.said


def environment(**more: str) -> Mapping[str, str]:
    """The environment of a process that is to find this code."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1", **more}


def command(*arguments: object) -> list[str]:
    """A command as a process."""
    return [sys.executable, "-m", "streams", *(str(one) for one in arguments)]


def process(*arguments: object, **more: str) -> Ended:
    """Run a command in a process of its own, to its end."""
    done = subprocess.run(
        command(*arguments), env=environment(**more), capture_output=True, check=False, timeout=PATIENCE
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True)
class Lake:
    """A data directory that the whole recording was replayed into, undisturbed. Only to be read."""

    data: Path
    figures: Mapping[str, Any]
    """What the replay reported."""
    log: bytes
    """The alert log, as `jiantu alert-log` printed it."""

    @property
    def sha256(self) -> str:
        """Digest of the alert log."""
        return hashlib.sha256(self.log).hexdigest()
