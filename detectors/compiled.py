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
from numba.core.caching import FunctionCache, IndexDataCacheFile

_OPTIONS = "jiantu_options"
"""Of a compiled function, how: what it was made of is not all that its machine code depends on."""

P = ParamSpec("P")
R = TypeVar("R")


class _NamedByKey(IndexDataCacheFile):
    """Machine code in files that are named by what it is, written before the index says so. numba numbers them instead:
    of two processes that compile at the same time, for two CPUs or from two versions, one could load the other's."""

    def save(self, key: object, data: object) -> None:
        """Add one entry; an entry that another process adds to the index meanwhile may be lost, and is made again."""
        name = f"{self._index_name.removesuffix('.nbi')}.{sha256(repr(key).encode()).hexdigest()[:20]}.nbc"
        self._save_data(name, data)  # type: ignore[no-untyped-call]  # numba's types stop here
        overloads = self._load_index()  # type: ignore[no-untyped-call]  # likewise
        overloads[key] = name
        self._save_index(overloads)  # type: ignore[no-untyped-call]  # likewise


class _DigestCache(FunctionCache):
    """numba's cache of one function, keyed by what the function is made of as well."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]  # numba's types stop here
        self._function = function
        self._cache_file = _NamedByKey(  # type: ignore[no-untyped-call]  # likewise
            cache_path=self._cache_path,
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def _index_key(self, sig: object, codegen: object) -> tuple[object, ...]:
        key: tuple[object, ...] = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]  # likewise
        return (*key, digest_of(self._function))


def compiled(function: Callable[P, R], *, inline: bool = False, allocates: bool = True) -> Callable[P, R]:
    """The function as machine code, compiled at its first call for each combination of argument types.

    The function may name module constants (numbers, tuples, arrays) and other compiled functions.
    """
    options: dict[str, Any] = {"forceinline": inline, "_nrt": allocates}
    dispatcher: Any = njit(error_model="numpy", nogil=True, **options)(function)
    function.__dict__[_OPTIONS] = options
    dispatcher.jiantu_function = function
    dispatcher._cache = _DigestCache(function)  # noqa: SLF001
    return cast("Callable[P, R]", dispatcher)


def digest_of(function: Callable[..., Any], within: tuple[Callable[..., Any], ...] = ()) -> str:
    """Digest of a function's code and of every constant and compiled function that it names, wherever in its module
    that stands: so it is taken when the function is first called. `within`: who names it."""
    code = function.__code__
    # The module's name too: what was cached when a file ran as a script would look for that name's module.
    parts = [function.__module__, code.co_code.hex(), repr(code.co_consts), repr(code.co_names)]
    parts.append(repr(function.__dict__.get(_OPTIONS)))
    for name in sorted(code.co_names):
        value = function.__globals__.get(name)
        if isinstance(value, np.ndarray):
            parts.append(f"{name}={value.dtype}{value.shape}{value.tobytes().hex()}")
        elif isinstance(value, int | float | tuple | str):
            parts.append(f"{name}={value!r}")
        elif (named := getattr(value, "jiantu_function", None)) is not None and named not in (*within, function):
            parts.append(f"{name}={digest_of(named, (*within, function))}")
    return sha256("\n".join(parts).encode()).hexdigest()


def in_place(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a function that works on arrays that it is given. It must not make any, nor be handed a new one by
    what it calls: that would never be given back.

    numba otherwise counts who holds an array, at every call and for every row taken out of one: where that is done for
    every series of a window, it takes a fourth of all the time.
    """
    return compiled(function, allocates=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a small function that others call in a loop: an array costs seven arguments a call."""
    return compiled(function, inline=True, allocates=False)
