"""A DuckDB that sees the tables it is handed, and nothing else: no file, no network, no extension.

What a query may touch is settled by DuckDB's own settings, not by reading the query: inputs are
Arrow scans, which cannot be written, and then access to the outside is closed and the settings are
locked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import DataError

if TYPE_CHECKING:
    import duckdb

MEMORY = 2 << 30


@contextlib.contextmanager
def closed_database(
    tables: Mapping[str, Path],
    *,
    spill: Path | None = None,
    memory: int = MEMORY,
    threads: int | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory whose tables are Parquet files, read as a query needs them.

    Parameters
    ----------
    tables:
        The name of each table and its Parquet file.
    spill:
        A folder for what does not fit into ``memory`` bytes; without one, such a query fails.
    threads:
        Of one, rows come in one order and sums of floats in one value each time; by default one for
        each core.

    Raises
    ------
    DataError
        For a file that is missing or no Parquet.
    """
    import duckdb
    import pyarrow as pa
    import pyarrow.dataset as ds

    # Buffered ahead, a file's bytes would all be in memory by the end of a scan.
    options = ds.ParquetFragmentScanOptions(pre_buffer=False)
    parquet = ds.ParquetFileFormat(default_fragment_scan_options=options)
    database = duckdb.connect(":memory:")
    try:
        settings: dict[str, object] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "memory_limit": f"{memory >> 20}MiB",
            "temp_directory": str(spill) if spill else "",
            "TimeZone": "UTC",
            "preserve_insertion_order": True,
        } | ({} if threads is None else {"threads": threads})
        for setting, value in settings.items():
            database.execute(f"SET {setting} = ?", [value])
        for name, path in tables.items():
            try:
                database.register(name, ds.dataset(path, format=parquet))
            except (OSError, pa.ArrowInvalid) as error:
                raise DataError(
                    f"the table {name} cannot be read",
                    where=str(path),
                    why=str(error).partition("\n")[0][:200],
                    next="make it again: trackrecord data add, or trackrecord data build",
                ) from None
        database.execute("SET enable_external_access = false")
        database.execute("SET lock_configuration = true")
        yield database
    finally:
        database.close()
