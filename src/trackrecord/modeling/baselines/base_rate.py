"""The share of positives in the training part, for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.modeling.baselines import baseline
from trackrecord.modeling.learner import Fitted

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import BaseRate


@baseline("base_rate", columns=lambda spec, features: [])
def fit_base_rate(spec: BaseRate, rows: pl.DataFrame, truth: NDArray[np.int8]) -> Fitted:
    """Predicts sum(truth) / n for every row."""
    import numpy as np

    rate = int(truth.sum(dtype=np.int64)) / len(truth)
    return Fitted(
        predict=lambda asked: np.full(asked.height, rate), parameters={"training_rate": rate}
    )
