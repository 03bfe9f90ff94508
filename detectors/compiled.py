"""`@compiled`: numba machine code under this project's rules, cached on disk under a key that cannot go stale.

The rules: no fast maths, no parallel loops, no contraction of a multiply and an add, so that the same
arithmetic gives the same bits on every CPU. numba's own cache looks only at the file of the function
itself: after a change in a function that it *calls*, it would go on running the old code. So the key here
also holds a digest of all that the function is made of, the compiled functions and constants it names included.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache

P = ParamSpec("P")
R = TypeVar("R")


class _DigestCache(FunctionCache):
    """numba's cache of one function, keyed by what the function is made of as well."""

    def __init__(self, function: Callable[..., Any], digest: str) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]  # numba's types stop here
        self._digest = digest

    def _index_key(self, sig: object, codegen: object) -> tuple[object, ...]:
        key: tuple[object, ...] = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]  # likewise
        return (*key, self._digest)


def compiled(function: Callable[P, R], *, inline: bool = False) -> Callable[P, R]:
    """The function as machine code, compiled at its first call for each combination of argument types.

    The function may name module constants (numbers, tuples, arrays) and other compiled functions.
    """
    dispatcher: Any = njit(error_model="numpy", nogil=True, forceinline=inline)(function)
    dispatcher.jiantu_digest = digest_of(function)
    dispatcher._cache = _DigestCache(function, dispatcher.jiantu_digest)  # noqa: SLF001
    return cast("Callable[P, R]", dispatcher)


def digest_of(function: Callable[..., Any]) -> str:
    """Digest of a function's code and of every constant and compiled function that it names."""
    code = function.__code__
    # The module's name too: what was cached when a file ran as a script would look for that name's module.
    parts = [function.__module__, code.co_code.hex(), repr(code.co_consts), repr(code.co_names)]
    for name in sorted(code.co_names):
        value = function.__globals__.get(name)
        if isinstance(value, np.ndarray):
            parts.append(f"{name}={value.dtype}{value.shape}{value.tobytes().hex()}")
        elif isinstance(value, int | float | tuple | str):
            parts.append(f"{name}={value!r}")
        else:
            parts.append(f"{name}={getattr(value, 'jiantu_digest', '')}")
    return sha256("\n".join(parts).encode()).hexdigest()


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a small function that others call in a loop: an array costs seven arguments a call."""
    return compiled(function, inline=True)
