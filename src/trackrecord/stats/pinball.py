"""Quantiles judged one level at a time, and the intervals between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Undefined
from trackrecord.stats.parameter import Parameter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles

    Floats = NDArray[np.float64]

# two levels as near as this are one: 0.05 and (1 - 0.9) / 2 differ in their last bits
SAME = 1e-9
HELD = Parameter(
    keyword="held",
    means="the share of truths that a central interval is meant to hold",
    default=(0.9,),
    low=0.0,
    high=1.0,
)


def pinball(truth: Floats, value: Floats, level: float) -> Floats:
    """(n,): level (y - v) where the truth is above the value, (1 - level) (v - y) where below.

    Koenker & Bassett 1978, eq. 3.1; its mean is least where the value is the quantile.
    """
    error = truth - value
    loss: Floats = np.maximum(level * error, (level - 1) * error)
    return loss


def central(quantiles: Quantiles, held: float) -> tuple[Floats, Floats]:
    """The ends (n,) of the central interval meant to hold a share ``held`` of the truths.

    Undefined, saying which, where a level that it takes is not there.
    """
    low, high = round((1 - held) / 2, 12), round((1 + held) / 2, 12)
    places = [_place(quantiles, level) for level in (low, high)]
    missing = [level for level, at in zip((low, high), places, strict=True) if at is None]
    if missing:
        raise Undefined(
            f"an interval meant to hold {held:g} takes the quantiles {low:g} and {high:g}: "
            f"{' and '.join(f'{level:g}' for level in missing)} "
            f"{'are' if len(missing) > 1 else 'is'} not among {_written(quantiles)}"
        )
    lower, upper = places
    return quantiles.values[:, lower], quantiles.values[:, upper]


def _place(quantiles: Quantiles, level: float) -> int | None:
    near = [at for at, known in enumerate(quantiles.levels) if abs(known - level) < SAME]
    return near[0] if near else None


def _written(quantiles: Quantiles) -> str:
    shown = ", ".join(f"{level:g}" for level in quantiles.levels[:12])
    return shown + (", …" if len(quantiles.levels) > 12 else "")
