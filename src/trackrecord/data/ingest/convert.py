"""From record batches to one Parquet file, with the memory of a few batches.

Kinds rest on **all** rows. The first block says what each column seems to be; while that holds,
blocks are written as they are read. Where a later value needs a wider form, the first reading
goes on without writing, and a second one writes what is then known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from trackrecord.data.arrow import check_schema, plain
from trackrecord.data.ingest.column import Column, as_arrow
from trackrecord.data.ingest.record import Note, SourceColumn
from trackrecord.data.ingest.sink import Sink
from trackrecord.data.kinds import Place, canonical
from trackrecord.data.sources import check_columns
from trackrecord.errors import BadInput, DataError, suggest

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

KINDS = ("string", "number", "boolean", "date", "time")


class Batches(Protocol):
    """A table that can be read more than once, block by block.

    ``inferred`` says of a column of text whether its kind is found from the values: "all" kinds
    (a CSV file), "times" alone (text in a format that knows numbers), or it is not in there.
    ``notes`` says what the latest reading left out.
    """

    where: str
    schema: pa.Schema
    inferred: dict[str, str]

    def batches(self) -> Iterator[pa.RecordBatch]: ...

    def notes(self) -> list[Note]: ...


class Converted(NamedTuple):
    """What was written."""

    rows: int
    columns: list[SourceColumn]
    notes: list[Note]


def checked_types(words: list[str]) -> dict[str, str]:
    """``NAME=KIND`` or ``NAME=date:%d.%m.%Y`` from the command line, by column."""
    types: dict[str, str] = {}
    for word in words:
        name, mark, kind = word.rpartition("=") if ":" not in word else _patterned(word)
        base, _, pattern = kind.partition(":")
        if not mark or not name or base not in KINDS or (pattern and base not in ("date", "time")):
            raise BadInput(
                f"--type {word} is not a column and its kind",
                why=f"kinds: {', '.join(KINDS)}; date and time take a pattern after a colon",
                next="write --type zip=string, or --type day=date:%d.%m.%Y",
            )
        types[name] = kind
    return types


def _patterned(word: str) -> tuple[str, str, str]:
    before, _, pattern = word.partition(":")
    name, mark, kind = before.rpartition("=")
    return name, mark, f"{kind}:{pattern}"


def convert(
    source: Batches,
    out: Path,
    types: Mapping[str, str],
    step: Callable[[str, float], None] = lambda what, share: None,
) -> Converted:
    """Write ``source`` to the Parquet file ``out``.

    Raises
    ------
    DataError
        For doubled or empty names, columns of no kind, and a table without rows.
    """
    names = list(source.schema.names)
    _check_names(names, types, source.where)
    columns = [_column(source, name, types.get(name)) for name in names]
    rows = _first(source, columns, out, step)
    if rows == 0:
        raise DataError(
            f"{source.where} has no rows",
            why=f"it has a header of {len(names):,} columns, and nothing below it",
            next="export the table again, with its rows",
        )
    notes = source.notes()
    if not all(column.fits for column in columns):
        step("reading again, as later rows needed other types", 0.55)
        for column in columns:
            column.finish()
        _second(source, columns, out)
    found = [SourceColumn(column.name, column.kind, column.missing) for column in columns]  # type: ignore[arg-type]
    for column in columns:
        notes += column.notes()
    return Converted(rows, found, notes)


def _check_names(names: list[str], types: Mapping[str, str], where: str) -> None:
    check_columns(names, {}, where)
    for name in types:
        if name not in names:
            near = suggest(name, names)
            raise BadInput(
                f"--type names {name!r}, which is not a column of {where}",
                why=f"did you mean {near!r}?" if near else f"columns: {', '.join(names[:40])}",
            )


class TypedColumn(Column):
    """A column whose type the file knows."""

    def take(self, values: pa.Array, start: int) -> pa.Array | None:
        """The block in canonical form."""
        series = _series(self.name, values)
        made = _canonical(series, Place(self.where, start))
        if made.null_count() > series.null_count():
            import polars as pl

            lost = made.is_null() & series.is_not_null()
            code = "nan" if series.dtype.is_float() else "empty"
            self._count(code, series.cast(pl.String), lost, start)
        self.nulls += made.null_count()
        self.present = self.present or made.null_count() < len(made)
        return as_arrow(made)

    present = False
    where = ""

    def write(self, values: pa.Array) -> pa.Array:
        """As the first reading did."""
        return as_arrow(_canonical(_series(self.name, values), Place(self.where)))

    def finish(self) -> None:
        """Nothing: the type is known."""

    def _told(self, code: str) -> bool:
        return bool(self.counts.get(code)) and code == "nan"

    @property
    def kind(self) -> str:
        """The canonical kind; ``missing`` where no row has a value."""
        return self.target if self.present else "missing"


def _canonical(series: pl.Series, place: Place) -> pl.Series:
    import polars as pl

    dtype = series.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        # The zone is for the case to say: the clock's time is kept as it is.
        return canonical(series, "UTC", place).dt.replace_time_zone(None)
    return canonical(series, "UTC", place)


def _column(source: Batches, name: str, declared: str | None) -> Column:
    import polars as pl
    import pyarrow.types as kinds

    if declared is not None or name in source.inferred:
        return Column(name, typed=source.inferred.get(name) == "times", declared=declared)
    field = source.schema.field(name)
    check_schema_of(source, name)
    if _wide(field.type):
        return Column(name)
    column = TypedColumn(name)
    column.where = source.where
    empty = _series(name, _empty(field.type))
    made = _canonical(empty, Place(source.where))
    if made.dtype.is_numeric():
        column.target = "number"
    elif isinstance(made.dtype, pl.Datetime):
        column.target = "time"
    else:
        names = {pl.Boolean: "boolean", pl.Date: "date"}
        column.target = names.get(made.dtype.base_type(), "string")
    if kinds.is_null(field.type):
        column.target = "missing"
    return column


def check_schema_of(source: Batches, name: str) -> None:
    """Raise DataError unless the column's type has a canonical kind."""
    import pyarrow as pa

    check_schema(pa.schema([source.schema.field(name)]), source.where)


def _wide(kind: pa.DataType) -> bool:
    """Decimals without a fraction: whether they are whole numbers of 64 bits, their values say."""
    import pyarrow.types as kinds

    return bool(kinds.is_decimal(kind)) and kind.scale == 0


def _empty(kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    return pa.array([], type=kind)


def _series(name: str, values: Any) -> pl.Series:
    import polars as pl

    # Polars takes ^…$ for a pattern of names; with a space behind it is none.
    return pl.Series(f"{name} " if name.startswith("^") else name, plain(values))


def _taken(column: Column, values: pa.Array, start: int) -> pa.Array | None:
    return column.take(values, start)


def _written(column: Column, values: pa.Array) -> pa.Array:
    return column.write(values)


def _first(
    source: Batches, columns: list[Column], out: Path, step: Callable[[str, float], None]
) -> int:
    """The first reading; returns the rows. ``out`` is whole only if every column fits."""
    rows = 0
    sink: Sink | None = Sink(out, list(source.schema.names))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            for batch in ahead(source.batches()):
                made = list(pool.map(_taken, columns, batch.columns, repeat(rows)))
                rows += batch.num_rows
                step("reading", min(0.5, rows / 1e8))
                if sink is not None and any(block is None for block in made):
                    sink.drop()
                    sink = None
                if sink is not None:
                    sink.add([block for block in made if block is not None])
            if sink is not None and rows:
                for column in columns:
                    column.finish()
                sink.close()
                sink = None
        finally:
            if sink is not None:
                sink.drop()
    return rows


def ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches; while one is worked on, the next is read."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _second(source: Batches, columns: list[Column], out: Path) -> None:
    sink: Sink | None = Sink(out, list(source.schema.names))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        try:
            for batch in ahead(source.batches()):
                made = pool.map(_written, columns, batch.columns)
                sink.add(list(made))  # type: ignore[union-attr]
            sink.close()  # type: ignore[union-attr]
            sink = None
        finally:
            if sink is not None:
                sink.drop()
