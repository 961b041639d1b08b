"""``data profile``: one page of what a table holds, and what looks wrong in it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import short_path
from trackrecord.cli.printing import counted, progress, safe, say, say_next, table
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.data.profile.result import Column, Profile

DESCRIPTION = """\
Look at a table before working with it: types, missing and distinct values, ranges, shapes,
gaps in time, keys, repeated rows, and columns that look wrong."""
EPILOG = """\
examples:
  trackrecord data profile flights.csv
  trackrecord data profile flights --open
  trackrecord data profile flights.parquet --out profile.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table", metavar="NAME_OR_FILE", help="a source of the workspace, or a file"
    )
    parser.add_argument("--out", metavar="HTML", help="write the page there")
    parser.add_argument("--open", action="store_true", help="write the page, and open it")


def run(options: argparse.Namespace) -> Answer:
    from trackrecord.data.profile.profile import profile_file

    root = workspace_root(options)
    path = table_path(options.table, root, options)
    out = _out(options, root, path)
    with progress(f"profile of {path.name}") as step:
        found = profile_file(
            path, name=path.stem, step=lambda _column, share: step("looking at its columns", share)
        )
    _tell(found)
    if out is not None:
        _write(found, out)
        say(f"\n  wrote {short_path(out)}")
        if options.open:
            import webbrowser

            webbrowser.open(out.resolve().as_uri())
    else:
        say_next(f"trackrecord data profile {options.table} --open")
    import msgspec

    return Answer(0, msgspec.to_builtins(found))


def workspace_root(options: argparse.Namespace) -> Path | None:
    """The workspace around, where there is one: a file can be looked at without."""
    from trackrecord.workspace import SETTINGS, find_workspace

    start = Path(options.folder or ".").resolve()
    if any((folder / SETTINGS).is_file() for folder in (start, *start.parents)):
        return find_workspace(start).root
    return None


def table_path(named: str, root: Path | None, options: argparse.Namespace) -> Path:
    """The file that a source's or a file's name means."""
    from trackrecord.data.named import find_table

    return find_table(named, root, Path(options.folder or "."))


def _out(options: argparse.Namespace, root: Path | None, path: Path) -> Path | None:
    """Where the page goes; what cannot be written to is said before the work."""
    if options.out is None and not options.open:
        return None
    if options.out is None:
        # The page holds values of the data: it stays beside the caches, out of git.
        folder: Path = root / ".trackrecord" if root else Path(options.folder or ".")
        folder.mkdir(exist_ok=True)
        return folder / f"{path.stem}.profile.html"
    out: Path = Path(options.folder or ".") / options.out
    if out.is_dir() or not out.parent.is_dir() or out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(
            f"cannot write the page to {options.out}",
            where=f"--out {options.out}",
            why="it is to be a file ending in .html, in a folder that is there",
            next="--out profile.html",
        )
    return out


def _write(found: Profile, out: Path) -> None:
    from trackrecord.ledger import write_atomic
    from trackrecord.portfolio.profile_page import render_profile
    from trackrecord.version import __version__

    write_atomic(out, render_profile(found, tool=__version__).encode("utf-8", "replace"))


def _tell(found: Profile) -> None:
    say(
        f"\n  {found.name}: {counted(found.rows, 'row')}, {counted(len(found.columns), 'column')}, "
        f"{found.bytes / 1e6:,.1f} MB"
    )
    rows = [_row(column, found.rows) for column in found.columns[:200]]
    table(["column", "kind", "missing", "distinct", "from", "to", "doubts"], rows, right=(2, 3))
    if len(found.columns) > len(rows):
        say(f"  and {len(found.columns) - len(rows):,} more columns: --out page.html or --json")
    if found.duplicate_rows:
        say(f"  {counted(found.duplicate_rows, 'row')} repeat an earlier one in every column")
    elif found.keys:
        say(f"  keys: {'; '.join(' + '.join(key) for key in found.keys)}")
    else:
        say("  no column, nor two or three together, names a row")
    for note in found.notes:
        say(f"  · {note}")
    doubts = [(column, one) for column in found.columns for one in column.suspicions]
    if doubts:
        say(f"\n  {counted(len(doubts), 'doubt')}")
    for column, one in doubts[:60]:
        say(f"  ? {safe(column.name)}: {one.what}  [{one.code}]")
        say(f"    → {one.fix}")
    if len(doubts) > 60:
        say(f"  and {len(doubts) - 60} more: --out page.html or --json")


def _row(column: Column, rows: int) -> list[str]:
    share = f"{100 * column.missing / rows:.1f} %" if column.missing else "–"
    about = "≈ " if column.distinct_error is not None else ""
    kind = column.kind
    return [
        column.name, kind, share, f"{about}{column.distinct:,}",
        column.minimum or (column.frequent[0].value if column.frequent else ""),
        column.maximum or "",
        ", ".join(one.code for one in column.suspicions),
    ]  # fmt: skip
