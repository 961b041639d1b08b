"""Compares what was computed here with what the evidence says, and names each difference."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from trackrecord.evaluation.plan import Plan
from trackrecord.portfolio.checking.report import Check, bad
from trackrecord.version import __version__

RELATIVE = 1e-9
ABSOLUTE = 1e-12
MOST_NAMED = 8
MOST_WORK = 200_000


# What this version says, and what an earlier one said of the same.
REWORDED = {
    "all scores are equal, so the area is one half by definition: no interval": (
        "every row counts the same, so nothing shows how much rows differ"
    ),
}


class Recomputed(msgspec.Struct):
    """What came of recomputing: findings; evidence whose numbers all came out, with its files.

    ``known`` is what was computed already, by table and plan: evaluating twice what did not change
    gives the same evidence twice.
    """

    checks: list[Check]
    holds: dict[str, list[str]]
    numbers: int = 0
    known: dict[tuple[str, bytes], Any] = {}


def named(file: str, path: str, at: str, expected: Any, found: Any, tool: str) -> Iterator[Check]:
    """A finding for each value that came out differently; many are summed up in the last."""
    differing = list(differences(expected, found, at))
    if tool != __version__:
        differing = [d for d in differing if not _reworded(*d[1:])]
    if differing and tool != __version__:
        path = f"{path} (computed by trackrecord {tool}, checked by {__version__})"
    for pointer, want, is_ in differing[:MOST_NAMED]:
        yield bad("numbers", f"{pointer} is not what {path} gives", file, want, is_)
    if len(differing) > MOST_NAMED:
        more = len(differing) - MOST_NAMED
        yield bad("numbers", f"{more:,} more values are not what {path} gives", file)


def _reworded(expected: Any, found: Any) -> bool:
    return isinstance(expected, str) and found is not None and REWORDED.get(expected) == found


def differences(expected: Any, found: Any, at: str) -> Iterator[tuple[str, Any, Any]]:
    """(JSON pointer, expected, found) wherever two documents differ.

    Numbers may differ by 1e-9 of their size: another processor adds in another order.
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys(), key=str):
            word = str(key).replace("~", "~0").replace("/", "~1")
            yield from differences(expected.get(key), found.get(key), f"{at}/{word}")
    elif isinstance(expected, list) and isinstance(found, list):
        for index in range(min(len(expected), len(found))):
            yield from differences(expected[index], found[index], f"{at}/{index}")
        if len(expected) != len(found):
            yield at, f"{len(expected)} items", f"{len(found)} items"
    elif not same_value(expected, found):
        yield at, expected, found


def same_value(one: Any, other: Any) -> bool:
    """Equal, or both numbers and as close as two processors' sums."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(one) is type(other) and bool(one == other)


def count_numbers(value: Any) -> int:
    """How many numbers a document holds."""
    if isinstance(value, dict):
        return sum(count_numbers(item) for item in value.values())
    if isinstance(value, list):
        return sum(count_numbers(item) for item in value)
    return int(isinstance(value, int | float) and not isinstance(value, bool))


def bearable(plan: Plan) -> bool:
    """Whether a plan asks for no more than a reviewer's machine does in a minute or so."""
    names = len(plan.models) + len(plan.baselines) + 1
    slices = 1 + len(plan.slices) * max(1, plan.slice_values)
    work = max(1, len(plan.metrics)) * names * slices
    return work <= MOST_WORK and 1 <= plan.bins <= 1_000
