"""How every verb is parsed, run, and told to a person or a program."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any, NamedTuple, NoReturn, Protocol

from trackrecord.errors import BadInput, TrackrecordError, suggest


class Answer(NamedTuple):
    """What a command returns: its exit code, and its result for ``--json``."""

    code: int
    result: Any


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


def execute(verb: str, door_name: str, words: list[str]) -> int:
    """Parse and run a verb. No traceback reaches a person who did not ask for one."""
    from trackrecord.cli import printing

    as_json = "--json" in words
    printing.stand_in(None)
    try:
        parser, door = make_parser(verb, door_name)
        options = parser.parse_args(words)
        _check_folder(options.folder)
        printing.stand_in(options.folder)
        printing.quiet(as_json)
        answer = door.run(verb, options)
        if as_json:
            printing.print_json(answer.result)
        sys.stdout.flush()
        return answer.code
    except SystemExit as ended:  # argparse, after it has printed --help
        return ended.code if isinstance(ended.code, int) else 0
    except BrokenPipeError:
        raise
    except Exception as error:
        if "--debug" in words:
            import traceback

            traceback.print_exc()
        told = _told(error, [verb, *words])
        _tell(told, as_json)
        return told.exit_code


def _told(error: Exception, words: list[str]) -> TrackrecordError:
    """Any error as one that a person can act on."""
    if isinstance(error, TrackrecordError):
        # Whoever knows a better way out has said it.
        error.next = error.next or f"mend that, then: {_again(words)}"
        return error
    if isinstance(error, OSError):
        return _system_error(error, _again(words))
    return TrackrecordError(
        f"trackrecord itself failed: {type(error).__name__}: {str(error)[:500]}",
        why="this is a bug in trackrecord, not in your work",
        next=f"report what this prints: {_again(words)} --debug",
    )


def _again(words: list[str]) -> str:
    import shlex

    return shlex.join(["trackrecord", *words])[:500]


def _check_folder(folder: str | None) -> None:
    if folder is not None and not os.path.isdir(folder):
        raise BadInput(
            f"there is no folder {folder}",
            where=f"-C {folder}",
            next="name a folder in a workspace, or make one: trackrecord init FOLDER",
        )


def _system_error(error: OSError, again: str) -> TrackrecordError:
    import errno

    mend = {
        errno.ENOSPC: "free some space: nothing was half-written",
        errno.EROFS: "work in a folder that can be written to",
        errno.EACCES: "give yourself permission to that file",
    }.get(error.errno or 0, "look at that file")
    return TrackrecordError(
        (error.strerror or str(error)).lower(),
        where=str(error.filename) if error.filename else None,
        next=f"{mend}, then: {again}",
    )


def _tell(error: TrackrecordError, as_json: bool) -> None:
    from trackrecord.cli.printing import hint, line_width, print_json, safe, wrapped

    advice = hint(error.next) if error.next else None
    if as_json:
        parts = {"what": error.what, "where": error.where, "why": error.why, "next": advice}
        print_json({"error": parts})
        return
    bold, plain = ("\033[1;31m", "\033[0m") if sys.stderr.isatty() else ("", "")
    columns = line_width(sys.stderr)
    print(f"{bold}{wrapped(f'✗ {safe(error.what)}', 2, columns)}{plain}", file=sys.stderr)
    for label, text in (("where", error.where), ("why", error.why), ("next", advice)):
        if text:
            line = f"  {label + ':':<6} {safe(text)}"
            print(wrapped(line, 9, columns), file=sys.stderr)
