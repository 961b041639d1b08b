"""What a metric will turn out to be, before any truth is known.

If a probability means what it says, each row is positive with that probability, and the metric of
rows whose truth is still to come is expected to be that of the rows taken as both: as a positive
with weight p, and as a negative with weight 1 - p (confidence-based performance estimation, NannyML
2022; for accuracy, Guillory et al. 2021). What will come true differs from it by chance alone: to
first order by the sum of (y - p) (ψ(1) - ψ(0)) / n, ψ being a row's derivative of the metric under
either truth. So the interval is for the metric as it will be realised on these rows.

The one assumption is that the relation of score to truth has not changed (no concept drift).
Probabilities are only as good as their calibration: give it as a logistic line fitted on labelled
rows, and its own error is part of the interval.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import level_within
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import measure, named
from trackrecord.stats.influence import Influence
from trackrecord.stats.scales import interval_on

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from trackrecord.stats.metrics import Metric

    Floats = NDArray[np.float64]

# the step of the derivative along the calibration's line, in its standard errors
STEP = 0.1


class Calibrated(msgspec.Struct, frozen=True):
    """logit(p) = a + b logit(score), with the covariance of (a, b), (2, 2) as nested lists.

    ``inflation`` is how much wider than independent rows' the spread of y - p was on the labelled
    rows, where rows of a cluster are alike: the factor of its variance, 1 or more.
    """

    a: float
    b: float
    covariance: list[list[float]]
    inflation: float = 1.0


IDENTITY = Calibrated(0.0, 1.0, [[0.0, 0.0], [0.0, 0.0]])


def expected_of(
    metric: str | Metric,
    score: ArrayLike,
    *,
    calibrated: Calibrated = IDENTITY,
    level: float = 0.95,
) -> Estimate | Absence:
    """The metric as it is expected to be realised on rows with these scores.

    Parameters
    ----------
    metric:
        One of a yes or no.
    score:
        The model's probabilities, (n,); metrics are taken of them as they are.
    calibrated:
        What turns a score into the probability of a positive.

    Absent where the metric is. Raises BadInput for scores outside [0, 1], and an inflation below 1.
    """
    asked, level = named(metric), level_within(level)
    scores = np.asarray(score, dtype=np.float64)
    if scores.size and not (np.isfinite(scores) & (scores >= 0) & (scores <= 1)).all():
        raise BadInput("scores must be probabilities: finite, from 0 to 1")
    if calibrated.inflation < 1:
        raise BadInput(f"the inflation {calibrated.inflation:g} is below 1")
    n = scores.size
    if n < 2:
        return Absence(metric=asked.name, reason="fewer than 2 rows", n=n)
    measured = _both(asked, scores, probability_of(scores, calibrated))
    if isinstance(measured, Absence):
        return Absence(metric=asked.name, reason=measured.reason, n=n)
    p = probability_of(scores, calibrated)
    chance = calibrated.inflation * float(p * (1 - p) @ _switched(measured, p) ** 2) / n**2
    line = _along_the_line(asked, scores, calibrated)
    se = math.sqrt(chance + line)
    half = NormalDist().inv_cdf((1 + level) / 2) * se
    try:
        lo, hi = interval_on(asked.scale, measured.value, half)
    except ValueError:
        return Absence(metric=asked.name, reason="the value lies on the edge of its scale", n=n)
    return Estimate(
        metric=asked.name,
        value=measured.value,
        lo=lo,
        hi=hi,
        level=level,
        se=se,
        n=n,
        clusters=None,
        method=f"expected from probabilities, {asked.scale} scale",
    )


def probability_of(score: ArrayLike, calibrated: Calibrated) -> Floats:
    """The calibrated probabilities of ``score`` (n,)."""
    scores = np.asarray(score, dtype=np.float64)
    if calibrated.a == 0 and calibrated.b == 1:
        return scores
    with np.errstate(divide="ignore", over="ignore"):
        log_odds = np.log(scores) - np.log1p(-scores)
        line: Floats = 1 / (1 + np.exp(-(calibrated.a + calibrated.b * log_odds)))
    return line


def calibrated_on(
    truth: ArrayLike, score: ArrayLike, *, cluster: ArrayLike | None = None
) -> Calibrated:
    """The logistic line of labelled rows (n,) that the model was not trained on (Cox 1958).

    Its covariance is robust to a line that is wrong, and to ``cluster`` (n,) where rows depend on
    each other (sandwich; White 1982, Liang & Zeger 1986). ``inflation`` is the ratio of the two
    variances of the sum of y - p: of clusters, and of rows; 1 where rows are independent.
    Raises BadInput for one class only, and where the line cannot be found.
    """
    labels = np.asarray(truth, dtype=np.float64)
    scores = np.asarray(score, dtype=np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise BadInput(f"{labels.size} truths and {scores.size} scores cannot be compared")
    if labels.size == 0 or labels.min() == labels.max():
        raise BadInput("calibration needs rows of both classes")
    edge = 1e-12
    kept = np.clip(scores, edge, 1 - edge)
    design = np.column_stack([np.ones(kept.size), np.log(kept) - np.log1p(-kept)])
    beta = np.array([0.0, 1.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (labels - p))
        except np.linalg.LinAlgError:
            raise BadInput("the scores do not vary enough to be calibrated") from None
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    else:
        raise BadInput("the calibration does not converge: scores and truth agree too well")
    p = 1 / (1 + np.exp(-design @ beta))
    pulls = design * (labels - p)[:, None]
    inflation = 1.0
    if cluster is not None:
        _, codes = np.unique(np.asarray(cluster), return_inverse=True)
        sums = np.zeros((int(codes.max()) + 1, 2))
        np.add.at(sums, codes, pulls)
        # a few clusters show less of their spread than there is (CR1)
        factor = len(sums) / max(len(sums) - 1, 1)
        inflation = max(1.0, factor * float(sums[:, 0] @ sums[:, 0] / (pulls[:, 0] @ pulls[:, 0])))
        pulls = sums * math.sqrt(factor)
    bread = np.linalg.inv(information)
    covariance = bread @ (pulls.T @ pulls) @ bread
    return Calibrated(
        float(beta[0]), float(beta[1]), [[float(x) for x in row] for row in covariance], inflation
    )


def _both(asked: Metric, scores: Floats, p: Floats) -> Influence | Absence:
    """The metric of each row as a positive of weight p, then as a negative of weight 1 - p."""
    n = scores.size
    truth = np.repeat(np.array([1, 0], dtype=np.int8), n)
    return measure(asked, truth, np.concatenate([scores, scores]), np.concatenate([p, 1 - p]))


def _switched(measured: Influence, p: Floats) -> Floats:
    """ψ(1) - ψ(0) of each row, (n,); 0 where its truth is certain."""
    n = p.size
    sure = (p <= 0) | (p >= 1)
    # Of 2n rows with weights of mean one: a row's influence is its weight, twice p, times ψ.
    first = measured.influence[:n] / np.where(sure, 1.0, 2 * p)
    second = measured.influence[n:] / np.where(sure, 1.0, 2 * (1 - p))
    found: Floats = np.where(sure, 0.0, first - second)
    return found


def _along_the_line(asked: Metric, scores: Floats, calibrated: Calibrated) -> float:
    """The variance that the calibration's own error brings, by the delta method."""
    covariance = np.array(calibrated.covariance)
    if not covariance.any():
        return 0.0
    slopes = np.zeros(2)
    for place in range(2):
        error = math.sqrt(covariance[place, place])
        if error == 0:
            continue
        ends = []
        for sign in (1, -1):
            line = [calibrated.a, calibrated.b]
            line[place] += sign * STEP * error
            moved = msgspec.structs.replace(calibrated, a=line[0], b=line[1])
            found = _both(asked, scores, probability_of(scores, moved))
            if isinstance(found, Absence):
                return 0.0
            ends.append(found.value)
        slopes[place] = (ends[0] - ends[1]) / (2 * STEP * error)
    return float(slopes @ covariance @ slopes)
