"""What an evaluation measures: a plan travels in the evidence, so that a stranger can repeat it."""

from __future__ import annotations

import msgspec


class PlannedRequirement(msgspec.Struct, frozen=True, kw_only=True):
    """One acceptance criterion: its name, and the text that an interval decides."""

    name: str
    require: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that turns an Outcomes table into a result, and nothing else.

    ``models`` and ``baselines`` are names of ``score.NAME`` columns. ``reference`` is the baseline
    that slices are compared with; None where there is none. ``slices`` are texts such as
    ``carrier`` or ``distance > 1000`` over ``slice.NAME`` columns. ``clustered`` says that the
    ``cluster`` column makes rows dependent.
    """

    metrics: list[str]
    models: list[str]
    baselines: list[str]
    candidate: str
    reference: str | None
    slices: list[str]
    criteria: list[PlannedRequirement]
    level: float
    clustered: bool
