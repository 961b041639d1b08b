"""Columns as they are given, checked once: truth, score, weight, clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.influence import Undefined
from trackrecord.stats.remembering import remembered

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from trackrecord.stats.metrics import Metric

    Floats = NDArray[np.float64]
    Codes = NDArray[np.integer]


def columns_of(truth: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.int8], Floats]:
    """Truth (n,) and score (n,). Raises BadInput unless zeros and ones, and as many numbers."""
    labels = np.asarray(truth)
    try:
        scores = np.ascontiguousarray(score, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput("the scores must be numbers") from None
    if labels.ndim != 1 or np.ndim(score) != 1 or labels.size != scores.size:
        raise BadInput(
            "truth and score must be columns of one length",
            why=f"truth has shape {labels.shape}, score {np.shape(score)}",
        )
    if labels.dtype.kind not in "biuf" or not np.all((labels == 0) | (labels == 1)):
        raise BadInput("the truth must be zeros and ones")
    return np.ascontiguousarray(labels, dtype=np.int8), scores


def weights_of(weight: ArrayLike, rows: int) -> Floats | None:
    """Weights (rows,) scaled to mean one; None where all are equal. Raises BadInput for bad ones.

    Only their ratios matter. A row of weight 0 is as if it were not there.
    """
    try:
        given = np.ascontiguousarray(weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput("the weights must be numbers") from None
    if np.ndim(weight) != 1 or given.size != rows:
        raise BadInput(
            "there must be one weight for each row",
            why=f"got shape {np.shape(weight)} for {rows} rows",
        )
    if rows == 0:
        return None
    bad = int(rows - np.count_nonzero(np.isfinite(given)))
    negative = int(np.count_nonzero(given < 0))
    if bad or negative:
        what = f"{bad} are not finite numbers" if bad else f"{negative} are below 0"
        raise BadInput("a weight says how many rows a row stands for", why=f"{what}, of {rows}")
    most = float(given.max())
    if most == 0:
        raise BadInput("all weights are 0, so no row counts")
    if most == float(given.min()):
        return None
    relative = given / most
    scaled: Floats = relative * (rows / float(relative.sum()))
    return scaled


def check_scores(asked: Metric, scores: Floats) -> None:
    """Undefined for no rows, or scores that this metric has no use for."""
    if scores.size == 0:
        raise Undefined("there are no rows")
    bad, outside = remembered("checked", (scores,), lambda: _bad_and_outside(scores))
    if bad:
        raise Undefined(f"{bad} of {scores.size} scores are not finite numbers")
    if asked.needs == "probability" and outside:
        raise Undefined(
            f"{outside} of {scores.size} scores lie outside [0, 1], so they are no probabilities"
        )


def _bad_and_outside(scores: Floats) -> tuple[int, int]:
    """How many scores are not finite, and how many are below 0 or above 1."""
    bad = int(scores.size - np.count_nonzero(np.isfinite(scores)))
    return bad, int(np.count_nonzero((scores < 0) | (scores > 1)))


def clusters_of(cluster: Codes | None, rows: int) -> Codes | None:
    """Cluster codes (rows,) or None. Raises BadInput unless whole numbers, one for each row."""
    if cluster is None:
        return None
    codes = np.asarray(cluster)
    if codes.shape != (rows,) or codes.dtype.kind not in "iub":
        raise BadInput(
            "clusters must be whole numbers, one for each row",
            why=f"got {codes.dtype} of shape {codes.shape} for {rows} rows",
        )
    return codes
