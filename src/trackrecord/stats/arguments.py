"""What the inference files ask of their arguments, checked once at the door.

Numbers in, or BadInput: nothing is guessed, dropped, filled in or broadcast.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def finite(values: ArrayLike, what: str, dims: int = 1) -> Floats:
    """``values`` as float64 with ``dims`` axes. Raises BadInput where one is no finite number."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"{what} must be numbers", why=str(error)) from None
    if array.ndim != dims:
        raise BadInput(f"{what} must have {dims} axes, not {array.ndim}")
    if not np.isfinite(array).all():
        where = np.argwhere(~np.isfinite(array))[0].tolist()
        raise BadInput(
            f"{what} must be finite",
            where=f"position {', '.join(map(str, where))}, counted from 0",
            next="leave these rows out, or say what they are",
        )
    return array


def alike(size: int, other: int, what: str, whose: str) -> None:
    """Raises BadInput where ``what`` and ``whose`` do not have the same number of rows."""
    if size != other:
        raise BadInput(f"{what} and {whose} must be as many: they are {size} and {other}")


def codes(values: ArrayLike, size: int, what: str) -> Ints:
    """Whole numbers (size,) that name groups. Raises BadInput for anything else."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise BadInput(f"{what} must be one column of whole numbers")
    alike(array.size, size, what, "the rows")
    return array.astype(np.int64)


def level_within(level: float) -> float:
    """A confidence level. Raises BadInput where it is not between 0 and 1."""
    if not 0 < level < 1:
        raise BadInput(f"the level must lie between 0 and 1, not {level!r}")
    return float(level)


def number(value: float, what: str, *, above: float = -math.inf, least: float = -math.inf) -> float:
    """A finite number, more than ``above`` and not less than ``least``; else BadInput."""
    if not math.isfinite(value):
        raise BadInput(f"{what} must be a finite number, not {value!r}")
    if value <= above:
        raise BadInput(f"{what} must be above {above:g}, not {value:g}")
    if value < least:
        raise BadInput(f"{what} must be at least {least:g}, not {value:g}")
    return float(value)


def degrees_of(degrees: float) -> float:
    """Degrees of freedom: above zero; infinity is the normal distribution. Else BadInput."""
    if not degrees > 0:
        raise BadInput(f"degrees of freedom must be above 0, not {degrees!r}")
    return float(degrees)
