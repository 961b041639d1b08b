"""Reads captures back, whether they are Parquet already or still grow, and joins their truth."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.serving.capture.rotate import captured_frame, read_segment
from trackrecord.serving.capture.segments import OPEN

if TYPE_CHECKING:
    import polars as pl


def read_captures(
    folder: Path,
    *,
    since: datetime.datetime | None = None,
    until: datetime.datetime | None = None,
) -> pl.DataFrame:
    """All answers of ``since`` ≤ time < ``until``, oldest first.

    ``folder`` is ``captures/CASE``. A segment that became Parquet a moment ago is counted once.
    Columns are those of :func:`captured_frame`.
    """
    import polars as pl

    # Segments first: one that becomes Parquet while this reads is then seen twice, never not.
    open_ones = {path.stem: read_segment(path) for path in sorted((folder / OPEN).glob("*.jsonl"))}
    frames = []
    for path in sorted(folder.glob("????-??-??/*.parquet")):
        # An hour's slack: a segment is filed under its first day.
        if until is not None and path.parent.name > until.strftime("%Y-%m-%d"):
            continue
        open_ones.pop(path.stem, None)
        frames.append(pl.read_parquet(path))
    frames += [captured_frame(rows) for rows in open_ones.values() if rows]
    if not frames:
        return captured_frame([])
    found = pl.concat(frames, how="diagonal_relaxed").sort("time", maintain_order=True)
    if since is not None:
        found = found.filter(pl.col("time") >= since)
    if until is not None:
        found = found.filter(pl.col("time") < until)
    return found
