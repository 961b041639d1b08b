"""``trackrecord init``."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from trackrecord.cli.command import Answer
from trackrecord.cli.printing import say, say_next
from trackrecord.workspace import make_workspace


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Make a folder a workspace: cases, data and evidence, all in plain files."
    parser.epilog = (
        "example:\n  trackrecord init career\n"
        "  cd career && trackrecord case new churn --from ../churn.csv"
    )
    parser.add_argument("path", nargs="?", default=".", help="the folder (default: this one)")


def run(verb: str, options: argparse.Namespace) -> Answer:
    root = Path(options.folder or ".") / options.path
    workspace = make_workspace(root)
    say(f"✓ {options.path} is a workspace now")
    enter = "" if options.path == "." else f"cd {shlex.quote(root.as_posix())} && "
    say_next(f"{enter}trackrecord case new NAME --from DATA")
    return Answer(0, {"workspace": workspace.root.resolve().as_posix()})
