"""``trackrecord features build``: the features of all rows, written beside them, and recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from trackrecord.data.blame import KeyedDataError
from trackrecord.data.features.made import gathered, histories_of, keys_of, offline
from trackrecord.data.features.reading import Events, read_events, table_path, table_paths
from trackrecord.data.features.record import (
    HOUR,
    KIND,
    FeaturesPredicate,
    ViewReport,
    ages_of,
    unmatched_share,
)
from trackrecord.data.features.spec import Written
from trackrecord.data.ingest.store import put, temporary
from trackrecord.data.named import built_table, source_table
from trackrecord.errors import BadInput, DataError, suggest
from trackrecord.ledger import Entry, Subject, record
from trackrecord.ledger.store import file_sha256

if TYPE_CHECKING:
    import polars as pl

ROWS = 1_000_000
ONCE = 2
Step = Callable[[str, float], None]


class Built(NamedTuple):
    """What was made, and its entry in the chain."""

    path: Path
    predicate: FeaturesPredicate
    entry: Entry


def build(
    root: Path,
    evidence: Path,
    written: Written,
    *,
    tool: str,
    step: Step = lambda what, share: None,
    lock: Path | None = None,
) -> Built:
    """Write ``data/built/NAME.parquet``: the rows, and beside them their features.

    Memory holds the used columns of each view's events, and a million rows at a time.

    Raises
    ------
    BadInput
        Where the name belongs to a source or a step.
    DataError
        For tables, columns and values that do not fit the definition, with file and line.
    """
    definition, plan = written.definition, written.plan
    out = built_table(root, definition.name)
    refuse_taken(root, definition.name, written)
    with written.blamed():
        rows_path = table_path(root, definition.rows.table, "rows.table")
        inputs = {definition.rows.table: rows_path}
        for name, view in definition.view.items():
            inputs |= table_paths(root, view, name)
        columns = kept_columns(rows_path, written)
        step("reading the rows", 0.05)
        keys = _keys(rows_path, written)
        events: list[Events] = []
        for number, (name, view) in enumerate(definition.view.items()):
            step(f"reading the events of {name}", 0.1 + 0.4 * number / len(plan.views))
            events.append(read_events(root, view, plan.views[number]))
        step("sorting events", 0.5)
        few = keys.height <= ONCE * ROWS
        histories = (gathered if few else histories_of)(plan, [one.frame for one in events], keys)
        hours: list[list[Any]] = [[] for _ in plan.views]
        out.parent.mkdir(parents=True, exist_ok=True)
        count = 0
        with temporary(out) as path:
            writer: Any = None
            try:
                for frame, batch in _batches(rows_path, columns, written):
                    step("joining", 0.6)
                    features, ages = offline(plan, histories, frame)
                    table = _beside(batch, features)
                    writer = writer or _writer(path, table)
                    writer.write_table(table)
                    count += frame.height
                    for view_hours, one in zip(hours, ages, strict=True):
                        view_hours.append((one[one >= 0] / HOUR).astype(np.float32))
            finally:
                if writer is not None:
                    writer.close()
            step("recording", 0.95)
            put(path, out)
    views = [
        _report(name, one, np.concatenate(view_hours), count)
        for name, one, view_hours in zip(definition.view, events, hours, strict=True)
    ]
    predicate = FeaturesPredicate(
        name=definition.name,
        tool=tool,
        definition=definition,
        rows=count,
        columns=[*columns, *(take.name for take in plan.takes)],
        features=[take.name for take in plan.takes],
        views=views,
    )
    files = [out, root / written.shown, *inputs.values()]
    subjects = [
        Subject(path.relative_to(root).as_posix(), {"sha256": file_sha256(path)}) for path in files
    ]
    entry = record(
        evidence, kind=KIND, predicate=predicate, subjects=subjects, case=None, lock_path=lock
    )
    return Built(out, predicate, entry)


def refuse_taken(root: Path, name: str, written: Written) -> None:
    """Features may not be called like a source or a step: a table's name says what it is."""
    owner = None
    if source_table(root, name).exists():
        owner = f"the source data/{name}.parquet"
    steps = [path.name for kind in ("sql", "py") for path in (root / "pipeline").glob(f"*.{kind}")
             if path.stem.lstrip("0123456789").lstrip("_") == name]  # fmt: skip
    if steps:
        owner = f"the step pipeline/{steps[0]}"
    if owner:
        raise BadInput(
            f"the name {name!r} is taken by {owner}",
            where=f"{written.shown}:{written.line_of('name') or 1}",
            next="call the features otherwise, and the file, too",
        )


def kept_columns(path: Path, written: Written) -> list[str]:
    """The columns of the rows that go along. Raises DataError where a feature has such a name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = written.definition.rows
    try:
        names = list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"the table {rows.table} cannot be read",
            where=str(path),
            why=str(error).partition("\n")[0][:200],
        ) from None
    _require(names, written)
    kept = names if rows.keep is None else list(dict.fromkeys([*rows.key, *rows.keep]))
    for take in written.plan.takes:
        if take.name in kept:
            view = next(v.name for v in written.plan.views if take in v.takes)
            raise KeyedDataError(
                f"the rows have a column {take.name!r}, and the view {view!r} makes a feature "
                "of that name",
                key=f"view.{view}",
                next="give the view a prefix, or leave the column out with keep under [rows]",
            )
    return kept


def _require(names: list[str], written: Written) -> None:
    """Raise DataError for a column that the definition names and the rows have not."""
    rows, plan = written.definition.rows, written.plan
    wanted = [("rows.keep", name, "") for name in rows.keep or []]
    wanted += [("rows.key", name, "") for name in rows.key]
    wanted += [("rows.time", plan.time, "")]
    for view in plan.views:
        by = f", by which the view {view.name!r} is joined"
        wanted += [(f"view.{view.name}.by", name, by) for name in view.by]
    for key, name, what_for in wanted:
        if name not in names:
            near = suggest(name, names)
            raise KeyedDataError(
                f"the rows have no column {name!r}{what_for}",
                key=key,
                why=f"did you mean {near!r}?" if near else f"columns: {', '.join(names[:40])}",
                next=f"name a column of the table {rows.table}",
            )


def needed_columns(written: Written) -> list[str]:
    """The columns of the rows that features are made from."""
    plan = written.plan
    return list(dict.fromkeys([*plan.keys, plan.time]))


def read_rows(path: Path, written: Written) -> pl.DataFrame:
    """Those columns of all rows. Raises DataError where one is not there."""
    import polars as pl
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        _require(file.schema_arrow.names, written)
        found = pl.from_arrow(file.read(needed_columns(written)))
    assert isinstance(found, pl.DataFrame)
    return found


def _keys(path: Path, written: Written) -> pl.DataFrame:
    """The keys of all rows; each named row must be there once."""
    import polars as pl
    import pyarrow.parquet as pq

    key = written.definition.rows.key
    if key:
        with pq.ParquetFile(path) as file:
            named = pl.from_arrow(file.read(key))
        assert isinstance(named, pl.DataFrame)
        doubled = named.is_duplicated()
        if doubled.any():
            first = named.filter(doubled).row(0)
            same = [pl.col(name).eq_missing(one) for name, one in zip(key, first, strict=True)]
            rows = named.select(pl.all_horizontal(same)).to_series()
            shown = ", ".join(str(row + 1) for row in rows.arg_true().head(3).to_list())
            raise KeyedDataError(
                f"{int(doubled.sum()):,} rows share their key with another",
                key="rows.key",
                where=f"{', '.join(map(str, first))[:80]!r} in rows {shown}",
                why="a prediction finds its features by the key",
                next="name columns that are unique under key, or none",
            )
    return keys_of(read_rows(path, written), written.plan)


def _batches(
    path: Path, columns: list[str], written: Written
) -> Iterator[tuple[pl.DataFrame, Any]]:
    """What features are made from, and the columns that go along, a million rows at a time."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    needed = needed_columns(written)
    with pq.ParquetFile(path) as file:
        wanted = list(dict.fromkeys([*columns, *needed]))
        empty = True
        for batch in file.iter_batches(batch_size=ROWS, columns=wanted):
            table = pa.Table.from_batches([batch])
            frame = pl.from_arrow(table.select(needed))
            assert isinstance(frame, pl.DataFrame)
            empty = False
            yield frame, table.select(columns)
    if empty:
        raise KeyedDataError("the table of the rows has no rows", key="rows.table")


def _beside(batch: Any, features: pl.DataFrame) -> Any:
    import polars as pl

    made = features.to_arrow(compat_level=pl.CompatLevel.oldest())
    for name in made.column_names:
        batch = batch.append_column(name, made.column(name))
    return batch


def _writer(path: Path, table: Any) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, table.schema, compression="zstd")


def _report(name: str, events: Events, hours: Any, rows: int) -> ViewReport:
    matched = len(hours)
    share, lo, hi = unmatched_share(rows - matched, rows)
    return ViewReport(
        name=name,
        events=events.rows,
        timeless=events.timeless,
        keyless=events.keyless,
        early=events.early,
        matched=matched,
        unmatched=rows - matched,
        share_unmatched=share,
        lo=lo,
        hi=hi,
        ages=ages_of(hours),
    )
