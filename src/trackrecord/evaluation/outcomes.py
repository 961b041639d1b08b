"""Outcomes: the one table that every evaluation starts from, a row per unit.

=============  ============================================================================
``id``         string, unique
``truth``      Int8, 0 or 1
``score.NAME`` Float64, a column for each model: probability of 1, or any score that ranks
``cluster``    string, optional: rows with the same cluster depend on one another
``time``       UTC time, optional
``slice.NAME`` any kind, optional: what slices are made of
=============  ============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

# Other names that programs give these columns, the likeliest first.
ID_NAMES = ("id", "row_id", "unit_id", "unit", "index", "key")
TRUTH_NAMES = ("truth", "y_true", "label", "target", "actual", "outcome", "y", "labels", "class")
SCORE_NAMES = (
    *("score", "y_score", "probability", "proba", "prob", "y_prob", "y_proba", "y_pred_proba"),
    *("predict_proba", "prediction", "predicted", "pred", "y_pred", "p", "y_hat"),
)
OPTIONAL = ("cluster", "time")
SHAPE = "an outcomes table has the columns id, truth (0 or 1), and score or score.NAME"


@dataclass(frozen=True)
class ReadOutcomes:
    """An Outcomes table, and what had to be guessed to read it so, a sentence each."""

    frame: pl.DataFrame
    guesses: list[str]


def read_outcomes(path: Path) -> pl.DataFrame:
    """The Outcomes table in a Parquet, CSV, TSV or Arrow file. See :func:`open_outcomes`."""
    return open_outcomes(path).frame


def open_outcomes(path: Path) -> ReadOutcomes:
    """Read a file in any of the common shapes, saying what was guessed.

    Raises
    ------
    DataError
        For a file that is empty or no table; without truth or scores (with a suggestion); with
        doubled columns or ids; and for truth and scores that are missing, NaN, infinite, text or,
        for truth, anything but 0 and 1 – naming rows.
    """
    from trackrecord.data.sources import read_table

    return interpret(read_table(path), path.name)


def interpret(raw: pl.DataFrame, where: str) -> ReadOutcomes:
    """Like :func:`open_outcomes`, for a table already in memory."""
    import polars as pl

    if raw.height == 0:
        raise DataError(f"{where} has no rows", next=SHAPE)
    guesses: list[str] = []
    names = list(raw.columns)
    truth = _named(names, TRUTH_NAMES)
    if truth is None:
        raise _no_column("truth", names, where)
    known_id = _named(names, ID_NAMES)
    scores = {c: c.removeprefix("score.") for c in names if c.startswith("score.")}
    if "score." in scores:
        raise DataError(f"{where} has a column 'score.' without a model's name", next=SHAPE)
    if not scores:
        column = _score_column(raw, {truth, known_id, *OPTIONAL}, where)
        scores = {column: "score" if column.lower() in SCORE_NAMES else column}
        if column != "score":
            guesses.append(f"the column {column!r} holds the scores")
    elif "score" in names:
        raise DataError(
            f"{where} has both 'score' and 'score.NAME' columns", next="give each model one name"
        )
    if truth != "truth":
        guesses.append(f"the column {truth!r} holds the truth")
    if known_id is None:
        guesses.append("there is no id column, so rows are named by their number")
        ids = pl.int_range(1, raw.height + 1, eager=True).cast(pl.String).alias("id")
    else:
        if known_id != "id":
            guesses.append(f"the column {known_id!r} holds the ids")
        ids = _ids(raw[known_id], where)
    columns = [ids, _truth(raw[truth], where)]
    columns += [_score(raw[c], where).alias(f"score.{name}") for c, name in scores.items()]
    columns += [_optional(raw[name]) for name in OPTIONAL if name in names]
    columns += [raw[name] for name in names if name.startswith("slice.") and name != "slice."]
    used = {truth, known_id, *scores, *OPTIONAL}
    unused = [name for name in names if name not in used and not name.startswith("slice.")]
    if unused:
        shown = ", ".join(unused[:8]) + (f", … ({len(unused)} in all)" if len(unused) > 8 else "")
        guesses.append(f"not used: {shown} (name a column slice.NAME to slice by it)")
    return ReadOutcomes(pl.DataFrame(columns), guesses)


def check_outcomes(outcomes: pl.DataFrame, models: list[str], *, clustered: bool) -> None:
    """Raise DataError unless the table is an Outcomes table with these models' scores."""
    import polars as pl

    where = "the outcomes"
    for name in ("id", "truth", *(f"score.{m}" for m in models)):
        if name not in outcomes.columns:
            raise _no_column(name, outcomes.columns, where)
    if clustered and "cluster" not in outcomes.columns:
        raise _no_column("cluster", outcomes.columns, where)
    if outcomes.height == 0:
        raise DataError(f"{where} have no rows")
    if outcomes["id"].dtype != pl.String:
        raise DataError(f"the ids of {where} are {outcomes['id'].dtype}, not strings")
    _ids(outcomes["id"], where)
    _truth(outcomes["truth"], where)
    for name in models:
        _score(outcomes[f"score.{name}"], where)


def canonical_outcomes(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Rows sorted by id, columns in one order: two tables that say the same become the same."""
    import polars as pl

    names = outcomes.columns
    order = ["id", "truth", *(c for c in names if c.startswith("score."))]
    order += [c for c in OPTIONAL if c in names]
    order += [c for c in names if c.startswith("slice.")]
    # A column without any value has no type of its own; text is what a file would say it is.
    empty = [pl.col(c).cast(pl.String) for c in names if outcomes[c].dtype == pl.Null]
    return outcomes.with_columns(empty).select(order).sort("id").rechunk()


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


def _named(names: list[str], known: tuple[str, ...]) -> str | None:
    """The first column that has one of the known names, in any case; exact spelling first."""
    if known[0] in names:
        return known[0]
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[word] for word in known if word in lower), None)


def _score_column(raw: pl.DataFrame, taken: set[str | None], where: str) -> str:
    """The one column of scores where none is called ``score.NAME``."""
    found = _named(raw.columns, SCORE_NAMES)
    if found is not None:
        return found
    free = [
        name
        for name in raw.columns
        if name not in taken
        and not name.startswith("slice.")
        and (raw[name].dtype.is_float() or _is_share(raw[name]))
    ]
    if len(free) == 1:
        return free[0]
    if free:
        raise DataError(
            f"{where} has several columns that could be scores: {', '.join(free[:8])}",
            next="rename each model's to score.NAME",
        )
    raise _no_column("score", raw.columns, where)


def _is_share(series: pl.Series) -> bool:
    return series.dtype.is_integer() and bool(series.is_between(0, 1).all())


def _no_column(name: str, names: list[str], where: str) -> DataError:
    near = suggest(name, [n.lower() for n in names])
    spelt = next((n for n in names if n.lower() == near), None)
    return DataError(
        f"{where} has no column {name!r}" if where != "the outcomes" else f"no column {name!r}",
        where=where,
        why=f"did you mean {spelt!r}?" if spelt else f"columns: {', '.join(names[:40])}",
        next=f"rename {spelt!r} to {name!r}" if spelt else SHAPE,
    )


def _ids(series: pl.Series, where: str) -> pl.Series:
    from trackrecord.data.kinds import as_text

    if lost := series.null_count():
        raise DataError(
            f"the id is missing in {_count(lost)}", where=f"{where}, {_rows(series.is_null())}"
        )
    ids = as_text(series).alias("id")
    if ids.n_unique() != len(ids):
        doubled = ids.is_duplicated()
        examples = []
        for value in ids.filter(doubled).unique(maintain_order=True).head(3).to_list():
            examples.append(f"{value[:60]!r} in {_rows(ids == value)}")
        raise DataError(
            f"{_count(len(ids) - ids.n_unique())} repeat an id",
            where=f"{where}: {'; '.join(examples)}",
            why="each row is one unit, with one truth and one score of each model",
            next="keep one row of each id",
        )
    return ids


def _truth(series: pl.Series, where: str) -> pl.Series:
    """Int8 truth, 0 or 1."""
    import polars as pl

    name = series.name
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if lost := series.null_count():
        raise DataError(
            f"{name!r} is missing in {_count(lost)} of {len(series):,}",
            where=f"{where}, {_rows(series.is_null())}",
            why="without a truth there is nothing to compare a score with",
            next="leave those rows out, or write the truth into them",
        )
    if series.dtype == pl.Boolean:
        return series.cast(pl.Int8).alias("truth")
    if series.dtype.is_numeric() and bool(((series == 0) | (series == 1)).all()):
        return series.cast(pl.Int8).alias("truth")
    values = series.unique().sort()
    shown = ", ".join(repr(v)[:30] for v in values.head(6).to_list())
    if len(values) == 2:
        low, high = (repr(v)[:30] for v in values.to_list())
        advice = f"write 1 for the value that is predicted and 0 for the other: {low}, {high}"
    else:
        advice = "write 1 where what was predicted came true and 0 where it did not"
    raise DataError(
        f"{name!r} is not 0 or 1: it has {len(values):,} different values",
        where=where,
        why=shown + (", …" if len(values) > 6 else ""),
        next=advice,
    )


def _score(series: pl.Series, where: str) -> pl.Series:
    """Float64 scores, all finite."""
    import polars as pl

    name = series.name
    if not series.dtype.is_numeric() and series.dtype != pl.Null:
        if series.null_count() == len(series):
            series = series.cast(pl.Float64, strict=False)
        else:
            wrong = series.cast(pl.String).cast(pl.Float64, strict=False).is_null()
            wrong = wrong & series.is_not_null() if wrong.any() else series.is_not_null()
            row = int(wrong.arg_true()[0])
            raise DataError(
                f"{name!r} holds {_kind(series)}, not numbers",
                where=f"{where}, row {row + 1:,}: {str(series[row])[:60]!r}",
                why="a score is a number: the probability that the truth is 1",
            )
    series = series.cast(pl.Float64)
    missing = series.is_null() | series.is_nan().fill_null(False)
    if missing.any():
        raise DataError(
            f"{name!r} is missing or NaN in {_count(int(missing.sum()))} of {len(series):,}",
            where=f"{where}, {_rows(missing)}",
            why="a model that gives no score for a row cannot be compared on it",
            next="let the model score every row, or leave these rows out for every model",
        )
    infinite = series.is_infinite()
    if infinite.any():
        raise DataError(
            f"{name!r} is infinite in {_count(int(infinite.sum()))} of {len(series):,}",
            where=f"{where}, {_rows(infinite)}",
            why="a probability is between 0 and 1, and any other score is finite",
            next="write probabilities instead of log odds, or finite scores",
        )
    return series


def _optional(series: pl.Series) -> pl.Series:
    from trackrecord.data.kinds import as_text

    return as_text(series) if series.name == "cluster" else series


def _kind(series: pl.Series) -> str:
    import polars as pl

    names: dict[Any, str] = {pl.String: "text", pl.Boolean: "true and false", pl.Date: "dates"}
    return names.get(series.dtype, "times")


def _count(rows: int) -> str:
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def _rows(mask: pl.Series) -> str:
    """The first few rows where a mask holds, counted from 1 below the header."""
    places = mask.fill_null(False).arg_true()
    shown = ", ".join(f"{place + 1:,}" for place in places.head(5).to_list())
    more = ", …" if len(places) > 5 else ""
    return f"row{'s' if len(places) > 1 else ''} {shown}{more}"
