"""A real table in two parts, and the leaks that tests plant in it."""

from __future__ import annotations

import numpy as np
import polars as pl
from sklearn.datasets import load_diabetes

TRAIN = 300


def diabetes(seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """442 patients, ten measurements, whether the disease went on by more than the median."""
    data = load_diabetes()
    table = pl.DataFrame(
        {name: data.data[:, column] * 100 for column, name in enumerate(data.feature_names)}
        | {"worse": (data.target > 140).astype(np.int64)}
    )
    table = table[np.random.default_rng(seed).permutation(table.height)]
    return table[:TRAIN], table[TRAIN:]


def both(train: pl.DataFrame, test: pl.DataFrame, **columns: object) -> list[pl.DataFrame]:
    """Columns added to the two parts, each given for all rows."""
    table = pl.concat([train, test]).with_columns(
        pl.Series(name, values)
        for name, values in columns.items()  # type: ignore[arg-type]
    )
    return [table[: train.height], table[train.height :]]
