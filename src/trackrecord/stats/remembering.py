"""What is found of columns that cannot be written to, kept by who has them while they are measured.

Metrics ask for the same things of the same columns: the order of the scores, the cells at a
threshold. Whoever measures several opens a memory around it; without one, all is found anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]

Found = TypeVar("Found")

# Rows, over all that is kept: some ten or twenty bytes each.
REMEMBERED = 1 << 25


class Memory:
    """What was found of frozen columns, up to REMEMBERED rows in all; what is oldest goes first."""

    __slots__ = ("_kept", "_offered", "_rows")

    def __init__(self) -> None:
        # the columns are kept, too: their addresses are their names
        self._kept: dict[Hashable, tuple[tuple[Column, ...], Any]] = {}
        self._offered: dict[Hashable, tuple[tuple[Column, ...], Callable[[], Any]]] = {}
        self._rows = 0

    def offer(self, what: Hashable, columns: tuple[Column, ...], find: Callable[[], Any]) -> None:
        """A quicker way to find ``what`` of these columns, should anyone ask."""
        self._offered[what, *map(id, columns)] = (columns, find)

    def found(
        self, what: Hashable, columns: tuple[Column, ...], find: Callable[[], Found]
    ) -> Found:
        """What was found before, or is found now."""
        name = (what, *map(id, columns))
        if name in self._kept:
            known: Found = self._kept[name][1]
            return known
        _, quicker = self._offered.pop(name, (columns, find))
        fresh: Found = quicker()
        self._kept[name] = (columns, fresh)
        self._rows += columns[0].size
        while len(self._kept) > 1 and self._rows > REMEMBERED:
            oldest, _ = self._kept.pop(next(iter(self._kept)))
            self._rows -= oldest[0].size
        return fresh


_open: ContextVar[Memory | None] = ContextVar("memory", default=None)


@contextmanager
def remembering(memory: Memory) -> Iterator[None]:
    """Whatever is ``remembered`` within, and in this thread, is kept in ``memory``."""
    before = _open.set(memory)
    try:
        yield
    finally:
        _open.reset(before)


def remembered(what: Hashable, columns: tuple[Column, ...], find: Callable[[], Found]) -> Found:
    """``find()``, or what it gave for the same ``what`` of the same columns, which are all frozen.

    Columns that may change are found anew each time.
    """
    memory = _open.get()
    if memory is None or not all(map(_frozen, columns)):
        return find()
    return memory.found(what, columns, find)


def _frozen(column: Column) -> bool:
    """Whether neither the column nor what it is a view of can be written to."""
    base = column.base
    return not (column.flags.writeable or (isinstance(base, np.ndarray) and base.flags.writeable))
