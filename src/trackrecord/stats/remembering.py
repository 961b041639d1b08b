"""What is found of columns that cannot be written to, kept for as long as they are."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]

Found = TypeVar("Found")

# Rows, over all that is kept: some ten or twenty bytes each.
REMEMBERED = 1 << 25
_kept: dict[Hashable, tuple[tuple[weakref.ref[Any], ...], int, Any]] = {}
_rows = [0]


def remembered(what: Hashable, columns: tuple[Column, ...], find: Callable[[], Found]) -> Found:
    """``find()``, or what it gave for the same ``what`` of the same columns, which are all frozen.

    Columns that may change are found anew each time.
    """
    if not all(map(_frozen, columns)):
        return find()
    name = (what, *map(id, columns))
    known = _kept.get(name)
    if known is not None and all(a() is b for a, b in zip(known[0], columns, strict=True)):
        found: Found = known[2]
        return found
    found = find()
    _forget(name)
    refs = tuple(weakref.ref(column, lambda _: _forget(name)) for column in columns)
    _kept[name] = (refs, columns[0].size, found)
    _rows[0] += columns[0].size
    while len(_kept) > 1 and _rows[0] > REMEMBERED:
        _forget(next(iter(_kept)))
    return found


def _forget(name: Hashable) -> None:
    known = _kept.pop(name, None)
    if known is not None:
        _rows[0] -= known[1]


def _frozen(column: Column) -> bool:
    """Whether neither the column nor what it is a view of can be written to."""
    base = column.base
    return not (column.flags.writeable or (isinstance(base, np.ndarray) and base.flags.writeable))
