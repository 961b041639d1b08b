"""in-toto Statement v1: what a piece of evidence is about (subjects) and what it says (predicate).

The specification: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from trackrecord.errors import LedgerError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
KIND = re.compile(r"[a-z]+(?:-[a-z]+)*\Z")


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file or a value that the evidence is about: its name, and its digests by algorithm."""

    name: str
    digest: dict[str, str]


class Statement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An in-toto Statement v1; the fields have the names that the specification gives them."""

    subject: list[Subject]
    predicateType: str
    predicate: dict[str, Any]
    _type: str = STATEMENT_TYPE


def predicate_type(kind: str) -> str:
    """``urn:trackrecord:predicate:KIND:v1``. Raises LedgerError for what cannot be a kind."""
    if not KIND.match(kind):
        raise LedgerError(
            f"{kind!r} cannot be a kind of evidence",
            why="a kind is lower-case letters, with single hyphens between words",
        )
    return f"urn:trackrecord:predicate:{kind}:v1"
