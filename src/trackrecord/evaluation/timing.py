"""Whether times are enough to know how rows near each other depend, and what is done if not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.stats.dependence import LEAST_PERIODS

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.evaluation.roles import ReadOutcomes


def over_times(read: ReadOutcomes) -> tuple[pl.DataFrame, bool, list[str]]:
    """(the Outcomes, whether rows depend on those near them in time, what is taken so).

    Fewer times than can show how they follow each other make clusters, where there are no others.
    """
    import polars as pl

    frame = read.frame
    if not read.timed or "time" not in frame.columns:
        return frame, False, []
    periods = frame["time"].n_unique()
    if periods >= LEAST_PERIODS:
        return frame, True, []
    few = f"{periods} different times are too few to know how they follow each other"
    if "cluster" in frame.columns:
        return frame, False, [f"{few}, so 'time' is not used for errors"]
    clusters = pl.col("time").cast(pl.String).alias("cluster")
    return frame.with_columns(clusters), False, [f"{few}, so each time is a cluster"]


def timed_only(read: ReadOutcomes) -> bool:
    """Whether times are all that says which rows depend on one another."""
    return read.timed and "time" in read.frame.columns and "cluster" not in read.frame.columns
