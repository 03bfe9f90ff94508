"""Machine code of the detectors and the steps, before a stream waits for it."""

from typing import Any

from streams.core.city import City


def warm_up(city: City | None = None) -> None:
    """Compile the detectors, or load what was compiled before; with a city the steps too, for a process whose first
    hour, day or week must not wait for it."""
    import numpy as np

    from detectors.observation import Slot
    from detectors.registry import COMPILED
    from detectors.scan import find, zones_of

    slot = Slot(0, 0, 0.0, 1.0, np.zeros(1, np.int64))
    for made in COMPILED:
        for windows_per_week in (168, 7, 1):
            detector = made.fresh(1, windows_per_week)
            detector.score(np.array([3]), slot)
            detector.learn(np.array([3]), slot)
    two = np.full((2, 28), 3.0)
    find(two + 1.0, two, two, zones_of([[1], [0]]))
    if city is not None:
        from streams.core.rehearsal import rehearse
        from streams.ledger.packing import Packer

        Packer().pack(rehearse(city))


def compiled_code_folder() -> str:
    """Where numba keeps the machine code of the detectors. Raises RuntimeError where it finds no place."""
    from detectors import tails

    compiled: Any = tails.probability
    return str(compiled.stats.cache_path)
