"""Trains every baseline and model of a case, and asks each for validation and test.

The truth of a row outside the training part never leaves this function's table.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Case, Model
from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.baselines import prepare_baseline
from trackrecord.modeling.environment import Threads, most_threads, thread_counts
from trackrecord.modeling.estimators import prepare_estimator
from trackrecord.modeling.learner import (
    Fitted,
    Learner,
    Role,
    Setting,
    SourceFile,
    float_scores,
    seed_generators,
)
from trackrecord.modeling.python_file import prepare_python
from trackrecord.modeling.python_process import Host, prepare_hosted, python_host

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.data.table import CaseTable

ASKED = ("validation", "test")
MAX_SEED = 2**32 - 1


class TrainedModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a run says of one of its models. ``seconds`` is None where another program trained."""

    name: str
    role: Role
    kind: str
    features: list[str]
    parameters: dict[str, Setting]
    seconds: float | None
    notes: list[str] = []
    sources: list[SourceFile] = []


@dataclass(frozen=True)
class Trained:
    """Predictions – id, part and ``score.NAME`` for each model, a row a unit – and the models.

    Rows are those of validation and test, in the table's order. ``child_memory_mb`` (10^6 bytes)
    is the most that the process of the Python files has held, where there was one. ``fitted`` has
    the trained models by name; those of Python files have ended with their process.
    """

    predictions: pl.DataFrame
    models: list[TrainedModel]
    threads: Threads
    child_memory_mb: float | None = None
    fitted: dict[str, Fitted] = field(default_factory=dict)


def train_and_predict(
    case: Case,
    table: CaseTable,
    parts: pl.Series,
    *,
    case_folder: Path,
    progress: Callable[[str, float], None],
    seed: int | None = None,
    given: pl.DataFrame | None = None,
    isolated: bool = True,
) -> Trained:
    """Train on the training part, predict the others.

    Parameters
    ----------
    case:
        Its baselines and models, in this order, are what is trained.
    table, parts:
        The case's table, and each row's part.
    case_folder:
        Where files named by ``python = "file.py:function"`` are.
    progress:
        Called with (step, share done) before each model.
    seed:
        Instead of the case's own; 0 to 2**32 - 1.
    given:
        Another program's predictions: id and ``score.NAME`` for models that have neither an
        estimator nor a file. See :func:`trackrecord.modeling.outcomes.read_given`.
    isolated:
        Python files in a process of their own. Without, a debugger can look into them; the
        predictions are the same.

    Raises
    ------
    CaseError
        For a model that cannot be made or trained, that ends its process, or whose predictions
        were not given.
    DataError
        For a training part with one class only, and for scores that are no probabilities.
    """
    # A thread that waits for its peers sleeps, where libgomp would let it spin: on a busy machine
    # boosting is then several times as quick. Read when OpenMP loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import numpy as np
    import polars as pl
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    seed = checked_seed(case.seed if seed is None else seed)
    brought = [] if given is None else [c.removeprefix("score.") for c in given.columns[1:]]
    learn = (parts == "train").fill_null(False)
    ask = parts.is_in(list(ASKED)).fill_null(False)
    truth: NDArray[np.int8] = table.truth.filter(learn).to_numpy().astype(np.int8)
    columns = [table.frame["id"].filter(ask), parts.filter(ask).alias("part")]
    models = []
    kept: dict[str, Fitted] = {}
    with ExitStack() as stack:
        host = None
        if isolated and any(model.python and model.name not in brought for model in case.model):
            # Begun first: it loads its packages while this process loads its own.
            host = stack.enter_context(python_host(case, case_folder, seed))
        learners = [prepare_baseline(spec, case) for spec in case.baseline]
        with _seeded(seed):
            learners += [
                _prepare(model, case, case_folder, seed, host)
                for model in case.model
                if model.name not in brought
            ]
        _check_truth(truth, case)
        # OpenBLAS adds up in an order that depends on its number of threads; histogram boosting's
        # OpenMP loops do not, so those keep all cores.
        stack.enter_context(threadpool_limits(limits=1, user_api="blas"))
        threads = thread_counts()
        for index, learner in enumerate(learners):
            progress(f"training {learner.name}", index / len(learners))
            rows = _features(case, table, learner.features)
            began = time.perf_counter()
            with _seeded(seed):
                fitted = learner.fit(rows.filter(learn), truth)
                raw = fitted.predict(rows.filter(ask))
            kept[learner.name] = fitted
            scores = _checked_scores(raw, int(ask.sum()), learner)
            columns.append(pl.Series(f"score.{learner.name}", scores))
            models.append(
                TrainedModel(
                    name=learner.name,
                    role=learner.role,
                    kind=learner.kind,
                    features=learner.features,
                    parameters=fitted.parameters,
                    seconds=round(time.perf_counter() - began, 3),
                    notes=fitted.notes,
                    sources=learner.sources(),
                )
            )
    predictions = pl.DataFrame(columns)
    if given is not None:
        predictions = predictions.join(given, on="id", how="left", maintain_order="left")
        models += [_brought(name) for name in brought]
    # In the case's order, whoever made them.
    order = [item.name for item in (*case.baseline, *case.model)]
    models.sort(key=lambda model: order.index(model.name))
    predictions = predictions.select("id", "part", *(f"score.{model.name}" for model in models))
    if host is None:
        return Trained(predictions, models, threads, fitted=kept)
    threads = most_threads([threads, *host.threads])
    return Trained(predictions, models, threads, host.memory_mb, kept)


def checked_seed(seed: int) -> int:
    """``seed`` itself, if every generator takes it."""
    if not 0 <= seed <= MAX_SEED:
        raise CaseError(f"the seed {seed} is not between 0 and {MAX_SEED:,}")
    return seed


def _prepare(model: Model, case: Case, case_folder: Path, seed: int, host: Host | None) -> Learner:
    where = f"model '{model.name}' in the case '{case.name}'"
    if model.estimator and model.python:
        raise CaseError(
            f"the model '{model.name}' has an estimator and a Python file", where=where,
            next="keep one of them, or make them two models",
        )  # fmt: skip
    if model.estimator:
        return prepare_estimator(model, case, seed)
    if model.python:
        if host is not None:
            return prepare_hosted(host, model)
        return prepare_python(
            model, case=case.name, features=case.features, case_folder=case_folder, seed=seed
        )
    raise CaseError(
        f"the model '{model.name}' is made by another program, so it cannot be trained here",
        where=where,
        why="it has neither an estimator nor a Python file",
        next=f"trackrecord run {case.name} --outcomes FILE --model {model.name}",
    )


def _features(case: Case, table: CaseTable, names: list[str]) -> pl.DataFrame:
    """The rows of all parts with these columns; an empty list keeps the rows, without a column."""
    from trackrecord.data.table import feature_frame

    if not names:
        # A frame without columns has no rows either: the row number stands in for them.
        return table.frame.select("id").with_row_index("row").select("row")
    return feature_frame(case, table, names)


def _check_truth(truth: NDArray[np.int8], case: Case) -> None:
    positives = int(truth.sum(dtype="int64"))
    if positives in (0, len(truth)):
        raise DataError(
            f"the training part has one class only: {len(truth):,} rows, {positives:,} positive",
            where=f"split in the case '{case.name}'",
            next="change the split, or what counts as positive",
        )


def _checked_scores(raw: Any, rows: int, learner: Learner) -> NDArray[np.float64]:
    """float64 (rows,), each a probability; DataError says what else came."""
    import numpy as np

    def wrong(what: str, next: str | None = None) -> DataError:
        return DataError(f"the {learner.role} '{learner.name}' gave {what}", next=next)

    scores = float_scores(raw, f"the {learner.role} '{learner.name}'")
    if scores.shape != (rows,):
        raise wrong(
            f"scores of the shape {scores.shape} for {rows:,} rows",
            "predict_proba returns (rows, 2), with the positives' probability second, or (rows,)",
        )
    bad = ~np.isfinite(scores)
    if bad.any():
        raise wrong(f"{int(bad.sum()):,} of {rows:,} scores that are not finite (NaN or infinite)")
    outside = (scores < 0) | (scores > 1)
    if outside.any():
        first = float(scores[outside][0])
        raise wrong(f"{int(outside.sum()):,} of {rows:,} scores outside [0, 1], such as {first:g}")
    return scores


def _brought(name: str) -> TrainedModel:
    return TrainedModel(
        name=name, role="model", kind="outcomes", features=[], parameters={}, seconds=None
    )


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators, which careless models draw from; put them back after."""
    import numpy as np

    python, numpy = random.getstate(), np.random.get_state()
    seed_generators(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
