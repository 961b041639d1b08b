"""Races the content digest of a Parquet file against ``sha256sum`` over the same content.

The same table is written three ways: Parquet (zstd, what people keep), Arrow IPC uncompressed (its
size is what "MB" means below) and CSV. ``sha256sum`` reads the Arrow file. Best of three, files
warm in the page cache.

    python benchmarks/digest/run.py [--rows 4000000]
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from trackrecord.data.digest import table_digest


def table(rows: int) -> pl.DataFrame:
    """Eleven columns like those of a real case: numbers, text, times, some of it missing."""
    draw = np.random.default_rng(5)
    airports = np.array(["JFK", "LGA", "EWR", "ATL", "ORD"])
    start = np.datetime64("2013-01-01T00:00", "us")
    frame = pl.DataFrame(
        {
            "id": np.arange(rows),
            "delay": draw.normal(7, 40, rows),
            "distance": draw.integers(80, 5000, rows),
            "temperature": draw.normal(13, 9, rows),
            "humidity": draw.random(rows),
            "pressure": draw.normal(1017, 7, rows),
            "wind": draw.gamma(2, 5, rows),
            "origin": airports[draw.integers(0, 5, rows)],
            "tail": np.char.add("N", draw.integers(10_000, 99_999, rows).astype(str)),
            "late": draw.random(rows) < 0.2,
            "time": start + (draw.integers(0, 31_536_000, rows) * 1_000_000).astype("m8[us]"),
        }
    )
    gaps = pl.Series(draw.random(rows) < 0.05)
    return frame.with_columns(
        pl.when(~gaps).then(pl.col("humidity", "tail")), pl.col("time").dt.replace_time_zone("UTC")
    )


def openssl_sha256(path: Path) -> str:
    """What hashlib does: it has the processor's SHA instructions, which sha256sum may lack."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def best(action: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=4_000_000)
    rows = parser.parse_args().rows
    folder = Path(tempfile.mkdtemp())
    try:
        frame = table(rows)
        arrow, parquet, text = (folder / name for name in ("t.arrow", "t.parquet", "t.csv"))
        frame.write_ipc(arrow, compression="uncompressed")
        frame.write_parquet(parquet, row_group_size=250_000)
        frame.head(rows // 10).write_csv(text)
        del frame
        size = arrow.stat().st_size / 1e6
        if table_digest(arrow) != table_digest(parquet):
            raise SystemExit("the two files have different digests: that is a bug")
        peer = best(lambda: subprocess.run(["sha256sum", arrow], check=True, capture_output=True))
        print(f"{rows:,} rows, 11 columns; {size:,.0f} MB as Arrow IPC, uncompressed.\n")
        openssl = best(lambda: openssl_sha256(arrow))
        print("| what | seconds | MB/s of Arrow content | time against sha256sum |")
        print("|---|---:|---:|---:|")
        print(f"| sha256sum, Arrow IPC | {peer:.2f} | {size / peer:,.0f} | 1.00 |")
        print(
            f"| OpenSSL's SHA-256, Arrow IPC | {openssl:.2f} | {size / openssl:,.0f} "
            f"| {openssl / peer:.2f} |"
        )
        for name, path, share in (
            ("table_digest, Parquet (zstd)", parquet, 1.0),
            ("table_digest, Arrow IPC", arrow, 1.0),
            ("table_digest, CSV (a tenth of the rows)", text, 0.1),
        ):
            took = best(lambda path=path: table_digest(path))  # type: ignore[misc]
            speed = size * share / took
            print(f"| {name} | {took:.2f} | {speed:,.0f} | {took / (peer * share):.2f} |")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"\nPeak memory of this process, the table's making included: {peak:,.0f} MB.")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
