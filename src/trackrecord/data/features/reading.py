"""From a view's table or SQL to its events, all of them or only what was known by a moment."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trackrecord.data.blame import KeyedDataError
from trackrecord.data.features.durations import lag
from trackrecord.data.features.history import EVENT, KNOWN
from trackrecord.data.features.plan import Plan, ViewPlan
from trackrecord.data.features.spec import ALWAYS, View
from trackrecord.data.kinds import Place, as_kind, canonical
from trackrecord.data.named import named_table, table_names
from trackrecord.data.sql import closed_database
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import duckdb
    import polars as pl

ROWS = 1 << 20
NUMBERS = ("sum", "mean", "std", "min", "max")


Read = Callable[[int | None], "Events"]


class Events(NamedTuple):
    """A view's events: key and feature columns, KNOWN and EVENT in UTC microseconds.

    ``timeless`` rows had no time or no availability and are not among them; ``keyless`` ones are,
    and belong to no entity; of ``early`` ones the availability was before the event.
    """

    frame: pl.DataFrame
    rows: int
    timeless: int
    keyless: int
    early: int


def table_path(root: Path, name: str, key: str) -> Path:
    """The Parquet file of a table of the workspace. Raises DataError with the nearest name."""
    path = named_table(root, name)
    if path is None:
        names = table_names(root)
        near = suggest(name, names)
        raise KeyedDataError(
            f"there is no table {name!r}",
            key=key,
            why=f"did you mean {near!r}?" if near else f"tables: {', '.join(names) or 'none yet'}",
            next="add it: trackrecord data add FILE --name NAME",
        )
    return path


def table_paths(root: Path, view: View, name: str) -> dict[str, Path]:
    """The files that a view reads, by the name of their table."""
    if view.table is not None:
        return {view.table: table_path(root, view.table, f"view.{name}.table")}
    return {table: table_path(root, table, f"view.{name}.reads") for table in view.reads}


def read_events(root: Path, view: View, plan: ViewPlan) -> Events:
    """All events of a view.

    Raises DataError for tables and columns that are not there, times that are none, SQL that
    DuckDB refuses, and columns of a kind that a feature cannot be taken of.
    """
    with reader(root, view, plan) as read:
        return read(None)


@contextlib.contextmanager
def reader(root: Path, view: View, plan: ViewPlan) -> Iterator[Read]:
    """A function from a moment (UTC microseconds, or None) to the events known by then.

    A view of a table drops its events that were not known. One of SQL asks its question again of
    tables from which all rows have been taken that were not known: whatever the question lets
    through from them shows.
    """
    paths = table_paths(root, view, plan.name)
    if view.table is not None:
        events = settled(_of_file(paths[view.table], plan), plan, view.table)

        def filtered(cut: int | None) -> Events:
            if cut is None:
                return events
            kept = events.frame.filter(events.frame[KNOWN] <= cut)
            return events._replace(frame=kept)

        yield filtered
        return
    hidden = {table: f"t{secrets.token_hex(8)}" for table in paths}
    with closed_database({hidden[table]: path for table, path in paths.items()}) as database:

        def asked(cut: int | None) -> Events:
            for table, path in paths.items():
                clause = "" if cut is None else _until(path, table, view, plan.name, cut)
                database.execute(
                    f'CREATE OR REPLACE VIEW "{table}" AS SELECT * FROM {hidden[table]}{clause}'
                )
            frame = _answer(database, view.sql or "", plan.name)
            _require(list(frame.columns), plan, "the answer of its sql")
            return settled(frame, plan, f"the view {plan.name}")

        yield asked


def _of_file(path: Path, plan: ViewPlan) -> pl.DataFrame:
    """The columns of a Parquet file that the view needs."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _require(names, plan, path.stem)
            found = pl.from_arrow(file.read(columns=_needed(plan)))
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"the table {path.stem} cannot be read",
            where=str(path),
            why=str(error).partition("\n")[0][:200],
        ) from None
    assert isinstance(found, pl.DataFrame)
    return found


def _needed(plan: ViewPlan) -> list[str]:
    extra = [plan.available] if plan.available else []
    return list(dict.fromkeys([*plan.by, plan.time, *extra, *plan.columns]))


def _require(known: list[str], plan: ViewPlan, where: str) -> None:
    for name in _needed(plan):
        if name not in known:
            near = suggest(name, known)
            why = f"did you mean {near!r}?" if near else f"columns: {', '.join(known[:40])}"
            if name == plan.available:
                why += '; or a span, as available = "6 hours after"'
            raise KeyedDataError(
                f"the view {plan.name!r} needs a column {name!r}, which {where} has not",
                key=f"view.{plan.name}",
                why=why,
                next="correct the name in the features' file",
            )


def settled(frame: pl.DataFrame, plan: ViewPlan, where: str) -> Events:
    """Events in canonical kinds, with the moments at which they happened and became known.

    A time without an offset is UTC, as it is for DuckDB here.
    """
    import polars as pl

    place = Place(where)
    columns = {name: canonical(frame[name], "UTC", place) for name in _needed(plan)}
    event = _moments(columns[plan.time], place, plan.name)
    known = event + plan.delay
    early = 0
    if plan.available is not None:
        available = _moments(columns[plan.available], place, plan.name)
        early = int((available < event).sum())
        # Nothing is known before it has happened.
        known = pl.select(pl.max_horizontal(event, available))[:, 0].set(available.is_null(), None)
    used = pl.DataFrame([columns[name] for name in dict.fromkeys([*plan.by, *plan.columns])])
    used = used.with_columns(event.alias(EVENT), known.alias(KNOWN))
    _check_kinds(used, plan)
    lost = event.is_null() | known.is_null()
    timeless = int(lost.sum())
    if timeless:
        used = used.filter(~lost)
    keyless = 0
    if plan.by and any(used[name].null_count() for name in plan.by):
        keyless = int(used.select(pl.any_horizontal(pl.col(plan.by).is_null()).sum()).item())
    return Events(used, frame.height, timeless, keyless, early)


def _moments(series: pl.Series, place: Place, view: str) -> pl.Series:
    """A time column as UTC microseconds."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Int64)
    if isinstance(series.dtype, pl.Datetime):
        return as_kind(series, "time", "UTC", place).to_physical()
    first = series.drop_nulls()[0]
    day = series.dtype == pl.Date
    raise KeyedDataError(
        f"the column {series.name!r} does not hold times",
        key=f"view.{view}",
        where=f"{place.file}, first value: {str(first)[:60]!r}",
        why="what is told of a day is known when the day is over" if day else None,
        next=f"in the view's sql: CAST({series.name} AS TIMESTAMP) + INTERVAL 1 DAY" if day
        else f"in the view's sql: CAST({series.name} AS TIMESTAMPTZ)",
    )  # fmt: skip


def _check_kinds(frame: pl.DataFrame, plan: ViewPlan) -> None:
    """Each way to take a feature against its column, and each default against the feature."""
    import polars as pl

    for take in plan.takes:
        kind = frame.schema.get(take.column, pl.Int64())
        empty = take.column in frame.columns and frame[take.column].null_count() == frame.height
        what, fit = None, f"count {take.column!r}, or take its latest value"
        if take.how in NUMBERS and not kind.is_numeric() and not empty:
            what = f"{take.how} is of numbers, and {take.column!r} holds {_kind(kind)}"
            if kind == pl.Boolean:
                fit = f"take the share of {take.column!r}"
        elif take.how == "share" and kind != pl.Boolean and not empty:
            what = f"share is of true and false, and {take.column!r} holds {_kind(kind)}"
            fit = "make it true or false in the view's sql"
        elif take.default is not None and not _admits(take.how, kind, take.default) and not empty:
            what = f"the default {take.default!r} is of another kind than the feature"
            fit = "write one of its kind, or none"
        if what:
            raise KeyedDataError(
                f"the feature {take.name!r} cannot be made: {what}",
                key=f"view.{plan.name}.features.{take.name}",
                next=fit,
            )


def _admits(how: str, kind: pl.DataType, default: object) -> bool:
    import polars as pl

    if how in ("count", "distinct"):
        return isinstance(default, int) and not isinstance(default, bool)
    if how in ("latest", "last", "min", "max") and kind.is_integer():
        return isinstance(default, int) and not isinstance(default, bool)
    if how in ("latest", "last") and kind == pl.String:
        return isinstance(default, str)
    if how in ("latest", "last") and kind == pl.Boolean:
        return isinstance(default, bool)
    if how in ("latest", "last") and not kind.is_numeric():
        return False
    return isinstance(default, int | float) and not isinstance(default, bool)


def _kind(kind: Any) -> str:
    return {"String": "text", "Boolean": "true and false", "Date": "dates"}.get(
        str(kind), "times" if str(kind).startswith("Datetime") else str(kind)
    )


def _until(path: Path, table: str, view: View, name: str, cut: int) -> str:
    """The condition that a row was known by ``cut``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = view.reads[table]
    if told == ALWAYS:
        return ""
    delay, column = lag(told)
    schema = pq.read_schema(path)
    key = f"view.{name}.reads.{table}"
    if column not in schema.names:
        near = suggest(column, schema.names)
        raise KeyedDataError(
            f"{table} has no column {column!r}, by which its rows become known",
            key=key,
            why=f"did you mean {near!r}?" if near else f"columns: {', '.join(schema.names[:40])}",
            next=f'write "TIME COLUMN", "1 day after TIME COLUMN" or "{ALWAYS}"',
        )
    if not pa.types.is_timestamp(schema.field(column).type):
        raise KeyedDataError(
            f"the column {column!r} of {table} does not hold times",
            key=key,
            next="name the time column at which a row is known",
        )
    quoted = column.replace('"', '""')
    return f' WHERE epoch_us("{quoted}") <= {cut - delay}'


def _answer(database: duckdb.DuckDBPyConnection, sql: str, view: str) -> pl.DataFrame:
    import duckdb
    import polars as pl

    try:
        answer = database.sql(sql)
        if answer is None:
            raise KeyedDataError(
                f"the sql of the view {view!r} is no question",
                key=f"view.{view}.sql",
                why="a view is what a SELECT answers",
                next="write SELECT … FROM a table that is named under reads",
            )
        names = list(answer.columns)
        if doubled := next((name for name in names if names.count(name) > 1), None):
            raise KeyedDataError(
                f"the sql of the view {view!r} answers two columns {doubled!r}",
                key=f"view.{view}.sql",
                next=f"name one of them otherwise: {doubled} AS another",
            )
        found = pl.from_arrow(answer.to_arrow_reader(ROWS).read_all())
    except duckdb.Error as error:
        raise _refused(error, view) from None
    assert isinstance(found, pl.DataFrame)
    return found


def _refused(error: Exception, view: str) -> DataError:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return KeyedDataError(
        f"DuckDB does not answer the sql of the view {view!r}",
        key=f"view.{view}.sql",
        why=" ".join(lines)[:400],
        next="it reads the tables that are named under reads, and nothing else",
    )


def own_times(frame: pl.DataFrame, plan: Plan) -> pl.Series:
    """The rows' time as UTC microseconds; a date is its midnight in the features' time zone."""
    import polars as pl

    place = Place("the rows")
    if plan.time not in frame.columns:
        near = suggest(plan.time, frame.columns)
        raise KeyedDataError(
            f"the rows have no column {plan.time!r}",
            key="rows.time",
            why=f"did you mean {near!r}?" if near else f"columns: {', '.join(frame.columns[:40])}",
        )
    series = canonical(frame[plan.time], "UTC", place)
    if series.null_count() == len(series):
        return pl.Series(plan.time, [None] * len(series), dtype=pl.Datetime("us", "UTC"))
    if series.dtype != pl.Date and not isinstance(series.dtype, pl.Datetime):
        raise KeyedDataError(
            f"the column {plan.time!r} of the rows does not hold times",
            key="rows.time",
            where=f"first value: {str(series.drop_nulls()[0])[:60]!r}",
            why="a time is written like 2013-01-31T18:00:00Z",
            next=f"add the table again with --type {plan.time}=time",
        )
    return as_kind(series, "time", plan.timezone, place)


def utc_text(moment: int) -> str:
    """Microseconds in UTC as ``2013-01-31T18:00:00Z``."""
    return f"{np.datetime64(moment, 'us').astype('M8[s]')}Z"
