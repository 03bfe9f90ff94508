"""One series' baseline, as a row of numbers: what it expects of the next window, and how it learns from it.

The model: count ~ negative binomial; log mean = level + trend + two annual harmonics (a state of six numbers with its
covariance, updated as in West, Harrison and Migon, "Dynamic generalized linear models and Bayesian forecasting",
JASA 80 (1985)) + effect of the slot of the week (gamma ratios of counted to expected, shrunk) + effect of the
calendar's classes (likewise, `detectors.special_days`). Dispersion phi is learned beside it. The predictive variance
phi m + m^2 q holds the uncertainty q of every part, so a young or rarely seen part widens the band by itself.

There are two such states: a lively one, whose level moves with time, and a calm one that hardly moves, and so learns
from all that it has seen. What is expected is the mean of both, each with the probability that its forecasts of
late have earned (a multi-process model: Harrison and Stevens, "Bayesian forecasting", JRSS B 38 (1976)).

Past outbreaks: a window far out of what was expected teaches little (weights fall with the residual, after
Noufaily et al., "An improved algorithm for outbreak detection in multiple surveillance systems", Stat Med 32
(2013)), in both directions; but residuals that stay on one side for long mean that the level has moved, and open
the level to it (West and Harrison, "Monitoring and adaptation in Bayesian forecasting models", JASA 81 (1986)).

Every function takes one row, so series cannot touch each other. The row always stands before the next window.
"""

import numpy as np

from detectors.compiled import in_place, inlined
from detectors.elementary import exp, log
from detectors.observation import Floats
from detectors.row import (
    CALM,
    CALM_EVIDENCE,
    CALM_LEVEL,
    CALM_MOST,
    CALM_PRIOR,
    CALM_REFUTED,
    CALM_SEASON,
    CALM_TREND,
    CLEAR,
    COVARIANCE,
    DRIFT_LIMIT,
    DRIFT_MEMORY,
    DRIFT_RUN,
    DRIFT_RUN_LIMIT,
    DRIFT_SPREAD,
    DRIFT_SUM,
    EVIDENCE_MEMORY,
    FAR,
    FAR_KNOWN,
    FAR_TAIL,
    FLOOR,
    FORMER,
    FORMER_KEPT,
    FORMER_LEFT,
    HAS_CALM,
    LARGEST_LOG_MEAN,
    LAST_ERROR,
    LEAST_RESTLESS,
    LEVEL_NOISE,
    MOST_RESTLESS,
    MOVED_VARIANCE,
    PARTS,
    PRIOR_VARIANCE,
    RESTLESS,
    RESTLESS_GAIN,
    RESTLESS_LEAK,
    SEASON_NOISE,
    SEEN,
    SHARED,
    SLOT_MEMORY,
    SPREAD_DOUBT,
    SPREAD_LEAST,
    SPREAD_MEMORY,
    SPREAD_PRIOR,
    SPREAD_STRENGTH,
    SPREAD_SUM,
    SPREAD_WEIGHT,
    STATE,
    STEEPEST,
    TREND_DAMPING,
    TREND_NOISE,
    WARM_UP,
    WINDOWS_PER_WEEK,
    YOUNG_DOUBT,
    Rows,
)
from detectors.slots import slot_effect
from detectors.special_days import class_effect, learn_classes


@inlined
def dispersion(row: Floats, settings: Floats) -> float:
    """Variance over mean, what is not known of the mean aside. Below 1 it says that too much of that was allowed for:
    it is the variance of both together that is no less than Poisson's."""
    strength = settings[SPREAD_STRENGTH]
    ratio = (row[SPREAD_SUM] + strength * settings[SPREAD_PRIOR]) / (row[SPREAD_WEIGHT] + strength)
    return max(SPREAD_LEAST, float(ratio))


@inlined
def state_along(row: Floats, at: int, waves: Floats, along: Floats) -> tuple[float, float]:
    """(log mean, its variance) from level and season of the state that lies at STATE or CALM, and `along`, shape
    (parts,), its covariance times `waves`, the vector (1, 0, cos, sin, cos 2, sin 2)."""
    mean, variance = 0.0, 0.0
    for i in range(PARTS):
        mean += waves[i] * row[at + i]
        along[i] = 0.0
        for j in range(PARTS):
            along[i] += row[at + COVARIANCE + i * PARTS + j] * waves[j]
        variance += waves[i] * along[i]
    return min(max(mean, -LARGEST_LOG_MEAN), LARGEST_LOG_MEAN), max(variance, 1e-9)


@inlined
def state_forecast(row: Floats, at: int, waves: Floats) -> tuple[float, float]:
    """(log mean, its variance) as `state_along` has them."""
    mean, variance = 0.0, 0.0
    for i in range(PARTS):
        mean += waves[i] * row[at + i]
        along = 0.0
        for j in range(PARTS):
            along += row[at + COVARIANCE + i * PARTS + j] * waves[j]
        variance += waves[i] * along
    return min(max(mean, -LARGEST_LOG_MEAN), LARGEST_LOG_MEAN), max(variance, 1e-9)


@inlined
def calm_share(row: Floats, settings: Floats) -> float:
    """The probability that the calm state is the right one."""
    return 1.0 / (1.0 + exp(-row[CALM_EVIDENCE])) if settings[HAS_CALM] > 0.0 else 0.0


@inlined
def blended(row: Floats, waves: Floats, settings: Floats) -> tuple[float, float]:
    """(log mean, its variance) of both states together, each with its probability."""
    lively = state_forecast(row, STATE, waves)
    if settings[HAS_CALM] <= 0.0:
        return lively
    return _blend(row, lively, state_forecast(row, CALM, waves))


@inlined
def _blend(row: Floats, lively: tuple[float, float], calm: tuple[float, float]) -> tuple[float, float]:
    log_mean, q = lively
    share = 1.0 / (1.0 + exp(-row[CALM_EVIDENCE]))
    apart = calm[0] - log_mean
    return log_mean + share * apart, q + share * (calm[1] - q) + share * (1.0 - share) * apart * apart


@inlined
def _gained(row: Floats, ahead: float, settings: Floats) -> float:
    """Variance that the log mean gains so many windows ahead, of both states with their probabilities."""
    share = calm_share(row, settings)
    lively = settings[LEVEL_NOISE] * exp(row[RESTLESS]) + 2.0 * settings[SEASON_NOISE]
    calm = (CALM_LEVEL + 2.0 * CALM_SEASON) / settings[WINDOWS_PER_WEEK]
    return float(ahead * (lively + share * (calm - lively)))


@inlined
def level_of(row: Floats, settings: Floats) -> float:
    """Log of the level, of both states together."""
    return float(row[STATE] + calm_share(row, settings) * (row[CALM] - row[STATE]))


@in_place
def forecast(
    row: Floats, waves: Floats, place: int, day_class: int, length: float, exposure: float, settings: Floats
) -> tuple[float, float, float]:
    """(mean, size, dispersion) of the negative binomial of the window that lies waves[1] windows after the row's next
    one: so far the trend goes on."""
    phi = dispersion(row, settings)
    log_mean, q = blended(row, waves, settings)
    if waves[1] > 0.0:
        q = settings[SHARED] * (q + _gained(row, waves[1], settings))
    slot, q_slot = slot_effect(row, place, int(settings[WINDOWS_PER_WEEK]), phi)
    special, q_class = class_effect(row, day_class, phi, settings)
    mean = max(exp(log_mean) * slot * special * exposure, settings[FLOOR]) * length
    return mean, size_of(mean, phi, q + q_slot + q_class, row, settings), phi


@inlined
def size_of(mean: float, phi: float, q: float, row: Floats, settings: Floats) -> float:
    """Size r of a negative binomial with variance phi' m + m^2 q, no less than Poisson's; phi' is phi, widened for
    being an estimate: an unbiased one is too narrow on average, the more so, the farther out one looks.

    What one window tells of phi has a variance of phi^2 (2 + (6 phi - 6 + 1 / phi) / m), from the cumulants of a
    negative binomial: few counts that come in clumps say little."""
    clumps = 6.0 * (max(phi, 1.0) - 1.0) + 1.0 / max(phi, 1.0)
    known = row[SPREAD_WEIGHT] + settings[SPREAD_STRENGTH] + 4.0
    doubt = (settings[SPREAD_DOUBT] + YOUNG_DOUBT / known) / known
    doubt *= (clumps + 2.0 * mean) / (1.0 + 2.0 * mean)
    wide = max(phi, 1.0 - mean * q) * (1.0 + doubt)
    return float(max(mean / max(wide - 1.0 + mean * q, 1e-9), 1e-3))


@inlined
def residual(x: float, mean: float, size: float) -> float:
    """Signed square root of the negative binomial's deviance: nearly standard normal when the forecast is right."""
    d = size * log((mean + size) / (x + size))
    if x > 0.0:
        d += x * log(x * (mean + size) / (mean * (x + size)))
    root = float(np.sqrt(max(2.0 * d, 0.0)))
    return root if x > mean else -root


@inlined
def _update_level(row: Floats, at: int, ratio: float, after: float) -> None:
    """The level alone moves by log(ratio), its variance to `after`: season and trend know nothing of a break."""
    covariance = at + COVARIANCE
    row[at] += log(ratio)
    shrink = np.sqrt(after / row[covariance])
    for j in range(PARTS):
        row[covariance + j] *= shrink
        row[covariance + j * PARTS] *= shrink


@inlined
def _update_state(row: Floats, at: int, along: Floats, ratio: float, q: float, q_after: float) -> None:
    """Linear Bayes: the forecast's log mean moves by log(ratio), its variance from q to q_after; `along` as
    `state_along` left it, used up."""
    covariance = at + COVARIANCE
    for i in range(PARTS):
        along[i] /= q
    move, less = log(ratio), q - q_after
    for i in range(PARTS):
        row[at + i] += along[i] * move
        for j in range(PARTS):
            row[covariance + i * PARTS + j] -= along[i] * along[j] * less


@inlined
def _learn_state(
    row: Floats,
    at: int,
    foretold: tuple[float, float],
    along: Floats,
    seen: tuple[float, float, float, float, float, float],
    moved: bool,
) -> tuple[float, float]:
    """One state takes in a count; (error, variance) with which it had foretold it. `foretold` and `along` as from
    `state_along`; `seen`: the count, the factor that the state's mean is to be multiplied by, the least mean, the
    dispersion, (variance without the state's) / mean, and the count's weight."""
    x, factor, lowest, phi, noise, weight = seen
    log_mean, q = foretold
    mean = max(exp(log_mean) * factor, lowest)
    variance = noise * mean + mean * mean * q
    limit = FAR * np.sqrt(variance) + FAR_TAIL * phi
    error = min(max(x - mean, -limit), limit)
    if moved:
        row[at + COVARIANCE] = max(row[at + COVARIANCE], MOVED_VARIANCE)
        q = row[at + COVARIANCE]
    else:
        x = mean + error
    alpha = noise / (q * weight)
    ratio = (alpha + x) / (alpha + mean)
    q_after = noise / (weight * (alpha + mean * ratio))
    if moved:
        _update_level(row, at, ratio, q_after)
    else:
        _update_state(row, at, along, ratio, q, q_after)
    return error, variance


@inlined
def _follow_drift(row: Floats, error: float, variance: float, settings: Floats) -> bool:
    """Takes a residual in; whether residuals have stayed on one side for so long that the level must have moved. It
    then starts afresh."""
    memory = settings[DRIFT_MEMORY]
    row[DRIFT_SUM] = memory * row[DRIFT_SUM] + error
    row[DRIFT_SPREAD] = memory * memory * row[DRIFT_SPREAD] + variance
    drift = row[DRIFT_SUM] / np.sqrt(row[DRIFT_SPREAD])
    run = row[DRIFT_RUN]
    if drift > settings[DRIFT_LIMIT]:
        row[DRIFT_RUN] = max(run, 0.0) + 1.0
    elif drift < -settings[DRIFT_LIMIT]:
        row[DRIFT_RUN] = min(run, 0.0) - 1.0
    else:
        row[DRIFT_RUN] = 0.0
    if abs(row[DRIFT_RUN]) < settings[DRIFT_RUN_LIMIT]:
        return False
    row[DRIFT_SUM], row[DRIFT_SPREAD], row[DRIFT_RUN] = 0.0, 0.0, 0.0
    return True


@inlined
def _remember_level(row: Floats, settings: Floats) -> None:
    """The level has moved: a return to where it was will be no news for a while."""
    if row[SEEN] >= settings[WARM_UP]:
        if row[FORMER_LEFT] <= 0.0:
            row[FORMER] = level_of(row, settings)
        row[FORMER_LEFT] = settings[FORMER_KEPT]


@inlined
def _weigh(row: Floats, lively: tuple[float, float], calm: tuple[float, float], memory: float) -> None:
    """Both states have foretold a count, with (error, variance) each: which did better? A calm state that is refuted
    starts again from the lively one."""
    better = lively[0] * lively[0] / lively[1] - calm[0] * calm[0] / calm[1] + log(lively[1] / calm[1])
    evidence = memory * row[CALM_EVIDENCE] + (1.0 - memory) * CALM_PRIOR + 0.5 * better
    row[CALM_EVIDENCE] = min(evidence, CALM_MOST)
    if evidence < -CALM_REFUTED:
        for i in range(CALM_EVIDENCE - CALM):
            row[CALM + i] = row[STATE + i]
        row[CALM_EVIDENCE] = -0.5 * CALM_REFUTED


@inlined
def _follow_restlessness(row: Floats, error: float, settings: Floats) -> None:
    """Residuals that follow each other in sign mean that the level moves more than was thought; those that alternate,
    less (Mehra, "On the identification of variances and adaptive Kalman filtering", IEEE TAC 15 (1970))."""
    error = min(max(error, -CLEAR), CLEAR)
    restless = row[RESTLESS] * (1.0 - settings[RESTLESS_LEAK]) + settings[RESTLESS_GAIN] * error * row[LAST_ERROR]
    row[RESTLESS] = min(max(restless, LEAST_RESTLESS), MOST_RESTLESS)
    row[LAST_ERROR] = error


@inlined
def _news_of_spread(error: float, last: float) -> float:
    """What an outlier teaches of the dispersion, as a share: all of it after an ordinary window, nothing after one that
    lay as far out on the same side, since that is the level's doing (a series that begins, months of an outbreak). Of
    residuals that do not hang together its mean is 1 (squares of successive differences: von Neumann, "Distribution of
    the ratio of the mean square successive difference to the variance", Ann. Math. Stat. 12 (1941))."""
    return max(0.0, 1.0 - last / min(max(error, -CLEAR), CLEAR))


@in_place
def learn_window(  # noqa: PLR0913, PLR0917 - arrays of one machine-code call
    row: Floats,
    count: int,
    waves: Floats,
    place: int,
    day_class: int,
    length: float,
    exposure: float,
    settings: Floats,
    work: Rows,
) -> bool:
    """Take in one window's count (not missing, of an exposure above 0), before `step_time`; whether it says that the
    level has moved. `work`, shape (2, PARTS), is nobody's."""
    x = float(count)
    per_week = int(settings[WINDOWS_PER_WEEK])
    if row[SEEN] == 0.0:
        row[STATE] = row[CALM] = log(max(x, 0.5) / (length * exposure))
    row[SEEN] += 1.0
    phi = dispersion(row, settings)
    has_calm = settings[HAS_CALM] > 0.0
    lively = log_mean, q = state_along(row, STATE, waves, work[0])
    calm = state_along(row, CALM, waves, work[1]) if has_calm else lively
    if has_calm:
        log_mean, q = _blend(row, lively, calm)
    slot, q_slot = slot_effect(row, place, per_week, phi)
    special, q_class = class_effect(row, day_class, phi, settings)
    factor = slot * special * length * exposure
    mean = exp(log_mean) * factor
    lowest = settings[FLOOR] * length
    if x == 0.0 and mean <= lowest:
        return False  # at the floor, one zero more says nothing
    mean = max(mean, lowest)
    q_all = q + q_slot + q_class
    far = abs(residual(x, mean, max(mean / max(phi - 1.0 + mean * q_all, 1e-9), 1e-3)))
    near = min(1.0, (FAR / max(far, 1e-9)) ** 2)
    variance = phi * mean + mean * mean * q_all
    limit = FAR * np.sqrt(variance) + FAR_TAIL * phi
    error = min(max(x - mean, -limit), limit)
    moved = _follow_drift(row, error, variance, settings)
    weight = 1.0 if moved else near * near

    known = max(near, FAR_KNOWN) / (1.0 + 2.0 * mean * (1.0 + mean * q_all / phi) ** 2)
    if near < 1.0:
        known *= _news_of_spread(error / np.sqrt(variance), row[LAST_ERROR])
    row[SPREAD_SUM] = settings[SPREAD_MEMORY] * row[SPREAD_SUM] + known * (error * error - mean * mean * q_all)
    row[SPREAD_WEIGHT] = settings[SPREAD_MEMORY] * row[SPREAD_WEIGHT] + known * mean
    row[SPREAD_SUM] = max(row[SPREAD_SUM], 0.0)

    if moved:
        _remember_level(row, settings)
    else:
        _follow_restlessness(row, error / np.sqrt(variance), settings)
    noise = phi + mean * (q_slot + q_class)
    lively = _learn_state(row, STATE, lively, work[0], (x, factor, lowest, phi, noise, weight), moved)
    if has_calm:
        calm = _learn_state(row, CALM, calm, work[1], (x, factor, lowest, phi, noise, weight), moved)
        _weigh(row, lively, calm, settings[EVIDENCE_MEMORY])
    if not moved and per_week > 1:
        row[place] = settings[SLOT_MEMORY] * row[place] + weight * x
        row[place + 1] = settings[SLOT_MEMORY] * row[place + 1] + weight * mean / slot
    if day_class > 0:
        learn_classes(row, day_class, x, (mean, q + q_slot), (phi, weight), settings)
    return moved


@in_place
def step_time(row: Floats, per_week: int, settings: Floats) -> None:
    """From before one window to before the next: trend moves the level, everything becomes a little less sure."""
    row[FORMER_LEFT] = max(0.0, row[FORMER_LEFT] - 1.0)
    level_noise = settings[LEVEL_NOISE] * exp(row[RESTLESS])
    _step_state(
        row, STATE, per_week, (level_noise, settings[TREND_NOISE], settings[SEASON_NOISE]), settings[TREND_DAMPING]
    )
    if settings[HAS_CALM] > 0.0:
        _step_state(row, CALM, per_week, (CALM_LEVEL / per_week, CALM_TREND / per_week**3, CALM_SEASON / per_week), 1.0)


@inlined
def _step_state(row: Floats, at: int, per_week: int, noises: tuple[float, float, float], damping: float) -> None:
    p = at + COVARIANCE
    row[at] = min(max(row[at] + row[at + 1], -LARGEST_LOG_MEAN), LARGEST_LOG_MEAN)
    row[at + 1] = min(max(row[at + 1] * damping, -STEEPEST / per_week), STEEPEST / per_week)
    for j in range(PARTS):
        row[p + j] += row[p + PARTS + j]
        row[p + PARTS + j] *= damping
    for i in range(PARTS):
        row[p + i * PARTS] += row[p + i * PARTS + 1]
        row[p + i * PARTS + 1] *= damping
    for i in range(PARTS):
        noise = noises[min(i, 2)]
        largest = PRIOR_VARIANCE[i] / (per_week * per_week if i == 1 else 1.0)
        diagonal = row[p + i * PARTS + i] + noise
        row[p + i * PARTS + i] = diagonal
        if diagonal > largest:
            shrink = np.sqrt(largest / diagonal)
            for j in range(PARTS):
                row[p + i * PARTS + j] *= shrink
                row[p + j * PARTS + i] *= shrink
