"""What truths and predictions are made of where a column of numbers is not enough.

Each is as long as there are rows, and ``x[rows]`` is the same for some of them, as with arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Rows = NDArray[np.intp] | NDArray[np.bool_]


@dataclass(frozen=True)
class Quantiles:
    """Predicted quantiles: ``values`` (n, Q) at ``levels`` (Q,), ascending, between 0 and 1."""

    levels: tuple[float, ...]
    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Rows) -> Quantiles:
        return Quantiles(self.levels, self.values[rows])


@dataclass(frozen=True)
class Scaled:
    """A forecast ``point`` (n,), what its series' errors are divided by, and its series (n,).

    ``scale`` (n,) is above zero and the same on all rows of a series: the mean absolute one-step
    (or one-season) change over the series' past (Hyndman & Koehler 2006); ``square`` (n,) is the
    mean square of the same changes.
    """

    point: Floats
    scale: Floats
    square: Floats
    series: Ints

    def __len__(self) -> int:
        return self.point.size

    def __getitem__(self, rows: Rows) -> Scaled:
        return Scaled(self.point[rows], self.scale[rows], self.square[rows], self.series[rows])


@dataclass(frozen=True)
class Predicted:
    """All that a model says of numbers: a ``point`` (n,), quantiles, and its series' scales.

    ``scaled`` is there where the truth's past is known; what a model does not give is None.
    """

    point: Floats | None = None
    quantiles: Quantiles | None = None
    scaled: Scaled | None = None

    def __len__(self) -> int:
        held = next(x for x in (self.point, self.quantiles, self.scaled) if x is not None)
        return len(held)

    def __getitem__(self, rows: Rows) -> Predicted:
        return Predicted(
            None if self.point is None else self.point[rows],
            None if self.quantiles is None else self.quantiles[rows],
            None if self.scaled is None else self.scaled[rows],
        )


@dataclass(frozen=True)
class Lists:
    """A list of numbers for each of n rows: ``values`` (m,), row i's from starts[i] on.

    ``starts`` (n + 1,) begins with 0 and ends with m.
    """

    values: Floats
    starts: Ints

    @staticmethod
    def of(lists: list[list[float]]) -> Lists:
        """From a list of lists; None within one is NaN."""
        starts = np.concatenate([[0], np.cumsum([len(one) for one in lists])]).astype(np.int64)
        flat = [np.nan if value is None else value for one in lists for value in one]
        return Lists(np.array(flat, dtype=np.float64), starts)

    @property
    def sizes(self) -> Ints:
        """(n,): how long each list is."""
        return np.diff(self.starts)

    @property
    def row(self) -> Ints:
        """(m,): which row each value belongs to."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @cached_property
    def descending(self) -> Ints:
        """(m,): the places that put each list in order; kept, since many metrics ask for it."""
        from trackrecord.stats.retrieval import descending

        return descending(self.values, self.starts)

    def __len__(self) -> int:
        return self.starts.size - 1

    def __getitem__(self, rows: Rows) -> Lists:
        chosen = np.flatnonzero(rows) if rows.dtype == bool else rows
        sizes = self.sizes[chosen]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.arange(starts[-1]) + np.repeat(self.starts[chosen] - starts[:-1], sizes)
        return Lists(self.values[places], starts)


def same_lists(a: Lists, b: Lists) -> None:
    """Raise BadInput unless both have as many values in each row."""
    if not np.array_equal(a.starts, b.starts):
        raise BadInput("truth and score must have lists of the same lengths")


def identical(a: object, b: object) -> bool:
    """Whether two columns, of any of these kinds or arrays, hold the same."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
    if type(a) is not type(b) or not hasattr(a, "__dataclass_fields__"):
        return a is b or (type(a) is type(b) and a == b)
    return all(identical(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
