"""Makes a full segment Parquet: ``python -m trackrecord.serving.capture.rotate SEGMENT``."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.serving.capture.segments import OPEN, Captured

if TYPE_CHECKING:
    import polars as pl


def read_segment(path: Path) -> list[Captured]:
    """The whole lines of a segment; a torn last one is left out."""
    decode = msgspec.json.Decoder(Captured).decode
    found = []
    for line in _lines(path):
        try:
            found.append(decode(line))
        except msgspec.MsgspecError:
            continue
    return found


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield line
    except FileNotFoundError:
        return


def captured_frame(rows: list[Captured]) -> pl.DataFrame:
    """One row an answer: the request, its time (UTC), who answered what, and ``x.NAME`` columns."""
    import polars as pl

    names: dict[str, Any] = {}
    for row in rows:
        for name, value in (row.values or {}).items():
            if names.get(name) is None and value is not None:
                names[name] = (
                    pl.Boolean
                    if isinstance(value, bool)
                    else pl.String
                    if isinstance(value, str)
                    else pl.Float64
                )
            else:
                names.setdefault(name, None)
    frame = pl.DataFrame(
        {
            "request": [row.request for row in rows],
            "unit": [row.unit for row in rows],
            "time": [row.time for row in rows],
            "version": [row.version for row in rows],
            "role": [row.role for row in rows],
            "seconds": [row.seconds for row in rows],
            "probability": [row.probability for row in rows],
            "digest": [row.digest for row in rows],
        },
        schema={
            "request": pl.String,
            "unit": pl.String,
            "time": pl.Float64,
            "version": pl.Int64,
            "role": pl.String,
            "seconds": pl.Float64,
            "probability": pl.Float64,
            "digest": pl.String,
        },
    ).with_columns((pl.col("time") * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC")))
    columns = []
    for name, kind in names.items():
        values = [None if row.values is None else row.values.get(name) for row in rows]
        columns.append(pl.Series(f"x.{name}", values, dtype=kind or pl.Float64, strict=False))
    return frame.hstack(columns)


def rotate(segment: Path) -> Path | None:
    """Write a segment as ``YYYY-MM-DD/SEGMENT.parquet`` beside ``open``, then remove it.

    A segment without a whole line is removed; then there is no file. Doing it twice gives the same
    file, so a process that dies in between loses and doubles nothing: who reads prefers Parquet.
    """
    rows = read_segment(segment)
    written = None
    if rows:
        folder = segment.parent.parent
        assert segment.parent.name == OPEN
        day = datetime.datetime.fromtimestamp(rows[0].time, datetime.UTC).strftime("%Y-%m-%d")
        (folder / day).mkdir(exist_ok=True)
        written = folder / day / f"{segment.stem}.parquet"
        part = written.with_suffix(".part")
        with part.open("wb") as file:
            captured_frame(rows).write_parquet(file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        part.replace(written)
    segment.unlink(missing_ok=True)
    return written


def rotate_left_over(folder: Path) -> int:
    """Rotate segments whose server has ended without doing so; returns how many."""
    done = 0
    for segment in sorted((folder / OPEN).glob("*.jsonl")):
        if not _alive(segment):
            rotate(segment)
            done += 1
    return done


def _alive(segment: Path) -> bool:
    try:
        os.kill(int(segment.stem.partition("-")[2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


if __name__ == "__main__":
    rotate(Path(sys.argv[1]))
