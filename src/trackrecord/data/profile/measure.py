"""Measures one column: from one sort of its numbers or one count of its values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from trackrecord.data.kinds import kind_of
from trackrecord.data.profile.result import Column, Frequent, Gap, Histogram, Quantile

if TYPE_CHECKING:
    import polars as pl

LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BINS = 24
# Days of a month, minutes of an hour: each of so few whole numbers has a bar of its own.
MOST_BARS = 60
FREQUENT = 8
MOST_GAPS = 5
# A count of text values is exact up to this many, by the sketch's own first estimate.
EXACT_DISTINCT = 1_000_000
# HyperLogLog with 2^14 registers: 1.04 / sqrt(m) (Flajolet et al. 2007, section 1).
SKETCH_ERROR = 1.04 / math.sqrt(1 << 14)
# From this share on a sketched column may be a key, and is counted exactly.
NEARLY_ALL = 0.95
SAMPLED_VALUES = 200_000
SHOWN = 60


class Measured(NamedTuple):
    """A column's numbers, and what the search for suspicions needs of its values.

    ``values`` is a frame of ``value`` and ``rows``; all values, or where ``partial`` those of an
    even sample of rows. ``ordered`` are the present numbers or times (as integers), sorted.
    """

    column: Column
    series: pl.Series
    values: pl.DataFrame
    partial: bool
    ordered: pl.Series | None


def measure_column(stored: pl.Series, series: pl.Series, every: int = 1) -> Measured:
    """The column ``series`` in canonical form, and as it was ``stored``; counts are of its rows."""
    import polars as pl

    kind = kind_of(series)
    missing = series.null_count()
    nan = int(stored.is_nan().sum()) if stored.dtype.is_float() else 0
    empty = 0
    if stored.dtype == pl.String:
        empty = missing - stored.null_count()
    begin = Column(
        series.name, str(stored.dtype), kind, missing * every, nan * every, empty * every, 0,
        sampled=every,
    )  # fmt: skip
    if kind == "missing":
        none = pl.Series("rows", [], dtype=pl.UInt32)
        nothing = pl.DataFrame({"value": series.clear(), "rows": none})
        return Measured(begin, series, nothing, False, None)
    if kind in ("number", "date", "time"):
        return _ordered(begin, series)
    return _counted(begin, series)


def _ordered(begin: Column, series: pl.Series) -> Measured:
    """Numbers, dates and times: one sort gives quantiles, distinct values and their counts."""
    import msgspec
    import polars as pl

    dtype = series.dtype
    ordered = series.drop_nulls().to_physical().sort()
    runs = ordered.rle().struct
    values = pl.DataFrame({"value": runs.field("value"), "rows": runs.field("len")})
    finite = ordered
    if dtype.is_float() and not (math.isfinite(ordered[0]) and math.isfinite(ordered[-1])):
        finite = ordered.filter(ordered.is_finite())

    def told(value: Any) -> str:
        if dtype.is_numeric():
            return shown(value)
        return shown(pl.Series([value], dtype=ordered.dtype).cast(dtype)[0])

    found: dict[str, Any] = {
        "distinct": values.height,
        "minimum": told(ordered[0]),
        "maximum": told(ordered[-1]),
        "frequent": _frequent(values, told),
    }
    if len(finite):
        # A quantile of whole days or microseconds is one of the values.
        found["quantiles"] = [
            Quantile(level, told(quantile(finite, level, whole=not dtype.is_numeric())))
            for level in LEVELS
        ]
        found["histogram"] = histogram(finite, told, whole=not dtype.is_float())
    if dtype.is_numeric():
        # Their mean and deviation can be beyond what a float holds.
        mean, deviation = _number(finite.mean()), _number(finite.std())
        found |= {"mean": mean, "deviation": deviation, "zeros": int((ordered == 0).sum())}
    else:
        day = 1 if dtype == pl.Date else 86_400_000_000
        found["gaps"], found["gap_count"] = gaps(values["value"], day, told)
    return Measured(msgspec.structs.replace(begin, **found), series, values, False, ordered)


def _counted(begin: Column, series: pl.Series) -> Measured:
    """Text and booleans: a count of each value, or a sketch and a sample where there are many."""
    import msgspec

    present = len(series) - begin.missing // begin.sampled
    error: float | None = None
    partial = False
    distinct = 0
    if present > EXACT_DISTINCT:
        sketched: Any = series.approx_n_unique()
        distinct = int(sketched) - (begin.missing > 0)
        partial = distinct > EXACT_DISTINCT
    if partial:
        if distinct >= NEARLY_ALL * present:
            distinct = series.n_unique() - (begin.missing > 0)
        else:
            error = SKETCH_ERROR
        step = max(1, len(series) // SAMPLED_VALUES)
        values = _counts(series.gather_every(step))
    else:
        values = _counts(series)
        distinct = values.height
    found: dict[str, Any] = {"distinct": distinct, "distinct_error": error}
    if not partial:
        found["frequent"] = _frequent(values, shown)
    if series.dtype == values["value"].dtype and begin.kind == "string":
        lengths = values["value"].str.len_chars()
        middle = lengths.median()
        least, most = lengths.min(), lengths.max()
        found["lengths"] = [int(str(least)), int(float(str(middle))), int(str(most))]
    return Measured(msgspec.structs.replace(begin, **found), series, values, partial, None)


def _counts(series: pl.Series) -> pl.DataFrame:
    """Present values and their rows, most frequent first, then by value."""
    import polars as pl

    counted = series.drop_nulls().alias("value").value_counts(name="rows")
    if counted.height <= EXACT_DISTINCT // 10:
        return counted.sort("rows", "value", descending=[True, False])
    return counted.sort(pl.col("rows"), descending=True)


def _frequent(values: pl.DataFrame, told: Any) -> list[Frequent]:
    """The most frequent values; none where no value is there twice."""
    top = values.top_k(FREQUENT, by="rows").sort("rows", "value", descending=[True, False])
    if top.height == 0 or (top["rows"][0] == 1 and values.height > FREQUENT):
        return []
    return [Frequent(told(value), rows) for value, rows in top.iter_rows()]


def quantile(ordered: pl.Series, level: float, *, whole: bool) -> Any:
    """The ``level`` quantile of sorted values, interpolated linearly, or the value below it."""
    at = level * (len(ordered) - 1)
    low = math.floor(at)
    if whole or low + 1 >= len(ordered):
        return ordered[low]
    below, above = ordered[low], ordered[low + 1]
    between = below + (at - low) * (above - below)
    return between if math.isfinite(between) and between != int(between) else _same(below, between)


def _same(like: Any, value: float) -> Any:
    return int(value) if isinstance(like, int) and math.isfinite(value) else value


def histogram(ordered: pl.Series, told: Any, *, whole: bool) -> Histogram:
    """Counts in equal steps; where the range is ten times that of nine values in ten, around those.

    ``whole`` values have edges between them, and no more bars than there are whole steps.
    """
    import numpy as np

    low, high = ordered[0], ordered[-1]
    inner = quantile(ordered, 0.05, whole=True), quantile(ordered, 0.95, whole=True)
    width = inner[1] - inner[0]
    if width > 0 and (high / 2 - low / 2) > 5 * width:
        low, high = max(low, inner[0] - width), min(high, inner[1] + width)
    values = ordered.to_numpy()
    count = BINS
    if whole and high - low < 20 * BINS:
        # No step between whole numbers may fall into two bars, or into none.
        step = 1 if high - low < MOST_BARS else max(1, -(-(high - low + 1) // BINS))
        count = -(-(high - low + 1) // step)
        cuts = np.array([float(low + step * k) for k in range(1, count)])
    elif high > low:
        cuts = low + (high / count - low / count) * np.arange(1, count)
    else:
        cuts, count = np.array([]), 1
    inside = values[np.searchsorted(values, low, "left") : np.searchsorted(values, high, "right")]
    cut = np.searchsorted(inside, cuts, "left")
    counts = np.diff([0, *cut, len(inside)])
    return Histogram(
        told(low),
        told(high),
        [int(count) for count in counts],
        below=int(np.searchsorted(values, low, "left")),
        above=int(len(values) - np.searchsorted(values, high, "right")),
    )


def gaps(moments: pl.Series, day: int, told: Any) -> tuple[list[Gap], int]:
    """The longest stretches of time that are three times the usual step or more, and how many.

    ``moments`` are distinct and sorted, in units of which a ``day`` has so many. The usual step is
    the median of those between days that have a row (a step of less than a day is no gap).
    """
    import numpy as np

    days = np.unique(moments.to_numpy() // day)
    if len(days) < 3:
        return [], 0
    steps = np.diff(days)
    wide = np.flatnonzero(steps > max(3.0, 3 * float(np.median(steps))))
    longest = wide[np.argsort(-steps[wide], kind="stable")][:MOST_GAPS]
    found = [
        Gap(told(int(days[at]) * day)[:10], told(int(days[at + 1]) * day)[:10], float(steps[at]))
        for at in sorted(longest)
    ]
    return found, len(wide)


def shown(value: Any) -> str:
    """A value as people write it, cut where it is long."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "isoformat"):
        text = str(value.isoformat()).replace("+00:00", "Z")
        return text[:10] if text.endswith("T00:00:00Z") else text
    text = str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
