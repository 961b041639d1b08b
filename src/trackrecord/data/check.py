"""Says, before any training, everything that is wrong or doubtful with a case.

Nothing here raises for a bad case: what a reader of data would raise becomes a finding, and the
checks that do not need what is missing still run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trackrecord.cases.spec import Case
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.checks.columns import check_columns, check_roles
from trackrecord.data.checks.contrasts import check_contrasts, check_contrasts_text
from trackrecord.data.checks.criteria import check_criteria_text, check_decidable
from trackrecord.data.checks.decisions import check_decisions
from trackrecord.data.checks.parts import check_parts, check_split_text
from trackrecord.data.checks.sizes import check_sizes
from trackrecord.data.checks.slices import check_slices
from trackrecord.data.checks.surroundings import check_surroundings
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.leakage.detector import Context, detect
from trackrecord.data.leakage.known_later import features_known_later
from trackrecord.data.table import CaseTable, load_case_table
from trackrecord.errors import DataError

__all__ = ["Finding", "check_case"]


def check_case(
    case: Case, root: Path, line_of: LineOf, table: CaseTable | None = None, *, text: str = ""
) -> list[Finding]:
    """All findings, errors first, then by line.

    Parameters
    ----------
    case:
        The decoded case.
    root:
        The workspace.
    line_of:
        From a key path such as ``split.train`` or ``criterion.2.require`` to a line of the file.
    table:
        The case's table, where it is loaded already.
    text:
        The file's text, in whose comments a draft marks what is to be decided.

    Notes
    -----
    Of the test part the rows are counted and the features compared. Its truth is looked at for
    one thing: whether both classes are there.
    """
    file = f"cases/{case.name}/case.toml"
    found = list(check_split_text(case, file, line_of))
    found += check_roles(case, file, line_of)
    found += features_known_later(case, file, line_of)
    found += check_contrasts_text(case, file, line_of)
    found += check_criteria_text(case, file, line_of)
    found += check_surroundings(case, root, file, line_of)
    found += check_decisions(case, text, file, line_of)
    if table is None:
        try:
            table = load_case_table(case, root, strict=False)
        except DataError as error:
            found.append(_unreadable(error, file, line_of))
    if table is not None:
        found += _with_data(case, table, found, file, line_of)
    return sorted(
        found, key=lambda f: (f.severity == "doubt", f.line is None, f.line or 0, f.code, f.what)
    )


def _with_data(
    case: Case, table: CaseTable, before: list[Finding], file: str, line_of: LineOf
) -> Iterator[Finding]:
    yield from check_columns(case, table.frame.columns, file, line_of)
    yield from check_slices(case, table, file, line_of)
    if any(f.severity == "error" and f.code in ("TR010", "TR011", "TR014") for f in before):
        return  # said already; without parts the rest has nothing to look at
    parts, found = check_parts(case, table, file, line_of)
    yield from found
    if parts is None:
        return
    yield from check_contrasts(case, table, file, line_of)
    yield from check_sizes(case, table, parts, file, line_of)
    yield from check_decidable(case, table, parts, file, line_of)
    yield from detect(Context(case, table, parts, file, line_of))


def _unreadable(error: DataError, file: str, line_of: LineOf) -> Finding:
    """A reader's error as a finding, at the key of the case that led to it."""
    key = error.key if isinstance(error, KeyedDataError) else "data.path"
    what = f"{error.what} ({error.where})" if error.where else error.what
    what = f"{what}: {error.why}" if error.why else what
    fix = error.next or f"correct {key} in the case, or the data"
    return Finding("TR001", "error", what, file, line_of(key), fix)
