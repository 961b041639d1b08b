"""Truth and prediction as given, checked, and reduced to what a metric takes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.errors import BadInput
from trackrecord.stats.columns import check_scores, columns_of
from trackrecord.stats.influence import Undefined
from trackrecord.stats.samples import Lists, Predicted, Quantiles, Scaled, same_lists

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.metrics import Metric

    Floats = NDArray[np.float64]
    Given = tuple[Any, Any]

# Probabilities add up to one, but for what rounding to a few digits has cost.
ADDS_UP = 0.005


def given(asked: Metric, truth: Any, score: Any) -> Given:
    """Truth and prediction as the task has them. Raises BadInput for the wrong shapes or kinds."""
    if asked.task == "binary":
        return columns_of(truth, score)
    kinds = {
        "multiclass": _classes,
        "multilabel": _labels,
        "regression": _numbers,
        "ranking": _rankings,
    }
    labels, scores = kinds[asked.task](truth, score)
    if len(labels) != len(scores):
        raise BadInput(
            "truth and score must have as many rows",
            why=f"truth has {len(labels)}, score {len(scores)}",
        )
    return labels, scores


def reduced(asked: Metric, truth: Any, score: Any) -> Any:
    """What the metric needs of the prediction. Raises Undefined where the prediction lacks it."""
    if len(truth) == 0:
        raise Undefined("there are no rows")
    if asked.task == "binary":
        check_scores(asked, score)
        return score
    needs = {
        "label": _label,
        "labels": _label_set,
        "probabilities": _probabilities,
        "value": _value,
        "quantiles": _quantiles,
        "scaled": _scaled,
        "ranked": _ranked,
    }
    return needs[asked.needs](asked, truth, score)


def _classes(truth: Any, score: Any) -> Given:
    codes, scores = np.asarray(truth), np.asarray(score)
    whole = scores.ndim == 2 or scores.dtype.kind in "iu"
    if codes.ndim != 1 or codes.dtype.kind not in "iu" or not whole:
        raise BadInput("classes must be whole numbers (n,), or probabilities (n, classes)")
    if codes.size and codes.min() < 0:
        raise BadInput("a class is a whole number from 0")
    if scores.ndim == 2 and codes.size and codes.max() >= scores.shape[1]:
        raise BadInput(f"class {codes.max()} has no column of probabilities")
    kind = np.int64 if scores.ndim == 1 else np.float64
    return codes.astype(np.int64), np.ascontiguousarray(scores, dtype=kind)


def _labels(truth: Any, score: Any) -> Given:
    labels, scores = np.asarray(truth), np.asarray(score)
    if labels.ndim != 2 or scores.shape != labels.shape:
        raise BadInput(
            "truth and score must have a column for each label",
            why=f"truth has shape {labels.shape}, score {scores.shape}",
        )
    if not np.all((labels == 0) | (labels == 1)):
        raise BadInput("the truth of each label must be zeros and ones")
    kind = np.float64 if scores.dtype.kind == "f" else np.int8
    return labels.astype(np.int8), np.ascontiguousarray(scores, dtype=kind)


def _numbers(truth: Any, score: Any) -> Given:
    try:
        numbers = np.ascontiguousarray(truth, dtype=np.float64)
        if not isinstance(score, Predicted | Quantiles | Scaled):
            score = np.ascontiguousarray(score, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadInput("truth and predictions must be numbers") from None
    if numbers.ndim != 1 or getattr(score, "ndim", 1) != 1:
        raise BadInput("truth and predictions must be columns", why=f"shape {numbers.shape}")
    if not np.isfinite(numbers).all():
        raise BadInput("the truth must be finite numbers")
    return numbers, score


def _rankings(truth: Any, score: Any) -> Given:
    if not isinstance(truth, Lists) or not isinstance(score, Lists):
        raise BadInput("a ranking's truth and scores must be Lists, one list for each query")
    same_lists(truth, score)
    if not np.isfinite(truth.values).all() or (truth.values.size and truth.values.min() < 0):
        raise BadInput("relevance must be 0 or above")
    return truth, score


def _label(asked: Metric, truth: Any, score: Any) -> Any:
    """The class of the greatest score, be it a probability or not; never one without a score."""
    if score.ndim == 1:
        return score
    bad = int(np.isnan(score).all(axis=1).sum())
    if bad:
        raise Undefined(f"{bad} of {len(score)} rows lack a score of every class")
    return np.where(np.isnan(score), -np.inf, score).argmax(axis=1)


def _label_set(asked: Metric, truth: Any, score: Any) -> Any:
    if score.dtype.kind != "f":
        return score
    return (_probabilities(asked, truth, score) > 0.5).astype(np.int8)


def _probabilities(asked: Metric, truth: Any, score: Any) -> Any:
    if score.ndim == 1 or score.dtype.kind != "f":
        raise Undefined("only labels are predicted, and this takes probabilities")
    bad = int((~np.isfinite(score)).any(axis=1).sum())
    if bad:
        raise Undefined(f"{bad} of {len(score)} rows lack a probability of some class")
    outside = int(((score < 0) | (score > 1)).any(axis=1).sum())
    if outside:
        raise Undefined(f"{outside} of {len(score)} rows have scores outside [0, 1]")
    if asked.task == "multiclass":
        off = int((abs(score.sum(axis=1) - 1) > ADDS_UP).sum())
        if off:
            raise Undefined(f"the probabilities of {off} of {len(score)} rows do not add up to 1")
    return score


def _value(asked: Metric, truth: Any, score: Any) -> Any:
    point = score
    if isinstance(score, Scaled):
        point = score.point
    elif isinstance(score, Predicted):
        point = score.point
        if point is None and score.quantiles is not None:
            return _value(asked, truth, score.quantiles)
    elif isinstance(score, Quantiles):
        if 0.5 not in score.levels:
            raise Undefined("there is no single prediction, and no median among the quantiles")
        point = score.values[:, score.levels.index(0.5)]
    if point is None:
        raise Undefined("there is no single prediction for a row")
    return _finite(point)


def _quantiles(asked: Metric, truth: Any, score: Any) -> Any:
    held = score.quantiles if isinstance(score, Predicted) else score
    if not isinstance(held, Quantiles):
        raise Undefined("only one number is predicted for a row, and this takes quantiles")
    _finite(held.values)
    crossed = int((np.diff(held.values, axis=1) < 0).any(axis=1).sum())
    if crossed:
        raise Undefined(f"the quantiles of {crossed} of {len(held)} rows are not ascending")
    return held


def _scaled(asked: Metric, truth: Any, score: Any) -> Any:
    held = score.scaled if isinstance(score, Predicted) else score
    if not isinstance(held, Scaled):
        raise Undefined("the series' past is not known, so errors have no scale")
    _finite(held.point)
    flat = int(np.count_nonzero(~(held.scale > 0)))
    if flat:
        raise Undefined(f"{flat} of {len(held)} rows belong to series whose past never changes")
    return held


def _ranked(asked: Metric, truth: Any, score: Any) -> Any:
    return score


def _finite(values: Floats) -> Floats:
    bad = int(values.size - np.count_nonzero(np.isfinite(values)))
    if bad:
        raise Undefined(f"{bad} of {values.size} predictions are not finite numbers")
    return values
