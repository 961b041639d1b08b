"""Work of a database in a thread of its own, so that Ctrl-C is heard while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
POLL_SECONDS = 0.2


def apart(database: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    """What ``work`` gives, or raises. An interrupt of this thread stops the database's query."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(work)
        try:
            # Waiting without end would not notice a signal on every system.
            while not future.done():
                wait([future], POLL_SECONDS)
        except BaseException:
            # One call may fall between two queries.
            while not future.done():
                database.interrupt()
                wait([future], POLL_SECONDS)
            raise
        return future.result()
