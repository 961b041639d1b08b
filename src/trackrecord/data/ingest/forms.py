"""The form of a column of text, found block by block: the narrowest that fits every value.

The same answer as :func:`trackrecord.data.kinds.infer` gives for the whole column at once; a test
holds them together. Two kinds need more than a name: whole numbers signed (``int``), unsigned
(``uint``) or past 64 bits (``wide``, kept as text), and times with an offset (``time``) or without
(``local``: no zone is made up for them, the case names one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trackrecord.data.kinds import BOOLEAN, DATE, INTEGER, LEADING_ZERO, TIME, Place, parse_time

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

NUMBERS = ("int", "uint", "wide", "float")
KINDS = {
    "int": "number",
    "uint": "number",
    "float": "number",
    "local": "time",
    "wide": "string",
}
_OFFSET = r"(?:Z|[+-]\d{2}(?::?\d{2})?)$"
# What a time ends in, with the digits of its clock before it: a day's "-05" is no offset.
_ZONED = r":\d{2}(?:\.\d+)?" + _OFFSET


class Form(NamedTuple):
    """The narrowest form of the values so far, and what the next block must know of them."""

    name: str = "missing"
    negative: bool = False
    zeros: bool = False

    @property
    def final(self) -> str:
        """The form that the whole column gets: zeros in front make an identifier of a number."""
        if self.name == "wide" or (self.name in NUMBERS and self.zeros):
            return "string"
        return self.name


def join(one: Form, other: Form) -> Form:
    """The form of two blocks together."""
    if "missing" in (one.name, other.name):
        return other if one.name == "missing" else one
    negative, zeros = one.negative or other.negative, one.zeros or other.zeros
    names = {one.name, other.name}
    if len(names) == 1:
        name = one.name
    elif names <= set(NUMBERS) and "float" in names:
        name = "float"
    elif names <= set(NUMBERS):
        name = "wide" if "wide" in names or negative else "uint"
    else:
        name = "string"
    if name == "uint" and negative:
        name = "wide"
    return Form(name, negative, zeros)


def form_of(series: pl.Series) -> Form:
    """The form of one block of text, in which missing values are null."""
    present = series.drop_nulls()
    if len(present) == 0:
        return Form()
    import polars as pl

    if (whole := exact(present, "int")) is not None:
        return Form("int", signed(present), leading_zeros(present, whole))
    head = present.head(100)
    number = present.cast(pl.Float64, strict=False)
    if number.null_count() == 0:
        zeros = leading_zeros(present)
        if head.str.contains(INTEGER).all() and present.str.contains(INTEGER).all():
            negative = signed(present)
            unsigned = not negative and exact(present, "uint") is not None
            return Form("uint" if unsigned else "wide", negative, zeros)
        return Form("float", bool((number < 0).any()), zeros)
    for name, pattern in (("boolean", BOOLEAN), ("date", DATE), ("time", TIME)):
        if head.str.contains(pattern).all() and present.str.contains(pattern).all():
            for form in (name, "local") if name == "time" else (name,):
                if exact(present, form) is not None:
                    return Form(form)
            break
    return Form("string")


def signed(series: pl.Series) -> bool:
    """Whether any number has a minus, which no unsigned one has: -0 neither."""
    return bool(series.str.starts_with("-").any())


def leading_zeros(present: pl.Series, whole: pl.Series | None = None) -> bool:
    """Whether any number is written like 007; ``whole`` are the same as integers, if they are.

    Integers that take as many bytes as their digits have no zeros in front, and no pattern is
    needed to see it.
    """
    if whole is not None and int(present.str.len_bytes().sum()) == _digits(whole):
        return False
    return bool(present.str.contains(LEADING_ZERO).any())


def _digits(whole: pl.Series) -> int:
    import numpy as np

    values = whole.drop_nulls().to_numpy()
    size = np.abs(values)
    powers = 10 ** np.arange(1, 19, dtype=np.int64)
    return int(np.searchsorted(powers, size, side="right").sum() + (values < 0).sum() + len(size))


def exact(series: pl.Series, form: str, values: pa.Array | None = None) -> pl.Series | None:
    """The values in a form; None when one of them does not fit it. Nulls stay.

    ``values`` are the same in Arrow, whose parser of dates and times is the quicker one.
    """
    import polars as pl

    if form in ("string", "missing"):
        return series if form == "string" or series.null_count() == len(series) else None
    made: pl.Series | None
    if form == "int":
        made = series.cast(pl.Int64, strict=False)
    elif form == "uint":
        made = series.str.strip_prefix("+").cast(pl.UInt64, strict=False)
    elif form == "float":
        made = series.cast(pl.Float64, strict=False)
    elif form == "boolean":
        if not series.str.contains(BOOLEAN).all():
            return None
        made = series.str.to_lowercase() == "true"
    else:
        made = _clock(series, form, values)
    return made if made is not None and made.null_count() == series.null_count() else None


def typed(form: str) -> pl.DataType:
    """The type that a form has in the Parquet file."""
    import polars as pl

    types: dict[str, pl.DataType] = {
        "int": pl.Int64(),
        "uint": pl.UInt64(),
        "float": pl.Float64(),
        "boolean": pl.Boolean(),
        "date": pl.Date(),
        "time": pl.Datetime("us", "UTC"),
        "local": pl.Datetime("us"),
    }
    return types.get(form, pl.String())


def _clock(series: pl.Series, form: str, values: pa.Array | None) -> pl.Series | None:
    """Dates and times; None where a value has not the shape of one."""
    if not series.str.contains(DATE if form == "date" else TIME).all():
        return None
    import polars as pl
    import pyarrow as pa

    types = {"date": pa.date32(), "time": pa.timestamp("us", "UTC"), "local": pa.timestamp("us")}
    try:
        values = series.to_arrow() if values is None else values
        return pl.Series(series.name, values.cast(types[form]))
    except pa.ArrowInvalid:
        pass
    if form == "date":
        return series.str.to_date("%Y-%m-%d", strict=False)
    zoned = series.str.contains(_ZONED)
    if form == "time":
        return parse_time(series, "UTC", Place("")) if zoned.all() else None
    if zoned.any():
        return None
    return parse_time(series, "UTC", Place("")).dt.replace_time_zone(None)
