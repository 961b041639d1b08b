"""Rows as the model's numbers, from a bundle's description alone: no scikit-learn, no frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trackrecord.modeling.export.bundle import Codes, Encoded, Gap, Hot, Number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAN = math.nan


def compiled(
    encoding: Sequence[Encoded], width: int
) -> Callable[[Sequence[Mapping[str, Any]]], NDArray[np.float32]]:
    """A function that turns rows into float32, shape (rows, width).

    A row maps each feature's name to text, a number, a boolean or None; a name it lacks is missing,
    and so is NaN. Values are taken to have their feature's kind: whoever asks checks before.
    Standardising is done in double precision, as in training.
    """
    import numpy as np

    setters: list[Callable[[Any, Mapping[str, Any]], None]] = []
    place = 0
    for column in encoding:
        setters.append(_setter(column, place))
        place += column.width if isinstance(column, Hot) else 1
    if place != width:
        raise ValueError(f"the encoding has {place} columns, and the model takes {width}")

    def encode(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float32]:
        matrix = np.zeros((len(rows), width))
        for out, row in zip(matrix, rows, strict=True):
            for put in setters:
                put(out, row)
        return matrix.astype(np.float32)

    return encode


def _setter(column: Encoded, place: int) -> Callable[[Any, Mapping[str, Any]], None]:
    name = column.column
    if isinstance(column, Codes):
        codes = column.codes
        unknown = NAN if column.unknown is None else column.unknown
        missing = NAN if column.missing is None else column.missing

        def put_code(out: Any, row: Mapping[str, Any]) -> None:
            value = row.get(name)
            out[place] = missing if value is None else codes.get(value, unknown)

        return put_code
    if isinstance(column, Hot):
        positions, other, gone = column.positions, column.unknown, column.missing

        def put_hot(out: Any, row: Mapping[str, Any]) -> None:
            value = row.get(name)
            position = gone if value is None else positions.get(value, other)
            if position is not None:
                out[place + position] = 1.0

        return put_hot
    mean, scale = column.mean, column.scale
    if isinstance(column, Gap):
        absent, present = (1.0 - mean) / scale, (0.0 - mean) / scale

        def put_gap(out: Any, row: Mapping[str, Any]) -> None:
            value = row.get(name)
            out[place] = absent if value is None or value != value else present

        return put_gap
    assert isinstance(column, Number)
    fill = NAN if column.fill is None else column.fill

    def put_number(out: Any, row: Mapping[str, Any]) -> None:
        value = row.get(name)
        if value is None or value != value:
            value = fill
        out[place] = (value - mean) / scale

    return put_number
