"""Test texts that are in the training texts: nearly the same, or word for word in part."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackrecord.data.finding import percent
from trackrecord.data.leakage.near import near_texts
from trackrecord.data.leakage.shingles import contained
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.stats.proportions import proportion

SHARE = 0.002
LEAST = 3
GRAM = 8


@looks_for(
    "test texts that are nearly training texts",
    kind="L1.4",
    needs="a column of sentences",
)
def near_texts_across(world: World) -> Iterator[Sign]:
    """Texts whose sets of three words following each other agree by a Jaccard share of 0.6."""
    for name in world.text:
        found = near_texts(world.train[name], world.test[name])
        yield _sign(
            name, found, f"{name!r} nearly the text of a training row", "drop them, or split by "
            "document, so that texts that are alike share a part",
        )  # fmt: skip


@looks_for(
    "test texts that stand word for word in training texts",
    kind="L1.4",
    needs="a column of sentences",
)
def copied_passages(world: World) -> Iterator[Sign]:
    """Texts of which half of the runs of eight words stand in the training texts."""
    for name in world.text:
        found = contained(world.train[name], world.test[name], GRAM)
        yield _sign(
            name, found, f"half of the runs of {GRAM} words of {name!r} in the training texts",
            "take the test passages out of the training texts: they would be known by heart",
        )  # fmt: skip


def _sign(name: str, found: np.ndarray, what: str, fix: str) -> Sign:
    count, n = int(found.sum()), found.size
    lo, hi = proportion(count, n, 0.99)
    return Sign(
        columns=[name],
        measure="share of test rows",
        value=count / max(1, n),
        lo=lo,
        hi=hi,
        n=n,
        large=count >= LEAST and count >= SHARE * n,
        verdict="leak",
        what=f"{count:,} of {n:,} test rows ({percent(count / max(1, n))}) have {what}",
        fix=fix,
        rows=np.flatnonzero(found)[:10].tolist(),
    )
