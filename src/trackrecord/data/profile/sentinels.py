"""Values that stand for "nothing": -999, 9999, 1900-01-01, "unknown".

A number or day is doubted only where it is on the list, there twice or more, at the column's end,
and far from the nearest other value: 99 in a column of percentages is nothing special.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.data.profile.measure import Measured, quantile, shown
from trackrecord.data.profile.result import Suspicion

if TYPE_CHECKING:
    import polars as pl

NUMBERS = frozenset(
    sign * (int(digit * length) + tail)
    for sign in (1, -1)
    for digit in ("9", "8", "7")
    for length in (2, 3, 4, 5, 6)
    for tail in (0, 0.9, 0.99, 0.999)
) | {-1, -(2**31), 2**31 - 1, 2**32 - 1}
DAYS = frozenset(
    datetime.date.fromisoformat(day)
    for day in ("0001-01-01", "1000-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01",
                "1901-01-01", "1904-01-01", "1960-01-01", "1970-01-01", "1999-12-31", "2000-01-01",
                "2038-01-19", "2099-12-31", "2100-01-01", "2199-12-31", "2999-12-31", "3000-01-01",
                "9999-01-01", "9999-12-31")
)  # fmt: skip
WORDS = frozenset(
    ("null", "none", "nan", "na", "n/a", "n.a.", "#n/a", "#na", "nil", "missing", "unknown", "unk",
     "undefined", "not available", "not applicable", "-", "--", "---", "?", "??", ".", "tbd", "xxx",
     "(null)", "<na>", "<null>", "\\n", "#value!", "#ref!", "#div/0!")
)  # fmt: skip
_FIX = "if it stands for a missing value, write a missing value instead"
# A value this many times the middle half's width away from the nearest other is not one of them.
FAR = 1.0


def sentinels(found: Measured) -> Iterator[Suspicion]:
    """Doubtful values of one column."""
    if found.column.kind in ("number", "date", "time"):
        yield from _at_the_ends(found)
    elif found.column.kind == "string":
        yield from _words(found)


def _at_the_ends(found: Measured) -> Iterator[Suspicion]:
    import polars as pl

    values, ordered = found.values, found.ordered
    if ordered is None or values.height < 3:
        return
    dtype = found.series.dtype
    for end, toward in ((0, 1), (values.height - 1, -1)):
        raw, rows = values.row(end)
        value = pl.Series([raw], dtype=ordered.dtype).cast(dtype)[0]
        if rows < 2 or not _listed(value):
            continue
        others = ordered[rows:] if end == 0 else ordered[: len(ordered) - rows]
        width = quantile(others, 0.75, whole=True) - quantile(others, 0.25, whole=True)
        away = abs(raw - values["value"][end + toward])
        if raw == -1:  # also an ordinary value, unless all others are natural numbers
            far = others[0] >= 0 and bool((others == others.floor()).all())
        else:
            far = away > FAR * max(width, _least(others))
        if far:
            count = rows * found.column.sampled
            yield Suspicion(
                "sentinel",
                f"{shown(value)} in {count:,} rows, far from every other value",
                _FIX,
                count,
                [shown(value)],
            )


def _least(others: pl.Series) -> float:
    """A distance that is more than rounding, where the middle half is a point."""
    return max(1e-9, 0.05 * abs(float(others[-1]) - float(others[0])))


def _listed(value: object) -> bool:
    if isinstance(value, datetime.datetime):
        return value.date() in DAYS
    if isinstance(value, datetime.date):
        return value in DAYS
    return isinstance(value, int | float) and value in NUMBERS


def _words(found: Measured) -> Iterator[Suspicion]:
    import polars as pl

    lowered = found.values.filter(
        pl.col("value").str.strip_chars().str.to_lowercase().is_in(sorted(WORDS))
    ).sort("rows", "value", descending=[True, False])
    if lowered.height and lowered.height < found.values.height:
        count = int(lowered["rows"].sum())
        names = [repr(value) for value in lowered["value"].head(4)]
        told = f"{count:,} rows" if not found.partial else "a sample"
        yield Suspicion(
            "sentinel",
            f"{', '.join(names)} in {told}: words for nothing",
            _FIX,
            None if found.partial else count,
            [shown(value) for value in lowered["value"].head(8)],
        )
