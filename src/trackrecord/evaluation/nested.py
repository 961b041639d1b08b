"""Outcomes tables as they are written: a column of structs, or of lists, for a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.evaluation.reading_numbers import POINT
from trackrecord.evaluation.roles import ReadOutcomes

if TYPE_CHECKING:
    import polars as pl


def nested_in(path: Path) -> pl.DataFrame | None:
    """The table in a Parquet file that holds structs or lists, flat but for lists; else None."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trackrecord.data.sources import check_columns, sniff

    if sniff(path) != "parquet":
        return None
    try:
        schema = pq.read_schema(path)
        if not any(_is_nested(field.type) for field in schema):
            return None
        check_columns(schema.names, {}, path.name)
        return unnested(pl.read_parquet(path, use_pyarrow=False))
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError):
        return None  # its reader says what is wrong


def unnested(frame: pl.DataFrame) -> pl.DataFrame:
    """Each field of a struct as a column behind its name: ``score.rf.setosa``.

    The field ``point`` is the column itself. Columns that are there already stay as they are.
    """
    import polars as pl

    columns: dict[str, pl.Series] = {}
    for series in frame.get_columns():
        if not isinstance(series.dtype, pl.Struct):
            columns[series.name] = series
            continue
        for field in series.struct.fields:
            name = series.name if field == POINT else f"{series.name}.{field}"
            columns.setdefault(name, series.struct.field(field).alias(name))
    return pl.DataFrame(list(columns.values())) if columns else frame


def rankings_in(frame: pl.DataFrame) -> ReadOutcomes | None:
    """The Outcomes of a table that has a list of relevances for each query already."""
    import polars as pl

    from trackrecord.evaluation.roles import Asked, ids_in, others_in, places_of

    listed = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    scores = [name for name in listed if name.startswith("score.")]
    if "truth" not in listed or not scores:
        return None
    places = places_of(list(frame.columns), "the table", Asked(), truth="truth")
    lists = [frame[name].cast(pl.List(pl.Float64), strict=False) for name in ("truth", *scores)]
    parts = [ids_in(frame, places.id, "the table"), *lists]
    parts += others_in(frame, places.optional, places.sliced, "the table")
    return ReadOutcomes(pl.DataFrame(parts), [], [], [], "ranking")


def _is_nested(kind: object) -> bool:
    import pyarrow.types as types

    return bool(types.is_struct(kind) or types.is_list(kind) or types.is_large_list(kind))
