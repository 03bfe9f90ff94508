"""Another CPU, the same bits: scores and state after the same counts, compiled for this machine and for a plain one."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import hashlib
from dataclasses import fields
import numpy as np
from detectors.conformance import SERIES, stream
from detectors.registry import create

digest = hashlib.sha256()
detector = create("counts", SERIES, 7)
for counts, slot in stream(7, 200):
    scores = detector.score(counts, slot)
    for field in fields(scores):
        digest.update(getattr(scores, field.name).tobytes())
    detector.learn(counts, slot)
digest.update(detector.snapshot())
print(digest.hexdigest())
"""


def digest_under(**settings: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.strip()


def test_a_plain_cpu_gives_the_same_bits(plain_cpu: dict[str, str]) -> None:
    assert digest_under(**plain_cpu) == digest_under()
