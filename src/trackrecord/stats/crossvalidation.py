"""Intervals from cross-validation, whose folds share training rows and so are not independent.

The standard error of fold losses taken as independent is too small, by half or more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import finite, level_within, number
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.proportions import normal_quantile, t_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class NestedLoss(msgspec.Struct, frozen=True, kw_only=True):
    """The loss of a model fitted to all rows, and how far plain cross-validation is from it.

    ``inflation`` is the standard error over that of rows taken as independent, from 1 to √folds;
    ``bias`` what was taken off for models fitted to fewer rows.
    """

    estimate: Estimate
    inflation: float
    bias: float


def corrected_resampled(
    scores: ArrayLike, *, train_rows: int, test_rows: int, metric: str, level: float = 0.95
) -> Estimate | Absence:
    """The mean of J resamples' scores, or of J paired differences, with the corrected t interval.

    Each resample trains on ``train_rows`` and tests on ``test_rows``. The variance of the mean is
    (1 / J + test_rows / train_rows) times that of the scores, with J − 1 degrees (Nadeau & Bengio
    2003, section 3; for repeated folds, Bouckaert & Frank 2004). Absent under ``metric`` with
    fewer than two resamples, or where all are the same. Raises BadInput unless both counts are 1 or
    more.
    """
    found, level = finite(scores, "scores"), level_within(level)
    if train_rows < 1 or test_rows < 1:
        raise BadInput(f"{train_rows} rows to train on and {test_rows} to test on: both need one")
    resamples, n = found.size, train_rows + test_rows
    if resamples < 2:
        return Absence(metric=metric, reason="it takes two resamples to see them differ", n=n)
    variance = float(found.var(ddof=1))
    value = float(found.mean())
    if variance <= (1e-14 * value) ** 2:
        return Absence(metric=metric, reason="all resamples gave the same", n=n)
    se = math.sqrt((1 / resamples + test_rows / train_rows) * variance)
    half = t_quantile(level, resamples - 1) * se
    return Estimate(
        metric=metric,
        value=value,
        lo=value - half,
        hi=value + half,
        level=level,
        se=se,
        n=n,
        clusters=None,
        method=f"corrected resampled t({resamples - 1}), Nadeau-Bengio",
    )


def nested_loss(
    inner: ArrayLike,
    outer: ArrayLike,
    outer_variance: ArrayLike,
    *,
    plain: float,
    row_error: float,
    rows: int,
    metric: str,
    level: float = 0.95,
) -> NestedLoss | Absence:
    """The loss of a model fitted to all ``rows``, from nested cross-validation.

    For each repetition r and fold k held out, of R × K: ``inner`` is the mean loss of
    cross-validation within the other K − 1 folds, ``outer`` the mean loss on the fold held out by a
    model fitted to the others, ``outer_variance`` the variance of that mean, that of
    the fold's losses over their number. ``plain`` is the mean loss of plain K-fold
    cross-validation, ``row_error`` the standard deviation of a row's loss. With them (Bates, Hastie
    & Tibshirani 2024, algorithm 1)

        mse = mean (inner − outer)² − mean outer_variance,
        se = √((K − 1) / K) √mse, kept within row_error / √rows times 1 and √K,
        bias = (1 + (K − 2) / K) (mean inner − plain),

    the last being exact where the loss falls as 1 / rows. Absent under ``metric`` with fewer than
    three folds, where there is no nested one. Raises BadInput for shapes that differ, or an error
    that is not above zero.
    """
    ins, outs = finite(inner, "inner losses", dims=2), finite(outer, "outer losses", dims=2)
    variance = finite(outer_variance, "variances of outer losses", dims=2)
    level, plain = level_within(level), number(plain, "the plain loss")
    row_error = number(row_error, "the error of a row", above=0.0)
    if ins.shape != outs.shape or ins.shape != variance.shape or ins.size == 0 or rows < 1:
        shapes = f"{ins.shape}, {outs.shape}, {variance.shape}, {rows} rows"
        raise BadInput(f"losses and variances must be repetitions × folds alike: {shapes}")
    if variance.min() < 0:
        raise BadInput("a variance cannot be below zero")
    folds = ins.shape[1]
    if folds < 3:
        return Absence(metric=metric, reason="nesting takes three folds or more", n=rows)
    mse = float(((ins - outs) ** 2).mean() - variance.mean())
    independent = row_error / math.sqrt(rows)
    nested = math.sqrt(max(mse, 0.0) * (folds - 1) / folds)
    inflation = min(max(nested / independent, 1.0), math.sqrt(folds))
    bias = (1 + (folds - 2) / folds) * (float(ins.mean()) - plain)
    value, se = float(ins.mean()) - bias, inflation * independent
    half = normal_quantile(level) * se
    return NestedLoss(
        estimate=Estimate(
            metric=metric,
            value=value,
            lo=value - half,
            hi=value + half,
            level=level,
            se=se,
            n=rows,
            clusters=None,
            method=f"nested cross-validation, {ins.shape[0]} × {folds} folds",
        ),
        inflation=inflation,
        bias=bias,
    )
