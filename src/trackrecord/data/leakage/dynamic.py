"""Tests that run a pipeline: does what it learns depend on the test rows, or on nothing at all?

Works on any scikit-learn pipeline and on functions of one's own: they are called, not read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from trackrecord.data.leakage.audit import LEVEL, Leak, holm
from trackrecord.data.leakage.kinds import KINDS
from trackrecord.errors import BadInput

MOVED = 1e-9
CHANCE = 0.05

Fit = Callable[..., Any]


class PipelineAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What the dynamic tests found. ``moved`` is the share of training predictions that moved,
    ``permuted`` the scores of the runs on permuted labels.
    """

    verdict: str
    findings: list[Leak]
    moved: float
    repeatable: bool
    permuted: list[float]
    permuted_mean: float | None
    lo: float | None
    hi: float | None


def audit_pipeline(
    fit: Fit,
    train: Any,
    test: Any,
    truth: Any,
    test_truth: Any = None,
    *,
    predict: Callable[[Any, Any], Any] | None = None,
    permutations: int = 10,
    seed: int = 0,
) -> PipelineAudit:
    """Change the test rows, refit, and see what moved; permute the labels, and see what is learnt.

    Parameters
    ----------
    fit:
        ``fit(train, truth, test)`` gives a fitted model: the whole of what is done from the raw
        rows to it. A scikit-learn estimator is taken for one that never sees the test.
    train, test:
        Arrays (n, k) and (m, k), or Polars or pandas frames with the same columns.
    truth, test_truth:
        The target of the training rows (n,) and of the test rows (m,), zeros and ones. Without
        ``test_truth`` there is no run on permuted labels.
    predict:
        ``predict(model, rows)`` gives a number a row; by default ``predict_proba``'s last column,
        else ``decision_function``, else ``predict``.
    permutations:
        Runs on permuted labels.
    seed:
        Of what is changed and permuted.

    Notes
    -----
    *The test rows changed.* Fitted once more with each numeric test column moved and stretched
    and each other one reversed, a model that saw only the training rows predicts the same for
    them. Any difference is proof, where two fits on the same rows agree; where they do not, the
    pipeline is told to be not repeatable and only a larger move than theirs counts.

    *Labels permuted*, those of train and test together before the pipeline sees any. The score on
    the test must be that of chance, area 0.5, within the interval of the mean over the runs
    (Student's t); a pipeline that selects features on all rows scores more. ``fit`` may take a
    fourth argument, the labels of the test rows, if it has them.

    Raises BadInput for tables that do not fit together, and fewer than 5 permutations.
    """
    fitted, given = _fitter(fit)
    labels = np.asarray(truth)
    if len(labels) != len(train):
        raise BadInput(f"{len(train):,} training rows have {len(labels):,} labels")
    if test_truth is not None and len(np.asarray(test_truth)) != len(test):
        raise BadInput(f"{len(test):,} test rows have {len(np.asarray(test_truth)):,} labels")
    if permutations < 5:
        raise BadInput("fewer than 5 permutations give no interval")
    predicted = predict or _predict
    draw = np.random.default_rng(seed)
    tested = None if test_truth is None else np.asarray(test_truth)

    def run(rows: Any, their_truth: Any, others: Any, others_truth: Any) -> Any:
        np.random.seed(seed)
        extra = (others_truth,) if given else ()
        return fitted(rows, their_truth, others, *extra)

    first = _numbers(predicted(run(train, labels, test, tested), train))
    again = _numbers(predicted(run(train, labels, test, tested), train))
    noise = float(np.abs(first - again).max())
    changed = _changed(test, draw)
    other = _numbers(predicted(run(train, labels, changed, tested), train))
    size = float(np.abs(first).max()) or 1.0
    limit = max(MOVED * size, 5 * noise)
    moved = float((np.abs(first - other) > limit).mean())
    findings = list(_moved(moved, float(np.abs(first - other).max()), len(labels)))
    scores: list[float] = []
    if tested is not None:
        scores = [
            _permuted(run, predicted, train, labels, test, tested, draw)
            for _ in range(permutations)
        ]
    mean = lo = hi = None
    if scores:
        mean, lo, hi, p = _interval(np.array(scores))
        findings += _chance(mean, lo, hi, p, len(scores))
    return PipelineAudit(
        verdict="leak" if findings else "clean",
        findings=findings,
        moved=moved,
        repeatable=noise <= MOVED * size,
        permuted=scores,
        permuted_mean=mean,
        lo=lo,
        hi=hi,
    )


def _fitter(fit: Any) -> tuple[Fit, bool]:
    """A function of (train, truth, test), and whether it takes the test's labels, too."""
    if hasattr(fit, "fit") and not isinstance(fit, type):
        return lambda rows, truth, _test: copy.deepcopy(fit).fit(rows, truth), False
    if not callable(fit):
        raise BadInput("fit is neither a scikit-learn estimator nor a function")
    import inspect

    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        wanted = [
            one
            for one in inspect.signature(fit).parameters.values()
            if one.default is one.empty and one.kind in kinds
        ]
    except (TypeError, ValueError):
        return fit, False
    return fit, len(wanted) >= 4


def _predict(model: Any, rows: Any) -> Any:
    for name in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, name):
            found = np.asarray(getattr(model, name)(rows), dtype=float)
            return found[:, -1] if found.ndim == 2 else found
    raise BadInput("the model has no predict_proba, decision_function or predict; give predict=")


def _numbers(found: Any) -> np.ndarray:
    values = np.asarray(found, dtype=float)
    if not np.isfinite(values).all():
        raise BadInput("a prediction is not a finite number")
    return values


def _changed(test: Any, draw: np.random.Generator) -> Any:
    """The test rows, each number moved and stretched, all else in reverse order."""
    columns = getattr(test, "columns", None)
    if columns is None:
        array = np.asarray(test)
        if array.dtype.kind not in "iuf":
            return array[::-1].copy()
        parts = [_stretched(array[:, j].astype(float), draw) for j in range(array.shape[1])]
        return np.column_stack(parts)
    if hasattr(test, "with_columns"):
        import polars as pl

        return test.with_columns(
            pl.Series(name, _stretched(test[name].cast(pl.Float64).to_numpy(), draw))
            if test[name].dtype.is_numeric()
            else test[name].reverse().alias(name)
            for name in columns
        )
    changed = test.copy()
    for name in columns:
        column = test[name]
        plain = np.asarray(column)
        kind = plain.dtype.kind
        changed[name] = _stretched(plain.astype(float), draw) if kind in "iuf" else plain[::-1]
    return changed


def _stretched(values: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    there = values[np.isfinite(values)]
    spread = float(there.std()) if there.size else 1.0
    return values * 3 + (spread or 1.0) * draw.normal(2, 1, values.size)


def _permuted(
    run: Any, predicted: Any, train: Any, truth: Any, test: Any, tested: Any, draw: Any
) -> float:
    from trackrecord.data.leakage.scores import area_of

    shuffled = draw.permutation(np.concatenate([truth, tested]))
    learnt, judged = shuffled[: len(truth)], shuffled[len(truth) :]
    scores = _numbers(predicted(run(train, learnt, test, judged), test))
    positive = np.unique(shuffled)[-1]
    return area_of(scores, (judged == positive).astype(np.int8)).value


def _interval(scores: np.ndarray) -> tuple[float, float, float, float]:
    """Mean of the permuted runs, its 99 % interval by Student's t, one-sided p against 0.5."""
    from scipy.special import stdtr, stdtrit

    df = scores.size - 1
    mean, error = float(scores.mean()), float(scores.std(ddof=1)) / np.sqrt(scores.size)
    half = float(stdtrit(df, 0.995)) * error
    p = float(stdtr(df, -(mean - 0.5) / error)) if error > 0 else float(mean <= 0.5)
    return mean, mean - half, mean + half, p


def _moved(moved: float, largest: float, n: int) -> Iterator[Leak]:
    if moved > 0:
        yield Leak(
            detector="test-rows-changed",
            kind="L1.2",
            kind_words=KINDS["L1.2"],
            verdict="leak",
            columns=[],
            what=f"with other test rows, {moved:.0%} of the predictions for training rows move, by "
            f"up to {largest:.3g}: something was learnt from the test rows",
            measure="share of training predictions that moved",
            value=moved,
            lo=None,
            hi=None,
            p=None,
            n=n,
            fix="fit every step on the training rows alone; a scikit-learn Pipeline does",
        )


def _chance(mean: float, lo: float, hi: float, p: float, runs: int) -> Iterator[Leak]:
    adjusted = float(holm(np.array([p]))[0])
    if adjusted < LEVEL and mean - 0.5 > CHANCE:
        yield Leak(
            detector="permuted-labels",
            kind="L1.3",
            kind_words=KINDS["L1.3"],
            verdict="leak",
            columns=[],
            what=f"on permuted labels the pipeline scores {mean:.3f} on the test rows, where there "
            "is nothing to learn: it saw their labels",
            measure="ROC AUC on permuted labels",
            value=mean,
            lo=lo,
            hi=hi,
            p=adjusted,
            n=runs,
            fix="select features, and all else that looks at labels, within the training rows",
        )


__all__ = ["PipelineAudit", "audit_pipeline"]
