"""One column of two tables, compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.drift.distances import (
    binned,
    cramer_v,
    distance,
    edges_of,
    jensen_shannon,
    ks_band,
    ks_p,
    psi,
    variation,
)
from trackrecord.data.drift.noise import Clusters, chance_of, errors_of_shares
from trackrecord.data.drift.result import ColumnDrift, Measured
from trackrecord.data.kinds import as_text, kind_of

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

GRID = 64
CATEGORIES = 50
NAMES = 0.4  # of all rows: with so many different values, they name rows
EXPECTED = 5
MANY = 1e9  # degrees of freedom that are as good as infinitely many
LISTED = 10
ONE_CLUSTER = "a table has less than two clusters, which cannot show how much clusters differ"


def column_drift(
    a: pl.Series, b: pl.Series, clusters: Clusters | None, level: float
) -> ColumnDrift:
    """The column's distances; ``a`` and ``b`` are in canonical kinds, which must be the same."""
    kinds = {kind_of(side) for side in (a, b)} - {"missing"}
    kind = kinds.pop() if kinds else "missing"
    gone = (a.is_null(), b.is_null())
    shares = (float(gone[0].mean() or 0), float(gone[1].mean() or 0))  # type: ignore[arg-type]
    found = ColumnDrift(
        name=a.name,
        kind=kind,
        rows=(len(a) - a.null_count(), len(b) - b.null_count()),
        missing_shares=shares,
        missing=_missing(gone[0].to_numpy(), gone[1].to_numpy(), clusters, level),
    )
    if 0 in found.rows:
        return _with(found, why="a table has no value in it")
    kept = None
    if clusters is not None:
        codes_a, codes_b = clusters.a[~gone[0].to_numpy()], clusters.b[~gone[1].to_numpy()]
        kept = Clusters(codes_a, codes_b, clusters.number)
        if kept.degrees < 1:
            return _with(found, why=ONE_CLUSTER)
    if kind in ("date", "time"):
        spans = [f"{side.min()!s} to {side.max()!s}" for side in (a, b)]
        return _with(found, why=f"time moves by itself: {spans[0]}, then {spans[1]}")
    if kind == "number":
        return _numbers(found, a.drop_nulls(), b.drop_nulls(), kept, level)
    return _categories(found, as_text(a.drop_nulls()), as_text(b.drop_nulls()), kept, level)


def _numbers(
    found: ColumnDrift, a: pl.Series, b: pl.Series, clusters: Clusters | None, level: float
) -> ColumnDrift:
    import polars as pl

    one, other = (side.cast(pl.Float64) for side in (a, b))
    x, y = (side.sort().to_numpy() for side in (one, other))
    if not (np.isfinite(x[[0, -1]]).all() and np.isfinite(y[[0, -1]]).all()):
        return _with(found, why="it has infinite values")
    apart = distance(x, y)
    if clusters is None:
        band, p = ks_band(x.size, y.size, level), ks_p(apart.ks, x.size, y.size)
    else:
        both = np.sort(np.concatenate([x, y]))
        grid = np.unique(both[np.arange(1, GRID) * both.size // GRID])
        codes = [np.searchsorted(grid, side.to_numpy(), side="right") for side in (one, other)]
        errors = errors_of_shares(codes[0], codes[1], grid.size + 1, clusters)
        assert errors is not None
        sups = np.abs(np.cumsum(errors, axis=1)).max(axis=1)
        band, p = float(np.quantile(sups, level)), chance_of(sups, apart.ks)
    spread = float(x.std())
    edges = edges_of(x)
    counts = binned(x, edges), binned(y, edges)
    return _with(
        found,
        measure="Kolmogorov-Smirnov",
        values=_measured(apart.ks, band, p),
        psi=psi(*counts),
        jensen_shannon=jensen_shannon(*counts),
        wasserstein=apart.wasserstein / spread if spread > 0 else None,
    )


def _categories(
    found: ColumnDrift, a: pl.Series, b: pl.Series, clusters: Clusters | None, level: float
) -> ColumnDrift:
    import polars as pl

    frames = [
        side.alias("value").value_counts(name="rows").select("value", pl.col("rows").alias(name))
        for side, name in ((a, "a"), (b, "b"))
    ]
    table = (
        frames[0]
        .join(frames[1], on="value", how="full", coalesce=True)
        .fill_null(0)
        .sort(pl.col("a") + pl.col("b"), "value", descending=[True, False])
    )
    if table.height > max(CATEGORIES, NAMES * (len(a) + len(b))):
        return _with(found, why=f"{table.height:,} different values: names or text, not categories")
    new, vanished = (table.filter(pl.col(side) == 0) for side in ("a", "b"))
    expected = (pl.col("a") + pl.col("b")) * min(len(a), len(b)) / (len(a) + len(b))
    frequent = table.with_row_index("code").with_columns(
        pl.when((pl.col("code") < CATEGORIES) & (expected >= EXPECTED)).then("code").alias("code")
    )
    other = frequent["code"].drop_nulls().len()
    code = frequent["code"].fill_null(other)
    kinds = other + 1
    sides = [
        np.bincount(code.to_numpy(), weights=table[side].to_numpy(), minlength=kinds).astype(int)
        for side in ("a", "b")
    ]
    chi2, v, degrees = cramer_v(sides[0], sides[1])
    rows = [
        side.replace_strict(table["value"], code, return_dtype=pl.Int64).to_numpy()
        if clusters is not None
        else np.repeat(np.arange(kinds), count)
        for side, count in ((a, sides[0]), (b, sides[1]))
    ]
    errors = errors_of_shares(rows[0], rows[1], kinds, clusters)
    assert errors is not None
    sizes = np.abs(errors).sum(axis=1) / 2
    effect = variation(sides[0], sides[1])
    if clusters is not None:
        p = chance_of(sizes, effect)
    else:
        from scipy.special import chdtrc

        p = float(chdtrc(degrees, chi2)) if degrees > 0 else 1.0
    values = _furthest(
        [
            _measured(effect, float(np.quantile(sizes, level)), p),
            _unseen(a, b, clusters, level),
            _unseen(b, a, clusters and Clusters(clusters.b, clusters.a, clusters.number), level),
        ]
    )
    return _with(
        found,
        measure="total variation",
        values=values,
        psi=psi(sides[0], sides[1]),
        jensen_shannon=jensen_shannon(sides[0], sides[1]),
        chi2=chi2,
        cramer_v=v,
        new=new["value"].head(LISTED).to_list(),
        new_share=float(new["b"].sum()) / len(b),
        vanished=vanished["value"].head(LISTED).to_list(),
        vanished_share=float(vanished["a"].sum()) / len(a),
    )


def _unseen(a: pl.Series, b: pl.Series, clusters: Clusters | None, level: float) -> Measured | None:
    """The share of ``b``'s rows with a value that ``a`` has not, over what chance gives.

    By chance it is the share of ``a``'s rows whose value is there once, or in one cluster only
    (Good 1953). The total variation is at least what is over, as it is the largest difference of
    any set of values; pooling rare ones does not see it.
    """
    import polars as pl
    from scipy.special import stdtr, stdtrit

    known = a.unique().implode()
    new = ~b.is_in(known)
    if not new.any():
        return None
    times = pl.len() if clusters is None else pl.col("cluster").n_unique()
    codes = np.arange(len(a)) if clusters is None else clusters.a
    seen = pl.DataFrame({"value": a, "cluster": codes}).group_by("value").agg(
        pl.len().alias("rows"), times.alias("times")
    )  # fmt: skip
    once, twice = (seen.filter(pl.col("times") == n) for n in (1, 2))
    effect = float(new.mean() or 0) - float(once["rows"].sum()) / len(a)  # type: ignore[arg-type]
    if effect <= 0:
        return None
    # Values come and go whole (Robbins 1968): with each, all of its rows.
    squares = float((once["rows"] ** 2).sum()) + float((twice["rows"] ** 2).sum()) / 2
    variance = squares / len(a) ** 2
    variance += float((b.filter(new).value_counts()["count"] ** 2).sum()) / len(b) ** 2
    degrees = math.inf
    if clusters is not None:
        alone = a.is_in(once["value"].implode()).to_numpy().astype(np.int64)
        errors = errors_of_shares(alone, new.to_numpy().astype(np.int64), 2, clusters)
        if errors is None:
            return None
        variance += float(errors[:, 1].var())
        degrees = clusters.degrees
    error = math.sqrt(variance)
    band = float(stdtrit(min(degrees, MANY), (1 + level) / 2)) * error
    return _measured(effect, band, 2 * float(stdtr(min(degrees, MANY), -effect / error)))


def _furthest(some: list[Measured | None]) -> Measured:
    """The one that is shown to be furthest, its p the least, for so many (Bonferroni)."""
    from msgspec.structs import replace

    there = [one for one in some if one is not None]
    best = max(there, key=lambda one: one.lo)
    return replace(best, p=min(1.0, len(there) * min(one.p for one in there)))


def _missing(
    a: NDArray[np.bool_], b: NDArray[np.bool_], clusters: Clusters | None, level: float
) -> Measured | None:
    """The difference in the share that is missing; None where nothing is, or everything."""
    if a.all() == b.all() and a.any() == b.any() and (a.all() or not a.any()):
        return None
    return _shares_apart(a, b, clusters, level)


def _shares_apart(
    a: NDArray[np.bool_], b: NDArray[np.bool_], clusters: Clusters | None, level: float
) -> Measured | None:
    """The difference in the share of rows that are true; None of less than two clusters."""
    codes = a.astype(np.int64), b.astype(np.int64)
    errors = errors_of_shares(*codes, 2, clusters)
    if errors is None:
        return None
    sizes = np.abs(errors[:, 1])
    effect = float(abs(a.mean() - b.mean()))
    if clusters is not None:
        p = chance_of(sizes, effect)
    else:
        from scipy.special import chdtrc

        counts = [np.bincount(side, minlength=2) for side in codes]
        p = float(chdtrc(1, cramer_v(counts[0], counts[1])[0]))
    return _measured(effect, float(np.quantile(sizes, level)), p)


def _measured(effect: float, band: float, p: float) -> Measured:
    return Measured(effect=effect, lo=max(0.0, effect - band), hi=min(1.0, effect + band), p=p)


def _with(found: ColumnDrift, **changes: object) -> ColumnDrift:
    from msgspec.structs import replace

    return replace(found, **changes)
