"""``trackrecord data split``: who is trained on and who is tested on, shown."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.columns import path_in
from trackrecord.cli.command import Answer
from trackrecord.cli.printing import counted, say, say_next, table
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.data.splits.summary import PartSummary, SplitSummary

DESCRIPTION = (
    "Divide a case's rows, or any table's, into train, validation and test, by a recipe:\n"
    "the same rows always get the same parts, whatever their order and the file's format."
)
EPILOG = (
    "examples:\n"
    "  trackrecord data split churn --show\n"
    "  trackrecord data split visits.parquet --kind group --by user --out parts.parquet\n"
    "  trackrecord data split visits.parquet --kind rolling --time seen --origin 2024-03-01\n\n"
    "kinds: random, stratified, group, together, time, forward, group_time, rolling, nested"
)
BARS = " ▁▂▃▄▅▆▇█"
MOST_BESIDE = 3
# option: (type, metavar, meaning), each a key of a recipe.
KEYS: dict[str, tuple[type, str, str]] = {
    "train": (str, "DAYS", "of time: 2024-01-01..2024-02-29"),
    "validation": (str, "SHARE", "a share of units; of time days, of forward the first day"),
    "test": (str, "SHARE", "the same for the test"),
    "by": (str, "COL", "of group and group_time: the column whose rows stay together"),
    "digits": (int, "N", "of alike: significant digits; 6"),
    "near_share": (float, "SHARE", "of near: how much of their word runs texts share; 0.6"),
    "gap_days": (int, "N", "days left out before the next part"),
    "embargo_days": (int, "N", "days left out at its start"),
    "validation_groups": (float, "SHARE", "of group_time: groups for the validation; 0.1"),
    "test_groups": (float, "SHARE", "of group_time: groups for the test; 0.25"),
    "origin": (str, "DAY", "of rolling: the first day that is tested"),
    "folds": (int, "N", "of rolling: how many; 5"),
    "step_days": (int, "N", "of rolling: how long each is; 30"),
    "train_days": (int, "N", "of rolling: how far back training looks; all"),
    "outer": (int, "N", "of nested: folds that measure; 5"),
    "inner": (int, "N", "of nested: folds that choose; 4"),
    "seed": (int, "N", "another seed is another split; 0"),
}
LISTS = {
    "strata": "of stratified: the shares are the same in each value; the target by default",
    "together": "of together and nested: rows that share a value stay together",
    "alike": "of together and nested: rows that are nearly the same stay together",
    "near": "of together and nested: rows whose texts are nearly the same stay together",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", help="a case, or a file: CSV, Parquet or Arrow")
    parser.add_argument("--show", action="store_true", help="folds, and a picture over time")
    parser.add_argument("--out", metavar="PARQUET", help="write unit, part and folds of each row")
    group = parser.add_argument_group("columns of a file")
    group.add_argument("--unit", metavar="COL", help="the row's id; without it, what the row says")
    group.add_argument("--time", metavar="COL", help="when the row was")
    group.add_argument("--timezone", metavar="NAME", default="UTC", help="where days begin; UTC")
    group.add_argument("--target", metavar="COL", help="the class, for shares and strata")
    group = parser.add_argument_group("recipe of a file")
    group.add_argument("--recipe", metavar="TOML", help="a file with [split] as a case has it")
    group.add_argument("--kind", metavar="KIND", help="see below")
    for name, (kind, metavar, meaning) in KEYS.items():
        option = f"--{name.replace('_', '-')}"
        group.add_argument(option, dest=name, type=kind, metavar=metavar, help=meaning)
    for name, meaning in LISTS.items():
        said = f"{meaning}; again for each"
        group.add_argument(f"--{name}", metavar="COL", action="append", default=[], help=said)


def run(options: argparse.Namespace) -> Answer:
    """Divide, tell, and write where it was asked for."""
    import msgspec

    from trackrecord.cli.data_profile import workspace_root
    from trackrecord.data.named import named_table
    from trackrecord.data.splits.summary import summarise

    path = path_in(options, options.what)
    if not path.is_file() and (options.kind or options.recipe):
        # A recipe is for a table: one of the workspace's, by its name.
        path = named_table(workspace_root(options), options.what) or path
    frame, split, roles = (
        _of_file(options, path) if path.is_file() else _of_case(options, options.what)
    )
    from trackrecord.data.splits.table import divide_table, parts_table

    divided = divide_table(frame, split, roles)
    found = summarise(frame, divided, split, roles)
    tell(found, show=options.show)
    if options.out is not None:
        _write(parts_table(frame, divided, roles.unit), path_in(options, options.out))
        say(f"  parts: {options.out}")
    elif not path.is_file():
        say_next(f"trackrecord case check {options.what}")
    return Answer(0, msgspec.to_builtins(found))


def tell(found: SplitSummary, *, show: bool) -> None:
    """A line for each part; with ``show`` the folds, and where each part lies in time."""
    kind = found.kind.replace("_", " × ")
    say(f"  {kind} split of {counted(found.rows, 'row')}; {found.left_out:,} in no part")
    _table(found.parts, found.column)
    if show:
        _picture(found.parts)
        if found.folds:
            say()
            _table(found.folds, found.column)
            _picture(found.folds)
    say(f"  recipe sha256 {found.recipe_sha256[:16]} · parts sha256 {found.parts_sha256[:16]}")


def _table(parts: list[PartSummary], column: str | None) -> None:
    classes = list(parts[0].classes)
    if len(classes) > MOST_BESIDE:  # in one line there is no room for them
        from msgspec.structs import replace

        _table([replace(part, classes={}) for part in parts], column)
        shares = [
            [f"class {name}", *(_share(part.classes[name], part.rows) for part in parts)]
            for name in classes
        ]
        table(["", *(part.name for part in parts)], shares, right=range(1, len(parts) + 1))
        return
    header = ["part", "rows", "share"]
    header += [f"class {name}" for name in classes]
    header += [f"values of {column}"] if column else []
    right = set(range(1, len(header)))
    header += ["first", "last"] if any(part.first for part in parts) else []
    rows = []
    for part in parts:
        cells = [part.name, f"{part.rows:,}", f"{100 * part.share:.1f} %"]
        for name in classes:
            cells.append(_share(part.classes[name], part.rows))
        cells += [f"{part.groups:,}"] if column else []
        if len(header) > len(cells):
            cells += [part.first or "–", part.last or "–"]
        rows.append(cells)
    table(header, rows, right=right)


def _share(some: int, rows: int) -> str:
    return f"{100 * some / rows:.1f} %" if rows else "–"


def _picture(parts: list[PartSummary]) -> None:
    """Rows over time; without a time, shares as bars."""
    width = max(len(part.name) for part in parts)
    highest = max((max(part.strip, default=0) for part in parts), default=0)
    for part in parts:
        if part.strip:
            bar = "".join(BARS[_height(count, highest)] for count in part.strip)
        else:
            bar = "█" * max(round(48 * part.share), 1 if part.rows else 0)
        say(f"  {part.name:<{width}} {bar}", indent=None)


def _height(count: int, highest: int) -> int:
    return 0 if count == 0 else max(1, round((len(BARS) - 1) * count / highest))


def _of_case(options: argparse.Namespace, name: str) -> tuple[Any, Any, Any]:
    given = [key for key in ("kind", "recipe", "unit", "time", "target") if getattr(options, key)]
    if given:
        raise BadInput(
            f"--{given[0]} is for a table, and there is no file and no table {name}",
            next=f"name a table, or change [split] of the case: cases/{name}/case.toml",
        )
    if "/" in name or Path(name).suffix:
        raise BadInput(f"there is no file {name}", next="name a table, or a case")
    from trackrecord.cli.opening import open_case
    from trackrecord.data.split import roles_of
    from trackrecord.data.table import load_case_table

    options.case = name
    opened = open_case(options)
    frame = load_case_table(opened.case, opened.workspace.root).frame
    return frame, opened.case.split, roles_of(opened.case)


def _of_file(options: argparse.Namespace, path: Path) -> tuple[Any, Any, Any]:
    from trackrecord.data.sources import check_timezone, read_table
    from trackrecord.data.splits.table import read_recipe, with_units

    check_timezone(options.timezone)
    split = read_recipe(_document(options))
    frame = read_table(path, timezone=options.timezone)
    frame, roles = with_units(frame, options.unit, options.time, options.target, options.timezone)
    return frame, split, roles


def _document(options: argparse.Namespace) -> dict[str, Any]:
    """The recipe as typed, or as its file has it."""
    typed = {name: getattr(options, name) for name in (*KEYS, *LISTS)}
    typed = {name: value for name, value in typed.items() if value not in (None, [])}
    if options.recipe is not None:
        if typed or options.kind:
            raise BadInput("a recipe is in a file or typed, not both", next="leave --recipe out")
        return _from_toml(path_in(options, options.recipe), options.recipe)
    if options.kind is None:
        raise BadInput(
            "which kind of split?",
            why="random, stratified, group, together, time, forward, group_time, rolling, nested",
            next=f"trackrecord data split {options.what} --kind random",
        )
    document: dict[str, Any] = {"kind": options.kind.replace("-", "_"), **typed}
    for name in ("train", "validation", "test"):
        if name in document:
            document[name] = _span(str(document[name]), name)
    return document


def _span(text: str, name: str) -> Any:
    """A share as a number, ``DAY..DAY`` as a span, a day as it is."""
    first, dots, last = text.partition("..")
    if dots:
        return {"first": first, "last": last}
    if text.count("-") == 2:
        return text
    try:
        return float(text)
    except ValueError:
        raise BadInput(
            f"--{name} {text} is neither a share nor a day", next=f"--{name} 0.2"
        ) from None


def _from_toml(path: Path, shown: str) -> dict[str, Any]:
    import tomllib

    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {shown}", why=error.strerror) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{shown} is not TOML", why=str(error)) from None
    split = document.get("split", document)
    if not isinstance(split, dict):
        raise BadInput(f"[split] of {shown} is no table")
    return split


def _write(parts: Any, path: Path) -> None:
    import io

    from trackrecord.ledger import write_atomic

    buffer = io.BytesIO()
    parts.write_parquet(buffer)
    try:
        write_atomic(path, buffer.getvalue())
    except OSError as error:
        raise BadInput(f"cannot write {path}", why=error.strerror) from None
