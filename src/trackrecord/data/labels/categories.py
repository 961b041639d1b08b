"""One thing written in several ways: ``Ny``, ``NY ``, ``N.Y.``, and ``Zurich`` beside ``Zürch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from trackrecord.data.splits.together import plain_text

if TYPE_CHECKING:
    import polars as pl

MOST_VALUES = 1000
SHORTEST = 5
RARE = 0.1
UNIT = r"^[+-]?\d+(?:[.,]\d+)?\s*([\p{L}%°µ/²³]{1,8})$"


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """Values of a column, and their rows, that may mean one thing; the most frequent is first.

    ``spelling``: equal without case, marks and spaces. ``slip``: one letter added, lost, changed or
    swapped in a value at least ten times as rare. ``units``: numbers followed by different units.
    """

    column: str
    how: Literal["spelling", "slip", "units"]
    values: list[str]
    rows: list[int]


def inconsistent(column: pl.Series) -> list[Written]:
    """What is written in several ways in a column of text; nothing of over 1,000 values' slips."""
    import polars as pl

    text = column.drop_nulls().alias("value")
    if len(text) == 0:
        return []
    table = text.value_counts(name="rows").sort(["rows", "value"], descending=[True, False])
    found = _units(column.name, text)
    table = table.with_columns(plain_text(table["value"]).alias("plain"))
    groups = table.group_by("plain", maintain_order=True).agg("value", "rows")
    for values, rows in (
        groups.filter(pl.col("value").list.len() > 1).select("value", "rows").rows()
    ):
        found.append(Written(column=column.name, how="spelling", values=values, rows=rows))
    if groups.height <= MOST_VALUES:
        found += _slips(column.name, groups)
    return found


def _slips(name: str, groups: pl.DataFrame) -> list[Written]:
    """Plain texts one slip apart, the one ten times as rare as the other; digits never differ."""
    entries = sorted(
        ((plain, values[0], sum(rows)) for plain, values, rows in groups.rows()),
        key=lambda entry: -entry[2],
    )
    found = []
    for index, (plain, value, rows) in enumerate(entries):
        for other, rare, fewer in entries[index + 1 :]:
            long = min(len(plain), len(other)) >= SHORTEST and fewer <= RARE * rows
            if long and _digits(plain) == _digits(other) and one_slip(plain, other):
                found.append(
                    Written(column=name, how="slip", values=[value, rare], rows=[rows, fewer])
                )
    return found


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


def one_slip(a: str, b: str) -> bool:
    """Whether one letter added, lost, changed or swapped with its neighbour makes a of b."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    rest, other = a[start:], b[start:]
    return (
        rest[1:] == other[1:]
        or rest == other[1:]
        or rest[1:] == other
        or (rest[:2] == other[:2][::-1] and rest[2:] == other[2:])
    )


def _units(name: str, text: pl.Series) -> list[Written]:
    unit = text.str.extract(UNIT).drop_nulls().alias("unit")
    if len(unit) < 0.8 * len(text) or unit.n_unique() < 2:
        return []
    table = unit.value_counts(name="rows").sort(["rows", "unit"], descending=[True, False])
    values, rows = table["unit"].to_list(), table["rows"].to_list()
    return [Written(column=name, how="units", values=values, rows=rows)]
