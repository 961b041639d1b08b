"""``trackrecord data drift``: how far one table is from another."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.columns import level_in
from trackrecord.cli.command import Answer
from trackrecord.cli.data_profile import table_path, workspace_root
from trackrecord.cli.printing import counted, progress, say, table
from trackrecord.data.finding import percent
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.data.drift.result import ColumnDrift, Drift, Measured

DESCRIPTION = (
    "Compare two tables, column by column and all at once: with effect, interval and severity."
)
EPILOG = (
    "examples:\n"
    "  trackrecord data drift january.parquet february.parquet\n"
    "  trackrecord data drift train.csv today.csv --cluster day --fail severe\n\n"
    "exit 1 where the severity is at least moderate, or what --fail says"
)
TOLD_BY = 5
# An area that leaves nothing to tell, and the part of it that one column gives by itself.
CERTAIN, HALF = 0.99, 0.5
MARKS = {"none": " ", "slight": "·", "moderate": "▲", "severe": "✗"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", help="the reference: a table's name, or a CSV, Parquet or Arrow")
    parser.add_argument("second", help="the table that is compared with it")
    parser.add_argument(
        "--cluster", metavar="COL", help="a column whose rows depend on one another: a day, a user"
    )
    parser.add_argument(
        "--skip", metavar="COL", action="append", default=[], help="do not compare; again for each"
    )
    parser.add_argument(
        "--fail",
        choices=["slight", "moderate", "severe", "never"],
        default="moderate",
        help="the least severity that exits 1; moderate",
    )
    parser.add_argument(
        "--level", metavar="SHARE", type=float, default=None, help="of the intervals; 0.95"
    )
    parser.add_argument(
        "--columns-only", action="store_true", help="do not ask a model to tell the tables apart"
    )


def run(options: argparse.Namespace) -> Answer:
    """Compare, and tell."""
    import msgspec

    from trackrecord.data.drift.compare import compare_tables
    from trackrecord.data.drift.result import SEVERITIES
    from trackrecord.data.sources import read_table

    level = level_in(options)
    if not 0.5 < level < 1:
        raise BadInput(f"--level {level:g} is no level of an interval", next="--level 0.95")
    with progress("comparing") as step:
        step("reading", 0.1)
        root = workspace_root(options)
        first = read_table(table_path(options.first, root, options))
        second = read_table(table_path(options.second, root, options))
        step("comparing", 0.5)
        found = compare_tables(
            first,
            second,
            cluster=options.cluster,
            skip=options.skip,
            level=level,
            classifier=not options.columns_only,
        )
    tell(found)
    fails = options.fail != "never" and SEVERITIES.index(found.severity) >= SEVERITIES.index(
        options.fail
    )
    return Answer(1 if fails else 0, msgspec.to_builtins(found))


def tell(found: Drift) -> None:
    """The worst columns first."""
    a, b = found.rows
    said = "no" if found.severity == "none" else found.severity
    clusters = (
        f", {counted(found.clusters, 'cluster')} of {found.cluster}" if found.clusters else ""
    )
    say(f"  {a:,} rows against {b:,}{clusters}: {said} drift")
    rows = []
    for column in found.columns:
        if column.values is not None:
            shown = "KS" if column.measure == "Kolmogorov-Smirnov" else "TV"
            rows.append(_row(column, shown, column.values))
        if column.missing is not None:
            rows.append(_row(column, "missing", column.missing))
    if rows:
        header = ["", "column", "", "effect", "interval", "p adj.", "PSI", "JS", "W/sd"]
        table(header, rows, right={3, 4, 5, 6, 7, 8})
    for column in found.columns:
        for which, values, share in (
            ("new", column.new, column.new_share),
            ("vanished", column.vanished, column.vanished_share),
        ):
            if values:
                listed = ", ".join(repr(value[:30]) for value in values[:5])
                more = ", …" if len(values) > 5 else ""
                say(f"  · {column.name}: {which}, {percent(share)} of rows: {listed}{more}")
        if column.why is not None:
            say(f"  · {column.name}: not compared: {column.why}")
    for names, where in (
        (found.other_kind, "of another kind in the second table"),
        (found.only_a, "only in the first table"),
        (found.only_b, "only in the second table"),
    ):
        if names:
            say(f"  ✗ {where}: {', '.join(names[:20])}")
    _tell_classifier(found)


def _tell_classifier(found: Drift) -> None:
    from trackrecord.stats.estimate import Estimate

    told = found.classifier
    if isinstance(told, Estimate):
        say(
            f"  {MARKS[found.classifier_severity]} a model tells their rows apart with ROC AUC "
            f"{told.value:.3f} [{told.lo:.3f}, {told.hi:.3f}] ({found.classifier_rows:,} rows; "
            "0.5 is not at all)"
        )
        if told.lo > 0.5:
            _tell_by(found, told.value)
    elif told is not None:
        say(f"  no model was asked to tell them apart: {told.reason}")


def _tell_by(found: Drift, area: float) -> None:
    if not found.told_by:
        return
    listed = "; ".join(f"{one.name} {one.lost:.3f}" for one in found.told_by[:TOLD_BY])
    more = f"; and {len(found.told_by) - TOLD_BY} more" if len(found.told_by) > TOLD_BY else ""
    say(f"    mostly by, with what of the area is lost without each: {listed}{more}")
    first = found.told_by[0]
    if area >= CERTAIN and first.lost >= HALF * (area - 0.5):
        say(f"    {first.name} alone names the table: with --skip {first.name} the model says more")


def _row(column: ColumnDrift, shown: str, measured: Measured) -> list[str]:
    of_values = shown != "missing"

    def number(value: float | None) -> str:
        return "" if value is None or not of_values else f"{value:.3f}"

    return [
        MARKS[measured.severity],
        column.name,
        shown,
        f"{measured.effect:.3f}",
        f"[{measured.lo:.3f}, {measured.hi:.3f}]",
        f"{measured.adjusted:.2g}",
        number(column.psi),
        number(column.jensen_shannon),
        number(column.wasserstein),
    ]
