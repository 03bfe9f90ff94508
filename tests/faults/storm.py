"""Many faults over one recording, of several kinds at the same time, each due when the stream has come so far.

A lane is a row of faults, one after another. They fall at random places of the stream, and the next one of a lane not
before everything that was there at the last one is in checkpoints (now and then at once: then they overlap). The
stream waits for them, at a trickle: it is never over before all have happened, however slow the machine is.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence

from tests.faults.campaign import Campaign

Fault = Callable[[], None]
Lanes = Mapping[str, Sequence[Fault]]
_FIRST, _LAST = 0.03, 0.9
"""Shares of the stream between which faults fall."""


def storm(campaign: Campaign, lanes: Lanes, *, rate: int, at_once: float = 0.2) -> None:
    """Produce the recording, `rate` records a second at most, and have everything happen. Raises what went wrong.

    `at_once`: share of the faults that do not wait for the recovery from the one before.
    """
    bounds = {}
    plans = {}
    for name, faults in lanes.items():
        if faults:
            plans[name] = _places(random.Random(f"{campaign.report.seed} {name}"), len(faults))
            bounds[name] = plans[name][1]
    lock = threading.Lock()

    def reached(name: str, bound: float) -> None:
        with lock:
            bounds[name] = bound
            campaign.produce(rate, min(bounds.values()))

    def run(name: str) -> None:
        chance = random.Random(f"{campaign.report.seed} {name} at once")
        places, last = plans[name], 0
        try:
            for number, fault in enumerate(lanes[name]):
                due = round(places[number] * campaign.posted)
                waits = chance.random() >= at_once
                campaign.wait_until(
                    lambda seen, due=due, last=last, waits=waits: (  # type: ignore[misc]
                        seen.produced >= due and (not waits or seen.safe >= last)
                    )
                )
                last = campaign.progress.produced
                fault()
                reached(name, places[min(number + 2, len(places) - 1)])
        except BaseException as error:  # noqa: BLE001 - raised where everything is waited for
            campaign.trouble(error)

    campaign.produce(rate, min(bounds.values()))
    threads = [threading.Thread(target=run, args=(name,), name=name, daemon=True) for name in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)
            campaign.raise_trouble()
    campaign.raise_trouble()


def _places(chance: random.Random, faults: int) -> list[float]:
    """Where the faults of a lane fall, as shares of the stream; last, up to where it may go when they are over."""
    width = (_LAST - _FIRST) / faults
    return [_FIRST + width * (number + chance.random()) for number in range(faults)] + [_LAST]
