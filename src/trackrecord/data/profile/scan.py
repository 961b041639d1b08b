"""Opens a table without reading it.

Parquet and Arrow files are scanned lazily; a CSV file is read whole, as its types rest on all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trackrecord.data.arrow import check_schema
from trackrecord.data.sources import check_columns, damaged, read_table, sniff

if TYPE_CHECKING:
    import polars as pl

BATCH_ROWS = 1 << 18


class Scanned(NamedTuple):
    """A table that can be read column by column.

    ``frame`` has the columns as they are stored; ``schema`` their stored types by name.
    """

    name: str
    path: Path
    frame: pl.LazyFrame
    schema: dict[str, pl.DataType]
    rows: int

    def canonical(self) -> pl.LazyFrame:
        """The same table with every column in its kind's canonical form, still lazy."""
        return self.frame.select(clean(name, dtype) for name, dtype in self.schema.items())


def scan_table(path: Path, types: Mapping[str, str] | None = None) -> Scanned:
    """The table in ``path``, whose first bytes say what it is.

    ``types`` are kinds of columns of a CSV file that are not to be inferred; of others than it has,
    nothing is said.

    Raises DataError for what is no table, for doubled or empty names, and for nested columns.
    """
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    form = sniff(path)
    try:
        if form == "parquet":
            with pq.ParquetFile(path) as file:
                names, schema = file.schema_arrow.names, file.schema_arrow
                rows = file.metadata.num_rows
            check_columns(names, {}, path.name)
            check_schema(schema, path.name)
            frame = pl.scan_parquet(path, glob=False)
        else:
            known = _known(path, types) if form == "csv" and types else {}
            whole = read_table(path, known)
            frame, rows = whole.lazy(), whole.height
        stored = dict(frame.collect_schema())
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
        raise damaged(path, form, error) from None
    return Scanned(path.stem, path, frame, stored, rows)


def _known(path: Path, types: Mapping[str, str]) -> dict[str, str]:
    """Those types whose column the file has."""
    import gzip

    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
        header = file.readline(1 << 20)
    return {name: kind for name, kind in types.items() if name in header}


def named(name: str) -> pl.Expr:
    """The one column with this name; Polars takes ``*`` and ``^…$`` for patterns of names."""
    import polars as pl
    import polars.selectors as cs

    if name == "*" or (name.startswith("^") and name.endswith("$")):
        return cs.by_name(name).as_expr()
    return pl.col(name)


def clean(name: str, dtype: pl.DataType) -> pl.Expr:
    """One stored column in canonical form: NaN and the empty string missing, times in UTC."""
    import polars as pl

    column = named(name)
    if dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum):
        text = column if dtype == pl.String else column.cast(pl.String)
        return pl.when(text.str.len_bytes() > 0).then(text).alias(name)
    if dtype.is_float() or isinstance(dtype, pl.Decimal):
        return column.cast(pl.Float64).fill_nan(None)
    if dtype.is_integer() and dtype not in (pl.Int64, pl.UInt64):
        return column.cast(pl.Int64)
    if isinstance(dtype, pl.Datetime):
        us = column.cast(pl.Datetime("us", dtype.time_zone))
        if dtype.time_zone is None:
            return us.dt.replace_time_zone("UTC")
        return us.dt.convert_time_zone("UTC")
    return column.cast(pl.String) if dtype == pl.Null else column


def read_column(table: Scanned, name: str, every: int = 1) -> pl.Series:
    """One column as stored: all of it, or of each ``every`` rows the first."""
    import polars as pl

    if every == 1:
        return table.frame.select(named(name)).collect(engine="streaming").to_series()
    parts = [part.gather_every(every) for part in _batches(table, name, every)]
    return pl.concat(parts)


def _batches(table: Scanned, name: str, every: int) -> Iterator[pl.Series]:
    """Pieces whose first row is one that is kept."""

    size = max(1, BATCH_ROWS // every) * every
    for start in range(0, table.rows, size):
        yield table.frame.select(named(name)).slice(start, size).collect().to_series()
