"""TR010-TR014: parts that overlap, are empty, out of order, or have one class only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.cases.spec import Case, Split, TimeSplit
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.split import BY_TIME, assign_parts
from trackrecord.data.splits.calendar import PARTS, split_spans
from trackrecord.data.splits.recipe import check_recipe
from trackrecord.data.table import CaseTable

if TYPE_CHECKING:
    import polars as pl


def check_split_text(case: Case, file: str, line_of: LineOf) -> Iterator[Finding]:
    """What is wrong with the split's words alone, for the case and each contrast."""
    splits: list[tuple[str, Split]] = [("split", case.split)]
    splits += [(f"contrast.{i}.split", c.split) for i, c in enumerate(case.contrast) if c.split]
    for key, split in splits:
        if isinstance(split, BY_TIME) and case.data.time is None:
            yield Finding(
                "TR014",
                "error",
                f"{key} is by time, and data.time names no column",
                file,
                line_of(key),
                "name the time column under [data], or split at random",
            )
        try:
            check_recipe(split)
        except KeyedDataError as error:
            code = "TR011" if error.key == "split" else "TR010"
            at = error.key.replace("split", key, 1)
            what = f"{key}: {error.what}" if code == "TR011" else error.what
            what = f"{what}: {error.why}" if error.why else what
            fix = error.next or "write a day like 2013-01-31, the first before the last"
            yield Finding(code, "error", what, file, line_of(at), fix)
            continue
        if not isinstance(split, TimeSplit):
            continue
        spans = split_spans(split)
        if key == "split" and not spans["train"] < spans["validation"] < spans["test"]:
            yield Finding(
                "TR013",
                "doubt",
                "the parts are not in the order train, validation, test",
                file,
                line_of(key),
                "a model is used on what comes after its training: test it so",
            )


def check_parts(
    case: Case, table: CaseTable, file: str, line_of: LineOf
) -> tuple[pl.Series | None, list[Finding]]:
    """The parts where there are any, and what is wrong with their rows.

    Of the test's truth only one thing is looked at: whether it has both classes.
    """
    try:
        parts = assign_parts(table.frame, case)
    except KeyedDataError as error:
        what = f"{error.what}: {error.why}" if error.why else error.what
        fix = error.next or "change the split"
        return None, [Finding("TR011", "error", what, file, line_of(error.key), fix)]
    found = []
    for name in PARTS:
        classes = table.truth.filter(parts == name).n_unique()
        if classes < 2:
            found.append(
                Finding(
                    "TR012",
                    "error",
                    f"the {name} part has one class only",
                    file,
                    line_of(f"split.{name}"),
                    "make the part larger, or look at target.positive and target.missing",
                )
            )
    return parts, found
