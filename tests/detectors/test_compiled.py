"""The cache of machine code: what was compiled from other code must never be run."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from detectors.compiled import compiled, digest_of

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
    return FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)


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


def test_compiled_functions_are_the_functions() -> None:
    assert doubled(4.0) == 8.0
    assert compiled(caller)(4.0) == 9.0
