"""``trackrecord data labels``: which labels and values a person should look at."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.columns import level_in
from trackrecord.cli.command import Answer
from trackrecord.cli.data_profile import table_path, workspace_root
from trackrecord.cli.printing import counted, progress, say, table
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.data.labels.doubt import LabelDoubt

DESCRIPTION = (
    "Rank the labels that are probably wrong, and show values that are written in several ways\n"
    "or lie far outside. Doubts are for you to decide: nothing is changed."
)
# The least share of values that are a long tail.
TAIL = 0.01
EPILOG = (
    "examples:\n"
    "  trackrecord data labels reviews.parquet --target stars --skip id\n"
    "  trackrecord data labels reviews.parquet --target kind --score p_\n\n"
    "exit 0 whatever is found: a doubt is no fault yet"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a table's name, or a CSV, Parquet or Arrow file")
    parser.add_argument("--target", metavar="COL", required=True, help="the column of labels")
    parser.add_argument(
        "--score",
        metavar="PREFIX",
        help="of columns of a model's probabilities, one a class, from rows it has not seen",
    )
    parser.add_argument(
        "--skip", metavar="COL", action="append", default=[], help="do not use; again for each"
    )
    parser.add_argument("--top", metavar="N", type=int, default=10, help="rows to show; 10")
    parser.add_argument(
        "--level", metavar="SHARE", type=float, default=None, help="of the intervals; 0.95"
    )


def run(options: argparse.Namespace) -> Answer:
    """Doubt, and tell."""
    import msgspec

    from trackrecord.data.labels.doubt import doubt_labels
    from trackrecord.data.sources import read_table

    level = level_in(options)
    if not 0.5 < level < 1:
        raise BadInput(f"--level {level:g} is no level of an interval", next="--level 0.95")
    with progress("doubting") as step:
        step("reading", 0.1)
        frame = read_table(table_path(options.file, workspace_root(options), options))
        step("judging labels", 0.4)
        found = doubt_labels(
            frame, options.target, score=options.score, skip=options.skip, level=level
        )
    tell(found, options.top)
    return Answer(0, msgspec.to_builtins(found))


def tell(found: LabelDoubt, top: int) -> None:
    """The share first, then the worst rows, then what is odd in the columns."""
    share, lo, hi = (f"{100 * value:.2g}" for value in (found.share, found.lo, found.hi))
    say(f"  about {share} % [{lo}, {hi}] of {found.rows:,} labels are probably wrong")
    say(f"  · judged by {found.source}; a poor model doubts too much")
    if found.left_out:
        say(
            f"  · {counted(found.left_out, 'row')} not judged: no label, one of under ten rows, "
            "or beyond 50,000"
        )
    shown = found.doubted[: max(top, 0)]
    if shown:
        rows = [[f"{one.row:,}", one.label, one.likely, f"{-one.margin:.2f}"] for one in shown]
        table(["row", "label", "rather", "by"], rows, right={0, 3})
    if len(found.doubted) > len(shown):
        say(f"  … {counted(len(found.doubted), 'row')} in doubt; all of them: --json")
    for one in found.written:
        parts = [f"{v!r} ({n:,})" for v, n in zip(one.values[:6], one.rows[:6], strict=True)]
        more = ", …" if len(one.values) > 6 else ""
        how = {"spelling": "written", "slip": "a slip?", "units": "units mixed:"}[one.how]
        say(f"  ? {one.column}: {how} {', '.join(parts)}{more}")
    for far in found.outliers:
        values = ", ".join(
            f"{value:g} (row {row:,})" for value, row in zip(far.values, far.first, strict=True)
        )
        tail = "; so many are rather a long tail than mistakes" if far.lo > TAIL else ""
        say(
            f"  ? {far.column}: {counted(far.rows, 'value')} ({100 * far.share:.2g} %) outside "
            f"[{far.low:g}, {far.high:g}], three quartile ranges beyond the quartiles{tail}. "
            f"Furthest: {values}"
        )
