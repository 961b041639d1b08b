"""Any target as a few questions with two answers, so that each detector needs one statistic."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

FEWEST = 10
MOST_CLASSES = 12


class View(NamedTuple):
    """One question about the target: its words, the answer for each row (n,), its weight."""

    name: str
    truth: NDArray[np.int8]
    weight: float


def views_of(target: pl.Series) -> list[View]:
    """A target of two values as it is, of classes one against the rest, of numbers by the median.

    A class of fewer than 10 rows asks no question. Weights sum to one.
    """
    import polars as pl

    if target.dtype == pl.Boolean:
        target = target.cast(pl.Int8)
    counts = target.value_counts(sort=True)
    values, rows = counts[target.name], counts["count"]
    if target.dtype.is_numeric() and len(values) > MOST_CLASSES:
        middle = target.median()
        above = (target > middle).to_numpy().astype(np.int8)
        return [View("above its median", above, 1.0)] if _enough(above) else []
    if len(values) == 2:
        one = sorted(values.to_list(), key=str)[1]
        truth = (target == one).to_numpy().astype(np.int8)
        return [View(f"= {one}", truth, 1.0)] if _enough(truth) else []
    found = []
    for value, count in list(zip(values.to_list(), rows.to_list(), strict=True))[:MOST_CLASSES]:
        truth = (target == value).to_numpy().astype(np.int8)
        if _enough(truth):
            found.append(View(f"= {value}", truth, float(count)))
    total = sum(view.weight for view in found)
    return [view._replace(weight=view.weight / total) for view in found]


def _enough(truth: NDArray[np.int8]) -> bool:
    positives = int(truth.sum())
    return min(positives, truth.size - positives) >= FEWEST
