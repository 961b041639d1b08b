"""L2-penalised logistic regression on one-hot and standardised features.

Solved by L-BFGS on a sparse matrix: quick, and deterministic with one BLAS thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.modeling.baselines import baseline
from trackrecord.modeling.encode import fit_encoder
from trackrecord.modeling.estimators import fit_estimator
from trackrecord.modeling.learner import Fitted, chosen_features

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import Logistic

MAX_ITERATIONS = 1000


def _columns(spec: Logistic, features: list[str]) -> list[str]:
    return chosen_features(spec.features, features, f"baseline '{spec.name}'")


@baseline("logistic", columns=_columns)
def fit_logistic(spec: Logistic, rows: pl.DataFrame, truth: NDArray[np.int8]) -> Fitted:
    """Minimises the log loss plus ||w||² / (2 c n); notes it when the solver gives up."""
    from sklearn.linear_model import LogisticRegression

    solver = LogisticRegression(C=spec.c, solver="lbfgs", max_iter=MAX_ITERATIONS)
    encoder = fit_encoder(rows, "one_hot", sparse=True)
    fitted = fit_estimator(solver, encoder, rows, truth, name=f"baseline '{spec.name}'")
    return Fitted(
        predict=fitted.predict,
        parameters={"c": spec.c, "iterations": int(solver.n_iter_[0]), "columns": encoder.width},
        notes=fitted.notes,
        estimator=fitted.estimator,
        encoding=fitted.encoding,
        encode=fitted.encode,
    )
