"""The test rows against the population that was declared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.errors import DataError
from trackrecord.stats.proportions import proportion

LARGE = 0.05


@looks_for(
    "test rows that are not from the declared population",
    kind="L3.3",
    needs="declared shares (--population)",
)
def declared_population(world: World) -> Iterator[Sign]:
    """Half the sum of |observed - declared share| of a column's values; p from Pearson's test.

    Values that were not declared are one value of share 0 (at least one row in ten thousand, so
    that the test is defined).
    """
    import polars as pl
    from scipy.special import gammaincc

    for name, declared in world.population.items():
        if name not in world.test.columns:
            raise DataError(f"the declared population names {name!r}, which the test lacks")
        shares = {str(value): float(share) for value, share in declared.items()}
        if not shares or min(shares.values()) < 0 or sum(shares.values()) > 1.001:
            raise DataError(f"the declared shares of {name!r} are not shares of one whole")
        values = world.test[name].cast(pl.String, strict=False).drop_nulls()
        n = len(values)
        seen = dict(values.value_counts().iter_rows())
        rest = max(0.0, 1 - sum(shares.values()))
        other = n - sum(seen.get(value, 0) for value in shares)
        observed = np.array([*(seen.get(value, 0) for value in shares), other], dtype=float)
        expected = np.maximum(np.array([*shares.values(), rest]), 1e-4)
        expected = n * expected / expected.sum()
        statistic = float(((observed - expected) ** 2 / expected).sum())
        distance = float(np.abs(observed - expected).sum()) / (2 * max(1, n))
        worst = int(np.argmax(np.abs(observed - expected)))
        lo, hi = proportion(observed[worst], n, 0.99)
        label = [*shares, "any other value"][worst]
        yield Sign(
            columns=[name],
            measure="share of rows to be moved",
            value=distance,
            n=n,
            p=float(gammaincc(len(shares) / 2, statistic / 2)),
            large=distance > LARGE,
            what=f"of the population {expected[worst] / max(1, n):.0%} have {name!r} {label}; of "
            f"the test rows {observed[worst] / max(1, n):.0%} [{lo:.0%}, {hi:.0%}]",
            fix="draw test rows from the population, or weight them, or say of whom the number is",
        )
