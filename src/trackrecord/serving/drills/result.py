"""What a drill measured."""

from __future__ import annotations

import msgspec

from trackrecord.serving.drills.watch import Seen


class Event(msgspec.Struct, frozen=True):
    """Something that happened, ``at`` seconds after the fault was let in (before it: negative)."""

    at: float
    what: str


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """One fault, and how it went. Seconds are from the moment the fault was let in.

    ``detected`` is None where no alarm came within ``patience`` seconds. ``affected`` requests
    failed or were answered by the broken version; ``wrong`` answers said another yes or no than the
    good version says of the same row; ``further`` ones differed in the probability by over 0.05.
    ``quiet`` says whether no alarm had come before anything was broken.
    """

    fault: str
    title: str
    kind: str
    quiet: bool
    detected: float | None
    alarm: str | None
    saw: str | None
    decided: float | None
    rolled_back: float | None
    recovered: float | None
    requests: int
    affected: int
    failed: int
    wrong: int
    further: int
    patience: float
    rate: float
    alarms: list[Seen]
    events: list[Event]


class DrillPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``drill``: a copy of a version was broken on purpose, and what was measured.

    The subject is the ``bundle.json`` of the good version.
    """

    case: str
    version: int
    incident: str
    drilled: Drilled
    tool: str
