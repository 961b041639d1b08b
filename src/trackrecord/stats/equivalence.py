"""Same enough, or not worse by much: two one-sided tests.

A difference that is "not significant" is not shown to be small. To show that it is, both "it is
``lo`` or less" and "it is ``hi`` or more" must be rejected, each at ``alpha`` (Schuirmann 1987);
that is so exactly where the interval at level 1 - 2 ``alpha`` lies within the margins.
Non-inferiority is one of the two tests.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from trackrecord.errors import BadInput
from trackrecord.stats.arguments import degrees_of, level_within, number
from trackrecord.stats.proportions import t_quantile

Same = Literal["equivalent", "different", "undecided"]
NotWorse = Literal["superior", "not inferior", "inferior", "undecided"]


class Equivalence(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded of a difference and the margins ``low`` < ``high``.

    ``p_low`` tests "at or below low", ``p_high`` "at or above high"; ``p`` is the greater, that of
    "not equivalent". ``lo`` and ``hi`` bound the interval at ``level`` = 1 - 2 alpha, from which
    ``conclusion`` is read: wholly within the margins, wholly beyond one of them, or neither.
    """

    conclusion: Same
    p: float
    p_low: float
    p_high: float
    low: float
    high: float
    lo: float
    hi: float
    level: float


class NonInferiority(msgspec.Struct, frozen=True, kw_only=True):
    """What was concluded of a difference, new minus old, that may be worse by ``margin``.

    ``gain`` is the difference counted so that more is better. ``p`` tests "worse by ``margin`` or
    more"; ``lo`` and ``hi`` bound the interval of ``gain`` at ``level`` = 1 - 2 alpha.
    """

    conclusion: NotWorse
    p: float
    margin: float
    gain: float
    lo: float
    hi: float
    level: float


def equivalence(
    value: float, se: float, degrees: float, *, low: float, high: float, alpha: float = 0.05
) -> Equivalence:
    """Whether a value lies within (low, high): two one-sided t tests (Schuirmann 1987, eq. 2-4).

    ``value`` with standard error ``se`` and ``degrees`` of freedom, infinite for the normal. An
    ``se`` of 0 states a value known exactly. Raises BadInput for numbers that are not finite,
    margins that are not low < high, or an alpha that is not between 0 and 0.5.
    """
    value, se, degrees, level = _checked(value, se, degrees, alpha)
    low, high = number(low, "the lower margin"), number(high, "the upper margin")
    if not low < high:
        raise BadInput(f"the margins must be in order, not {low:g} and {high:g}")
    p_low, p_high = _above(value - low, se, degrees), _above(high - value, se, degrees)
    lo, hi = _interval(value, se, degrees, level)
    conclusion: Same = "undecided"
    if low < lo and hi < high:
        conclusion = "equivalent"
    elif hi <= low or high <= lo:
        conclusion = "different"
    return Equivalence(
        conclusion=conclusion,
        p=max(p_low, p_high),
        p_low=p_low,
        p_high=p_high,
        low=low,
        high=high,
        lo=lo,
        hi=hi,
        level=level,
    )


def non_inferiority(
    value: float,
    se: float,
    degrees: float,
    *,
    margin: float,
    better: Literal["higher", "lower"],
    alpha: float = 0.025,
) -> NonInferiority:
    """Whether a difference, new minus old, is worse than none by less than ``margin`` (above 0).

    ``better`` is the metric's good direction; ``alpha`` is one-sided: 0.025 goes with the usual
    95 % interval. "Superior" is read from the same interval at no cost, the claims being nested
    (Morikawa & Yoshida 1995). Raises BadInput as ``equivalence`` does.
    """
    value, se, degrees, level = _checked(value, se, degrees, alpha)
    margin = number(margin, "the margin", above=0.0)
    if better not in ("higher", "lower"):
        raise BadInput(f"better must be 'higher' or 'lower', not {better!r}")
    gain = value if better == "higher" else -value
    lo, hi = _interval(gain, se, degrees, level)
    conclusion: NotWorse = "undecided"
    if lo > 0:
        conclusion = "superior"
    elif lo > -margin:
        conclusion = "not inferior"
    elif hi <= -margin:
        conclusion = "inferior"
    return NonInferiority(
        conclusion=conclusion,
        p=_above(gain + margin, se, degrees),
        margin=margin,
        gain=gain,
        lo=lo,
        hi=hi,
        level=level,
    )


def _checked(
    value: float, se: float, degrees: float, alpha: float
) -> tuple[float, float, float, float]:
    if not 0 < alpha < 0.5:
        raise BadInput(f"alpha must lie between 0 and 0.5, not {alpha!r}")
    level = level_within(1 - 2 * alpha)
    return (
        number(value, "the value"),
        number(se, "the standard error", least=0.0),
        degrees_of(degrees),
        level,
    )


def _above(distance: float, se: float, degrees: float) -> float:
    """The one-sided p of "the distance is 0 or less"."""
    from scipy.special import stdtr

    if se == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(degrees, -distance / se))


def _interval(value: float, se: float, degrees: float, level: float) -> tuple[float, float]:
    half = t_quantile(level, degrees) * se
    return value - half, value + half
