"""The words of every verb: argparse, ending as the rest of the program does."""

from __future__ import annotations

import argparse
import importlib
from typing import Any, NoReturn, Protocol

from trackrecord.cli.command import Answer
from trackrecord.errors import BadInput, suggest


class Door(Protocol):
    """A module in ``cli`` that has one or more verbs."""

    def add_arguments(self, verb: str, parser: argparse.ArgumentParser) -> None: ...
    def run(self, verb: str, options: argparse.Namespace) -> Answer: ...


class Parser(argparse.ArgumentParser):
    """argparse that ends as the rest of the program does: exit 2 and the next command."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse has it; but words that nobody knows are the sub-verb's to tell."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and leaves(self) == [self]:
            known = [word for action in self._actions for word in action.option_strings]
            near = suggest(unknown[0].partition("=")[0], known)
            hint = f"; did you mean {near}?" if near else ""
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        raise BadInput(
            f"{self.prog}: {message}",
            why=" ".join(self.format_usage().split()),
            next=f"{self.prog} --help",
        )


def make_parser(verb: str, door_name: str) -> tuple[Parser, Door]:
    """The parser of one verb, and the module that runs it."""
    door: Any = importlib.import_module(f"trackrecord.cli.{door_name}")
    parser = Parser(
        prog=f"trackrecord {verb}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    door.add_arguments(verb, parser)
    for leaf in leaves(parser):
        add_common_options(leaf)
    return parser, door


def leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser itself, or those of its sub-verbs."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return list(action.choices.values())
    return [parser]


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """What every verb understands."""
    group = parser.add_argument_group("every verb")
    group.add_argument("--json", action="store_true", help="print the result as JSON")
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")
    group.add_argument(
        "-C", dest="folder", metavar="FOLDER", default=None, help="work as if started in FOLDER"
    )


def sub_verb(
    group: Any,
    name: str,
    *,
    help: str,
    description: str,
) -> argparse.ArgumentParser:
    """A sub-verb's parser, laid out like every other."""
    parser: argparse.ArgumentParser = group.add_parser(
        name,
        help=help,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser
