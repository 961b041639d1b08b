"""What a check says: structs, no code."""

from __future__ import annotations

from typing import Literal

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """One rule and what became of it.

    ``failed`` of ``rows`` rows break it, a ``share`` whose Wilson interval at the 95 % level is
    ``lo`` to ``hi``. ``first_rows`` count from 1. ``detail`` says what a rule on the whole table
    found. ``not checked`` is a rule on a column that is not there.
    """

    name: str
    asks: str
    status: Literal["held", "failed", "not checked"]
    rows: int
    failed: int | None = None
    share: float | None = None
    lo: float | None = None
    hi: float | None = None
    first_rows: list[int] = []
    values: list[str] = []
    detail: str | None = None
    quarantine: str | None = None


class Checked(msgspec.Struct, frozen=True):
    """A table against its contract; ``holds`` when every rule held."""

    name: str
    version: str
    rows: int
    outcomes: list[Outcome]
    holds: bool
