"""An estimate: a value that never travels without its interval."""

from __future__ import annotations

import msgspec


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A metric's value with its interval.

    ``lo`` and ``hi`` bound a two-sided interval at ``level``; ``se`` is the standard error on the
    value's own scale; ``clusters`` is None when rows were taken as independent; ``method`` names
    how the interval was made. An undefined metric has no Estimate: it is an ``Absence``.
    """

    metric: str
    value: float
    lo: float
    hi: float
    level: float
    se: float
    n: int
    clusters: int | None
    method: str


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """A metric that this sample cannot estimate, and why. Never a zero."""

    metric: str
    reason: str
    n: int
