"""Mean pinball loss over all quantiles that are predicted, each level counting alike.

A mean over rows of a mean over levels (Koenker & Bassett 1978). Twice this is what many programs
call CRPS from quantiles; ``crps`` gives each level the part of [0, 1] that is nearest to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import metric
from trackrecord.stats.moments import mean_loss
from trackrecord.stats.pinball import pinball

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Quantiles


@metric(
    task="regression",
    title="mean pinball loss",
    direction="lower",
    scale="log",
    needs="quantiles",
    skew=4.0,
    rows_needed=60.0,
)
def mean_pinball(
    truth: NDArray[np.float64], score: Quantiles, weight: NDArray[np.float64] | None = None
) -> Influence:
    """In the truth's unit; it depends on which levels there are."""
    levels = score.levels
    loss = sum(
        pinball(truth, score.values[:, at], level) / len(levels) for at, level in enumerate(levels)
    )
    return mean_loss(loss, weight)  # type: ignore[arg-type]
