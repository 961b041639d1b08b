"""Rows with named columns, as JSON: read by their features' kinds, and explained where they fail.

A body that fits is decoded by one compiled type. Only one that does not is looked at again, slowly,
to say which row, which column, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from trackrecord.errors import suggest
from trackrecord.modeling.export.bundle import Feature

# Of a hostile body no more is told than a person would read.
MOST_ERRORS = 50
LONGEST = 80
MOST_LIKE = 20
MOST_ROWS = 10_000

TYPES: dict[str, Any] = {"string": str | None, "number": float | None, "boolean": bool | None}
NAMES = {str: "text", bool: "a boolean", int: "a number", float: "a number", type(None): "null",
         list: "a list", dict: "an object"}  # fmt: skip
WANTED = {"string": "text", "number": "a number", "boolean": "true or false"}

Row = tuple[Any, ...]
UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong in a row: with a column, or with all of it."""

    row: int
    why: str
    column: str | None = None
    did_you_mean: str | None = None


class Read(NamedTuple):
    """Rows as tuples in the order of the features; ``faults`` where a row cannot be asked.

    ``rows`` has None in a faulty row's place. ``many`` says how the body asked: ``{"rows": …}``.
    """

    rows: list[Row | None]
    many: bool
    faults: list[Fault]


class NotRows(Exception):
    """The body is no JSON, or neither a row nor ``{"rows": […]}``; the message says why."""


def reader(features: Sequence[Feature]) -> Callable[[bytes], Read]:
    """A function that reads a body. It raises NotRows."""
    places = {f"f{place}": feature for place, feature in enumerate(features)}
    row_type: Any = msgspec.defstruct(
        "Row",
        [(place, TYPES[feature.kind]) for place, feature in places.items()],
        rename={place: feature.name for place, feature in places.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    many_type: Any = msgspec.defstruct(
        "Rows", [("rows", list[row_type])], forbid_unknown_fields=True
    )
    one = msgspec.json.Decoder(row_type).decode
    many = msgspec.json.Decoder(many_type).decode
    values = msgspec.structs.astuple

    def read(body: bytes) -> Read:
        try:
            return Read([values(one(body))], False, [])
        except UNREADABLE:
            pass
        try:
            found = many(body).rows
        except UNREADABLE:
            return _slowly(body, one, features)
        if len(found) > MOST_ROWS:
            raise NotRows(_too_many(len(found)))
        return Read([values(row) for row in found], True, [])

    return read


def _slowly(body: bytes, one: Callable[[Any], Any], features: Sequence[Feature]) -> Read:
    """The same row by row, with what is wrong in each."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        asked = _decoded(body)
        raise NotRows(
            f"the body is {NAMES[type(asked)]}, and should be an object of columns, or of rows:"
            ' {"rows": […]}'
        ) from None
    except UNREADABLE as error:
        raise _no_json(error) from None
    explain = _Explainer(features)
    listed = asked.get("rows")
    if listed is None or bytes(listed)[:1] != b"[":
        faults = explain.faults(0, _decoded(body))
        return Read([None], False, faults or [Fault(0, "cannot be read")])
    if len(asked) > 1:
        others = ", ".join(repr(_short(name)) for name in list(asked)[:5] if name != "rows")
        raise NotRows(f"beside 'rows' the body has {others}, which mean nothing here")
    raw = _decoded(bytes(listed), list[msgspec.Raw])
    if len(raw) > MOST_ROWS:
        raise NotRows(_too_many(len(raw)))
    rows: list[Row | None] = []
    wrong: list[Fault] = []
    for index, text in enumerate(raw):
        try:
            rows.append(msgspec.structs.astuple(one(text)))
        except UNREADABLE:
            rows.append(None)
            found = explain.faults(index, _decoded(bytes(text))) or [Fault(index, "cannot be read")]
            wrong += found if len(wrong) < MOST_ERRORS else found[:1]
    return Read(rows, True, wrong)


def _decoded(body: bytes, type: Any = Any) -> Any:
    try:
        return msgspec.json.decode(body, type=type)
    except UNREADABLE as error:
        raise _no_json(error) from None


def _no_json(error: Exception) -> NotRows:
    if isinstance(error, RecursionError):
        return NotRows("the body is nested too deeply")
    return NotRows(f"the body is not JSON: {str(error)[:200]}")


def _too_many(rows: int) -> str:
    return f"{rows:,} rows are more than one request may have, which is {MOST_ROWS:,}"


class _Explainer:
    """What is wrong in the rows of one request. Likenesses are looked for a few times only."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = features
        self.names = [feature.name for feature in features]
        self.near: dict[str, str | None] = {}

    def faults(self, index: int, row: Any) -> list[Fault]:
        """The faults of one row, at most ``MOST_ERRORS``."""
        if not isinstance(row, dict):
            return [Fault(index, f"is {NAMES[type(row)]}, and should be an object of columns")]
        known = set(self.names)
        strange = [name for name in row if name not in known]
        faults = [
            Fault(index, "is no column of this model", _short(name), self._like(name, self.names))
            for name in strange[:MOST_ERRORS]
        ]
        for feature in self.features:
            name = feature.name
            if name not in row:
                why = "is missing; a value that is not known is null"
                faults.append(Fault(index, why, name, self._like(name, strange[:MOST_LIKE])))
            elif mistake := _mistaken(row[name], feature.kind):
                faults.append(Fault(index, mistake, name))
        return faults[:MOST_ERRORS]

    def _like(self, name: str, others: list[str]) -> str | None:
        if name not in self.near:
            if len(name) > LONGEST or len(self.near) >= MOST_LIKE:
                return None
            self.near[name] = suggest(name, [other for other in others if len(other) <= LONGEST])
        return self.near[name]


def _mistaken(value: Any, kind: str) -> str | None:
    """Why a value does not have its feature's kind; None where it does."""
    if value is None:
        return None
    if kind == "string":
        fits = isinstance(value, str)
    elif kind == "boolean":
        fits = isinstance(value, bool)
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if fits:
            try:
                float(value)
            except OverflowError:
                return "is a number that no double holds"
    return None if fits else f"is {NAMES[type(value)]}, and the model takes {WANTED[kind]}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
