"""Numbers with decimal commas, as spreadsheets of half the world write them, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.evaluation.roles import Asked

NUMBER = r"^[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?$"
# 1,234 may be a thousand; 0,234 and 1,2345 may not
THOUSANDS = r"^[+-]?[1-9]\d{0,2},\d{3}$"
# names, not numbers, whatever they look like
NAMES = ("id", "cluster", "series", "query", "document", "time")


def with_points(raw: pl.DataFrame, asked: Asked) -> tuple[pl.DataFrame, list[str]]:
    """The table with its columns of decimal commas as floats, and which these are.

    A column is one where all its texts are numbers, some have a comma, and not all of these could
    be thousands. Columns that name something stay as they are.
    """
    import polars as pl

    named = {*NAMES, *asked.slices, *(getattr(asked, role, None) for role in NAMES)}
    found = []
    for name in raw.columns:
        if raw[name].dtype != pl.String or name in named or name.startswith("slice."):
            continue
        texts = raw[name].drop_nulls()
        comma = texts.filter(texts.str.contains(",", literal=True))
        if (
            len(comma)
            and bool(texts.str.contains(NUMBER).all())
            and not bool(comma.str.contains(THOUSANDS).all())
        ):
            found.append(name)
    point = pl.col(found).str.replace(",", ".", literal=True).cast(pl.Float64)
    return (raw.with_columns(point) if found else raw), found
