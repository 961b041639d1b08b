"""Whether a table fits into this machine's memory, reckoned before it is read."""

from __future__ import annotations

import os
from pathlib import Path

from trackrecord.errors import DataError

# What reading takes at its peak, as a multiple of the file: text is read whole and parsed beside
# itself; Parquet is unpacked, converted, and sorted by id.
TEXT, COLUMNS = 6, 4
SHARE = 0.9


def check_room(path: Path) -> None:
    """Raise DataError for a file that needs more memory than is free, saying how much it needs."""
    if fits(path):
        return
    check_bytes(
        needed_for(path),
        path.name,
        "write the columns that are needed into a Parquet file: that is read in parts",
        where=str(path),
    )


def fits(path: Path) -> bool:
    """Whether a file can be read whole."""
    needed, free = needed_for(path), free_memory()
    return free is None or needed <= SHARE * free


def in_parts(path: Path) -> bool:
    """Whether a file is better read in parts: Parquet that does not fit into memory."""
    return not fits(path) and _is_parquet(path)


def check_bytes(needed: int, what: str, advice: str, *, where: str | None = None) -> None:
    """Raise DataError where ``what`` needs more bytes of memory than are free."""
    free = free_memory()
    if free is None or needed <= SHARE * free:
        return
    raise DataError(
        f"{what} does not fit into this machine's memory",
        where=where,
        why=f"measuring it needs about {_size(needed)}, and {_size(free)} are free",
        next=advice,
    )


def needed_for(path: Path) -> int:
    """Bytes of memory, about; 0 for what cannot be read, which the reader explains better."""
    try:
        size = path.stat().st_size
        if not _is_parquet(path):
            return size * TEXT
    except OSError:
        return 0
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as opened:
            facts = opened.metadata
            unpacked = sum(facts.row_group(n).total_byte_size for n in range(facts.num_row_groups))
            # A dictionary may hold a million equal words in a few bytes; in memory each counts.
            return int(COLUMNS * max(unpacked, 8 * facts.num_rows * facts.num_columns))
    except (pa.ArrowException, OSError):
        return 0


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def free_memory() -> int | None:
    """Bytes that a program may still take; None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return 1024 * int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.0f} MB"
