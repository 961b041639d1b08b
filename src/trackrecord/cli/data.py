"""``trackrecord data``: what is done to data before a case, a file for each sub-verb."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from trackrecord.cli.command import Answer
from trackrecord.cli.parsing import sub_verb

# sub-verb: (the module that has it, what it does in one line). In the order of the work. A module
# has ``DESCRIPTION``, ``EPILOG``, ``add_arguments(parser)`` and ``run(options) -> Answer``.
DOORS: dict[str, tuple[str, str]] = {
    "add": ("data_add", "keep a file's bytes, and make a table of them"),
    "profile": ("data_profile", "look at a table: kinds, ranges, keys, gaps, what looks wrong"),
    "contract": ("data_contract", "draft what a source promises, and check data against it"),
    "build": ("data_build", "run the pipeline's steps that are stale, and count what they drop"),
    "split": ("data_split", "divide rows into parts by a recipe, and show who is where"),
    "drift": ("data_drift", "how far one table is from another, with effect and severity"),
    "labels": ("data_labels", "labels that are probably wrong, values written in two ways"),
    "lineage": ("data_lineage", "where tables and numbers are from, and what is stale"),
    "card": ("data_card", "describe a source for people and for programs"),
}


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "From raw files to tables that a case can stand on."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="|".join(DOORS))
    for name, (module, line) in DOORS.items():
        door: Any = import_module(f"trackrecord.cli.{module}")
        leaf = sub_verb(group, name, help=line, description=door.DESCRIPTION)
        leaf.epilog = door.EPILOG
        door.add_arguments(leaf)


def run(verb: str, options: argparse.Namespace) -> Answer:
    door: Any = import_module(f"trackrecord.cli.{DOORS[options.sub_verb][0]}")
    answer: Answer = door.run(options)
    return answer
