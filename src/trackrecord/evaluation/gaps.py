"""Slices against each other, and against all rows: how far apart, and which are truly worse."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.evaluation.bands import Family, Member
from trackrecord.evaluation.result import Gap, Worse
from trackrecord.evaluation.slices import Slice
from trackrecord.stats.dependence import cosine_error, period_sums
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import Metric
from trackrecord.stats.pairwise import (
    correlations,
    difference_between,
    pairwise_level,
    ratio_between,
)
from trackrecord.stats.simultaneous import BUCKETS
from trackrecord.stats.skewness import cautious
from trackrecord.stats.spread import spread_of
from trackrecord.stats.stepdown import step_down

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


def gaps_of(family: Family, parts: list[Slice]) -> Iterator[Gap]:
    """For each text with two measured slices or more, its widest gap in the family's metric.

    The true gap, greatest minus least, is at least what the bounds of every pair leave, and at most
    what those of some pair allow; they hold for all pairs at once.
    """
    for text in dict.fromkeys(parts[member.place].text for member in family.members):
        mine = [member for member in family.members if parts[member.place].text == text]
        if len(mine) > 1:
            yield from _gap(family, mine, parts, text)


def _gap(family: Family, mine: list[Member], parts: list[Slice], text: str) -> Iterator[Gap]:
    sums = family.sums(mine)
    moving = np.abs(sums).max(axis=0) > 0
    pairs = len(mine) * (len(mine) - 1) / 2
    each = family.level ** (1 / pairs)  # holds under any dependence, where an error is not known
    if moving.all():
        each = pairwise_level(sums, family.level)
    # slices of one text have no row in common, so without clusters nothing goes together
    together = np.zeros((len(mine), len(mine)))
    if moving.all() and (family.cluster is not None or family.period is not None):
        together = correlations(sums)
    found = [(i, member.at(each)) for i, member in enumerate(mine)]
    known = [(i, one) for i, one in found if isinstance(one, Estimate)]
    if len(known) < 2:
        return
    known.sort(key=lambda item: item[1].value)
    (first, least), (last, most) = known[0], known[-1]
    lo = hi = 0.0
    ratios: list[tuple[float, float] | None] = []
    for (i, lower), (j, upper) in combinations(known, 2):
        down, up = difference_between(upper, lower, float(together[j, i]))
        lo, hi = max(lo, down), max(hi, up, -down)
        ratios.append(ratio_between(lower, upper, float(together[j, i])))
    held = [bounds for bounds in ratios if bounds is not None]
    whole = len(held) == len(ratios)
    yield Gap(
        slice=text,
        metric=family.metric.name,
        least=parts[mine[first].place].value,
        most=parts[mine[last].place].value,
        value=most.value - least.value,
        lo=lo,
        hi=hi,
        ratio=least.value / most.value if whole else None,
        ratio_lo=min(low for low, _ in held) if whole else None,
        ratio_hi=min(1.0, *(high for _, high in held)) if whole else None,
        each=each,
        slices=len(known),
    )


def worse_of(family: Family, whole: Influence, alpha: float) -> Iterator[tuple[int, Worse]]:
    """(place, found) of each slice that is truly worse than all rows, in the family's metric.

    The chance that any is named wrongly is at most ``alpha`` (``stats.stepdown``). Values are
    compared on the metric's scale, whose slope both influences are multiplied by.
    """
    asked, rooted = family.metric, _on_scale(family.metric, whole)
    if asked.direction not in ("higher", "lower") or rooted is None:
        return
    unit = family.period if family.cluster is None else family.cluster
    codes, groups = _units(unit, family.n)
    everyone = _summed(codes, rooted[1] / family.n, groups)
    tested = []
    for member in family.members:
        mine = _on_scale(asked, member.known[0])
        if member.rows.size == family.n or mine is None or not mine[1].any():
            continue
        inside = mine[1] / member.rows.size
        column = _summed(codes[member.rows], inside, groups) - everyone
        found = _error(family, member, inside, rooted[1] / family.n, column)
        if found is not None:
            tested.append((member, mine[0] - rooted[0], *found, column))
    if not tested:
        return
    members, gaps, errors, freedom, columns = zip(*tested, strict=True)
    picked = step_down(
        gaps,
        errors,
        freedom,
        np.column_stack(columns),
        side="below" if asked.direction == "higher" else "above",
        alpha=alpha,
    )
    for member, p, chosen in zip(members, picked.p, picked.picked, strict=True):
        if chosen:
            gap = member.known[0].value - whole.value
            yield member.place, Worse(metric=asked.name, gap=gap, p=float(p))


def _error(
    family: Family, member: Member, inside: Floats, all_rows: Floats, column: Floats
) -> tuple[float, float] | None:
    """Standard error and degrees of a slice's value minus that of all rows.

    ``inside`` and ``all_rows`` are influences over their numbers of rows, ``column`` (G,) the sums
    of their difference within units.
    """
    spread = spread_of(inside, np.zeros(inside.size, dtype=np.int8), member.cluster)
    if family.metric.skew > 1:
        spread = cautious(spread, inside, member.cluster, family.metric.skew)
    degrees = spread.degrees
    if family.cluster is None:
        square = float(all_rows @ all_rows + inside @ (inside - 2 * all_rows[member.rows]))
    else:
        square = float(column @ column) * column.size / max(column.size - 1, 1)
    if family.period is not None:
        apart = -all_rows
        apart[member.rows] += inside
        sums = period_sums(apart, family.period) * apart.size
        timed = cosine_error(sums, metric=family.metric.name)
        if isinstance(timed, Absence):
            return None
        square, degrees = max(square, timed.se**2), min(degrees, timed.degrees)
    return (math.sqrt(square), max(degrees, 1.0)) if square > 0 else None


def _summed(codes: Ints, values: Floats, groups: int) -> Floats:
    return np.asarray(np.bincount(codes, weights=values, minlength=groups), dtype=np.float64)


def _units(unit: Ints | None, n: int) -> tuple[Ints, int]:
    """Each row's unit, from 0, and how many; rows that are units are folded into BUCKETS."""
    if unit is None:
        return np.arange(n) % BUCKETS, min(n, BUCKETS)
    names, codes = np.unique(unit, return_inverse=True)
    return codes, names.size


def _on_scale(asked: Metric, found: Influence) -> tuple[float, Floats] | None:
    """Value and influences on the scale of the metric's interval; None on its edge."""
    value = found.value / found.width
    if asked.scale == "log":
        return (math.log(value), found.influence / found.value) if value > 0 else None
    if asked.scale == "complement":
        return (-math.log1p(-value), found.influence / (1 - value)) if value < 1 else None
    if asked.scale in ("logit", "fisher"):
        unit, wide = ((value + 1) / 2, 2.0) if asked.scale == "fisher" else (value, 1.0)
        if not 0 < unit < 1:
            return None
        slope = 1 / (unit * (1 - unit) * wide * found.width)
        return math.log(unit) - math.log1p(-unit), found.influence * slope
    return found.value, found.influence
