"""The scales on which intervals are made."""

from __future__ import annotations

import math

from trackrecord.stats.metrics import Scale


def interval_on(scale: Scale, value: float, half: float) -> tuple[float, float]:
    """``value`` plus and minus ``half`` (its own units), the two made symmetric on ``scale``.

    The delta method: half the width on the scale is ``half`` times the scale's slope at the value.
    ``fisher`` is the logit of (value + 1) / 2, for values between -1 and 1 (Fisher's z, doubled);
    ``positive`` is the identity cut off at 0;
    ``root`` is the square, for values that are the root of something that may be near 0;
    ``complement`` is the logarithm of one minus the value, for values below 1 without an end.
    Raises ValueError for a value outside the scale or on its edge, where the slope is infinite.
    """
    if scale == "identity":
        return value - half, value + half
    if scale == "positive":
        return max(0.0, value - half), max(0.0, value + half)
    if scale == "log":
        if value <= 0:
            raise ValueError("the log scale needs a value above 0")
        reach = min(half / value, 700.0)
        return value * math.exp(-reach), value * math.exp(reach)
    if scale == "complement":
        low, high = interval_on("log", 1 - value, half)
        return 1 - high, 1 - low
    if scale == "fisher":
        low, high = interval_on("logit", (value + 1) / 2, half / 2)
        return 2 * low - 1, 2 * high - 1
    if scale == "root":
        square, reach = value * value, 2 * value * half
        return math.sqrt(max(0.0, square - reach)), math.sqrt(square + reach)
    if not 0 < value < 1:
        raise ValueError("the logit scale needs a value between 0 and 1")
    middle = math.log(value) - math.log1p(-value)
    reach = half / (value * (1 - value))
    return _sigmoid(middle - reach), _sigmoid(middle + reach)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(max(x, -740.0)) / (1 + math.exp(x))
