"""``trackrecord truth add``: what came true of the units that a server was asked about."""

from __future__ import annotations

import argparse
from pathlib import Path

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of
from trackrecord.cli.parsing import sub_verb
from trackrecord.cli.printing import counted, say, say_next
from trackrecord.errors import BadInput


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "What came true, for answers that were captured: late, by unit."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="add")
    leaf = sub_verb(
        group,
        "add",
        help="take in a file of units and their truth",
        description=(
            "Take in a file of units and what came true of them. The unit is what a request said\n"
            "in X-Unit-ID, or its request id. Truth may come late, twice, or change: the last one\n"
            "counts."
        ),
    )
    leaf.epilog = (
        "examples:\n  trackrecord truth add flights arrived.csv\n"
        "  trackrecord truth add flights arrived.parquet --unit id --truth late\n\n"
        "exit 1 when rows had no unit or no truth: they are left out, the others are taken in"
    )
    leaf.add_argument("case", help="the case that was served")
    leaf.add_argument("file", help="CSV, TSV, Parquet or Arrow IPC")
    leaf.add_argument("--unit", default="unit", metavar="COLUMN", help="default: unit")
    leaf.add_argument("--truth", default="truth", metavar="COLUMN", help="default: truth")


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec
    import polars as pl

    from trackrecord.data.sources import read_table
    from trackrecord.serving.capture.read import read_captures
    from trackrecord.serving.capture.segments import captures_folder
    from trackrecord.serving.capture.truth import add_truth

    workspace = open_workspace_of(options)
    case = workspace.case_folder(options.case).name
    folder = captures_folder(workspace.root, case)
    if not folder.is_dir():
        raise BadInput(
            f"nothing was captured of '{case}'",
            where=folder.as_posix(),
            next=f"trackrecord serve {case} --capture",
        )
    table = read_table(Path(options.folder or ".") / options.file)
    asked = read_captures(folder)["unit"]
    added = add_truth(
        folder,
        table.with_columns(pl.all().cast(pl.String)),
        unit=options.unit,
        truth=options.truth,
        asked=asked,
    )
    say(
        f"✓ {counted(added.rows, 'row')}: {added.new:,} new, {added.repeated:,} known already,"
        f" {added.changed:,} changed"
    )
    if added.unasked:
        say(f"  {counted(added.unasked, 'unit')} of them were never asked about, as captures say")
    if added.rejected:
        say(f"! {counted(added.rejected, 'row')} without a unit or a truth that is yes or no")
        for line in added.first:
            say(f"    {line}")
    say_next(f"trackrecord monitor {case}")
    return Answer(1 if added.rejected else 0, msgspec.to_builtins(added))
