"""TR024: a slice that its column's values do not admit. It would fail only after the look."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.cases.slices import slice_parts
from trackrecord.cases.spec import Case
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.kinds import kind_of
from trackrecord.data.table import CaseTable


def check_slices(case: Case, table: CaseTable, file: str, line_of: LineOf) -> Iterator[Finding]:
    """Conditions that ask for an order where there is none, or compare numbers with words."""
    for text in case.evaluation.slices:
        column, operator, literal = slice_parts(text)
        if operator is None or literal is None or column not in table.frame.columns:
            continue
        kind = kind_of(table.frame[column])
        if kind == "number":
            if _is_number(literal):
                continue
            what = f"the slice {text!r} compares numbers with {literal!r}"
            fix = "write a number after the operator"
        elif operator in ("==", "!="):
            continue
        else:
            what = f"the slice {text!r} asks for an order, and {column!r} holds {kind} values"
            fix = "use == or !=, or a column of numbers"
        yield Finding("TR024", "error", what, file, line_of("evaluation.slices"), fix)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False
