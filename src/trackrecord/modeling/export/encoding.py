"""Rows as the model's numbers, from a bundle's description alone: no scikit-learn, no frames.

All values become one double matrix first – a text its code or its position – and what a column
asks beyond that is done to whole columns. That is the speed: for one row the loop below is short,
for many the arithmetic is numpy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from trackrecord.modeling.export.bundle import Codes, Encoded, Gap, Hot, Number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAN = math.nan
NOWHERE = -1.0


class Encode(NamedTuple):
    """One encoding for rows in three forms; each gives float32, shape (rows, width)."""

    mappings: Callable[[Sequence[Mapping[str, Any]]], NDArray[np.float32]]
    tuples: Callable[[Sequence[Sequence[Any]]], NDArray[np.float32]]
    columns: Callable[[Sequence[Any], int], NDArray[np.float32]]


def compiled(
    encoding: Sequence[Encoded], width: int
) -> Callable[[Sequence[Mapping[str, Any]]], NDArray[np.float32]]:
    """A function that turns rows into float32, shape (rows, width).

    A row maps each feature's name to text, a number, a boolean or None; a name it lacks is missing,
    and so is NaN. Values are taken to have their feature's kind: whoever asks checks before.
    Standardising is done in double precision, as in training.
    """
    names = list(dict.fromkeys(column.column for column in encoding))
    return compiled_for(encoding, width, names).mappings


def compiled_for(encoding: Sequence[Encoded], width: int, names: Sequence[str]) -> Encode:
    """The same for rows that are tuples, or columns, in the order of ``names``.

    A column is a list with None where a value is missing, or an array of numbers; the second
    argument of ``columns`` is how many rows there are.
    """
    import numpy as np

    made = sum(column.width if isinstance(column, Hot) else 1 for column in encoding)
    if made != width:
        raise ValueError(f"the encoding has {made} columns, and the model takes {width}")
    slots, taken = _slots(encoding, list(names))
    spread = _spread(encoding, taken, width, len(slots))
    texts = [(place, slot.known.get, slot.other) for place, slot in enumerate(slots) if slot.known]
    as_they_are = not texts and [slot.feature for slot in slots] == list(range(len(names)))
    pick = _picker([slot.feature for slot in slots])

    def tuples(rows: Sequence[Sequence[Any]]) -> NDArray[np.float32]:
        if not rows:
            return np.zeros((0, width), np.float32)
        if as_they_are:
            return spread(np.array(rows, np.float64))
        lines = [list(pick(row)) for row in rows]
        for line in lines:
            for place, code, other in texts:
                line[place] = code(line[place], other)
        return spread(np.array(lines, np.float64))

    def mappings(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        return tuples([tuple([row.get(name) for name in names]) for row in rows])

    def columns(values: Sequence[Any], rows: int) -> NDArray[np.float32]:
        doubles = np.empty((rows, len(slots)))
        for place, slot in enumerate(slots):
            column = values[slot.feature]
            if slot.known:
                code, other = slot.known.get, slot.other
                column = [code(value, other) for value in column]
            doubles[:, place] = np.asarray(column, np.float64)
        return spread(doubles)

    return Encode(mappings, tuples, columns)


class _Slot(NamedTuple):
    """A column of the double matrix: a feature's numbers, or what its texts are looked up as."""

    feature: int
    known: dict[str | None, float]
    other: float


def _slots(encoding: Sequence[Encoded], names: list[str]) -> tuple[list[_Slot], list[int]]:
    """The slots, and which of them each encoded column reads. Numbers share one."""
    slots: list[_Slot] = []
    taken: list[int] = []
    numbers: dict[int, int] = {}
    for column in encoding:
        feature = names.index(column.column)
        if isinstance(column, Number | Gap):
            if feature not in numbers:
                numbers[feature] = len(slots)
                slots.append(_Slot(feature, {}, NAN))
            taken.append(numbers[feature])
            continue
        taken.append(len(slots))
        known: dict[str | None, float]
        if isinstance(column, Codes):
            known = dict(column.codes.items())
            known[None] = NAN if column.missing is None else column.missing
            slots.append(_Slot(feature, known, NAN if column.unknown is None else column.unknown))
        else:
            known = {text: float(position) for text, position in column.positions.items()}
            known[None] = NOWHERE if column.missing is None else float(column.missing)
            other = NOWHERE if column.unknown is None else float(column.unknown)
            slots.append(_Slot(feature, known, other))
    return slots, taken


def _picker(features: list[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if len(features) == 1:
        only = features[0]
        return lambda row: (row[only],)
    return itemgetter(*features) if features else lambda row: ()


def _spread(
    encoding: Sequence[Encoded], taken: list[int], width: int, slots: int
) -> Callable[[NDArray[np.float64]], NDArray[np.float32]]:
    """From the double matrix to the model's columns."""
    import numpy as np

    plain, scaled, gaps, hot = [], [], [], []
    place = 0
    for column, slot in zip(encoding, taken, strict=True):
        if isinstance(column, Hot):
            hot.append((slot, place))
            place += column.width
            continue
        if isinstance(column, Codes):
            plain.append((slot, place))
        elif isinstance(column, Gap):
            ends = ((1.0 - column.mean) / column.scale, (0.0 - column.mean) / column.scale)
            gaps.append((slot, place, *ends))
        elif (column.fill, column.mean, column.scale) == (None, 0.0, 1.0):
            plain.append((slot, place))
        else:
            fill = NAN if column.fill is None else column.fill
            scaled.append((slot, place, fill, column.mean, column.scale))
        place += 1
    if plain == [(slot, slot) for slot in range(slots)] and len(plain) == width:
        return _single

    from_plain, to_plain = (np.array([pair[end] for pair in plain], int) for end in (0, 1))
    from_scaled, to_scaled = (np.array([one[end] for one in scaled], int) for end in (0, 1))
    fills, mean, scale = (np.array([one[end] for one in scaled], float) for end in (2, 3, 4))
    from_gaps, to_gaps = (np.array([one[end] for one in gaps], int) for end in (0, 1))
    absent, present = (np.array([one[end] for one in gaps], float) for end in (2, 3))
    from_hot, to_hot = (np.array([pair[end] for pair in hot], int) for end in (0, 1))

    def spread(doubles: NDArray[np.float64]) -> NDArray[np.float32]:
        matrix = np.zeros((len(doubles), width))
        if plain:
            matrix[:, to_plain] = doubles[:, from_plain]
        if scaled:
            numbers = doubles[:, from_scaled]
            numbers = np.where(np.isnan(numbers), fills, numbers)
            with np.errstate(over="ignore"):
                matrix[:, to_scaled] = (numbers - mean) / scale
        if gaps:
            matrix[:, to_gaps] = np.where(np.isnan(doubles[:, from_gaps]), absent, present)
        if hot:
            positions = doubles[:, from_hot]
            row, column = np.nonzero(positions >= 0)
            matrix[row, positions[row, column].astype(int) + to_hot[column]] = 1.0
        return _single(matrix)

    return spread


def _single(doubles: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32; what is beyond it becomes infinite, without a warning."""
    import numpy as np

    with np.errstate(over="ignore"):
        return doubles.astype(np.float32)
