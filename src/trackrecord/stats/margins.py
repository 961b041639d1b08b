"""Metrics of classes or labels that are made from each one's hits, rows and calls.

Of class k, ``hits`` counts its rows that are called so, ``rows`` all its rows, ``calls`` all that
are called so. A metric is a function of sums over k of parts that are made from class k's three
counts alone, as recall's is the mean of hits / rows. So a row moves it by the slopes of its own
class and of the class it is called, taken by the complex step (Squire & Trapp 1998); one slope for
each of three counts, and never a table of all pairs of classes.

The first order sees too little where a class has few rows. The interval's error is not let below
the one found with some rows more: for a mean of K shares 2 / K hits and as many misses in each
(Price & Bonett 2004), which for two is the one more row in each cell of ``cells.py`` (Agresti &
Caffo 2000). Without rows of its own, a class then stands for what is not known of it. Nor is it let
below what n / (n - 1) for the rows of each class makes of it. The centre is drawn towards the value
with these rows: all the way for two classes or labels, and for a value on an edge, which has no
logit; else half of it, since the scale's own pull does the other half by simulation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.stats.influence import Influence
from trackrecord.stats.spread import worth_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

# (hits, rows, calls), each (K,), real or complex, and the number of rows: vectors to be summed.
Parts = Callable[[Any, Any, Any, float], tuple[Any, ...]]
Whole = Callable[..., complex]

STEP = 1e-200
MOST_MORE = 1.0


class Margins(msgspec.Struct, frozen=True):
    """Each class's ``hits``, ``rows`` and ``calls`` (K,), and the number of rows, ``n``.

    With weights they are sums of them; ``worth`` is how many rows of equal weight there are.
    """

    hits: Floats
    rows: Floats
    calls: Floats
    n: float
    worth: float


class Slopes(msgspec.Struct, frozen=True):
    """A ``value``, and how fast it moves with each class's hits, rows and calls (K,)."""

    value: float
    hit: Floats
    row: Floats
    call: Floats


def ratio(top: Any, bottom: Any) -> Any:
    """``top / bottom`` (K,), and 0 where that is 0 / 0, as scikit-learn has it."""
    empty = np.real(bottom) == 0
    return np.where(empty, 0.0, top / np.where(empty, 1.0, bottom))


def alone(total: complex) -> complex:
    """The whole of what is one sum."""
    return total


def quotient(top: complex, bottom: complex) -> complex:
    """The whole of what is one sum over another."""
    return top / bottom


def slopes_of(margins: Margins, parts: Parts, whole: Whole) -> Slopes:
    """The value of ``whole(*sums of parts)``, and its slopes; the number of rows is held fixed."""
    counts = (margins.hits, margins.rows, margins.calls)
    sums = [float(part.sum()) for part in parts(*counts, margins.n)]
    pulls = []
    for moved in range(len(sums)):
        stepped = [complex(total, STEP * (i == moved)) for i, total in enumerate(sums)]
        pulls.append(complex(whole(*stepped)).imag / STEP)
    slopes = []
    for moved in range(3):
        steps: list[Any] = [count + 1j * STEP * (i == moved) for i, count in enumerate(counts)]
        found = parts(steps[0], steps[1], steps[2], margins.n)
        slopes.append(
            sum(
                (pull * np.imag(part) / STEP for pull, part in zip(pulls, found, strict=True)),
                start=np.zeros(margins.hits.size),
            )
        )
    return Slopes(complex(whole(*sums)).real, slopes[0], slopes[1], slopes[2])


class Classes(msgspec.Struct, frozen=True):
    """Rows of one class each: codes ``truth`` and ``label`` (n,) below K, and their margins.

    The classes are those that have a row or are called, in order; ``weight`` is (n,) or None.
    """

    truth: Ints
    label: Ints
    weight: Floats | None
    margins: Margins

    @property
    def number(self) -> int:
        """How many classes there are."""
        return self.margins.rows.size

    @property
    def present(self) -> int:
        """How many classes have a row."""
        return int(np.count_nonzero(self.margins.rows))

    @property
    def called(self) -> int:
        """How many classes are called."""
        return int(np.count_nonzero(self.margins.calls))


def classes_of(truth: Ints, label: Ints, weight: Floats | None) -> Classes:
    """Codes (n,) from 0, without those that neither are the truth nor are called."""
    both = np.concatenate([truth, label])
    if both.min() < 0 or both.max() > 2 * both.size + 1000:
        names, codes = np.unique(both, return_inverse=True)
        number = names.size
    else:
        there = np.bincount(both) > 0
        codes, number = (np.cumsum(there) - 1)[both], int(there.sum())
    mine, called = codes[: truth.size], codes[truth.size :]
    right = mine == called

    def counted(rows: Ints, heavy: Floats | None) -> Floats:
        return np.bincount(rows, weights=heavy, minlength=number).astype(np.float64)

    margins = Margins(
        counted(mine[right], None if weight is None else weight[right]),
        counted(mine, weight),
        counted(called, weight),
        float(truth.size),
        float(truth.size) if weight is None else worth_of(weight),
    )
    return Classes(mine, called, weight, margins)


def from_classes(classes: Classes, parts: Parts, whole: Whole = alone) -> Influence:
    """The value of ``whole(*sums of parts)`` with its influences, centre and least error.

    There are two classes or more.
    """
    margins, weight, k = classes.margins, classes.weight, classes.number
    found = slopes_of(margins, parts, whole)
    moved = _moved(classes, found)
    influence = margins.n * (moved - _mean(moved, weight))
    if weight is not None:
        influence = influence * weight
    more = min(MOST_MORE, 2 / k)
    off, part = more / (k - 1), margins.worth / margins.n
    fuller = Margins(
        margins.hits * part + more,
        margins.rows * part + 2 * more,
        margins.calls * part + 2 * more,
        margins.worth + 2 * more * k,
        margins.worth + 2 * more * k,
    )
    there = slopes_of(fuller, parts, whole)
    moved = _moved(classes, there)
    row, call, hit = there.row, there.call, there.hit + there.row + there.call
    # sums over all pairs of different classes, of (row + call) and of its square
    pairs = (k - 1) * (row.sum() + call.sum())
    squares = (
        k * float(row @ row + call @ call)
        + 2 * row.sum() * call.sum()
        - float((row + call) @ (row + call))
    )
    first = margins.worth * _mean(moved, weight) + more * hit.sum() + off * pairs
    second = margins.worth * _mean(moved * moved, weight) + more * (hit @ hit) + off * squares
    least = second - first * first / fuller.n
    few = float(influence @ (influence / _spare(classes))) / margins.n**2
    return Influence(
        found.value,
        influence,
        centre=_drawn(found.value, there.value, k),
        least=math.sqrt(max(few, float(least))),
    )


def _drawn(value: float, fuller: float, number: int) -> float:
    """Where the interval is centred, given the value with some rows more."""
    part = 1.0 if number < 3 or abs(value) in (0.0, 1.0) else 0.5
    return value + part * (fuller - value)


def _spare(classes: Classes) -> Floats:
    """One less each row's share of its class (n,): (n - 1) / n, and for an only row one half."""
    weight = 1.0 if classes.weight is None else classes.weight
    return np.maximum(1 - weight / classes.margins.rows[classes.truth], 0.5)


def _moved(classes: Classes, slopes: Slopes) -> Floats:
    moved: Floats = slopes.row[classes.truth] + slopes.call[classes.label]
    moved += np.where(classes.truth == classes.label, slopes.hit[classes.truth], 0.0)
    return moved


def _mean(values: Floats, weight: Floats | None) -> float:
    return float(values.mean() if weight is None else weight @ values / values.size)


class Labels(msgspec.Struct, frozen=True):
    """Rows of any number of labels: ``truth`` and ``label`` (n, K) of 0 and 1, and their margins.

    ``weight`` is (n,) or None.
    """

    truth: NDArray[np.int8]
    label: NDArray[np.int8]
    weight: Floats | None
    margins: Margins


def labels_of(truth: NDArray[np.int8], label: NDArray[np.int8], weight: Floats | None) -> Labels:
    """Margins of every column, whether it has rows or not."""

    def counted(column: NDArray[np.int8]) -> Floats:
        if weight is None:
            return np.asarray(column.sum(axis=0, dtype=np.int64), dtype=np.float64)
        return np.asarray(weight @ column, dtype=np.float64)

    n = float(len(truth))
    margins = Margins(
        counted(truth & label),
        counted(truth),
        counted(label),
        n,
        n if weight is None else worth_of(weight),
    )
    return Labels(truth, label, weight, margins)


def from_labels(labels: Labels, parts: Parts, whole: Whole = alone) -> Influence:
    """The same of labels; the least error takes them as independent of one another."""
    margins, weight = labels.margins, labels.weight
    found = slopes_of(margins, parts, whole)
    moved = (
        labels.truth @ found.row
        + labels.label @ found.call
        + (labels.truth & labels.label) @ found.hit
    )
    influence = margins.n * (moved - _mean(moved, weight))
    if weight is not None:
        influence = influence * weight
    more, part = min(MOST_MORE, 2 / margins.rows.size), margins.worth / margins.n
    fuller = Margins(
        margins.hits * part + more,
        margins.rows * part + 2 * more,
        margins.calls * part + 2 * more,
        margins.worth + 4 * more,
        margins.worth + 4 * more,
    )
    there = slopes_of(fuller, parts, whole)
    both = there.hit + there.row + there.call
    missed, false = fuller.rows - fuller.hits, fuller.calls - fuller.hits
    first = fuller.hits * both + missed * there.row + false * there.call
    second = fuller.hits * both**2 + missed * there.row**2 + false * there.call**2
    least = math.sqrt(max(0.0, float((second - first * first / fuller.n).sum())))
    centre = _drawn(found.value, there.value, margins.rows.size)
    return Influence(found.value, influence, centre=centre, least=least)
