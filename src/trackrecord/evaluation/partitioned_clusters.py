"""What parts leave behind of rows in clusters: each cluster's rows and losses, in either class.

Memory grows with the clusters and not with the rows; a cluster may lie in any number of parts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import counted, rows_where

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.evaluation.partitioned_parts import Part

    Floats = NDArray[np.float64]
    Name = tuple[str, ...]


class Clusters(msgspec.Struct, frozen=True):
    """``names`` (G,) in order, ``rows`` (G, 2) in either class, and by metric and model the
    ``losses`` (G, 2)."""

    names: Any
    rows: Floats
    losses: dict[Name, Floats]


def codes_of_part(series: pl.Series, part: Part) -> tuple[pl.Series, pl.Series]:
    """The clusters of a part in order, and each row's code from 0. Raises DataError for a row that
    is in none."""
    import polars as pl

    from trackrecord.data.kinds import Place, as_text, canonical

    named = as_text(canonical(series, "UTC", Place(part.where)))
    if lost := named.null_count():
        raise DataError(
            f"the cluster is missing in {counted(lost)}",
            where=f"{part.where}, {rows_where(named.is_null())}",
            why="of a table in parts, each row needs its cluster's name",
            next="give those rows a cluster of their own",
        )
    return named.unique().sort().alias("cluster"), (named.rank("dense") - 1).cast(pl.Int64)


def merge(a: Clusters | None, b: Clusters) -> Clusters:
    """The clusters of the rows of both."""
    import polars as pl

    if a is None:
        return b
    names = pl.concat([a.names, b.names]).unique().sort()
    places = [names.search_sorted(one.names).to_numpy() for one in (a, b)]

    def together(first: Floats, second: Floats) -> Floats:
        found = np.zeros((len(names), 2))
        found[places[0]] += first
        found[places[1]] += second
        return found

    losses = {name: together(mine, b.losses[name]) for name, mine in a.losses.items()}
    return Clusters(names, together(a.rows, b.rows), losses)
