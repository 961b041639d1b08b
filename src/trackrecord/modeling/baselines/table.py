"""The training share in each cell of a small table, shrunk towards the overall share.

share(cell) = (positives(cell) + m p) / (rows(cell) + m), with p the share over all training rows
and m ``prior_rows``: the m-estimate of Cestnik (1990). A cell that training never saw gets p. A
missing value is a value of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.modeling.baselines import baseline
from trackrecord.modeling.learner import Fitted

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import RateTable


@baseline("table", columns=lambda spec, features: spec.by)
def fit_table(spec: RateTable, rows: pl.DataFrame, truth: NDArray[np.int8]) -> Fitted:
    """Looks up each row's cell of ``spec.by``."""
    import numpy as np
    import polars as pl

    by = rows.columns
    rate = int(truth.sum(dtype=np.int64)) / len(truth)
    prior = spec.prior_rows
    cells = (
        rows.with_columns(pl.Series("__truth", truth, dtype=pl.Int64))
        .group_by(by)
        .agg(
            # A cell has at least one row, so the denominator is positive even without a prior.
            ((pl.col("__truth").sum() + prior * rate) / (pl.len() + prior)).alias("__share")
        )
    )

    def predict(asked: pl.DataFrame) -> NDArray[np.float64]:
        found = asked.join(cells, on=by, how="left", nulls_equal=True, maintain_order="left")
        return found["__share"].fill_null(rate).to_numpy()

    return Fitted(
        predict=predict,
        parameters={
            "by": ", ".join(by),
            "prior_rows": prior,
            "cells": cells.height,
            "training_rate": rate,
        },
    )
