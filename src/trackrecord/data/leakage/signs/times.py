"""Training rows that are later than test rows, and values of moments after the row's own time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.data.finding import percent
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    import polars as pl


@looks_for(
    "training rows that are later than test rows",
    kind="L3.1",
    needs="a time column that parts the tables",
)
def time_order(world: World) -> Iterator[Sign]:
    """The share of training rows after the first test row."""
    if world.time is None:
        return
    train, test = world.train[world.time].drop_nulls(), world.test[world.time].drop_nulls()
    if not len(train) or not len(test):
        return
    first = test.min()
    later = train > first
    count = int(later.sum())
    lo, hi = proportion(count, len(train), 0.99)
    yield Sign(
        columns=[world.time],
        measure="share of training rows",
        value=count / len(train),
        lo=lo,
        hi=hi,
        n=len(train),
        large=count > 0,
        verdict="leak",
        what=f"{count:,} of {len(train):,} training rows ({percent(count / len(train))}) are later "
        f"than the first test row, {first!s}",
        fix="train on what was before the test: split by time, with a gap as long as the outcome "
        "takes to be known",
        rows=later.arg_true().head(10).to_list(),
    )


@looks_for(
    "values that exist only after the row's own time",
    kind="L2",
    needs="a time column, and another one",
)
def after_the_time(world: World) -> Iterator[Sign]:
    """The share of a time column's values that are later than the row's own time."""
    import polars as pl

    if world.time is None:
        return
    own = _moments(world.train[world.time])
    if own is None:
        return
    for name in world.plain:
        column = world.train[name]
        if not column.dtype.is_temporal() or column.dtype in (pl.Duration, pl.Time):
            continue
        moments = _moments(column)
        if moments is None:
            continue
        there = moments.is_not_null() & own.is_not_null()
        n = int(there.sum())
        count = int((moments > own).sum())
        lo, hi = proportion(count, n, 0.99)
        yield Sign(
            columns=[name],
            measure="share of rows",
            value=count / max(1, n),
            lo=lo,
            hi=hi,
            n=n,
            large=count > 0,
            what=f"{name!r} is later than {world.time!r} in {percent(count / max(1, n))} of the "
            "rows that have both",
            fix=f"unless {name!r} was planned beforehand, nobody knows it then: drop it",
        )


@looks_for(
    "features declared as known only later, and joins that look ahead",
    kind="L2",
    needs="something declared as known later",
)
def known_later(world: World) -> Iterator[Sign]:
    """Plain facts: what the case, or --known-later, says of a feature."""
    for name in world.known_later:
        if name in world.features:
            yield Sign(
                columns=[name],
                measure="declared",
                value=1.0,
                n=world.train.height,
                large=True,
                verdict="leak",
                what=f"{name!r} is a feature, and is declared as known only later",
                fix=f"take {name!r} out of the features",
            )
    for finding in world.declared:
        yield Sign(
            columns=[],
            measure="declared",
            value=1.0,
            n=world.train.height,
            large=True,
            verdict="leak" if finding.severity == "error" else "suspect",
            what=f"{finding.code}: {finding.what}",
            fix=finding.fix,
        )


def _moments(column: pl.Series) -> pl.Series | None:
    import polars as pl

    if column.dtype == pl.Date:
        return column.cast(pl.Datetime("us"))
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.replace_time_zone(None).cast(pl.Datetime("us"))
    return None
