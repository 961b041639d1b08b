"""Documents ranked for queries, a row for each query: ``truth`` List(Float64), the relevance of
each document; ``score.NAME`` List(Float64) of the same documents, null where not retrieved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import rows_where
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError unless each query has a score, or none, for each document, one relevant."""
    import polars as pl

    names = ["truth", *(f"score.{model}" for model in models)]
    for name in names:
        if not isinstance(outcomes[name].dtype, pl.List):
            raise DataError(f"{name!r} holds no list for each query")
        unequal = outcomes[name].list.len().fill_null(0) != outcomes["truth"].list.len()
        if unequal.fill_null(True).any():
            raise DataError(
                f"{name!r} does not have a value for each of a query's documents",
                where=f"the outcomes, {rows_where(unequal.fill_null(True))}",
            )
        values = outcomes[name].filter(outcomes[name].list.len() > 0).explode()
        if values.len() and not (values.dtype.is_numeric() or values.dtype == pl.Null):
            raise DataError(f"{name!r} holds lists of {values.dtype}, not of numbers")
        wrong = values.cast(pl.Float64).is_infinite()
        if name == "truth":
            wrong |= ~(values.cast(pl.Float64) >= 0).fill_null(False) | values.is_nan()
        if wrong.fill_null(False).any():
            raise DataError(
                f"{name!r} holds what is no relevance"
                if name == "truth"
                else f"{name!r} holds infinite scores",
                why="a relevance is 0 or above, and a score a finite number or missing",
            )
    without = ~outcomes["truth"].list.eval(pl.element() > 0).list.any()
    if without.any():
        raise DataError(
            f"{int(without.sum()):,} of {outcomes.height:,} queries have no relevant document",
            where=f"the outcomes, {rows_where(without)}",
            why="no order of their documents is better than another",
            next="leave these queries out",
        )


def arrays(table: pl.DataFrame, models: list[str]) -> tuple[Any, dict[str, Any]]:
    """The relevance, and each model's scores, as ``Lists``; NaN where not retrieved."""
    import numpy as np
    import polars as pl

    from trackrecord.stats.samples import Lists

    sizes = table["truth"].list.len().fill_null(0).to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def lists(series: pl.Series) -> Any:
        full = series.filter(series.list.len().fill_null(0) > 0)
        return Lists(full.explode().cast(pl.Float64).fill_null(np.nan).to_numpy(), starts)

    return lists(table["truth"]), {name: lists(table[f"score.{name}"]) for name in models}


COLUMNS = TaskColumns(
    usual=("ndcg@10", "map", "mrr", "recall@10", "precision@10", "hit_rate@10"),
    check=check,
    arrays=arrays,
)
