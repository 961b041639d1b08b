"""What the bytes of a case's files say of its seal, before a row of them is read."""

from __future__ import annotations

from pathlib import Path

from trackrecord.cases.seal import SealPredicate
from trackrecord.data.sources import inside
from trackrecord.errors import DataError
from trackrecord.ledger.store import file_sha256


def sealed_tables(seal: SealPredicate, root: Path) -> dict[str, str] | None:
    """Each sealed file's content digest, by its path, where all their bytes are as they were.

    None where one is not there or has other bytes: its content may still be the same.
    """
    try:
        if any(file_sha256(inside(root, item.path)) != item.sha256 for item in seal.data):
            return None
    except (OSError, DataError):
        return None
    return {item.path: item.table for item in seal.data}
