"""``data build``: run the steps of the workspace's pipeline that are stale."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.printing import counted, progress, say, say_next, table
from trackrecord.errors import BadInput
from trackrecord.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trackrecord.data.build.build import Limits, Outcome, Refused, Said

SHOWN = 40

DESCRIPTION = """\
Run the steps of pipeline/ whose SQL, Python, inputs or contract changed, in the order of what
they read. Says how many rows each part of a step lost, and keeps each run as evidence."""
EPILOG = """\
examples:
  trackrecord data build --dry-run        what would run, and why
  trackrecord data build                  all steps that are stale
  trackrecord data build daily            daily, and what it rests on
  trackrecord data build daily --force    though it is fresh

A step is pipeline/NN_name.sql, whose last statement is a SELECT, or pipeline/NN_name.py with one
function, whose parameters name the tables it reads. It makes data/built/name.parquet.

exit 1 when a table breaks its contract; the one built before stays
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "steps", nargs="*", metavar="STEP", help="only these, and what they rest on"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would run, and why")
    parser.add_argument("--force", action="store_true", help="run them though they are fresh")
    parser.add_argument(
        "--minutes", type=float, metavar="N", help="for each step in Python (default 30)"
    )
    parser.add_argument(
        "--memory",
        type=float,
        metavar="GB",
        help="for each step (default: 2 in SQL, which then uses the disk; most of the machine's "
        "in Python)",
    )


def run(options: argparse.Namespace) -> Answer:
    from trackrecord.data.build.build import build, plan

    workspace = open_workspace_of(options)
    limits = _limits(options)
    _tell_order(workspace.root)
    if options.dry_run:
        with progress("looking") as step:
            step("looking at steps and tables", 0.1)
            planned = plan(workspace.root, options.steps, tool=__version__, force=options.force)
        _tell_plan(planned)
        return Answer(0, {"steps": _plain(planned)})
    refused: list[Refused] = []

    def hear(said: Said) -> None:
        _tell(said.outcome)
        if said.refused is not None:
            refused.append(said.refused)
            _tell_refused(said.outcome, said.refused)

    outcomes = build(
        workspace.root,
        options.steps,
        tool=__version__,
        force=options.force,
        limits=limits,
        say=hear,
        progress=_bar,
    )
    fresh = [one for one in outcomes if one.state == "fresh"]
    if len(fresh) == len(outcomes):
        say(f"✓ nothing to do: {counted(len(fresh), 'step')} fresh")
    ran = [one for one in outcomes if one.state in ("built", "same")]
    if ran and not refused:
        say_next(f"trackrecord data profile {ran[-1].step}")
    return Answer(1 if refused else 0, {"steps": _plain(outcomes), "holds": not refused})


def _limits(options: argparse.Namespace) -> Limits:
    from trackrecord.data.build.build import Limits

    for name, value, least in (
        ("--minutes", options.minutes, 0.01),
        ("--memory", options.memory, 0.1),
    ):
        if value is not None and not least <= value < 1e6:
            raise BadInput(
                f"{name} {value:g} is no limit", why=f"at least {least:g}", next=f"{name} 10"
            )
    minutes, gigabytes = options.minutes, options.memory
    return Limits(
        seconds=60 * minutes if minutes else Limits().seconds,
        memory=int(gigabytes * 1e9) if gigabytes else None,
    )


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[float], None]]:
    """One step under way."""
    with progress("building") as move:
        move(what, 0.0)
        yield lambda share: move(what, share)


def _tell_order(root: Path) -> None:
    """Steps that run after one with a higher number."""
    from trackrecord.data.build.steps import made_later, read_pipeline

    for step, maker in made_later(read_pipeline(root)):
        say(
            f"  ! {step.file} reads {maker.name}, which {maker.file} makes: it runs after it, "
            "whatever the numbers say"
        )


def _tell_plan(planned: list[Outcome]) -> None:
    words = {"would": "runs", "may": "may run", "fresh": "fresh"}
    table(
        ["step", "", "why"],
        [[one.step, words[one.state], "; ".join(one.why)] for one in planned],
    )
    if all(one.state == "fresh" for one in planned):
        say("  nothing would run")


def _tell(one: Outcome) -> None:
    if one.state == "fresh" or one.rows is None:
        say(f"  · {one.step} is fresh")
        return
    rows = counted(one.rows, "row")
    read = ", ".join(f"{table.rows:,} of {table.name}" for table in one.inputs)
    if one.state == "same":
        say(f"✓ {one.step} came out as it was: {rows} ({'; '.join(one.why)})")
    elif one.state == "built":
        say(f"✓ built {one.step}: {rows} ({'; '.join(one.why)})")
    say(f"  rows in: {read}" if read else "  it reads no table")
    _tell_effects(one)
    for doubt in one.unsettled:
        say(f"  ! {doubt}")
    if one.printed:
        lines = one.printed.splitlines()
        for line in lines[:SHOWN]:
            say(f"  | {line}", indent=4)
        if len(lines) > SHOWN:
            say(f"  | … and {counted(len(lines) - SHOWN, 'line')} more")


def _tell_effects(one: Outcome) -> None:
    """What each part did to rows; parts that changed nothing are left out where others did."""
    told = [
        effect
        for effect in one.effects
        if effect.untold is not None or effect.rows_in != effect.rows_out or effect.lost
    ]
    if not told:
        if one.effects:
            say("  no part of it lost or added a row")
        return
    rows = []
    for effect in told[:SHOWN]:
        words = f"{effect.clause} {effect.what}"
        rows.append(
            [
                f"{effect.part}: {words}" if effect.part else words,
                _number(effect.rows_in),
                _number(effect.rows_out),
                f"−{effect.lost:,}" if effect.lost else "",
                f"+{effect.added:,}" if effect.added else "",
            ]
        )
    table(["what became of the rows", "in", "out", "lost", "more"], rows, right={1, 2, 3, 4})
    for why in dict.fromkeys(effect.untold for effect in told if effect.untold):
        say(f"  · not counted where: {why}")
    if len(told) > SHOWN:
        say(f"  … and {len(told) - SHOWN:,} more, in the evidence")


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _tell_refused(one: Outcome, refused: Refused) -> None:
    from trackrecord.cli.data_contract import tell_broken

    checked = refused.checked
    say(f"✗ {one.step} breaks {short_path(refused.contract)} {checked.version}: not kept")
    say("  The table built before stays, and steps that read it did not run.")
    for broken in checked.outcomes:
        if broken.status != "held":
            tell_broken(broken)
    say_next(f"mend {one.file} or the contract, then: trackrecord data build")


def _plain(outcomes: list[Outcome]) -> Any:
    import msgspec

    return msgspec.to_builtins(outcomes)
