"""The scales on which intervals are made: a value's transformation, its slope and its way back."""

from __future__ import annotations

import math

from trackrecord.stats.metrics import Scale


def interval_on(scale: Scale, value: float, half: float) -> tuple[float, float]:
    """``value`` plus and minus ``half`` (its own units), the two made symmetric on ``scale``.

    The delta method: half the width on the scale is ``half`` times the scale's slope at the value.
    A value on the scale's edge, where the slope is infinite, has no such interval: ValueError.
    """
    if scale == "identity":
        return value - half, value + half
    if scale == "log":
        stretch = math.exp(min(half / value, 700.0)) if value > 0 else math.nan
        if math.isnan(stretch):
            raise ValueError("the log scale needs a value above 0")
        return value / stretch, value * stretch
    if not 0 < value < 1:
        raise ValueError("the logit scale needs a value between 0 and 1")
    middle = math.log(value) - math.log1p(-value)
    reach = half / (value * (1 - value))
    return _sigmoid(middle - reach), _sigmoid(middle + reach)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
