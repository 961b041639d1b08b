"""Test rows that are in the training table: by id, exactly, or nearly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackrecord.data.finding import percent
from trackrecord.data.leakage.matching import Copies, near_copies
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.stats.proportions import proportion

LEAST = 3
SHARE = 0.002
SAME_TABLE = 0.95


@looks_for(
    "ids that are in train and in test",
    kind="L1.4",
    needs="an id column",
)
def shared_ids(world: World) -> Iterator[Sign]:
    """The share of the test's ids that are in the training table."""
    if world.id is None:
        return
    ids = world.test[world.id].drop_nulls()
    shared = ids.is_in(world.train[world.id].drop_nulls().unique().implode())
    count = int(shared.sum())
    lo, hi = proportion(count, len(ids), 0.99)
    yield Sign(
        columns=[world.id],
        measure="share of test rows",
        value=count / max(1, len(ids)),
        lo=lo,
        hi=hi,
        n=len(ids),
        large=count > 0,
        verdict="leak",
        kind="L1.1" if count >= SAME_TABLE * len(ids) else "L1.4",
        what=f"{count:,} of {len(ids):,} test ids ({percent(count / max(1, len(ids)))}) are in the "
        "training table too",
        fix="split by the unit, so that each is in one part",
        rows=shared.arg_true().head(10).to_list(),
    )


@looks_for(
    "test rows that are exact copies of training rows",
    kind="L1.4",
    needs="a feature",
)
def exact_duplicates(world: World) -> Iterator[Sign]:
    """Rows alike in all features, where so much likeness is no chance of coarse values."""
    found = world.copies
    if found is not None:
        yield _of_copies(world, found, "exact copies of training rows")


@looks_for(
    "test rows that are nearly copies of training rows",
    kind="L1.4",
    needs="a column of numbers",
)
def near_duplicates(world: World) -> Iterator[Sign]:
    """Rows within 0.03 standard deviations in each number and alike in all else."""
    found = near_copies(world)
    if found is not None:
        yield _of_copies(world, found, "nearly copies of training rows (but not exactly)")


@looks_for(
    "copies of one class: over-sampled before the split",
    kind="L1.4",
    needs="classes of ten rows and more",
)
def over_sampling(world: World) -> Iterator[Sign]:
    """Whether rows that are copied, within train or into test, are mostly of one class."""
    found = world.copies
    if found is None or not world.views or found.train_copied is None:
        return
    copied = found.train_copied
    count = int(copied.sum())
    for view in world.views:
        truth = view.truth.astype(bool)
        base, share = float(truth.mean()), float(truth[copied].mean()) if count else 0.0
        from scipy.stats import fisher_exact

        table = [
            [int((truth & copied).sum()), int((~truth & copied).sum())],
            [int((truth & ~copied).sum()), int((~truth & ~copied).sum())],
        ]
        p = float(fisher_exact(table, alternative="two-sided").pvalue) if count else 1.0
        copied_share = found.found / max(1, found.n)
        lo, hi = proportion(table[0][0], count, 0.99)
        yield Sign(
            columns=[],
            measure="share of one class among the copied rows",
            value=share,
            lo=lo,
            hi=hi,
            n=count,
            p=p,
            large=count >= 10 and (lo > 0.8 or hi < 0.2) and copied_share >= SHARE,
            verdict="leak",
            what=f"rows that are there more than once are of the class {view.name} in {share:.0%} "
            f"of the cases (of all training rows {base:.0%}), and {percent(copied_share)} of the "
            "test rows have a twin in train: a class was over-sampled before the split",
            fix="split first, then over-sample the training part alone",
        )


def _of_copies(world: World, found: Copies, what: str) -> Sign:
    lo, hi = proportion(found.found, found.n, 0.99)
    share = found.found / max(1, found.n)
    rows = np.flatnonzero(found.test_copied)[:10].tolist() if found.test_copied is not None else []
    return Sign(
        columns=[],
        measure="share of test rows",
        value=share,
        lo=lo,
        hi=hi,
        n=found.n,
        large=found.found >= LEAST and share >= SHARE,
        verdict="leak",
        kind="L1.1" if share >= SAME_TABLE else "L1.4",
        what=f"{found.found:,} of {found.n:,} test rows ({percent(share)}) are {what}",
        fix="drop the copies, or split so that copies share a part, before anything is trained",
        rows=rows,
    )
