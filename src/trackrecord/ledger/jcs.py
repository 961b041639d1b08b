"""Canonical JSON (RFC 8785): one document, one sequence of bytes, so one digest."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import rfc8785

from trackrecord.errors import LedgerError

# The integers that a double holds exactly: I-JSON (RFC 7493 § 2.2), on which RFC 8785 stands.
SAFE_INTEGER = 2**53 - 1
_AS_IT_IS = frozenset({str, bool, type(None)})


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of ``value``: builtins, msgspec structs, or structs within builtins.

    Numbers are doubles: ``1.0`` and ``1`` are the same bytes. Raises LedgerError, saying where in
    the document, for NaN and infinities, for integers beyond ±(2^53 − 1) (write those as text),
    for keys that are not text, for lone surrogates, and for what JSON has no form for.
    """
    try:
        try:
            plain = msgspec.to_builtins(value, order="deterministic")
            return _quick(plain) or rfc8785.dumps(plain)
        except (ValueError, TypeError) as error:
            where, why = _culprit(value, "") or ("", str(error))
    except RecursionError:
        where, why = "", "it is nested too deeply"
    raise LedgerError("this cannot be written as canonical JSON", where=where or "/", why=why)


class _Unusual(Exception):
    """A value that is left to rfc8785."""


def _quick(value: Any) -> bytes | None:
    """The same bytes as rfc8785's, four times as quick; None for what may be written otherwise.

    msgspec's JSON is RFC 8785's but for numbers and for what is not plain ASCII: the order of
    keys, and escapes.
    """
    try:
        data = msgspec.json.encode(_plain(value), order="sorted")
    except _Unusual:
        return None
    return data if data.isascii() and b"\\" not in data else None


def _plain(value: Any) -> Any:
    """``value`` with its floats written out as ECMAScript writes them."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind is float:
        text = repr(value)
        # Between 1e-4 and 1e16 Python writes as ECMAScript does, but for a whole number's ".0".
        if "e" in text or "n" in text:  # also inf and nan
            raise _Unusual
        return msgspec.Raw(text.removesuffix(".0").encode() if value else b"0")
    if kind is int and -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return value
    if kind is list:
        return [item if type(item) in _AS_IT_IS else _plain(item) for item in value]
    if kind is dict and set(map(type, value)) <= {str}:
        return {
            key: item if type(item) in _AS_IT_IS else _plain(item) for key, item in value.items()
        }
    raise _Unusual


def as_doubles(value: Any) -> Any:
    """``value`` with every integer beyond ±(2^53 − 1) as the double that it stands for.

    RFC 8785 writes the double 1e20 as ``100000000000000000000``, which Python reads as an integer.
    """
    if isinstance(value, dict):
        return {key: as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_doubles(item) for item in value]
    if isinstance(value, int) and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return float(value)
    return value


def _culprit(value: Any, at: str) -> tuple[str, str] | None:
    """Where (a JSON pointer) and why ``value`` has no canonical form; None where it has one."""
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                return at, f"the key {key!r} is not text"
            if why := _bad_text(key):
                return at, f"the key {key!r} {why}"
            if found := _culprit(item, f"{at}/{key.replace('~', '~0').replace('/', '~1')}"):
                return found
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            if found := _culprit(item, f"{at}/{position}"):
                return found
    elif isinstance(value, str):
        if why := _bad_text(value):
            return at, f"the text {value!r} {why}"
    elif type(value) is float:
        if not math.isfinite(value):
            return at, f"{value} is not a JSON number"
    elif isinstance(value, int):
        if not isinstance(value, bool) and not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            return at, f"the integer {value} is beyond 2^53 - 1, so not exact; write it as text"
    elif value is not None:
        try:
            rfc8785.dumps(msgspec.to_builtins(value))
        except (ValueError, TypeError):
            return at, f"a {type(value).__name__} has no JSON form"
    return None


def _bad_text(text: str) -> str | None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "holds half of a surrogate pair, which UTF-8 cannot write"
    return None
