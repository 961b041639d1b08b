"""Rows of Python values as batches: for formats that know the type of each value.

A first pass says which types each column has over **all** rows; the column gets the one that
holds them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trackrecord.data.ingest.record import Note, Seen

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 1 << 15
EXACT = 1 << 53
MIXED = "has a value of another type than other rows: the column is text"
NESTED = "is a list or an object, and is kept as JSON text"
BLURRED = "is a whole number that a float does not keep, among numbers with a fraction"


class Survey:
    """The types of every column, row by row. Mutable."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.types: dict[str, dict[type, int]] = {name: {} for name in names}
        self.seen: dict[tuple[str, type], Seen] = {}
        self.large: dict[str, list[Seen]] = {}
        self.wide: dict[str, bool] = {}
        self.larges: dict[str, int] = {}
        self.rows = 0

    def add(self, name: str, value: Any) -> None:
        """One value of the row that is being read."""
        kind = type(value)
        types = self.types.setdefault(name, {})
        if kind in types:
            types[kind] += 1
        else:
            types[kind] = 1
            self.seen[name, kind] = Seen(self.rows + 1, as_json(value)[:60])
        if kind is int and not -EXACT <= value <= EXACT:
            self.larges[name] = self.larges.get(name, 0) + 1
            if not -(1 << 63) <= value < 1 << 63:
                self.wide[name] = True
            first = self.large.setdefault(name, [])
            if len(first) < 3:
                first.append(Seen(self.rows + 1, str(value)))

    def schema(self) -> pa.Schema:
        """The type that holds every value of each column."""
        import pyarrow as pa

        return pa.schema([(name, self._type(name)) for name in self.types])

    def texts(self) -> list[str]:
        """Columns in which every value is text: of them, dates and times are found."""
        return [name for name in self.types if self._kinds(name) == {str}]

    def notes(self) -> list[Note]:
        """Types that were brought together, with the first rows of each."""
        found = []
        for name in self.types:
            kinds = self._kinds(name)
            nested = kinds & {list, dict}
            if nested:
                rows = sum(self.types[name][kind] for kind in nested)
                first = [self.seen[name, kind] for kind in nested]
                found.append(Note(code="nested", what=NESTED, rows=rows, column=name, first=first))
            if len(kinds) > 1 and kinds != {int, float}:
                most = max(kinds, key=lambda kind: self.types[name][kind])
                rows = sum(self.types[name][kind] for kind in kinds if kind is not most)
                first = [self.seen[name, kind] for kind in kinds if kind is not most]
                first.sort(key=lambda seen: seen.row)
                found.append(Note(code="mixed", what=MIXED, rows=rows, column=name, first=first))
            if kinds == {int, float} and self.larges.get(name):
                found.append(
                    Note(code="digits", what=BLURRED, rows=self.larges[name], column=name,
                         lost=True, first=self.large[name])
                )  # fmt: skip
        return found

    def _kinds(self, name: str) -> set[type]:
        return set(self.types[name]) - {type(None)}

    def _type(self, name: str) -> pa.DataType:
        import pyarrow as pa

        kinds = self._kinds(name)
        if kinds == {int}:
            return pa.large_string() if self.wide.get(name) else pa.int64()
        if kinds and kinds <= {int, float}:
            return pa.float64()
        if kinds == {bool}:
            return pa.bool_()
        return pa.large_string() if kinds else pa.null()


class Rows:
    """Batches of lists, column by column, in the types that a survey found."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.lists: dict[str, list[Any]] = {name: [] for name in schema.names}
        self.height = 0

    def add(self, values: Iterable[Any]) -> bool:
        """One row, in the schema's order; True once there are enough for a batch."""
        for column, value in zip(self.lists.values(), values, strict=True):
            column.append(value)
        self.height += 1
        return self.height >= ROWS

    def batch(self) -> pa.RecordBatch:
        """The rows so far."""
        import pyarrow as pa

        arrays = []
        for field in self.schema:
            values = self.lists[field.name]
            if pa.types.is_large_string(field.type):
                values = [v if v is None else v if isinstance(v, str) else as_json(v)
                          for v in values]  # fmt: skip
            elif pa.types.is_float64(field.type):
                values = [None if v is None else float(v) for v in values]
            arrays.append(pa.array(values, type=field.type))
            self.lists[field.name] = []
        self.height = 0
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def as_json(value: Any) -> str:
    """A value as JSON text; bytes by their length."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def batches_of(rows: Iterator[Iterable[Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Rows, each in the schema's order, as batches."""
    waiting = Rows(schema)
    for row in rows:
        if waiting.add(row):
            yield waiting.batch()
    if waiting.height:
        yield waiting.batch()
