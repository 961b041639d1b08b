"""Which key of the case led to an error in the data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trackrecord.errors import DataError


class KeyedDataError(DataError):
    """A DataError that knows the key path of the case behind it, such as ``data.unit``."""

    def __init__(
        self,
        what: str,
        *,
        key: str,
        where: str | None = None,
        why: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(what, where=where, why=why, next=next)
        self.key = key


@contextmanager
def blame(key: str) -> Iterator[None]:
    """Errors of the block come from this key, unless they know a nearer one."""
    try:
        yield
    except KeyedDataError:
        raise
    except DataError as error:
        raise KeyedDataError(
            error.what, key=key, where=error.where, why=error.why, next=error.next
        ) from None
