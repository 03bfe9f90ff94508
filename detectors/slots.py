"""What the slot of the week does to a count: a day to the mean of all, an hour to its like and to all hours."""

from detectors.compiled import in_place, inlined
from detectors.elementary import log
from detectors.observation import Floats
from detectors.row import CALM, DAY_STRENGTH, FORMER, HOUR_STRENGTH, SLOT_STRENGTH, SLOTS, STATE


@inlined
def _shrunk(counted: float, expected: float, phi: float, strength: float, parent: float) -> float:
    return (counted / phi + strength * parent) / (expected / phi + strength)


@in_place
def slot_effect(row: Floats, place: int, per_week: int, phi: float) -> tuple[float, float]:
    """(factor, variance of its log) of one slot of the week: a day to 1; an hour to its hour of workdays or
    weekends, and that to its hour, and that to 1."""
    if per_week == 1:
        return 1.0, 0.0
    counted, expected = row[place], row[place + 1]
    if per_week == 7:
        factor = _shrunk(counted, expected, phi, DAY_STRENGTH, 1.0)
        return factor, 1.0 / (counted / phi + DAY_STRENGTH)
    start = place - (place - SLOTS) % 14
    day = (place - start) // 2
    counted_all, expected_all, counted_kind, expected_kind = 0.0, 0.0, 0.0, 0.0
    for i in range(7):
        counted_all += row[start + 2 * i]
        expected_all += row[start + 2 * i + 1]
        if (i >= 5) == (day >= 5):
            counted_kind += row[start + 2 * i]
            expected_kind += row[start + 2 * i + 1]
    factor = _shrunk(counted_all, expected_all, phi, HOUR_STRENGTH, 1.0)
    variance = 1.0 / (counted_all / phi + HOUR_STRENGTH)
    factor = _shrunk(counted_kind, expected_kind, phi, SLOT_STRENGTH, factor)
    variance = 1.0 / (counted_kind / phi + 1.0 / (1.0 / SLOT_STRENGTH + variance))
    factor = _shrunk(counted, expected, phi, SLOT_STRENGTH, factor)
    variance = 1.0 / (counted / phi + 1.0 / (1.0 / SLOT_STRENGTH + variance))
    return factor, variance


@in_place
def centre_slots(row: Floats, per_week: int) -> None:
    """Moves the common factor of all slots of the week into the level, so that the two cannot drift apart."""
    counted, expected = 0.0, 0.0
    for i in range(per_week):
        counted += row[SLOTS + 2 * i]
        expected += row[SLOTS + 2 * i + 1]
    common = (counted + 20.0) / (expected + 20.0)
    for i in range(per_week):
        row[SLOTS + 2 * i + 1] *= common
    row[STATE] += log(common)
    row[CALM] += log(common)
    row[FORMER] += log(common)
