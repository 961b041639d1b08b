"""What looks wrong in one column: each test is a small function from what was measured to findings.

A suspicion is a question to a person, not a verdict: the words say what was seen and how often.
"""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.data.finding import percent
from trackrecord.data.profile.measure import Measured, shown
from trackrecord.data.profile.result import Column, Suspicion
from trackrecord.data.profile.sentinels import sentinels
from trackrecord.data.profile.texts import text_suspicions
from trackrecord.data.profile.units import mixed_magnitudes

NEAR_CONSTANT = 0.995
MOSTLY_MISSING = 0.5


def suspicions(found: Measured, rows: int) -> list[Suspicion]:
    """Everything that looks wrong in one column of a table with so many ``rows``."""
    return [
        *_missing(found.column, rows),
        *_constant(found, rows),
        *_identifier(found, rows),
        *_not_finite(found),
        *sentinels(found),
        *mixed_magnitudes(found),
        *text_suspicions(found),
    ]


def _missing(column: Column, rows: int) -> Iterator[Suspicion]:
    if column.missing == rows:
        yield Suspicion("all-missing", "no row has a value", "drop the column, or find its values")
    elif column.missing > MOSTLY_MISSING * rows:
        yield Suspicion(
            "mostly-missing",
            f"{percent(column.missing / rows)} of the rows have no value",
            "ask why: what is missing may itself tell the outcome",
            column.missing,
        )
    if column.nan:
        yield Suspicion(
            "nan",
            f"NaN in {column.nan:,} rows, counted as missing",
            "store what is missing as missing: NaN is also what 0/0 gives",
            column.nan,
        )


def _constant(found: Measured, rows: int) -> Iterator[Suspicion]:
    column = found.column
    present = rows - column.missing
    if column.distinct == 1 and rows > 1:
        value = shown(_text_of(found))
        yield Suspicion(
            "constant",
            f"every {'value that is there' if column.missing else 'row'} is {value}",
            "drop it, unless that it is there says something",
            present,
            [value],
        )
    elif column.frequent and column.distinct > 1 and present >= 20:
        top = column.frequent[0]
        if top.rows * column.sampled >= NEAR_CONSTANT * present:
            yield Suspicion(
                "near-constant",
                f"{percent(top.rows * column.sampled / present)} of the values are {top.value}",
                "look at the few others: they are either the news or the mistakes",
                present - top.rows * column.sampled,
                [one.value for one in column.frequent[1:4]],
            )


def _text_of(found: Measured) -> str:
    if found.column.frequent:
        return found.column.frequent[0].value
    return found.column.minimum or "one value"


def _identifier(found: Measured, rows: int) -> Iterator[Suspicion]:
    column = found.column
    if column.kind not in ("string", "number") or rows < 20 or column.sampled > 1:
        return
    if column.type.startswith(("Float", "Decimal")):
        return
    present = rows - column.missing
    if column.distinct < 0.99 * present or present < 0.5 * rows:
        return
    ordered = column.kind == "number" and found.series.drop_nulls().is_sorted()
    yield Suspicion(
        "id-like",
        "almost every value is another one"
        if column.distinct < present
        else "every value is another one" + (", in the order of the rows" if ordered else ""),
        "do not learn from it: it names rows; use it as the unit's id",
        present,
    )


def _not_finite(found: Measured) -> Iterator[Suspicion]:
    if found.ordered is None or not found.ordered.dtype.is_float():
        return
    count = int(found.ordered.is_infinite().sum())
    if count:
        yield Suspicion(
            "infinite",
            f"{count:,} values are infinite",
            "find the division by zero, or the overflow",
            count,
        )
