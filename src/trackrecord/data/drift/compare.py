"""Two tables compared: every column, what is missing, and all at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from trackrecord.data.drift.columns import column_drift
from trackrecord.data.drift.noise import Clusters
from trackrecord.data.drift.result import (
    FALSE,
    LEAST_AREA,
    ColumnDrift,
    Drift,
    Importance,
    Measured,
    grade,
    worst,
)
from trackrecord.data.kinds import as_text, kind_of
from trackrecord.errors import DataError, suggest
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.screening import benjamini_hochberg

if TYPE_CHECKING:
    import polars as pl

THREADS = 4


def compare_tables(
    a: pl.DataFrame,
    b: pl.DataFrame,
    *,
    cluster: str | None = None,
    skip: list[str] | None = None,
    level: float = 0.95,
    classifier: bool = True,
) -> Drift:
    """How far ``b`` is from ``a``, the reference; both in canonical kinds, as ``read_table`` gives.

    Parameters
    ----------
    cluster:
        A column of both whose rows depend on one another (a day, a person); it is not compared.
    skip:
        Columns not to compare.
    level:
        Of the intervals, each by itself. A severity also takes an adjusted p of at most 0.05
        (Benjamini & Hochberg 1995) over all distances of all columns.
    classifier:
        Whether to ask a model to tell the tables apart, too.

    Raises
    ------
    DataError
        For an empty table, no column in common, an unknown column, or a cluster that is missing.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if a.height == 0 or b.height == 0:
        raise DataError("a table has no rows to compare")
    left_out = {*(skip or []), *([cluster] if cluster else [])}
    for name in left_out:
        _known(name, a, b)
    clusters = None if cluster is None else _clusters(a, b, cluster)
    common = [name for name in a.columns if name in b.columns and name not in left_out]
    if not common:
        raise DataError(
            "the two tables have no column in common",
            why=f"one has {', '.join(a.columns[:20])}; the other {', '.join(b.columns[:20])}",
        )
    kinds = {name: {kind_of(a[name]), kind_of(b[name])} - {"missing"} for name in common}
    other_kind = [name for name in common if len(kinds[name]) > 1]
    same = [name for name in common if len(kinds[name]) < 2]
    # Matrices this small are multiplied at once; threads that wait for one another take longer.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        columns = list(pool.map(lambda n: column_drift(a[n], b[n], clusters, level), same))
    columns = _graded(columns)
    told: Estimate | Absence | None = None
    rows, by_model = 0, grade(0.0)
    told_by: list[Importance] = []
    if classifier:
        from trackrecord.data.drift.classifier import tell_apart

        told, rows, told_by = tell_apart(a.select(same), b.select(same), clusters, level)
        if isinstance(told, Estimate):
            by_model = grade(told.lo, LEAST_AREA)
    severity = worst([by_model, *(column.severity for column in columns)])
    return Drift(
        rows=(a.height, b.height),
        clusters=None if clusters is None else clusters.number,
        cluster=cluster,
        level=level,
        severity="severe" if other_kind else severity,
        columns=columns,
        only_a=[name for name in a.columns if name not in b.columns],
        only_b=[name for name in b.columns if name not in a.columns],
        other_kind=other_kind,
        classifier=told,
        classifier_severity=by_model,
        classifier_rows=rows,
        told_by=told_by,
    )


def _graded(columns: list[ColumnDrift]) -> list[ColumnDrift]:
    """p adjusted over all distances, and severities; the worst first, then the furthest."""
    every = [m for column in columns for m in (column.values, column.missing) if m is not None]
    if not every:
        return columns
    adjusted = iter(benjamini_hochberg(np.minimum([m.p for m in every], 1.0)).tolist())

    def graded(measured: Measured | None) -> Measured | None:
        if measured is None:
            return None
        p = next(adjusted)
        return replace(
            measured, adjusted=p, severity=grade(measured.lo) if p <= FALSE else grade(0.0)
        )

    done = [replace(c, values=graded(c.values), missing=graded(c.missing)) for c in columns]
    return sorted(done, key=_by_effect)


def _by_effect(column: ColumnDrift) -> tuple[float, float, str]:
    found = [m for m in (column.values, column.missing) if m is not None]
    lo, effect = (max((getattr(m, end) for m in found), default=-1.0) for end in ("lo", "effect"))
    return -lo, -effect, column.name


def _clusters(a: pl.DataFrame, b: pl.DataFrame, name: str) -> Clusters:
    import polars as pl

    sides = [as_text(side[name]) for side in (a, b)]
    if lost := sides[0].null_count() + sides[1].null_count():
        raise DataError(f"the cluster {name!r} is missing in {lost:,} rows")
    codes = pl.concat(sides).rank("dense").cast(pl.Int64).to_numpy() - 1
    return Clusters(codes[: a.height], codes[a.height :], int(codes.max()) + 1)


def _known(name: str, a: pl.DataFrame, b: pl.DataFrame) -> None:
    for side, which in ((a, "first"), (b, "second")):
        if name not in side.columns:
            near = suggest(name, side.columns)
            raise DataError(
                f"the {which} table has no column {name!r}",
                why=f"did you mean {near!r}?" if near else ", ".join(side.columns[:40]),
            )
