"""How a rollout stands: from what was answered and what came true, to be asked at any moment.

Every bound holds at all times together (confidence sequences; Howard et al. 2021), so looking often
costs nothing and stopping early is no cheating.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from trackrecord.serving.rollout.state import Rollout
from trackrecord.stats.sample_ratio import ratio_evidence
from trackrecord.stats.sequential import Sequence, difference_of, empirical_bernstein

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

# The chance that any of a rollout's bounds ever misses; the guards share one half, gain the other.
ALPHA = 0.05
RATIO = 1000.0
Decision = Literal["wait", "stop", "promote"]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """The challenger's mean less the champion's, of ``what``; bounds that hold at all times.

    ``rows`` are the champion's and the challenger's; in shadow both answered the same. ``allowed``
    is what a guard permits.
    """

    what: str
    champion: float | None
    challenger: float | None
    difference: float | None
    lo: float
    hi: float
    level: float
    rows: tuple[int, int]
    allowed: float | None = None
    broken: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rollout stands, and what to do about it.

    ``ratio`` is the e-value against units having come in the shares asked for; at 1,000 the
    assignment is broken and nothing else counts.
    """

    decision: Decision
    why: str
    units: tuple[int, int]
    ratio: float | None
    gain: Gap
    guards: list[Gap]


def judge(
    rollout: Rollout, answers: pl.DataFrame, truth: pl.DataFrame, *, threshold: float
) -> Judged:
    """Judge from the captured ``answers`` since the start, oldest first.

    ``truth`` is as ``read_truth`` gives it: ``unit``, ``truth``, and when it was ``added``.
    """
    import polars as pl

    known = answers.join(
        truth.select("unit", "truth"), on="unit", how="left", maintain_order="left"
    )
    # An answer given twice to a unit is one piece of news.
    known = known.unique(["unit", "version", "role"], keep="last", maintain_order=True)
    mine = known.filter(pl.col("version") == rollout.challenger)
    theirs = known.filter((pl.col("version") == rollout.champion) & (pl.col("role") == "answer"))
    paired = rollout.mode == "shadow"
    each = ALPHA / 2 / (4 if paired else 3)
    guards = [
        _gap("rows without an answer", theirs, mine, pl.col("probability").is_null(),
             each, rollout.guard.unanswered),
        _gap(f"answers slower than {rollout.guard.slow_seconds:g} s", theirs, mine,
             pl.col("seconds") > rollout.guard.slow_seconds, each, rollout.guard.slow),
    ]  # fmt: skip
    loss = (pl.col("probability") - pl.col("truth")) ** 2
    if paired:
        both = theirs.join(mine, on="unit", suffix=".new", maintain_order="left")
        differ = (both["probability"] >= threshold) != (both["probability.new"] >= threshold)
        guards.append(_share("decisions that differ", differ, each, rollout.guard.disagreement))
        gain = _paired_loss(both, ALPHA / 2)
        guards.append(_allowed(_paired_loss(both, each), rollout.guard.loss))
    else:
        gain = _gap("mean squared error", theirs, mine, loss, ALPHA / 2, None)
        guards.append(_gap("mean squared error", theirs, mine, loss, each, rollout.guard.loss))
    units = (theirs["unit"].n_unique(), mine["unit"].n_unique())
    ratio = None if paired else ratio_evidence(units, [1 - rollout.share, rollout.share])
    decision, why = _decide(rollout, gain, guards, ratio)
    return Judged(decision=decision, why=why, units=units, ratio=ratio, gain=gain, guards=guards)


def _decide(
    rollout: Rollout, gain: Gap, guards: list[Gap], ratio: float | None
) -> tuple[Decision, str]:
    if ratio is not None and ratio >= RATIO:
        return "stop", (
            "units did not come in the shares asked for: whatever else it shows, the assignment"
            " is broken"
        )
    for guard in guards:
        if guard.broken:
            return "stop", (
                f"{guard.what}: the challenger's is worse by at least {guard.lo:.3g}, and"
                f" {guard.allowed:.3g} is allowed"
            )
    if gain.difference is not None and gain.hi < -rollout.worth:
        return "promote", (f"{gain.what}: the challenger's is smaller by at least {-gain.hi:.3g}")
    return "wait", "neither a gain nor a loss is certain yet"


def _gap(
    what: str, theirs: pl.DataFrame, mine: pl.DataFrame, value: pl.Expr, alpha: float,
    allowed: float | None,
) -> Gap:  # fmt: skip
    """Two streams of rows between 0 and 1, each bounded at half of ``alpha``."""
    import numpy as np
    import polars as pl

    sides = [
        side.select(value.cast(pl.Float64)).to_series().drop_nulls().to_numpy()
        for side in (theirs, mine)
    ]
    rows = (len(sides[0]), len(sides[1]))
    level = 1 - alpha
    if 0 in rows:
        return Gap(what=what, champion=None, challenger=None, difference=None, lo=-1.0, hi=1.0,
                   level=level, rows=rows, allowed=allowed)  # fmt: skip
    one, two = (_last(empirical_bernstein(side, low=0, high=1, level=1 - alpha / 2))
                for side in sides)  # fmt: skip
    apart = difference_of(two, one)
    lo, hi = float(apart.lo[-1]), float(apart.hi[-1])
    means = [float(np.mean(side)) for side in sides]
    return Gap(
        what=what,
        champion=means[0],
        challenger=means[1],
        difference=means[1] - means[0],
        lo=lo,
        hi=hi,
        level=level,
        rows=rows,
        allowed=allowed,
        broken=allowed is not None and lo > allowed,
    )


def _paired_loss(both: pl.DataFrame, alpha: float) -> Gap:
    """The squared errors' difference, unit by unit: between -1 and 1."""
    import polars as pl

    lossy = both.drop_nulls(["truth", "probability", "probability.new"])
    old = (lossy["probability"] - lossy["truth"]).cast(pl.Float64) ** 2
    new = (lossy["probability.new"] - lossy["truth"]).cast(pl.Float64) ** 2
    return _one_stream("mean squared error", (new - old).to_numpy(), -1.0, alpha,
                       (old.mean(), new.mean()))  # fmt: skip


def _share(what: str, differ: pl.Series, alpha: float, allowed: float) -> Gap:
    import polars as pl

    rows = differ.drop_nulls().cast(pl.Float64).to_numpy()
    return _allowed(_one_stream(what, rows, 0.0, alpha, (0.0, None)), allowed)


def _one_stream(
    what: str, rows: NDArray[np.float64], low: float, alpha: float, means: tuple[object, object]
) -> Gap:
    level, n = 1 - alpha, len(rows)
    if n == 0:
        return Gap(what=what, champion=None, challenger=None, difference=None, lo=low, hi=1.0,
                   level=level, rows=(0, 0))  # fmt: skip
    found = empirical_bernstein(rows, low=low, high=1.0, level=level)
    mean = float(rows.mean())
    old = float(str(means[0]))
    return Gap(
        what=what,
        champion=old,
        challenger=old + mean,
        difference=mean,
        lo=float(found.lo[-1]),
        hi=float(found.hi[-1]),
        level=level,
        rows=(n, n),
    )


def _allowed(gap: Gap, allowed: float) -> Gap:
    return msgspec.structs.replace(gap, allowed=allowed, broken=gap.lo > allowed)


def _last(found: Sequence) -> Sequence:
    """Its last step alone."""
    return Sequence(mean=found.mean[-1:], lo=found.lo[-1:], hi=found.hi[-1:], level=found.level)
