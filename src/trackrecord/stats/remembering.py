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
    refs = tuple(weakref.ref(column, lambda _: _kept.pop(name, None)) for column in columns)
    _kept[name] = (refs, columns[0].size, found)
    while len(_kept) > 1 and sum(rows for _, rows, _ in list(_kept.values())) > REMEMBERED:
        _kept.pop(next(iter(_kept)), None)
    return found


def _frozen(column: Column) -> bool:
    """Whether neither the column nor what it is a view of can be written to."""
    base = column.base
    return not (column.flags.writeable or (isinstance(base, np.ndarray) and base.flags.writeable))
