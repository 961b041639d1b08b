"""The six canonical kinds of column, and the only conversions into them.

Every reader ends here, so that a table means the same whatever file it came from:
``number`` (Int64, UInt64 or Float64), ``boolean``, ``string``, ``date``, ``time``
(``Datetime("us", "UTC")``) and ``missing`` (no value at all).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["string", "number", "boolean", "date", "time", "missing"]

DATE = r"^\d{4}-\d{2}-\d{2}$"
# Digits finer than a microsecond are allowed only where they are zeros.
TIME = (
    r"^\d{4}-\d{2}-\d{2}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6}0{0,3})?)?"
    r"(?:Z|[+-]\d{2}(?::?\d{2})?)?$"
)
INTEGER = r"^[+-]?\d+$"
LEADING_ZERO = r"^[+-]?0\d"
FLOAT = r"^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf|infinity|nan))$"
BOOLEAN = r"^(?i:true|false)$"


class Place(NamedTuple):
    """Where a column is from: a file's name, and how many rows came before its first."""

    file: str
    start: int = 0

    def row(self, index: int) -> str:
        """The row at ``index`` of the column, counted from 1."""
        return f"{self.file}, row {self.start + index + 1:,}"


def kind_of(series: pl.Series) -> Kind:
    """The kind of a column that is already in canonical form."""
    import polars as pl

    dtype = series.dtype
    if series.null_count() == len(series):
        return "missing"
    if dtype.is_numeric():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype == pl.Date:
        return "date"
    return "time" if isinstance(dtype, pl.Datetime) else "string"


def canonical(series: pl.Series, timezone: str, place: Place) -> pl.Series:
    """A column of any scalar type in its kind's canonical form.

    NaN and the empty string become missing; categories become strings; decimals their nearest
    float64; a time without an offset is taken as local to ``timezone``.

    Raises
    ------
    DataError
        For nested, binary, duration and time-of-day columns, and for times finer than 1 us.
    """
    import polars as pl

    dtype = series.dtype
    if dtype == pl.String:
        return _empty_is_missing(series)
    if dtype in (pl.Int64, pl.UInt64, pl.Boolean, pl.Date):
        return series
    if dtype == pl.Null:  # as in a CSV file, where every field is text at first
        return series.cast(pl.String)
    if dtype.is_float():
        return series.cast(pl.Float64).fill_nan(None)
    if dtype in (pl.Int128, pl.UInt128) or (isinstance(dtype, pl.Decimal) and dtype.scale == 0):
        return _wide_integers(series, place)
    if dtype.is_integer():
        return series.cast(pl.Int64)
    if isinstance(dtype, pl.Decimal):
        # Through text, because that conversion is correctly rounded: the decimal 0.1 is then the
        # same number as the 0.1 of a CSV file.
        return series.cast(pl.String).cast(pl.Float64)
    if isinstance(dtype, pl.Datetime):
        return _utc(series, timezone, place)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return _empty_is_missing(series.cast(pl.String))
    raise DataError(
        f"the column {series.name!r} has the type {dtype}, which a case cannot use",
        where=place.file,
        why="a column holds numbers, booleans, strings, dates or times",
        next="convert the column to one of these, or drop it",
    )


def infer(series: pl.Series, timezone: str, place: Place) -> pl.Series:
    """A column of text from a CSV file as the narrowest kind that fits **every** row."""
    import polars as pl

    series = _empty_is_missing(series)
    present = series.drop_nulls()
    if len(present) == 0:
        return series
    # A look at the first rows spares most columns most of the patterns below.
    head = present.head(100)

    def every(pattern: str) -> bool:
        return all(bool(part.str.contains(pattern).all()) for part in (head, present))

    # A successful conversion to Int64 admits decimal digits only, and is quicker than a pattern.
    whole = present.cast(pl.Int64, strict=False) if head.str.contains(INTEGER).all() else None
    if whole is not None and whole.null_count() == 0:
        return series if present.str.contains(LEADING_ZERO).any() else series.cast(pl.Int64)
    if every(FLOAT):
        if present.str.contains(LEADING_ZERO).any():
            return series
        return _parse_number(series)
    if every(BOOLEAN):
        return series.str.to_lowercase() == "true"
    if every(DATE):
        dates = series.str.to_date("%Y-%m-%d", strict=False)
        return dates if dates.null_count() == series.null_count() else series
    if every(TIME):
        times = parse_time(series, timezone, place)
        return times if times.null_count() == series.null_count() else series
    return series


def as_kind(series: pl.Series, kind: str, timezone: str, place: Place) -> pl.Series:
    """A canonical column (or raw text) as the kind that the case declares for it.

    Raises DataError naming the first row that does not fit.
    """
    import polars as pl

    if series.dtype == pl.String:
        series = _empty_is_missing(series)
    have = kind_of(series)
    if have == "missing":
        empty: dict[str, pl.DataType] = {
            "string": pl.String(),
            "number": pl.Float64(),
            "boolean": pl.Boolean(),
            "date": pl.Date(),
            "time": pl.Datetime("us", "UTC"),
        }
        return pl.Series(series.name, [], dtype=empty[kind]).clear(len(series))
    if have == kind:
        return series
    result: pl.Series | None = None
    if have == "string":
        series = _without_nan(series) if kind == "number" else series
        result = _from_text(series, kind, timezone, place)
    elif kind == "string":
        result = as_text(series)
    elif (have, kind) == ("boolean", "number"):
        result = series.cast(pl.Int64)
    elif (have, kind) == ("number", "boolean"):
        result = series.replace_strict({0: False, 1: True}, default=None, return_dtype=pl.Boolean)
    elif (have, kind) == ("date", "time"):
        result = _utc(series.cast(pl.Datetime("us")), timezone, place)
    elif (have, kind) == ("time", "date"):
        local = series.dt.convert_time_zone(timezone)
        result = pl.select(pl.when(local.dt.truncate("1d") == local).then(local.dt.date()))[:, 0]
    advice = f"correct the value, or the type of {series.name!r} under [data.types] in the case"
    if result is None:
        raise DataError(
            f"the column {series.name!r} holds {have}s, which cannot be read as {kind}s",
            where=place.file,
            next=advice,
        )
    lost = result.is_null() & series.is_not_null()
    if lost.any():
        row = lost.arg_true()[0]
        raise DataError(
            f"the column {series.name!r} is declared {kind}, but {_shown(series[row])} is not one",
            where=place.row(row),
            next=advice,
        )
    return result.alias(series.name)


def as_text(series: pl.Series) -> pl.Series:
    """A canonical column as text: whole numbers without a point, ISO dates and times."""
    import polars as pl

    dtype = series.dtype
    if dtype == pl.Float64:
        whole = series.cast(pl.Int64, strict=False)
        exact = (whole.cast(pl.Float64) == series) & (series.abs() < 2.0**53)
        return pl.select(
            pl.when(exact).then(whole.cast(pl.String)).otherwise(series.cast(pl.String))
        )[:, 0].alias(series.name)
    if isinstance(dtype, pl.Datetime):
        return series.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return series.cast(pl.String)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _empty_is_missing(series: pl.Series) -> pl.Series:
    import polars as pl

    empty = series.str.len_bytes() == 0
    if not empty.any():
        return series
    return pl.select(pl.when(~empty).then(series))[:, 0].alias(series.name)


def _without_nan(series: pl.Series) -> pl.Series:
    import polars as pl

    keep = series.str.to_lowercase() != "nan"
    return pl.select(pl.when(keep).then(series))[:, 0].alias(series.name)


def _from_text(series: pl.Series, kind: str, timezone: str, place: Place) -> pl.Series:
    import polars as pl

    if kind == "number":
        fits = series.str.contains(FLOAT)
        number = _parse_number(pl.select(pl.when(fits).then(series))[:, 0].alias(series.name))
        return number.cast(pl.Float64) if number.dtype == pl.String else number
    if kind == "boolean":
        words = {"true": True, "1": True, "false": False, "0": False}
        return series.str.to_lowercase().replace_strict(
            words, default=None, return_dtype=pl.Boolean
        )
    if kind == "date":
        return series.str.to_date("%Y-%m-%d", strict=False)
    day_only = series.str.contains(DATE)
    full = pl.select(pl.when(day_only).then(series + "T00:00:00").otherwise(series))[:, 0]
    return parse_time(full.alias(series.name), timezone, place)


def _parse_number(series: pl.Series) -> pl.Series:
    """Text that matches FLOAT as Int64, UInt64 or Float64; whole numbers past 64 bits stay text.

    Such a number is an identifier, and float64 would blur it.
    """
    import polars as pl

    if not bool(series.drop_nulls().str.contains(INTEGER).all()):
        return series.cast(pl.Float64, strict=False).fill_nan(None)
    bare = series.str.strip_prefix("+")
    for dtype in (pl.Int64, pl.UInt64):
        whole = bare.cast(dtype, strict=False)
        if whole.null_count() == series.null_count():
            return whole
    return series


def parse_time(series: pl.Series, timezone: str, place: Place) -> pl.Series:
    """ISO 8601 text as UTC microseconds; null where it is no time. See TIME for the form."""
    import polars as pl

    name = series.name
    text = pl.select(pl.when(series.str.contains(TIME)).then(series))[:, 0]
    if bool(text.drop_nulls().str.ends_with("Z").all()):
        clock, offset = text.str.strip_suffix("Z"), None
    else:
        offset = text.str.extract(r":\d{2}(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)$")
        clock = (
            text.str.replace(r"(Z|[+-]\d{2}(?::?\d{2})?)$", "")
            if offset.null_count() < len(text)
            else text
        )
    clock = clock.str.replace(" ", "T", literal=True)
    short = clock.str.len_bytes() == 16
    if short.any():
        clock = pl.select(pl.when(short).then(clock + ":00").otherwise(clock))[:, 0]
    moment = clock.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False)
    if offset is None:
        return moment.dt.replace_time_zone("UTC").alias(name)
    if offset.null_count() == len(offset):
        return _utc(moment.alias(name), timezone, place)
    digits = offset.str.replace("Z", "+00", literal=True).str.replace(":", "", literal=True)
    hours = digits.str.slice(1, 2).cast(pl.Int64)
    minutes = digits.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    east = pl.select(
        pl.when(digits.str.starts_with("-"))
        .then(-(hours * 60 + minutes))
        .otherwise(hours * 60 + minutes)
    )[:, 0]
    fixed = moment.dt.replace_time_zone("UTC") - (east * 60_000_000).cast(pl.Duration("us"))
    local = pl.select(pl.when(offset.is_null()).then(moment))[:, 0].alias(name)
    return pl.select(pl.coalesce(fixed, _utc(local, timezone, place)))[:, 0].alias(name)


def _utc(series: pl.Series, timezone: str, place: Place) -> pl.Series:
    """Any Datetime as UTC microseconds.

    A local time that a clock shows twice is the earlier one; one that no clock shows is an error.
    """
    import polars as pl

    dtype = series.dtype
    if not isinstance(dtype, pl.Datetime):
        raise TypeError(dtype)
    if dtype.time_unit == "ns":
        fine = series.dt.timestamp("ns") % 1000 != 0
        if fine.any():
            raise DataError(
                f"the column {series.name!r} has times finer than a microsecond",
                where=place.row(fine.arg_true()[0]),
                next="round them to microseconds, or keep the nanoseconds as a number",
            )
    series = series.cast(pl.Datetime("us", dtype.time_zone))
    if dtype.time_zone is not None:
        return series.dt.convert_time_zone("UTC")
    local = series.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    gone = local.is_null() & series.is_not_null()
    if gone.any():
        row = gone.arg_true()[0]
        raise DataError(
            f"the column {series.name!r} has {series[row]}, a time that no clock in {timezone} "
            "showed",
            where=place.row(row),
            why="it was skipped when the clocks went forward",
            next="write times with an offset or Z, or correct data.timezone in the case",
        )
    return local.dt.convert_time_zone("UTC")


def _wide_integers(series: pl.Series, place: Place) -> pl.Series:
    import polars as pl

    for dtype in (pl.Int64, pl.UInt64):
        narrow = series.cast(dtype, strict=False)
        if narrow.null_count() == series.null_count():
            return narrow
    raise DataError(
        f"the column {series.name!r} has whole numbers of more than 64 bits",
        where=place.file,
        next="store identifiers as strings, and measurements as floats",
    )
