"""How much one column alone tells of the target: ROC areas with standard errors, vectorised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trackrecord.data.leakage.views import View

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Z99 = 2.5758293035489004


class Area(NamedTuple):
    """An area under the ROC curve, its 99 % interval, its p against one half, and how."""

    value: float
    lo: float
    hi: float
    p: float
    how: str


def area_of(score: Floats, truth: NDArray[np.int8], how: str = "its order") -> Area:
    """The area with DeLong's error (1988) and the Mann-Whitney test; one half where undefined."""
    from scipy.special import ndtr
    from scipy.stats import rankdata

    positives = int(truth.sum())
    negatives = truth.size - positives
    if positives < 2 or negatives < 2:
        return Area(0.5, 0.0, 1.0, 1.0, how)
    chosen = truth == 1
    ranks = rankdata(score)
    high, low = rankdata(score[chosen]), rankdata(score[~chosen])
    above = (ranks[chosen] - high) / negatives
    below = 1 - (ranks[~chosen] - low) / positives
    value = float(above.mean())
    error = float(np.sqrt(above.var(ddof=1) / positives + below.var(ddof=1) / negatives))
    # A wholly separating score has no error of its own: one row more that is misplaced.
    error = max(error, 1 / np.sqrt(positives * negatives * 12.0), 0.5 / truth.size)
    null = _null_error(score, positives, negatives, ranks)
    p = float(2 * ndtr(-abs(value - 0.5) / null)) if null > 0 else 1.0
    return Area(
        value, max(0.0, value - Z99 * error), min(1.0, value + Z99 * error), min(1.0, p), how
    )


def _null_error(score: Floats, positives: int, negatives: int, ranks: Floats) -> float:
    """The error of the area where the score tells nothing, with ties."""
    n = positives + negatives
    spread = float(((ranks - (n + 1) / 2) ** 2).sum()) / (n - 1)
    return float(np.sqrt(spread / (n * positives * negatives)))


def turned(area: Area) -> Area:
    """The same with the score turned round, where that is the better direction."""
    if area.value >= 0.5:
        return area
    return area._replace(value=1 - area.value, lo=1 - area.hi, hi=1 - area.lo)


def column_area(column: pl.Series, views: list[View]) -> Area:
    """What a column tells alone, by its order or by its values, the better; mean over views.

    By values: the share of the view at each value (numbers cut into 64 groups of equal size),
    learnt on one half of the rows and judged on the other, so that many values earn nothing.
    """
    numbers = as_numbers(column)
    codes = as_codes(column, numbers)
    areas = []
    for view in views:
        best = by_values(codes, view.truth)
        if numbers is not None:
            ordered = turned(area_of(np.nan_to_num(numbers, nan=_middle(numbers)), view.truth))
            best = max(best, ordered)
        areas.append(best)
    return mean_area(areas, views)


def mean_area(areas: list[Area], views: list[View]) -> Area:
    """The mean over views by their weights; p of the smallest, times their number."""
    if not areas:
        return Area(0.5, 0.0, 1.0, 1.0, "")
    weights = np.array([view.weight for view in views])
    value, lo, hi = (
        float(np.dot(weights, [getattr(area, name) for area in areas]))
        for name in ("value", "lo", "hi")
    )
    p = min(1.0, min(area.p for area in areas) * len(areas))
    return Area(value, lo, hi, p, max(areas).how)


def by_values(codes: NDArray[np.int64], truth: NDArray[np.int8]) -> Area:
    """The area of the share learnt at each value on the other half of the rows."""
    n = truth.size
    # Halves by a mixed row number: alternate rows may alternate in truth.
    half = (np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(40)) % 2
    base = truth.mean()
    size = int(codes.max()) + 1 if n else 0
    score = np.empty(n)
    for side in (0, 1):
        learn, judge = half != side, half == side
        count = np.bincount(codes[learn], minlength=size)
        ones = np.bincount(codes[learn], weights=truth[learn], minlength=size)
        score[judge] = ((ones + base) / (count + 1))[codes[judge]]
    return area_of(score, truth, "its values")


def as_numbers(column: pl.Series) -> Floats | None:
    """The column as numbers with NaN for missing; None for texts."""
    import polars as pl

    if column.dtype in (pl.String, pl.Null):
        return None
    numbers: Floats = column.to_physical().cast(pl.Float64).to_numpy().astype(np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def as_codes(
    column: pl.Series, numbers: Floats | None = None, groups: int = 64
) -> NDArray[np.int64]:
    """Each row's value as a small whole number; missing is one value. Numbers by quantiles."""
    if numbers is None or column.n_unique() <= groups:
        return column.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    there = ~np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[there], np.linspace(0, 1, groups + 1)[1:-1]))
    codes = np.searchsorted(edges, np.where(there, numbers, 0.0), side="right") + 1
    return np.where(there, codes, 0).astype(np.int64)


def _middle(numbers: Floats) -> float:
    there = numbers[~np.isnan(numbers)]
    return float(np.median(there)) if there.size else 0.0
