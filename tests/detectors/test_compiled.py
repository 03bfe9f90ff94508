"""The cache of machine code: what was compiled from other code must never be run."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from detectors.compiled import compiled, digest_of, in_place
from detectors.observation import Floats

ROOT = Path(__file__).resolve().parents[2]
FACTOR = 2.0


@compiled
def doubled(x: float) -> float:
    return FACTOR * x


def caller(x: float) -> float:
    return doubled(x) + 1.0


@compiled
def caller_of_what_follows(x: float) -> float:
    return follows(x) + 1.0


@compiled
def follows(x: float) -> float:
    return 3.0 * x


def with_names(function: Callable[..., Any], **names: object) -> Callable[..., Any]:
    """The same function in a module where some names mean something else."""
    assert isinstance(function, FunctionType)
    made = FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)
    made.__dict__.update(function.__dict__)
    return made


def test_a_change_anywhere_below_changes_the_digest() -> None:
    own = digest_of(caller)

    @compiled
    def doubled_otherwise(x: float) -> float:
        return x + x

    assert digest_of(caller) == own
    assert digest_of(with_names(caller, doubled=doubled_otherwise)) != own
    ahead = caller_of_what_follows.py_func  # type: ignore[attr-defined]  # numba's dispatcher
    assert digest_of(ahead) != digest_of(with_names(ahead, follows=doubled)), "also what stands further down"
    plain = with_names(doubled.py_func, FACTOR=FACTOR)  # type: ignore[attr-defined]  # numba's dispatcher
    assert digest_of(plain) != digest_of(with_names(plain, FACTOR=3.0)), "constants count"
    otherwise = in_place(with_names(plain)).py_func  # type: ignore[attr-defined]  # numba's dispatcher
    assert digest_of(plain) != digest_of(otherwise), "so does how it is compiled"


def test_compiled_functions_are_the_functions() -> None:
    assert doubled(4.0) == 8.0
    assert compiled(caller)(4.0) == 9.0


def sum_of_firsts(rows: Floats) -> float:
    total = 0.0
    for i in range(rows.shape[0]):
        row = rows[i]
        total += row[0]
    return total


def test_a_function_in_place_says_the_same() -> None:
    rows = np.arange(6.0).reshape(3, 2)
    assert in_place(sum_of_firsts)(rows) == compiled(sum_of_firsts)(rows) == 6.0


COUNTS_WHAT_IS_HELD = """
import numpy as np
from numba.core.runtime import rtsys
from detectors.registry import COMPILED
from tests.detectors.streams_of_counts import noisy, slot

def held():
    stats = rtsys.get_allocation_stats()
    return stats.mi_alloc - stats.mi_free

counts = noisy(np.full((120, 3), 40.0), 2.0, np.random.default_rng(5))
counts[90:] //= 8
for made in COMPILED:
    for per_week in (7, 1):
        bank = made.fresh(3, per_week)
        for window, row in enumerate(counts):
            here = slot(window, per_week, 3, day_class=window % 3)
            bank.score(row, here)
            bank.learn(row, here)
            if window == 0:
                before = held()
        print(made.name, per_week, held() - before)
"""


def test_no_detector_keeps_an_array_for_good() -> None:
    """As a function in place would that makes one."""
    held = subprocess.run(
        [sys.executable, "-c", COUNTS_WHAT_IS_HELD],
        env={**os.environ, "NUMBA_NRT_STATS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(held[2::3]) == {"0"}, held
