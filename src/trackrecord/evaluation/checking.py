"""One column of an Outcomes table at a time: what it must hold, and the words when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

# Values of a truth that are few enough to choose one of them.
MOST_NAMED = 6
# Weights that are smaller, beside the greatest, vanish when they are squared.
SMALLEST_SHARE = 1e-100
SHAPE = "an outcomes table has the columns id, truth (0 or 1), and score or score.NAME"


def no_column(name: str, names: list[str], where: str, *, option: str | None = None) -> DataError:
    """The error for a column that is not there, with the nearest one that is."""
    if name in names:
        return DataError(
            f"the column {name!r} was named for something else, so it cannot be used here",
            where=where,
            why="a column has one role",
            next="name another column for one of the two",
        )
    near = suggest(name, [n.lower() for n in names])
    spelt = next((n for n in names if n.lower() == near), None)
    if option is not None:
        advice = f"{option} {spelt!r}" if spelt else f"name one of its columns with {option}"
    else:
        advice = f"rename {spelt!r} to {name!r}" if spelt else SHAPE
    return DataError(
        f"{where} has no column {name!r}" if where != "the outcomes" else f"no column {name!r}",
        where=where if option is None else f"{option} {name}",
        why=f"did you mean {spelt!r}?" if spelt else f"columns: {', '.join(names[:40])}",
        next=advice,
    )


def ids_of(series: pl.Series, where: str) -> pl.Series:
    """Ids as text, each once, none missing."""
    from trackrecord.data.kinds import as_text

    ids = as_text(series).alias("id")
    check_ids(ids, where, distinct=ids.n_unique() == len(ids))
    return ids


def check_ids(ids: pl.Series, where: str, *, distinct: bool) -> None:
    """Raise DataError where an id is missing, or, not being ``distinct``, is there twice."""
    if lost := ids.null_count():
        raise DataError(
            f"the id is missing in {counted(lost)}",
            where=f"{where}, {rows_where(ids.is_null())}",
        )
    if distinct:
        return
    doubled = ids.is_duplicated()
    examples = []
    for value in ids.filter(doubled).unique(maintain_order=True).head(3).to_list():
        examples.append(f"{value[:60]!r} in {rows_where(ids == value)}")
    repeated = len(ids) - ids.n_unique()
    raise DataError(
        f"{counted(repeated)} {'repeats' if repeated == 1 else 'repeat'} an id",
        where=f"{where}: {'; '.join(examples)}",
        why="each row is one unit, with one truth and one score of each model",
        next="keep one row of each id",
    )


def truth_of(series: pl.Series, where: str, positive: str | None = None) -> pl.Series:
    """Int8 truth, 0 or 1; 1 is the value that is written ``positive``, where that is given."""
    import polars as pl

    name = series.name
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if lost := series.null_count():
        raise DataError(
            f"{name!r} is missing in {counted(lost)} of {len(series):,}",
            where=f"{where}, {rows_where(series.is_null())}",
            why="without a truth there is nothing to compare a score with",
            next="leave those rows out, or write the truth into them",
        )
    if positive is not None:
        return _called_positive(series, where, positive)
    if series.dtype == pl.Boolean:
        return series.cast(pl.Int8).alias("truth")
    if series.dtype.is_numeric() and bool(((series == 0) | (series == 1)).all()):
        return series.cast(pl.Int8).alias("truth")
    values = series.unique().sort()
    shown = ", ".join(repr(v)[:30] for v in values.head(6).to_list())
    if 2 <= len(values) <= MOST_NAMED:
        *others, last = (str(v)[:30] for v in values.to_list())
        either = ", ".join(map(repr, others))
        advice = f"say which one was predicted: --positive {last!r} (or {either})"
    else:
        advice = "write 1 where what was predicted came true and 0 where it did not"
    whole = not series.dtype.is_float() or bool((values == values.round()).all())
    if series.dtype.is_numeric() and (len(values) > MOST_NAMED or not whole):
        advice += "; where it is a number: --task regression"
    count = "one value only" if len(values) == 1 else f"{len(values):,} different values"
    raise DataError(
        f"{name!r} is not 0 or 1: it has {count}",
        where=where,
        why=shown + (", …" if len(values) > 6 else ""),
        next=advice,
    )


def _called_positive(series: pl.Series, where: str, positive: str) -> pl.Series:
    import polars as pl

    from trackrecord.data.kinds import as_text

    texts = as_text(series).str.to_lowercase() if series.dtype == pl.Boolean else as_text(series)
    holds = texts == (positive.lower() if series.dtype == pl.Boolean else positive)
    if not holds.any():
        known = texts.unique().sort().head(40).to_list()
        near = suggest(positive, known)
        raise DataError(
            f"no {series.name!r} is {positive!r}",
            where=f"{where}, --positive {positive}",
            why=f"did you mean {near!r}?" if near else f"values: {', '.join(known)[:200]}",
            next=f"--positive {near or known[-1]!r}" + ("" if near else ", or another of these"),
        )
    return holds.cast(pl.Int8).alias("truth")


@dataclass(frozen=True)
class Words:
    """What an error says of a column of numbers: of what kind it is, and what to do."""

    kind: str
    write: str
    missing: str
    fill: str
    infinite: str
    bound: str


SCORES = Words(
    kind="a score is a number: the probability that the truth is 1",
    write="write probabilities, or name another column: --score COL",
    missing="a model that gives no score for a row cannot be compared on it",
    fill="let the model score every row, or leave these rows out for every model",
    infinite="a probability is between 0 and 1, and any other score is finite",
    bound="write probabilities instead of log odds, or finite scores",
)
PROBABILITIES = Words(
    kind="a probability is a number",
    write="write probabilities, or name other columns: --score PREFIX",
    missing="a model that gives no probability for a row cannot be compared on it",
    fill="write 0 for what the model rules out, or leave these rows out for every model",
    infinite="a probability is between 0 and 1",
    bound="write probabilities instead of log odds",
)
NUMBERS = Words(
    kind="a prediction of a number is a number",
    write="write numbers, or name another column: --score COL",
    missing="a model that predicts nothing for a row cannot be compared on it",
    fill="let the model predict every row, or leave these rows out for every model",
    infinite="an infinite prediction has no finite error",
    bound="write finite predictions",
)
TRUTHS = Words(
    kind="where the truth is a number, every row has one",
    write="write numbers, or name another column: --target COL",
    missing="without a truth there is nothing to compare a prediction with",
    fill="leave those rows out, or write the truth into them",
    infinite="no prediction is near an infinite truth",
    bound="leave those rows out, or write finite numbers",
)


def score_of(series: pl.Series, where: str, words: Words = SCORES) -> pl.Series:
    """Float64 scores, or other numbers that ``words`` speak of, all finite."""
    import polars as pl

    name = series.name
    if not series.dtype.is_numeric() and series.dtype != pl.Null:
        if series.null_count() == len(series):
            series = pl.Series(name, [None] * len(series), dtype=pl.Float64)
        else:
            raise _no_numbers(series, where, words)
    series = series.cast(pl.Float64)
    missing = series.is_null() | series.is_nan().fill_null(False)
    if missing.any():
        raise DataError(
            f"{name!r} is missing or NaN in {counted(int(missing.sum()))} of {len(series):,}",
            where=f"{where}, {rows_where(missing)}",
            why=words.missing,
            next=words.fill,
        )
    infinite = series.is_infinite()
    if infinite.any():
        raise DataError(
            f"{name!r} is infinite in {counted(int(infinite.sum()))} of {len(series):,}",
            where=f"{where}, {rows_where(infinite)}",
            why=words.infinite,
            next=words.bound,
        )
    return series


def _no_numbers(series: pl.Series, where: str, words: Words) -> DataError:
    """The error for a column of something else, with the first row that has it."""
    import polars as pl

    wrong = series.is_not_null()
    if series.dtype == pl.String:
        text = series.cast(pl.Float64, strict=False).is_null() & wrong
        wrong = text if text.any() else wrong
    row = int(wrong.arg_true()[0])
    comma = _has_decimal_comma(series)
    return DataError(
        f"{series.name!r} holds {_kind(series)}, not numbers",
        where=f"{where}, row {row + 1:,}: {str(series[row])[:60]!r}",
        why=words.kind + (", with a decimal point, not a comma" if comma else ""),
        next="write the file again with decimal points" if comma else words.write,
    )


def class_of(series: pl.Series, where: str, *, truth: bool) -> pl.Series:
    """Classes as text, none missing; ``truth`` says whether they came true or were predicted."""
    import polars as pl

    from trackrecord.data.kinds import as_text

    if series.dtype.is_nested() or series.dtype == pl.Null:
        what = "nothing" if series.dtype == pl.Null else "several values in a row"
        raise DataError(f"{series.name!r} holds {what}, not a class", where=where)
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if lost := series.null_count():
        words = TRUTHS if truth else NUMBERS
        raise DataError(
            f"{series.name!r} is missing in {counted(lost)} of {len(series):,}",
            where=f"{where}, {rows_where(series.is_null())}",
            why=words.missing,
            next=words.fill,
        )
    return as_text(series)


def weights_of(series: pl.Series, where: str) -> pl.Series:
    """Float64 weights: finite, none negative, some positive."""
    import polars as pl

    name = series.name
    if not series.dtype.is_numeric():
        raise DataError(
            f"the weights hold {_kind(series)}, not numbers",
            where=f"{where}, row 1: {str(series[0])[:60]!r}",
            why="a weight is how much a row counts",
        )
    weights = series.cast(pl.Float64).alias("weight")
    lost = weights.is_null() | ~weights.is_finite().fill_null(False)
    if lost.any():
        raise DataError(
            f"the weight is missing or not finite in {counted(int(lost.sum()))}",
            where=f"{where}, {rows_where(lost)}",
            next=f"write a number into {name!r}, 0 for a row that should not count",
        )
    below = weights < 0
    if below.any():
        raise DataError(
            f"the weight is negative in {counted(int(below.sum()))}",
            where=f"{where}, {rows_where(below)}",
            why="a row cannot count less than not at all",
            next="write 0 for a row that should not count",
        )
    if not (weights > 0).any():
        raise DataError(
            "every weight is 0", where=where, why="then no row counts, and nothing can be measured"
        )
    tiny = (weights > 0) & (weights / float(weights.max()) < SMALLEST_SHARE)  # type: ignore[arg-type]
    if tiny.any():
        raise DataError(
            f"the weight is above 0 but less than {SMALLEST_SHARE:g} of the greatest in "
            f"{counted(int(tiny.sum()))}",
            where=f"{where}, {rows_where(tiny)}",
            why="beside the greatest it is too small to be reckoned with",
            next="write 0 for a row that should not count",
        )
    return weights


def optional_of(series: pl.Series) -> pl.Series:
    """A cluster as text; any other column as it is."""
    from trackrecord.data.kinds import as_text

    return as_text(series) if series.name == "cluster" else series


def _has_decimal_comma(series: pl.Series) -> bool:
    import polars as pl

    return series.dtype == pl.String and bool(
        series.drop_nulls().str.contains(r"^[+-]?\d*,\d+$").all()
    )


def _kind(series: pl.Series) -> str:
    import polars as pl

    names: dict[Any, str] = {pl.String: "text", pl.Boolean: "true and false", pl.Date: "dates"}
    return names.get(series.dtype, "times")


def counted(rows: int) -> str:
    """``1 row``, ``2 rows``."""
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def all_are(rows: int) -> str:
    """``all 5 rows are``, ``its only row is``."""
    return "its only row is" if rows == 1 else f"all {rows:,} rows are"


def rows_where(mask: pl.Series) -> str:
    """The first few rows where a mask holds, counted from 1 below the header."""
    places = mask.fill_null(False).arg_true()
    shown = ", ".join(f"{place + 1:,}" for place in places.head(5).to_list())
    more = ", …" if len(places) > 5 else ""
    return f"row{'s' if len(places) > 1 else ''} {shown}{more}"
