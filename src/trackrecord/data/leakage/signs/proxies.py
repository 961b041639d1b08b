"""Columns that stand in for the target: by their name, or by what they tell of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from trackrecord.data.leakage.scores import as_codes, as_numbers
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World

NAMED_AREA = 0.6
INFORMATION = 0.65
TIMES_THE_REST = 3.0
OUTCOME_WORDS = {"target", "label", "outcome", "result", "truth", "answer", "diagnosis"}
EMPTY_WORDS = {"is", "has", "the", "of", "in", "at", "no", "id", "n", "x", "num", "max", "min"}


@looks_for(
    "columns named like the target that tell it",
    kind="L2",
    needs="a column that is named like the target or an outcome",
)
def named_proxy(world: World) -> Iterator[Sign]:
    """ROC area of columns that share half of their words, or of the target's, with its name.

    Or that have an outcome's name; ``y`` is one, unless there is an ``x``.
    """
    target = world.target_name or world.target
    own = _words(target)
    # Beside an x, a y is a coordinate.
    beside = any(name.lower() == "x" for name in world.plain)
    outcomes = OUTCOME_WORDS if beside else OUTCOME_WORDS | {"y"}
    for name, area in world.alone.items():
        words = _words(name)
        shared = words & own
        # A price per room and the type of the room share a word that says little.
        if 2 * len(shared) < min(len(words), len(own)):
            shared = set()
        shared |= words & outcomes
        if not shared:
            continue
        yield Sign(
            columns=[name],
            measure="ROC AUC",
            value=area.value,
            lo=area.lo,
            hi=area.hi,
            n=world.sample.train.height,
            p=area.p,
            large=area.lo > NAMED_AREA,
            what=f"{name!r} is named like the target {target!r} "
            f"({', '.join(sorted(shared))}) and tells it by {area.how}",
            fix=f"find out whether {name!r} is made from the target, or with it",
        )


@looks_for(
    "columns that say more of the target than any column should",
    kind="L2",
    needs="a feature, and classes of ten rows and more",
)
def informative_proxy(world: World) -> Iterator[Sign]:
    """Mutual information with the target as a share of the target's entropy, 16 groups a column.

    Less its bias of (r - 1)(c - 1) / 2n nats (Miller 1955); p from the G-test.
    """
    few = world.sample
    if not few.views:
        return
    found = {name: _information(world, name) for name in world.plain}
    for name, (share, p) in found.items():
        others = [other for key, (other, _) in found.items() if key != name]
        usual = float(np.quantile(others, 0.75)) if others else 1.0
        yield Sign(
            columns=[name],
            measure="share of the target's entropy",
            value=share,
            n=few.train.height,
            p=p,
            large=share >= INFORMATION and share >= TIMES_THE_REST * usual,
            what=f"{name!r} alone holds {share:.0%} of what there is to know of the target; three "
            f"quarters of the other columns hold less than {usual:.0%}",
            fix=f"find out whether {name!r} is the target in other words",
        )


def _information(world: World, name: str) -> tuple[float, float]:
    from scipy.special import gammaincc

    few = world.sample
    column = few.train[name]
    codes = as_codes(column, as_numbers(column), groups=16)
    n = codes.size
    shares, weights, smallest = [], [], 1.0
    for view in few.views:
        table = np.zeros((int(codes.max()) + 1, 2))
        np.add.at(table, (codes, view.truth), 1)
        table = table[table.sum(1) > 0]
        expected = np.outer(table.sum(1), table.sum(0)) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            g = 2 * float(np.nansum(table * np.log(table / expected)))
        freedom = max(1, table.shape[0] - 1)
        share = table.sum(0) / n
        entropy = -float((share * np.log(share)).sum())
        shares.append(max(0.0, (g - freedom) / (2 * n)) / entropy)
        weights.append(view.weight)
        smallest = min(smallest, float(gammaincc(freedom / 2, g / 2)))
    return float(np.dot(shares, weights)), min(1.0, smallest * len(shares))


def _words(name: str) -> set[str]:
    """``arrDelay_15`` has the words arr, delay, 15."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)
    return {part.lower() for part in parts} - EMPTY_WORDS
