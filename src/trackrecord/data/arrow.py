"""Arrow arrays in the few forms that the rest of the room knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa


def check_schema(schema: pa.Schema, where: str) -> None:
    """Raise DataError for a column whose type has no canonical kind."""
    import pyarrow.types as kind

    for field in schema:
        inner = field.type.value_type if kind.is_dictionary(field.type) else field.type
        fits = (
            kind.is_integer(inner)
            or kind.is_floating(inner)
            or kind.is_boolean(inner)
            or kind.is_string(inner)
            or kind.is_large_string(inner)
            or kind.is_string_view(inner)
            or kind.is_date(inner)
            or kind.is_timestamp(inner)
            or kind.is_null(inner)
            or (kind.is_decimal(inner) and inner.bit_width <= 128)
        )
        if not fits:
            shown = str(inner)[:60]
            raise DataError(
                f"the column {field.name!r} has the type {shown}, which a case cannot use",
                where=where,
                why="a column holds numbers, booleans, strings, dates or times",
                next=_advice(inner),
            )


def plain(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Without dictionary; strings with offsets; days as 32-bit days."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_string_view(values.type):
        return values.cast(pa.large_string())
    return values.cast(pa.date32()) if pa.types.is_date64(values.type) else values


def _advice(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_nested(kind):
        return "give each part a column of its own before saving the file, or drop the column"
    if pa.types.is_duration(kind):
        return "save durations as a number, and say the unit in the column's name"
    if pa.types.is_time(kind):
        return "save a time of day as minutes since midnight, or drop the column"
    return "convert the column to strings or numbers before saving the file, or drop it"
