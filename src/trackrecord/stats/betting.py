"""Narrow intervals that may be looked at all the time, for bounded rows that share one mean.

To each possible mean m belongs a gambler who bets against it on every row: a fair game if m is the
mean, so a fortune of 1 / alpha times the stake is seen with probability alpha at most, ever (Ville
1939). The interval is what no gambler has yet refuted (Waudby-Smith & Ramdas 2024, theorem 3).

Each gambler's stake is hedged: half is bet on a greater mean, half on a lesser. Each half is shared
among bets of several sizes, each the best for one number of rows of AIMS if the variance seen so
far lasts, as their fixed-time bets are (section 4.3). An average of fair games is fair. Their bets
that shrink with time, one at each row, gave intervals 1.1 to 2 times as wide from 3,000 rows on.

Rows come in any portions: ``observe`` returns the new state, and the interval after each portion is
that after its last row; refutations within a portion count too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from trackrecord.stats.arguments import finite, level_within
from trackrecord.stats.sequential import Sequence, within

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

GAMBLERS = 2001
# no bet above this share of what could be lost at once
SHARE = 0.5
AIMS = 10.0 * 4.0 ** np.arange(10)
AT_ONCE = 64


class Betting(msgspec.Struct, frozen=True, kw_only=True):
    """The state after ``n`` rows between ``low`` and ``high``: ``total`` and ``squares`` of scaled
    rows (n,); of each of g gamblers not yet refuted its ``step`` (g,), which says its mean, and the
    logarithms of what became of the stakes bet ``up`` (AIMS, g) and ``down`` (AIMS, g)."""

    low: float
    high: float
    level: float
    n: int
    total: float
    squares: float
    step: NDArray[np.int64]
    up: Floats
    down: Floats

    @property
    def mean(self) -> float:
        """The rows' mean; not a number without rows."""
        return self.low + self.total / self.n * (self.high - self.low) if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        """The means not refuted, to the next gambler's outwards. None where all are: the rows have
        not had one mean, or are so many (20 million) that it lies between two gamblers."""
        if self.step.size == 0:
            return None
        ends = np.array([max(self.step[0] - 1, 0), min(self.step[-1] + 1, GAMBLERS - 1)])
        lo, hi = self.low + _possible(ends) * (self.high - self.low)
        return float(lo), float(hi)


def start(*, low: float, high: float, level: float = 0.95) -> Betting:
    """Before any row: every mean from ``low`` to ``high`` is possible."""
    within(np.empty(0), low, high)
    fortunes = np.zeros((AIMS.size, GAMBLERS))
    return Betting(
        low=low,
        high=high,
        level=level_within(level),
        n=0,
        total=0.0,
        squares=0.0,
        step=np.arange(GAMBLERS),
        up=fortunes,
        down=fortunes,
    )


def observe(state: Betting, rows: ArrayLike) -> Betting:
    """The state after ``rows`` (n,) more, in their order. Raises BadInput for one outside bounds.

    For a paired difference of two scores, give the differences and their bounds.
    """
    scaled = within(finite(rows, "rows"), state.low, state.high)
    for begin in range(0, scaled.size, AT_ONCE):
        state, _ = _portion(state, scaled[begin : begin + AT_ONCE])
    return state


def betting(rows: ArrayLike, *, low: float, high: float, level: float = 0.95) -> Sequence:
    """The confidence sequence after every one of ``rows`` (n,), which all have one mean.

    Where all means are refuted, the last interval stays. Raises BadInput as ``observe`` does.
    """
    found = finite(rows, "rows")
    scaled, state = within(found, low, high), start(low=low, high=high, level=level)
    ends = [np.array([[0, GAMBLERS - 1]])]
    for begin in range(0, scaled.size, AT_ONCE):
        state, steps = _portion(state, scaled[begin : begin + AT_ONCE])
        ends.append(steps)
    every = np.vstack(ends)
    # the last row that left an interval, for rows that left none: once empty, always empty
    every = every[np.minimum(np.arange(len(every)), (every[:, 0] >= 0).sum() - 1)]
    bounds = low + _possible(every[1:]) * (high - low)
    mean = np.cumsum(found) / np.arange(1, found.size + 1)
    return Sequence(mean=mean, lo=bounds[:, 0], hi=bounds[:, 1], level=level)


def _possible(step: NDArray[np.int64]) -> Floats:
    """Possible means, closer together near 0 and 1, where rows of such a mean vary less."""
    return np.asarray(np.sin(step * (np.pi / 2 / (GAMBLERS - 1))) ** 2)


def _portion(state: Betting, x: Floats) -> tuple[Betting, NDArray[np.int64]]:
    """All gamblers bet on ``x`` (r,) in turn; those that win 1 / alpha leave, their m refuted.

    With the state, the steps (r, 2) that bound the interval after each row, -1 where none is left.
    """
    alpha = 1 - state.level
    i = np.arange(state.n + 1.0, state.n + x.size + 1)
    # mean and variance before each row, as if a row of 1/2 with variance 1/4 had come first
    sums = state.total + np.concatenate([[0.0], np.cumsum(x)])
    mean = (0.5 + sums) / np.concatenate([i, [i[-1] + 1]])
    errors = (x - mean[1:]) ** 2
    spent = state.squares + np.concatenate([[0.0], np.cumsum(errors)])
    variance = (0.25 + spent[:-1]) / i
    stake = 2 * math.log(2 * AIMS.size / alpha)
    bet = np.sqrt(stake / (variance * AIMS[:, None]))[:, :, None]
    m = _possible(state.step)
    with np.errstate(divide="ignore"):
        up_bet = np.minimum(bet, SHARE / m)
        down_bet = np.minimum(bet, SHARE / (1 - m))
    apart = x[:, None] - m
    up = state.up[:, None] + np.cumsum(np.log1p(up_bet * apart), axis=1)
    down = state.down[:, None] + np.cumsum(np.log1p(-down_bet * apart), axis=1)
    richer = np.maximum(np.logaddexp.reduce(up), np.logaddexp.reduce(down))
    left = np.logical_and.accumulate(richer < math.log(2 * AIMS.size / alpha), axis=0)
    kept = left[-1]
    found = msgspec.structs.replace(
        state,
        n=state.n + x.size,
        total=float(sums[-1]),
        squares=float(spent[-1]),
        step=state.step[kept],
        up=up[:, -1, kept],
        down=down[:, -1, kept],
    )
    if state.step.size == 0:
        return found, np.full((x.size, 2), -1)
    first = state.step[left.argmax(axis=1)] - 1
    last = state.step[left.shape[1] - 1 - left[:, ::-1].argmax(axis=1)] + 1
    ends = np.column_stack([np.maximum(first, 0), np.minimum(last, GAMBLERS - 1)])
    return found, np.where(left.any(axis=1, keepdims=True), ends, -1)
