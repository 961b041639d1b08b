"""What a detector saw, before and after it is weighed against all that was looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import msgspec

from trackrecord.data.leakage.kinds import KINDS
from trackrecord.data.leakage.world import World

Verdict = Literal["leak", "suspect", "note"]


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """One look of a detector at one thing.

    ``measure`` names ``value``, whose interval is ``lo`` to ``hi`` where it has one. ``p`` is the
    chance of a value as large where nothing leaks; None for what is a plain fact. ``large`` says
    whether the value is one to speak of; a small one still counts among the tests.
    """

    columns: list[str]
    measure: str
    value: float
    n: int
    large: bool
    what: str = ""
    fix: str = ""
    lo: float | None = None
    hi: float | None = None
    p: float | None = None
    verdict: Verdict = "suspect"
    kind: str = ""
    rows: list[int] = []


Looker = Callable[[World], Iterator[Sign]]


class Detector(NamedTuple):
    """A detector: its name, the kind of leak it is for, what it looks for, its function.

    ``needs`` says what a world must have for it to look at anything.
    """

    name: str
    kind: str
    looks_for: str
    look: Looker
    needs: str = ""


SIGNS: dict[str, Detector] = {}


def looks_for(text: str, *, kind: str, needs: str = "") -> Callable[[Looker], Looker]:
    """Register a function of a World to signs under its own name, with words for people."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of leak: {', '.join(KINDS)}")

    def register(function: Looker) -> Looker:
        name = function.__name__.replace("_", "-")
        known = SIGNS.get(name)
        if known is not None and known.look.__module__ != function.__module__:
            raise ValueError(f"two detectors are called {name!r}")
        SIGNS[name] = Detector(name, kind, text, function, needs)
        return function

    return register
