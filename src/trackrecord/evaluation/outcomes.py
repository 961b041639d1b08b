"""Outcomes: the one table that every evaluation starts from, a row per unit.

=============  ============================================================================
``id``         string, unique
``truth``      Int8, 0 or 1 (of other tasks: see ``evaluation.tasks``)
``score.NAME`` Float64, a column for each model: probability of 1, or any score that ranks
``cluster``    string, optional: rows with the same cluster depend on one another
``time``       UTC time, optional
``weight``     Float64, optional: how much a row counts; never negative
``slice.NAME`` any kind, optional: what slices are made of
=============  ============================================================================
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import check_ids, no_column, weights_of
from trackrecord.evaluation.ordering import Order, in_order, order_of
from trackrecord.evaluation.tasks import task_columns

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.stats.metrics import Task

OPTIONAL = ("cluster", "time", "weight")
# what forecasts of series have besides
PAST = ("series", "scale", "scale_squared")


def read_outcomes(path: Path) -> pl.DataFrame:
    """The Outcomes table in a Parquet, CSV, TSV or Arrow file; see ``reading.open_outcomes``."""
    from trackrecord.evaluation.reading import open_outcomes

    return open_outcomes(path).frame


def check_outcomes(
    outcomes: pl.DataFrame,
    models: list[str],
    *,
    clustered: bool,
    weighted: bool = False,
    timed: bool = False,
    task: Task = "binary",
) -> Order:
    """The order of the rows. Raises DataError unless the table is an Outcomes table of this task,
    with these models."""
    import polars as pl

    where = "the outcomes"
    for name in ("id", "truth", *(f"score.{m}" for m in models)):
        if name not in outcomes.columns:
            raise no_column(name, outcomes.columns, where)
    if clustered and "cluster" not in outcomes.columns:
        raise no_column("cluster", outcomes.columns, where)
    if weighted and "weight" not in outcomes.columns:
        raise no_column("weight", outcomes.columns, where)
    if timed and "time" not in outcomes.columns:
        raise no_column("time", outcomes.columns, where)
    if outcomes.height == 0:
        raise DataError(f"{where} have no rows")
    if outcomes["id"].dtype != pl.String:
        raise DataError(f"the ids of {where} are {outcomes['id'].dtype}, not strings")
    order = order_of(outcomes["id"])
    check_ids(outcomes["id"], where, distinct=order.distinct)
    if weighted:
        weights_of(outcomes["weight"], where)
    if timed and (lost := outcomes["time"].null_count()):
        raise DataError(
            f"the time is missing in {lost:,} rows of {where}",
            why="rows that depend on those near them in time must have one",
            next="write the time into them, or leave --time out",
        )
    task_columns(task).check(outcomes, models)
    return order


def canonical_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Rows sorted by id, columns in one order: two tables that say the same become the same."""
    return in_order(outcomes.select("id", *_columns(outcomes))).rechunk()


def ordered_outcomes(outcomes: pl.DataFrame, order: Order) -> pl.DataFrame:
    """The same in an order that is known, and without the ids, which are slow to move."""
    return in_order(outcomes.select(_columns(outcomes)), order).rechunk()


def _columns(outcomes: pl.DataFrame) -> list[pl.Expr]:
    """All columns but the ids, in one order."""
    import polars as pl

    names = outcomes.columns
    order = ["truth", *(c for c in names if c.startswith("score."))]
    order += [c for c in (*OPTIONAL, *PAST) if c in names]
    order += [c for c in names if c.startswith("slice.")]
    # A column without any value has no type of its own; text is what a file would say it is.
    empty = {c for c in order if outcomes[c].dtype == pl.Null}
    return [pl.col(c).cast(pl.String) if c in empty else pl.col(c) for c in order]


def write_outcomes(outcomes: pl.DataFrame, path: Path) -> None:
    """Write Parquet, whole or not at all; the same content gives the same bytes.

    Rows go in order of their ids, so that the bytes do not tell how the table was made.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trackrecord.ledger import write_atomic

    table = canonical_outcomes(outcomes).to_arrow()
    fields = []
    for field in table.schema:
        # Polars' string views are written as plain strings: every reader knows those.
        text = pa.types.is_string_view(field.type) or pa.types.is_large_string(field.type)
        fields.append(pa.field(field.name, pa.string() if text else field.type))
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.cast(pa.schema(fields)).combine_chunks(),
        sink,
        row_group_size=1 << 17,
        compression="zstd",
        compression_level=6,
        use_dictionary=[f.name for f in fields if f.name == "cluster" or f.name[:6] == "slice."],
        write_statistics=False,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, sink.getvalue().to_pybytes())
