"""What calendar classes do to a count: a window's equal parts may lie on dates of several.

A class multiplies the mean of a date; a window's is the mean of its parts' factors, the ordinary date's being 1. So
half a holiday teaches what a holiday is, and a week with one what one is worth to it. What a class is learned from is
what its dates' parts had: the count less what the others were expected to have, weighted by the share that it had in
the expectation, and the less, the less is known of the mean otherwise.
"""

import numpy as np

from detectors.compiled import compiled, in_place, inlined
from detectors.observation import CLASSES, Counts, Floats, Slot
from detectors.row import CLASS_COUNTED, CLASS_EXPECTED, CLASS_STRENGTH, CLASS_VARIES


def classes_of(slot: Slot) -> Counts:
    """`Slot.day_class`, for compiled functions."""
    return np.maximum(slot.day_class, 0).astype(np.int64)


@inlined
def _one_class(row: Floats, which: int, phi: float, settings: Floats) -> tuple[float, float]:
    """(factor, variance of its log) of the dates of one class."""
    strength = settings[CLASS_STRENGTH]
    counted, expected = row[CLASS_COUNTED + which] / phi, row[CLASS_EXPECTED + which] / phi
    return (counted + strength) / (expected + strength), 1.0 / (counted + strength) + settings[CLASS_VARIES]


@compiled
def share_of_class(day_class: int, which: int) -> float:
    """Share of the window's parts that lie on dates of a class; `day_class` as in `Slot`."""
    if day_class < CLASSES:
        return 1.0 if day_class == which else 0.0
    parts, of_it = 0, 0
    while day_class >= CLASSES:
        if day_class % CLASSES == which:
            of_it += 1
        parts += 1
        day_class //= CLASSES
    return of_it / parts


@in_place
def _mixed_effect(row: Floats, day_class: int, phi: float, settings: Floats) -> tuple[float, float]:
    factor, variance = share_of_class(day_class, 0), 0.0
    for which in range(1, CLASSES):
        share = share_of_class(day_class, which)
        if share > 0.0:
            effect, q = _one_class(row, which, phi, settings)
            factor += share * effect
            variance += (share * effect) ** 2 * q
    return factor, variance / (factor * factor)


@inlined
def class_effect(row: Floats, day_class: int, phi: float, settings: Floats) -> tuple[float, float]:
    """(factor, variance of its log) of the window's dates; of an ordinary one (1, 0)."""
    if day_class == 0:
        return 1.0, 0.0
    if day_class < CLASSES:
        return _one_class(row, day_class, phi, settings)
    return _mixed_effect(row, day_class, phi, settings)


@compiled
def learn_classes(
    row: Floats, day_class: int, x: float, expected: tuple[float, float], spread: tuple[float, float], settings: Floats
) -> None:
    """Take in a count of a window that holds special dates. `expected`: its mean with all effects, and the variance of
    its log, the classes' own aside; `spread`: dispersion, and what the count weighs."""
    mean, q = expected
    phi, weight = spread
    special, q_classes = class_effect(row, day_class, phi, settings)
    parts, own = np.zeros(CLASSES), np.zeros(CLASSES)
    for which in range(1, CLASSES):
        share = share_of_class(day_class, which)
        if share > 0.0:
            effect, own_q = _one_class(row, which, phi, settings)
            parts[which], own[which] = share * effect / special, own_q
    for which in range(1, CLASSES):
        part = parts[which]
        if part > 0.0:
            others = mean * max(q + q_classes - part * part * own[which], 0.0)
            worth = weight * part * phi / (phi + others)
            counted = row[CLASS_COUNTED + which] + worth * (x - mean * (1.0 - part))
            row[CLASS_COUNTED + which] = max(counted, 0.0)
            row[CLASS_EXPECTED + which] += worth * mean / special * share_of_class(day_class, which)
