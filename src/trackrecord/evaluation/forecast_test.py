"""Whether a model's forecasts are better than a baseline's, by their losses over time.

The test of Diebold and Mariano (``stats.forecasts``): of several series, a time's loss is the mean
over the series that it has, so that what moves them together is one observation (as in a panel;
Timmermann & Zhu 2019, section 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import no_column, rows_where
from trackrecord.evaluation.tasks import task_columns
from trackrecord.stats.estimate import Absence
from trackrecord.stats.forecasts import DieboldMariano, diebold_mariano

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

Loss = Literal["absolute", "squared"]
WHERE = "the outcomes"


class ForecastTest(msgspec.Struct, frozen=True, kw_only=True):
    """A model against a baseline: ``test`` of mean ``loss`` of model minus baseline, below 0 where
    the model errs less; None with the ``reason`` where there is none. ``series`` counts them, None
    where the table names none."""

    model: str
    baseline: str
    loss: Loss
    horizon: int
    series: int | None
    test: DieboldMariano | None
    reason: str = ""


def forecast_tests(
    outcomes: pl.DataFrame,
    *,
    models: list[str],
    baselines: list[str],
    loss: Loss = "absolute",
    horizon: int = 1,
    scaled: bool = False,
    weighted: bool = False,
    level: float = 0.95,
) -> list[ForecastTest]:
    """Each model against each baseline.

    Parameters
    ----------
    outcomes:
        An Outcomes table of numbers with ``time``; a row for each time, or each series and time.
    loss:
        |error|, or its square.
    horizon:
        How many of the table's times ahead the forecasts were made; all of one horizon.
    scaled:
        Divide errors by their series' scale first, so that great series do not drown small ones.
    weighted:
        Let the ``weight`` column say how much a series counts within a time.

    Raises
    ------
    BadInput
        For an unknown loss, a horizon below 1, or a level outside 0 and 1.
    DataError
        Without a time, a scale that is asked for, or a single prediction of a model; and where a
        time (of a series) has two rows.
    """
    import numpy as np

    if loss not in get_args(Loss):
        raise BadInput(f"there is no loss {loss!r}", next="write absolute or squared")
    wanted = ["time", *(["scale"] if scaled else []), *(["weight"] if weighted else [])]
    for column in wanted:
        if column not in outcomes.columns:
            raise no_column(column, outcomes.columns, WHERE)
    period = _periods(outcomes)
    truth, predictions = task_columns("regression").arrays(outcomes, [*models, *baselines])
    weight = outcomes["weight"].to_numpy().astype(np.float64) if weighted else None
    scale = outcomes["scale"].to_numpy().astype(np.float64) if scaled else None
    if scale is not None and not (scale > 0).all():
        raise DataError("some series have a scale of 0", where=WHERE, next="test unscaled losses")
    losses = {
        name: _over_time(_loss(name, truth, predicted, loss, scale), period, weight)
        for name, predicted in predictions.items()
    }
    series = outcomes["series"].n_unique() if "series" in outcomes.columns else None
    found = []
    for model in models:
        for baseline in baselines:
            test = diebold_mariano(
                losses[model], losses[baseline], horizon=horizon, metric=loss, level=level
            )
            found.append(
                ForecastTest(
                    model=model,
                    baseline=baseline,
                    loss=loss,
                    horizon=horizon,
                    series=series,
                    test=None if isinstance(test, Absence) else test,
                    reason=test.reason if isinstance(test, Absence) else "",
                )
            )
    return found


def _periods(outcomes: pl.DataFrame) -> NDArray[np.int64]:
    """(n,) each row's time as a whole number in order. DataError where one has two rows."""
    import numpy as np

    times = outcomes["time"]
    if times.null_count():
        raise DataError(
            "the time is missing in some rows",
            where=f"{WHERE}, {rows_where(times.is_null())}",
            why="the test goes by how losses follow each other",
        )
    keys = ["series", "time"] if "series" in outcomes.columns else ["time"]
    doubled = outcomes.select(keys).is_duplicated()
    if doubled.any():
        first = outcomes.filter(doubled).row(0, named=True)
        whose = f" of the series {str(first['series'])[:60]!r}" if len(keys) > 1 else ""
        raise DataError(
            f"the time {first['time']}{whose} has two rows",
            where=f"{WHERE}, {rows_where(doubled)}",
            why="forecasts of one time made at two are of two horizons, or of two series",
            next="test one horizon at a time, and name the series: --series COL",
        )
    ranks: NDArray[np.int64] = times.rank("dense").to_numpy().astype(np.int64) - 1
    return ranks


def _loss(
    name: str,
    truth: NDArray[np.float64],
    predicted: Any,
    loss: Loss,
    scale: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    if predicted.point is None:
        raise DataError(
            f"{name} has no single prediction for a row",
            where=WHERE,
            why="the test compares errors, and quantiles without a median have none",
        )
    error = abs(predicted.point - truth)
    if scale is not None:
        error = error / scale
    found: NDArray[np.float64] = error if loss == "absolute" else error * error
    return found


def _over_time(
    loss: NDArray[np.float64], period: NDArray[np.int64], weight: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """(T,) each time's mean loss; times whose rows weigh nothing are left out."""
    import numpy as np

    mass = np.bincount(period, weight)
    sums = np.bincount(period, loss if weight is None else loss * weight)
    there = mass > 0
    means: NDArray[np.float64] = sums[there] / mass[there]
    return means
