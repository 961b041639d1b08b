"""A pipeline that is run again and again on rows that differ: called, copied for, never trusted."""

from __future__ import annotations

import copy
import inspect
import random
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from trackrecord.errors import BadInput

Fit = Callable[..., Any]
Tell = Callable[[int], None]


class Failed(Exception):
    """What the pipeline raised, in one line."""


@dataclass
class Pipeline:
    """The whole of what is done from raw rows to predictions, and how often and long it ran.

    ``takes_labels`` says that ``fit`` has a fourth argument, the labels of the test rows.
    """

    fit: Fit
    predict: Callable[[Any, Any], Any]
    takes_labels: bool
    seed: int
    tell: Tell
    fits: int = 0
    seconds: float = 0.0
    mutates: bool = False

    def run(self, train: Any, truth: Any, test: Any, tested: Any, asked: Any) -> list[Any]:
        """Fit once; the predictions for each table in ``asked``, as arrays.

        It gets copies: what it writes into them does not reach the next run. The generators of
        ``random`` and numpy – and torch, where it is loaded – start alike each time.

        Raises Failed for whatever it raises.
        """
        self.fits += 1
        self.tell(self.fits)
        given = [copied(one) for one in (train, truth, test, tested)]
        _seed(self.seed)
        start = time.perf_counter()
        try:
            extra = given[3:] if self.takes_labels else []
            model = self.fit(*given[:3], *extra)
            found = [numbers_of(self.predict(model, copied(rows))) for rows in asked]
        except (Exception, SystemExit) as error:
            raise Failed(_line_of(error)) from error
        finally:
            self.seconds += time.perf_counter() - start
        pairs = zip(given, (train, truth, test, tested), strict=True)
        self.mutates = self.mutates or not all(same(one, two) for one, two in pairs)
        return found


def pipeline_of(
    fit: Any, predict: Callable[[Any, Any], Any] | None, seed: int, tell: Tell | None
) -> Pipeline:
    """From a scikit-learn estimator, or a function of (train, truth, test[, the test's truth]).

    Raises BadInput for anything else, and for a function of fewer than three arguments.
    """
    telling = tell or (lambda _: None)
    predicting = predict or predicted
    if hasattr(fit, "fit") and not isinstance(fit, type):
        return Pipeline(_estimator(fit), predicting, False, seed, telling)
    if not callable(fit) or isinstance(fit, type):
        raise BadInput("fit is neither a scikit-learn estimator nor a function")
    needed, most = arguments_of(fit)
    if most < 3 or needed > 4:
        raise BadInput(
            f"fit takes {needed if needed > 4 else most} arguments",
            why="it is called with the training rows, their truth, the test rows and, where it has "
            "a fourth argument, the truth of the test rows",
            next="def fit(train, truth, test): ... return model",
        )
    return Pipeline(fit, predicting, needed == 4, seed, telling)


def arguments_of(function: Any) -> tuple[int, int]:
    """How many arguments a function needs, and takes at most, by position."""
    try:
        found = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return 3, 3
    if any(one.kind is one.VAR_POSITIONAL for one in found):
        return 3, 4
    placed = [one for one in found if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    return sum(one.default is one.empty for one in placed), len(placed)


def _estimator(estimator: Any) -> Fit:
    """scikit-learn's own: a fresh copy is fitted on the training rows, and never sees the test."""

    def fit(rows: Any, truth: Any, _test: Any) -> Any:
        fresh = copy.deepcopy(estimator)
        return fresh.fit(rows, truth) or fresh

    return fit


def predicted(model: Any, rows: Any) -> Any:
    """``predict_proba``, else ``decision_function``, else ``predict``; a function is called."""
    for name in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, name):
            return getattr(model, name)(rows)
    if callable(model):
        return model(rows)
    raise TypeError("the model has no predict_proba, decision_function or predict; give predict=")


def numbers_of(found: Any) -> np.ndarray:
    """(n,) or (n, k) floats; classes given as text stay text. Two columns are one and its rest.

    Raises ValueError for a missing or infinite prediction.
    """
    values = np.asarray(found)
    if values.dtype.kind not in "biufc":
        try:
            values = values.astype(float)
        except (TypeError, ValueError):
            return values.astype(str)
    values = values.astype(float)
    if not np.isfinite(values).all():
        raise ValueError("a prediction is not a finite number")
    if values.ndim > 1:
        values = values.reshape(len(values), -1)
        values = values[:, -1] if values.shape[1] <= 2 else values
    return values


def copied(table: Any) -> Any:
    """The same in memory of its own."""
    if table is None or hasattr(table, "with_columns"):
        return table if table is None else table.clone()
    if hasattr(table, "copy"):
        return table.copy()
    return copy.deepcopy(table)


def same(one: Any, two: Any) -> bool:
    """Whether a table was left as it was."""
    if one is None or two is None:
        return one is two
    if hasattr(one, "equals"):
        return bool(one.equals(two))
    if hasattr(one, "nnz"):
        return one.shape == two.shape and not (one != two).nnz
    a, b = np.asarray(one), np.asarray(two)
    if a.shape != b.shape:
        return False
    return bool(((a == b) | ((a != a) & (b != b))).all())


def rows_in(table: Any) -> int:
    """The number of rows of an array, a frame or a sparse matrix."""
    return int(table.shape[0]) if hasattr(table, "shape") else len(table)


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "manual_seed"):
        torch.manual_seed(seed)


def _line_of(error: BaseException) -> str:
    """The error, and the last line of it that is not in an installed package."""
    said = (str(error).strip().splitlines() or [""])[0][:200]
    where = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if "site-packages" not in frame.filename and not frame.filename.endswith("rerun.py"):
            where = f" ({frame.filename.rpartition('/')[2]}:{frame.lineno}, in {frame.name})"
    return f"{type(error).__name__}{': ' if said else ''}{said}{where}"
