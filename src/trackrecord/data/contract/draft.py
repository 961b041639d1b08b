"""Drafts a contract from the data: what holds today, written so that its owner can change it."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING, Any

from trackrecord.data.draft import toml_string as quoted
from trackrecord.data.profile.result import Column, Profile
from trackrecord.data.profile.scan import Scanned, clean, named

if TYPE_CHECKING:
    pass

MOST_ALLOWED = 20
# Text with as few values as this for its rows is a category.
ROWS_A_VALUE = 20

_HEAD = """\
# What {name} promises to whoever reads it. Drafted from {rows:,} rows on {day}; from now on it is
# yours: what stands here is what was seen, not what is right. Widen what may vary, tighten what
# must not, say why. Then:  trackrecord data contract {name} --check
contract = 1
name = {quoted}
# Raise the first number when a change breaks readers or data, the second when it adds something.
version = "1.0.0"
# description = "one row is ...; it comes from ..."
{key}
# "allow" lets the table have columns that are not listed here; "refuse" makes a new one a failure.
other_columns = "refuse"

[rows]
# Half of what there is now: a delivery that is much shorter is a failed export.
min = {least}
# max = {most}
"""

_COLUMNS = """
# Each column has a type (integer, number, boolean, string, date, time). `required` forbids missing
# values, `max_missing` limits their share; min and max are included; `pattern` matches the whole
# text. A missing value breaks `required` and nothing else.
"""

_TAIL = """
# The newest row is at most so old when the check runs. Switch it on for data that keeps coming.
# [freshness]
# column = {moment}
# max_age = "36 hours"

# A rule is a condition in SQL on one row. It holds, too, where a missing value leaves it unknown.
# [[rule]]
# name = "a_name_for_it"
# sql = {example}
# why = "who would be harmed if it broke"

# Every value is one of another source's, or missing.
# [[foreign_key]]
# columns = [{column}]
# source = "another_source"
# references = ["its_column"]
"""


def draft_contract(
    table: Scanned, profile: Profile, name: str, today: datetime.date | None = None
) -> str:
    """The text of a contract that the table keeps, for the source called ``name``."""
    bounds = _bounds(table, profile)
    keys = profile.keys[0] if profile.keys else []
    if keys:
        told = f"# No two rows have the same.\nkey = [{', '.join(map(quoted, keys))}]"
    else:
        told = '# No column, nor two or three together, names a row.\n# key = ["..."]'
    parts = [
        _HEAD.format(
            name=name,
            quoted=quoted(name),
            rows=profile.rows,
            day=(today or datetime.date.today()).isoformat(),
            key=told,
            least=max(1, profile.rows // 2),
            most=profile.rows * 2,
        ),
        _COLUMNS,
        *(_column(column, table, bounds, column.name in keys) for column in profile.columns),
        *_ordered(table, profile),
        _tail(profile),
    ]
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def type_of(column: Column) -> str:
    """The contract's type for a column as it is stored."""
    stored = column.type
    if stored.startswith(("Int", "UInt")):
        return "integer"
    if stored.startswith(("Float", "Decimal")):
        return "number"
    if stored.startswith("Datetime"):
        return "time"
    return {"Boolean": "boolean", "Date": "date"}.get(stored, "string")


def _bounds(table: Scanned, profile: Profile) -> dict[str, tuple[Any, Any]]:
    """The least and the greatest value of each number, date and time, in one pass."""
    import polars as pl

    names = [
        column.name
        for column in profile.columns
        if column.kind in ("number", "date", "time") and "infinite" not in _codes(column)
    ]
    if not names:
        return {}
    frame = table.frame.select(clean(name, table.schema[name]) for name in names)
    low = frame.select(pl.all().min()).collect(engine="streaming").row(0)
    high = frame.select(pl.all().max()).collect(engine="streaming").row(0)
    return dict(zip(names, zip(low, high, strict=True), strict=True))


def _codes(column: Column) -> list[str]:
    return [one.code for one in column.suspicions]


def _column(
    column: Column, table: Scanned, bounds: dict[str, tuple[Any, Any]], in_key: bool
) -> str:
    lines = [f"\n[columns.{quoted(column.name)}]", f'type = "{type_of(column)}"']
    if column.missing == 0:
        lines.append("required = true")
    elif 2 * column.missing < table.rows:
        limit = min(1.0, math.ceil(200 * column.missing / table.rows) / 100)
        lines.append(
            f"max_missing = {limit:g}  # {column.missing:,} rows now; twice that is let be"
        )
    elif column.missing == table.rows:
        lines.append("# no row has a value yet: type and terms are a guess")
    if column.name in bounds and not (in_key and column.kind == "number"):
        lines += _range(column, *bounds[column.name])
    elif column.kind == "string" and not column.distinct_error:
        lines += _allowed(column, table)
    for one in column.suspicions:
        if one.code not in ("id-like", "all-missing"):
            lines.append(f"# {one.code}: {_plain(one.what)}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text in a comment: no line break, no control character."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:200]


def _range(column: Column, low: Any, high: Any) -> list[str]:
    """The range that was seen: of numbers rounded outwards, of moments only its beginning."""
    if column.kind == "number":
        least, most = _outward(low, -1), _outward(high, 1)
        if low >= 0:
            least = max(least, 0)
        return [f"min = {least}  # seen: {low:g}", f"max = {most}  # seen: {high:g}"]
    if column.kind == "date":
        return [f"min = {low.isoformat()}", f"# max = {high.isoformat()}  # the latest seen"]
    first = low.replace(minute=0, second=0, microsecond=0)
    return [f"min = {_moment(first)}", f"# max = {_moment(high)}  # the latest seen"]


def _moment(value: datetime.datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


def _outward(value: float, side: int) -> float:
    """The number with two digits that is nearest on this side: -1 below, 1 above."""
    if value == 0:
        return value
    power = math.floor(math.log10(abs(value))) - 1
    step = 10 ** abs(power)
    rounded = math.floor if side < 0 else math.ceil
    if isinstance(value, int):
        up = -(-value // step) if side > 0 else value // step
        return value if power <= 0 else up * step
    try:
        found = float(rounded(value / step) * step if power > 0 else rounded(value * step) / step)
    except OverflowError:
        return value
    # Where even that is beyond a float, or lost a digit, the value itself will do.
    fits = math.isfinite(found) and (found <= value if side < 0 else found >= value)
    return found if fits else value


def _allowed(column: Column, table: Scanned) -> list[str]:
    """All values of a category, and what the profile doubts about them left to its owner."""
    import polars as pl

    present = table.rows - column.missing
    if not 1 <= column.distinct <= min(MOST_ALLOWED, present / ROWS_A_VALUE):
        return []
    one = table.frame.select(clean(column.name, table.schema[column.name]))
    values = one.unique().drop_nulls().collect(engine="streaming").to_series().sort()
    if values.dtype != pl.String or values.str.len_chars().max() > 60:  # type: ignore[operator]
        return []
    return [f"allowed = [{', '.join(map(quoted, values))}]"]


def _ordered(table: Scanned, profile: Profile) -> list[str]:
    """A rule for two times, or two dates, of which one is never before the other."""

    found: list[str] = []
    for kind in ("time", "date"):
        names = [c.name for c in profile.columns if c.kind == kind and c.distinct > 1][:4]
        pairs = [(a, b) for a in names for b in names if a != b]
        if not pairs:
            continue
        frame = table.frame.select(clean(name, table.schema[name]) for name in names)
        tests = [(named(b) < named(a)).sum().alias(str(n)) for n, (a, b) in enumerate(pairs)]
        counts = frame.select(tests).collect(engine="streaming").row(0)
        for (first, second), broken in zip(pairs, counts, strict=True):
            if broken == 0:
                sql = f"{_name(second)} >= {_name(first)}"
                found.append(
                    f"\n# It held in every row; is it true, or chance?\n[[rule]]\n"
                    f'name = "order_{len(found) + 1}"\nsql = {quoted(sql)}\n'
                )
    return found[:4]


def _name(column: str) -> str:
    """A column in SQL."""
    return '"' + column.replace('"', '""') + '"'


def _tail(profile: Profile) -> str:
    moments = [c.name for c in profile.columns if c.kind in ("date", "time")]
    numbers = [c.name for c in profile.columns if c.kind == "number"]
    texts = [c.name for c in profile.columns if c.kind == "string"]
    any_column = (texts or numbers or [profile.columns[0].name])[0]
    example = f"{_name(numbers[0])} >= 0" if numbers else f"LENGTH({_name(any_column)}) > 0"
    return _TAIL.format(
        moment=quoted(moments[-1] if moments else "a_date_or_time"),
        example=quoted(example),
        column=quoted(any_column),
    )
