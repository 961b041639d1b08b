"""What a check found: a stable code, where it stands in the case, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

LineOf = Callable[[str], int | None]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong (``error``) or that a person should look at (``doubt``)."""

    code: str
    severity: Literal["error", "doubt"]
    what: str
    file: str
    line: int | None
    fix: str
