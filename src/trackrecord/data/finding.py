"""What a check found: a stable code, where it stands in the case, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

LineOf = Callable[[str], int | None]


def percent(share: float) -> str:
    """``48 %``; a little and almost all are not told as none and all."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"{100 * share:.0f} %"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong (``error``) or that a person should look at (``doubt``)."""

    code: str
    severity: Literal["error", "doubt"]
    what: str
    file: str
    line: int | None
    fix: str
