"""How every verb is parsed, run, and told to a person or a program."""

from __future__ import annotations

import os
import sys
from collections import namedtuple

from trackrecord.errors import BadInput, TrackrecordError

TYPE_CHECKING = False  # typing takes as long to load as the interpreter itself
if TYPE_CHECKING:
    from typing import Any

# Verbs without words of their own: argparse would be a third of all the time that they take.
WORDLESS = ("status",)


class Answer(namedtuple("Answer", ["code", "result"])):
    """What a command returns: its exit code, and its result for ``--json``."""

    __slots__ = ()
    code: int
    result: Any


class Plain:
    """The options that every verb has, read without argparse."""

    def __init__(self) -> None:
        self.json = self.debug = False
        self.folder: str | None = None


def execute(verb: str, door_name: str, words: list[str]) -> int:
    """Parse and run a verb. No traceback reaches a person who did not ask for one."""
    from trackrecord.cli import printing

    as_json = "--json" in words
    printing.stand_in(None)
    try:
        door, options = _understood(verb, door_name, words)
        _check_folder(options.folder)
        printing.stand_in(options.folder)
        printing.quiet(as_json)
        answer: Answer = door.run(verb, options)
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


def _understood(verb: str, door_name: str, words: list[str]) -> tuple[Any, Any]:
    """The module that has the verb, and the options that were typed."""
    if verb in WORDLESS and (plain := _plain(words)):
        from importlib import import_module

        return import_module(f"trackrecord.cli.{door_name}"), plain
    from trackrecord.cli.parsing import make_parser

    parser, door = make_parser(verb, door_name)
    return door, parser.parse_args(words)


def _plain(words: list[str]) -> Plain | None:
    """The common options, where there is nothing else among the words."""
    options, rest = Plain(), iter(words)
    for word in rest:
        if word == "--json":
            options.json = True
        elif word == "--debug":
            options.debug = True
        elif word == "-C" and (folder := next(rest, "-")) and not folder.startswith("-"):
            options.folder = folder
        else:
            return None
    return options


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
    import re
    import shlex

    # An address may hold a password, which is told to nobody.
    shown = [re.sub(r"(?<=://)[^@/]*@|(?<=password=)[^&]*", "", word) for word in words]
    return shlex.join(["trackrecord", *shown])[:500]


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
