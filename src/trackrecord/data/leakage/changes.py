"""Test rows as they might also have been: what is learnt from the training rows must not care."""

from __future__ import annotations

from typing import Any

import numpy as np

from trackrecord.data.leakage.rerun import rows_in

NEW_WORD = "zzyzx"


def with_other_values(test: Any, draw: np.random.Generator) -> Any:
    """Each number moved and stretched, all else from another test row, half of each text one word.

    Takes arrays of any shape, sparse matrices, and frames of polars or pandas.
    """
    if hasattr(test, "with_columns"):
        return test.with_columns(_of_polars(test[name], draw) for name in test.columns)
    if hasattr(test, "iloc"):
        changed = test.copy()
        for place in range(test.shape[1]):
            # By place: two columns may have one name.
            changed.isetitem(place, _of_pandas(test.iloc[:, place], draw))
        return changed
    if hasattr(test, "nnz"):
        changed = test.copy()
        changed.data = _moved(changed.data, draw)
        return changed
    array = np.asarray(test)
    flat = array.reshape(len(array), -1)
    if flat.shape[1] == 0:
        return array.copy()
    parts = [_of_values(flat[:, place], draw) for place in range(flat.shape[1])]
    return np.stack(parts, axis=1).reshape(array.shape)


def half_of(test: Any, draw: np.random.Generator) -> np.ndarray:
    """The numbers of half of the test rows, in their order."""
    n = rows_in(test)
    return np.sort(draw.permutation(n)[: max(1, n // 2)])


def taken(table: Any, rows: np.ndarray) -> Any:
    """Rows by number, of an array, a list, or a frame or series of polars or pandas."""
    if table is None:
        return None
    if hasattr(table, "iloc"):
        return table.iloc[rows]
    if isinstance(table, list | tuple):
        return [table[row] for row in rows]
    return table[rows]


def permuted(labels: Any, draw: np.random.Generator) -> Any:
    """The same labels in another order; in a series of pandas the index stays."""
    order = draw.permutation(len(labels))
    if hasattr(labels, "iloc"):
        return labels.iloc[order].set_axis(labels.index)
    return taken(labels, order)


def permuted_together(one: Any, two: Any, draw: np.random.Generator) -> tuple[Any, Any]:
    """Labels of train and test in another order, from one part into the other, too."""
    both = np.concatenate([np.asarray(one), np.asarray(two)])[draw.permutation(len(one) + len(two))]
    return _like(one, both[: len(one)]), _like(two, both[len(one) :])


def _like(labels: Any, values: np.ndarray) -> Any:
    if hasattr(labels, "iloc"):
        return type(labels)(values, index=labels.index, name=labels.name)
    if hasattr(labels, "to_frame"):
        return type(labels)(labels.name, values)
    return values.tolist() if isinstance(labels, list | tuple) else values


def _of_polars(column: Any, draw: np.random.Generator) -> Any:
    import polars as pl

    if column.dtype.is_numeric():
        numbers = column.cast(pl.Float64).to_numpy()
        return pl.Series(column.name, _moved(numbers, draw), nan_to_null=True)
    mixed = column.gather(_drawn(len(column), draw))
    if column.dtype != pl.String:
        return mixed
    return pl.Series(column.name, [_reworded(one) for one in mixed.to_list()], dtype=pl.String)


def _of_pandas(column: Any, draw: np.random.Generator) -> Any:
    if column.dtype.kind in "iuf":
        return _moved(column.to_numpy(dtype=float, na_value=np.nan), draw)
    mixed = column.iloc[_drawn(len(column), draw)].set_axis(column.index)
    if column.dtype.kind == "b" or hasattr(column, "cat"):
        return mixed
    return mixed.map(_reworded)


def _of_values(values: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    if values.dtype.kind in "iuf":
        return _moved(values, draw)
    mixed: np.ndarray = values[_drawn(values.size, draw)]
    if values.dtype.kind not in "OU":
        return mixed
    worded = [_reworded(one) for one in mixed]
    # Numbers in an array of objects are numbers to a pipeline.
    if all(isinstance(one, int | float) for one in worded):
        moved: np.ndarray = _moved(np.array(worded, dtype=float), draw).astype(object)
        return moved
    changed: np.ndarray = np.array(worded, dtype=object if values.dtype.kind == "O" else None)
    return changed


def _reworded(value: Any) -> Any:
    """The first half of its words, then one that nobody uses, twice as often."""
    if not isinstance(value, str):
        return value
    words = value.split()
    return " ".join([*words[: max(1, len(words) // 2)], *[NEW_WORD] * max(1, 2 * len(words))])


def _moved(values: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    numbers = values.astype(float)
    there = numbers[np.isfinite(numbers)]
    spread = float(there.std()) if there.size else 1.0
    moved: np.ndarray = numbers * 3 + (spread or 1.0) * draw.normal(2, 1, numbers.size)
    return moved


def _drawn(n: int, draw: np.random.Generator) -> np.ndarray:
    return draw.integers(0, n, n) if n else np.arange(0)
