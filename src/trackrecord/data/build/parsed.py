"""What steps' files were found to say, by their bytes: reading SQL's tree takes long.

The memory is ``.trackrecord/steps.json``; without it every file is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
from importlib.metadata import version
from pathlib import Path

import msgspec

from trackrecord.ledger import write_atomic

FORMAT = 1


class Parsed(msgspec.Struct, frozen=True):
    """The tables that a step reads, and the digest of what it says."""

    reads: list[str]
    digest: str


class Memory:
    """Steps as they were read before. Mutable; nothing is lost where it cannot be kept."""

    def __init__(self, root: Path) -> None:
        self.path = root / ".trackrecord" / "steps.json"
        self.before: dict[str, Parsed] = {}
        self.now: dict[str, Parsed] = {}
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            self.before = msgspec.json.decode(self.path.read_bytes(), type=dict[str, Parsed])

    def find(self, key: str) -> Parsed | None:
        """What was found in a file with this key."""
        found = self.before.get(key)
        if found is not None:
            self.now[key] = found
        return found

    def keep(self, key: str, found: Parsed) -> None:
        """Remember it for the next time."""
        self.now[key] = found

    def save(self) -> None:
        """Keep what the present files were found to say."""
        if self.now == self.before or not self.path.parent.is_dir():
            return
        with contextlib.suppress(Exception):
            write_atomic(self.path, msgspec.json.encode(self.now))


def key_of(text: str, where: str) -> str:
    """The key of a file: its text, its name, and what reads it."""
    reader = version("sqlglot") if where.endswith(".sql") else "python"
    return hashlib.sha256(f"{FORMAT}\n{reader}\n{where}\n{text}".encode()).hexdigest()
