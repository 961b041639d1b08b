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

# with fewer, a judge's few errors are too few to be known: 20 labels covered 77 % for 95 %
LEAST_LABELS = 50


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
    cov(labels, judged) / ((1 + n / N) var(judged)), within 0 and 1; 1 is the method of 2023, 0
    leaves the judge out. A label's error is taken as if ``power`` were chosen without it, and
    degrees of freedom are few where few labels carry the errors (Satterthwaite 1946): a good judge
    errs on few. For a paired difference of two models, give the differences. Absent under
    ``metric`` where the judge is used with fewer than LEAST_LABELS or repeats every label, with
    fewer than 2 rows of either kind, or where labels never vary. Raises BadInput for unequal
    numbers, or a power outside [0, 1].
    """
    truth, seen = finite(labels, "labels"), finite(judged, "judgements of labelled rows")
    other, level = finite(judged_only, "judgements"), level_within(level)
    alike(truth.size, seen.size, "labels", "their judgements")
    if power is not None and not 0 <= power <= 1:
        raise BadInput(f"power must lie in [0, 1], not {power!r}")
    n, many = truth.size, other.size
    least = 2 if power == 0 else LEAST_LABELS
    if n < least or many < 2:
        reason = f"{n} labels and {many} judged rows are too few: it takes {least} and 2"
        return Absence(metric=metric, reason=reason, n=n)
    spread = float(truth.var(ddof=1))
    if spread <= (1e-14 * float(abs(truth).max())) ** 2:
        return Absence(metric=metric, reason="all labels are the same", n=n)
    agreed = float((truth - truth.mean()) @ (seen - seen.mean())) / (n - 1)
    judge = float(seen.var(ddof=1))
    chosen = power
    if chosen is None:
        chosen = min(max(agreed / ((1 + n / many) * judge), 0.0), 1.0) if judge > 0 else 0.0
    if chosen > 0 and spread * judge - agreed**2 <= 1e-12 * spread * judge:
        reason = "the judge repeats every label, which cannot show how often it errs"
        return Absence(metric=metric, reason=reason, n=n)
    error = truth - chosen * seen
    value = chosen * float(other.mean()) + float(error.mean())
    apart = error - error.mean()
    if power is None and 0 < chosen < 1:
        # as if the power had been chosen without the label: its leverage on a slope
        apart = apart / (1 - 1 / n - (seen - seen.mean()) ** 2 / (judge * (n - 1))).clip(0.01)
    squares = apart * apart
    from_labels = float(squares.sum()) / (n - 1) / n
    from_judge = chosen**2 * float(other.var(ddof=1)) / many
    variance = from_labels + from_judge
    unequal = float(squares @ squares) / float(squares.sum()) ** 2 - 1 / n
    known = n - 1.0 if chosen == 0 else max(1.0, min(n - 1.0, 2 / max(unequal, 1e-9)))
    degrees = variance**2 / (from_labels**2 / known + from_judge**2 / (many - 1))
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
