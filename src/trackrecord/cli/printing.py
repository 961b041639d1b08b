"""What people see in the terminal. Rich is loaded only for tables and progress."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

_quiet = False


def quiet(on: bool) -> None:
    """With ``--json`` nothing but the JSON goes to standard output."""
    global _quiet  # noqa: PLW0603 - one process, one terminal
    _quiet = on


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


def say(text: str = "") -> None:
    """A line for a person."""
    if not _quiet:
        print(safe(text), flush=True)


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
    Console(highlight=False, width=None if sys.stdout.isatty() else 110).print(drawn)


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
