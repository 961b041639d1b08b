"""Slices: the rows where a column has a value, or where a condition holds.

A slice is a text over ``slice.NAME`` columns, words separated by spaces: ``carrier`` makes one
slice of each value; ``distance > 1000`` makes two, ``yes`` and ``no``. Operators are ``>``,
``>=``, ``<``, ``<=``, ``==`` and ``!=``. Rows without a value are a slice of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from trackrecord.cases.slices import slice_parts
from trackrecord.errors import BadInput, suggest
from trackrecord.evaluation.result import SliceKind

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Slice:
    """One slice: the plan's text, the value, and the rows (positions, ascending) that it holds.

    ``values`` is how many different values it stands for: more than one only for the rest.
    """

    text: str
    value: str
    kind: SliceKind
    values: int
    rows: NDArray[np.intp]


def parse_slice(text: str, columns: list[str]) -> tuple[str, str | None, str | None]:
    """(column, operator, literal) of a slice's text; operator and literal are None for a column.

    ``columns`` are the names that there are, without ``slice.``. Raises BadInput.
    """
    if text.strip() in columns:
        return text.strip(), None, None
    column, operator, literal = slice_parts(text)
    if column not in columns:
        near = suggest(column, columns)
        known = ", ".join(columns[:40]) or "none"
        raise BadInput(
            f"the slice {text!r} names {column!r}, which is not a slice column",
            why=f"did you mean {near!r}?" if near else f"slice columns: {known}",
            next='write it like "carrier" or "distance > 1000", with spaces between the words',
        )
    return column, operator, literal


def slice_names(texts: list[str], columns: list[str]) -> list[str]:
    """The columns that slices are made of, each once, in order."""
    return list(dict.fromkeys(parse_slice(text, columns)[0] for text in texts))


def slices_of(outcomes: pl.DataFrame, text: str, *, most: int) -> list[Slice]:
    """All slices of one text, in natural order of the values; rest and missing come last.

    Parameters
    ----------
    outcomes:
        Has the text's ``slice.NAME`` column.
    text:
        A column or a condition.
    most:
        A column with more different values keeps the ``most - 1`` that have the most rows; the
        others share one slice of kind ``rest``.

    Raises
    ------
    BadInput
        For a column that is not there, or a condition that the column's values do not admit.
    """
    names = [c.removeprefix("slice.") for c in outcomes.columns if c.startswith("slice.")]
    column, operator, literal = parse_slice(text, names)
    series = outcomes[f"slice.{column}"]
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if operator is None or literal is None:
        return _by_value(series, text, most)
    return _by_condition(series, text, operator, literal)


def _by_condition(series: pl.Series, text: str, operator: str, literal: str) -> list[Slice]:
    import numpy as np

    holds = _compared(series, text, operator, literal)
    missing = holds.is_null().to_numpy()
    yes = holds.fill_null(False).to_numpy()
    found = [
        Slice(text, "yes", "condition", 1, np.flatnonzero(yes)),
        Slice(text, "no", "condition", 1, np.flatnonzero(~yes & ~missing)),
    ]
    if missing.any():
        found.append(Slice(text, "missing", "missing", 1, np.flatnonzero(missing)))
    return found


def _compared(series: pl.Series, text: str, operator: str, literal: str) -> pl.Series:
    """Boolean, null where the value is missing."""
    import polars as pl

    if series.null_count() == len(series):
        return pl.Series(series.name, [None] * len(series), dtype=pl.Boolean)
    value: Any = literal
    if series.dtype.is_numeric():
        try:
            value = float(literal)
        except ValueError:
            raise BadInput(
                f"the slice {text!r} compares numbers with {literal!r}",
                next="write a number after the operator",
            ) from None
        if value != value:
            raise BadInput(f"the slice {text!r} compares numbers with NaN")
    elif operator not in ("==", "!="):
        raise BadInput(
            f"the slice {text!r} asks for an order, but the column holds {series.dtype} values",
            next="use == or !=, or a column of numbers",
        )
    else:
        from trackrecord.data.kinds import as_text

        series = as_text(series)
    compare = {"==": eq, "!=": ne, ">": gt, ">=": ge, "<": lt, "<=": le}[operator]
    holds: pl.Series = compare(series, value)
    return holds


def _by_value(series: pl.Series, text: str, most: int) -> list[Slice]:
    import numpy as np
    import polars as pl

    from trackrecord.data.kinds import as_text

    frame = pl.DataFrame({"value": series, "row": np.arange(len(series))})
    groups = frame.drop_nulls("value").group_by("value").agg(pl.col("row").sort()).sort("value")
    groups = groups.with_columns(as_text(groups["value"]).alias("text"))
    kept = groups
    rest = groups.clear()
    if groups.height > most:
        # Most rows first, natural order among equals; then back into natural order.
        ranked = groups.with_row_index("place").sort(
            pl.col("row").list.len(), "place", descending=[True, False]
        )
        kept = ranked.head(most - 1).sort("place").drop("place")
        rest = ranked.tail(-(most - 1)).drop("place") if most > 1 else ranked.drop("place")
    found = [
        Slice(text, value, "value", 1, np.asarray(rows, dtype=np.intp))
        for value, rows in zip(kept["text"].to_list(), kept["row"], strict=True)
    ]
    if rest.height:
        rows = np.sort(rest["row"].explode().to_numpy().astype(np.intp))
        said = f"the other {rest.height:,} values"
        found.append(Slice(text, said, "rest", rest.height, rows))
    missing = np.flatnonzero(series.is_null().to_numpy())
    if len(missing):
        found.append(Slice(text, "missing", "missing", 1, missing))
    return found
