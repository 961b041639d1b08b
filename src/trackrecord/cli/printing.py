"""What people see in the terminal. Rich is loaded only for tables and progress."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache

TYPE_CHECKING = False  # typing takes as long to load as the interpreter itself
if TYPE_CHECKING:
    import re
    from typing import Any

# Columns of a line where there is no terminal to ask.
WIDTH = 100

_quiet = False
_folder: str | None = None
_hints = True


def quiet(on: bool) -> None:
    """With ``--json`` nothing but the JSON goes to standard output."""
    global _quiet  # noqa: PLW0603 - one process, one terminal
    _quiet = on


def stand_in(folder: str | None) -> None:
    """The ``-C FOLDER`` that the person gave: every hint repeats it."""
    global _folder  # noqa: PLW0603 - one process, one command line
    _folder = folder


# C0 and C1 controls, halves of surrogate pairs (a file name that is not UTF-8), and the marks that
# turn the direction of writing: any of them could make a terminal show what was not said.
_HARMFUL = dict.fromkeys(
    [*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
    "\N{REPLACEMENT CHARACTER}",
)
del _HARMFUL[ord("\n")]


def safe(text: str) -> str:
    """Text without the characters that could repaint a terminal or cannot be written to it."""
    return text.translate(_HARMFUL).encode("utf-8", "replace").decode("utf-8")


def say(text: str = "", *, indent: int | None = 4) -> None:
    """Words for a person, in lines that fit; what does not fit goes on below, indented.

    ``indent`` is None for what is to be copied, and so stays on one line.
    """
    if not _quiet:
        print(safe(text) if indent is None else wrapped(safe(text), indent), flush=True)


def say_next(*steps: str) -> None:
    """The next command to type, and further ones below it."""
    if _hints:
        for label, step in zip(["next: ", *["      "] * len(steps)], steps, strict=False):
            say(f"  {label}{hint(step)}", indent=8)


@contextmanager
def without_hints() -> Iterator[None]:
    """For commands whose next step somebody else takes."""
    global _hints  # noqa: PLW0603 - one process, one terminal
    _hints = False
    try:
        yield
    finally:
        _hints = True


def hint(text: str) -> str:
    """A hint whose commands can be typed where the person stands: with the ``-C`` they gave.

    Not so ``verify``, whose folder is named as seen from there, and what follows a ``cd``.
    """
    if _folder is None or " -C " in text:
        return text
    import shlex

    begin = f"trackrecord -C {shlex.quote(_folder)} "

    def repeated(found: re.Match[str]) -> str:
        if found["cd"] or found["verb"] == "verify":
            return found.group()
        return begin + found.group().removeprefix("trackrecord ")

    return _command().sub(repeated, text)


@cache
def _command() -> re.Pattern[str]:
    """A command inside a sentence, up to where the sentence goes on."""
    import re

    from trackrecord.cli.main import VERBS

    verbs = "|".join(VERBS)
    return re.compile(
        r"(?<![\w`/.-])(?P<cd>cd .+ && )?trackrecord "
        rf"(?:-C (?:'.*?'|\S+) )?(?P<verb>{verbs})\b(?:(?!  |, then|; |`).)*"
    )


def line_width(stream: Any = None) -> int:
    """Columns of the terminal; 100 where there is none."""
    if not (stream or sys.stdout).isatty():
        return WIDTH
    import shutil

    return max(40, shutil.get_terminal_size((WIDTH, 24)).columns)


def wrapped(text: str, indent: int, columns: int | None = None) -> str:
    """Text in lines of at most ``columns``, broken at spaces, never inside a word or a command."""
    columns = columns or line_width()
    if all(len(line) <= columns for line in text.split("\n")):
        return text
    import re
    import textwrap

    # A command that is broken into two lines cannot be copied.
    whole = _command().sub(lambda found: found.group().replace(" ", "\0"), text)
    whole = re.sub(r"(?<=\d) (?=%)", "\0", whole)
    whole = re.sub(r"(?<=next:) +(?=cd\0|trackrecord\0)", lambda f: "\0" * len(f[0]), whole)
    lines = [
        textwrap.fill(
            line.lstrip(" "),
            columns,
            initial_indent=" " * (len(line) - len(line.lstrip(" "))),
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in whole.split("\n")
    ]
    return "\n".join(lines).replace("\0", " ")


def print_json(result: Any) -> None:
    """The result for a program, keys in a fixed order."""
    if not isinstance(result, dict | list | str | int | float | bool | None):
        import msgspec

        result = msgspec.to_builtins(result)
    import json

    text = json.dumps(result, ensure_ascii=False, indent=2, sort_keys=True)
    print(text.encode("utf-8", "replace").decode("utf-8"))


def heading(text: str) -> None:
    """A step's title."""
    mark, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    if not _quiet:
        print(f"\n{mark}{safe(text)}{plain}", flush=True)


def table(columns: list[str], rows: list[list[str]], *, right: Collection[int] = ()) -> None:
    """A table that wraps to the terminal; columns in ``right`` are aligned for comparing."""
    if _quiet:
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for index, column in enumerate(columns):
        drawn.add_column(
            Text(safe(column)),
            justify="right" if index in right else "left",
            overflow="fold",
            no_wrap=index in right,
        )
    for row in rows:
        drawn.add_row(*(Text(safe(cell)) for cell in row))
    Console(highlight=False, width=line_width()).print(drawn)


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """A progress bar on standard error: call what it yields with (step, share done)."""
    if _quiet or not sys.stderr.isatty():
        last = ""

        def plain(step: str, share: float) -> None:
            nonlocal last
            if step != last and not _quiet:
                print(f"  … {safe(step)}", flush=True)
            last = step

        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=28),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bars:
        task = bars.add_task(title, total=1.0)

        def move(step: str, share: float) -> None:
            bars.update(task, description=safe(step), completed=share)

        yield move


def counted(count: int, noun: str) -> str:
    """``1 look``, ``2 looks``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
