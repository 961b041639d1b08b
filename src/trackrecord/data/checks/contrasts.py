"""TR015: a contrast that cannot be measured. It would fail only after its look was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from trackrecord.cases.spec import Case, Split
from trackrecord.data.asof import parse_known_by
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.split import assign_parts
from trackrecord.data.table import CaseTable
from trackrecord.errors import DataError


def check_contrasts_text(case: Case, file: str, line_of: LineOf) -> Iterator[Finding]:
    """A ``known_by`` that cannot be read, or that has no joined table to be about."""
    for index, contrast in enumerate(case.contrast):
        if not contrast.known_by:
            continue
        key = f"contrast.{index}.known_by"
        if not case.data.asof:
            yield Finding(
                "TR015",
                "error",
                f"the contrast {contrast.name!r} changes known_by, and no table is joined",
                file,
                line_of(key),
                "take known_by out, or join a table with [[data.asof]]",
            )
            continue
        try:
            parse_known_by(contrast.known_by)
        except DataError as error:
            yield Finding("TR015", "error", error.what, file, line_of(key), error.next or "")


def check_contrasts(case: Case, table: CaseTable, file: str, line_of: LineOf) -> Iterator[Finding]:
    """A split of which these rows leave a part empty."""

    @cache
    def problem(split: Split) -> DataError | None:
        try:
            assign_parts(table.frame, case, split)
        except DataError as error:
            return error
        return None

    for index, contrast in enumerate(case.contrast):
        if contrast.split is not None and (error := problem(contrast.split)) is not None:
            yield Finding(
                "TR015",
                "error",
                f"the contrast {contrast.name!r} cannot be split: {error.what}",
                file,
                line_of(f"contrast.{index}.split"),
                error.next or "change the contrast's split",
            )
