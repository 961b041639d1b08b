"""Older case files, brought to the present version one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trackrecord.cases.spec import SPEC_VERSION
from trackrecord.errors import CaseError

# MIGRATIONS[n] takes a document of version n to version n + 1. Version 1 is the first.
MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def migrate(document: dict[str, Any], name: str, line: int | None = None) -> dict[str, Any]:
    """The document at SPEC_VERSION. Raises CaseError for one that is newer or has no version.

    ``line`` is where the file says its version.
    """
    where = f"{name}:{line or 1}"
    version = document.get("spec")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise CaseError(
            f"{name} does not say which version of the case format it uses",
            where=where,
            next=f"write `spec = {SPEC_VERSION}` on the first line",
        )
    if version > SPEC_VERSION:
        raise CaseError(
            f"{name} was written for a newer trackrecord",
            where=where,
            why=f"it has spec = {version}; this version reads up to {SPEC_VERSION}",
            next="update trackrecord; in its clone: git pull && pip install .",
        )
    while version < SPEC_VERSION:
        document = MIGRATIONS[version](document)
        version += 1
        document["spec"] = version
    return document
