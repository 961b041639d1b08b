"""Documents ranked for queries, a row for each query: ``truth`` List(Float64), the relevance of
each document; ``score.NAME`` List(Float64) of the same documents, null where not retrieved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.evaluation.tasks import TaskColumns

if TYPE_CHECKING:
    import polars as pl


def check(outcomes: pl.DataFrame, models: list[str]) -> None:
    """Raise DataError unless every query has as many scores as judged or retrieved documents."""
    import polars as pl

    lengths = None
    for name in ("truth", *(f"score.{model}" for model in models)):
        series = outcomes[name]
        if not isinstance(series.dtype, pl.List):
            raise DataError(f"{name!r} holds no list for each query")
        mine = series.list.len().fill_null(0)
        if lengths is not None and not (mine == lengths).all():
            raise DataError(f"{name!r} does not have a value for each of a query's documents")
        lengths = mine


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
