"""The mean of a few labels, sharpened by many rows that a model judged.

Judged rows alone are biased as their judge is. Labels say by how much; judgements bring the numbers
(Angelopoulos, Bates, Fannjiang, Jordan & Zrnic 2023). How far the judge is relied upon, ``power``
from 0 to 1, is read from how well it agrees with the labels (Angelopoulos, Duchi & Zrnic 2023,
"PPI++", section 6), so that a useless judge costs next to nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import alike, finite, level_within
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.proportions import t_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Powered(msgspec.Struct, frozen=True, kw_only=True):
    """The ``estimate``, the ``power`` given to the judge, and what it was ``worth``: the number of
    labels that would have told as much alone. ``degrees`` belong to the estimate's t."""

    estimate: Estimate
    power: float
    worth: float
    degrees: float


def powered_mean(
    labels: ArrayLike,
    judged: ArrayLike,
    judged_only: ArrayLike,
    *,
    metric: str,
    level: float = 0.95,
    power: float | None = None,
) -> Powered | Absence:
    """The mean of which ``labels`` (n,) are a random part.

    ``judged`` (n,) is the judge's word on the labelled rows, ``judged_only`` (N,) on the others;
    all rows are independent and labelled ones chosen at random. The value is
    power · mean(judged_only) + mean(labels − power · judged); its variance
    power² var(judged_only) / N + var(labels − power · judged) / n. ``power`` None takes the best,
    cov(labels, judged) / ((1 + n / N) var(judged)), within 0 and 1, and one degree of freedom for
    it; 1 is the method of 2023, 0 leaves the judge out. For a paired difference of two models, give
    the differences. Absent under ``metric`` with fewer than 4 labels or 2 judged rows, or where
    labels never vary. Raises BadInput for unequal numbers, or a power outside [0, 1].
    """
    truth, seen = finite(labels, "labels"), finite(judged, "judgements of labelled rows")
    other, level = finite(judged_only, "judgements"), level_within(level)
    alike(truth.size, seen.size, "labels", "their judgements")
    if power is not None and not 0 <= power <= 1:
        raise BadInput(f"power must lie in [0, 1], not {power!r}")
    n, many = truth.size, other.size
    if n < 4 or many < 2:
        reason = f"{n} labels and {many} judged rows are too few: it takes 4 and 2"
        return Absence(metric=metric, reason=reason, n=n)
    spread = float(truth.var(ddof=1))
    if spread <= (1e-14 * float(abs(truth).max())) ** 2:
        return Absence(metric=metric, reason="all labels are the same", n=n)
    agreed = float((truth - truth.mean()) @ (seen - seen.mean())) / (n - 1)
    judge = float(seen.var(ddof=1))
    chosen, fitted = power, 0
    if chosen is None:
        chosen = min(max(agreed / ((1 + n / many) * judge), 0.0), 1.0) if judge > 0 else 0.0
        fitted = 1 if 0 < chosen < 1 else 0
    error = truth - chosen * seen
    value = chosen * float(other.mean()) + float(error.mean())
    from_labels = float(error.var(ddof=1)) * (n - 1) / (n - 1 - fitted) / n
    from_judge = chosen**2 * float(other.var(ddof=1)) / many
    variance = from_labels + from_judge
    if variance <= 0:
        return Absence(metric=metric, reason="the judge repeats every label exactly", n=n)
    degrees = variance**2 / (from_labels**2 / (n - 1 - fitted) + from_judge**2 / (many - 1))
    se = math.sqrt(variance)
    half = t_quantile(level, degrees) * se
    return Powered(
        estimate=Estimate(
            metric=metric,
            value=value,
            lo=value - half,
            hi=value + half,
            level=level,
            se=se,
            n=n,
            clusters=None,
            method=f"prediction-powered, power {chosen:.3g}, {many} judged, t({degrees:.4g})",
        ),
        power=chosen,
        worth=spread / variance,
        degrees=degrees,
    )


def powered_difference(a: Powered, b: Powered, *, metric: str, level: float = 0.95) -> Estimate:
    """a minus b, of two groups with no row in common, by Welch's t (1947).

    For two models on the same rows use ``powered_mean`` of their differences.
    """
    level = level_within(level)
    value = a.estimate.value - b.estimate.value
    parts = a.estimate.se**2, b.estimate.se**2
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / a.degrees + parts[1] ** 2 / b.degrees)
    se = math.sqrt(sum(parts))
    half = t_quantile(level, degrees) * se
    return Estimate(
        metric=metric,
        value=value,
        lo=value - half,
        hi=value + half,
        level=level,
        se=se,
        n=a.estimate.n + b.estimate.n,
        clusters=None,
        method=f"difference of two prediction-powered, t({degrees:.4g})",
    )
