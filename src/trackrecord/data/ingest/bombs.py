"""Bytes that unpack to far more than they are: refused by counting, never by a header."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import Any, BinaryIO

from trackrecord.errors import DataError

# Deflate reaches 1,032:1 on zeros. A table of text is packed 3:1 to 50:1.
RATIO = 1000
FREE = 1 << 20
DAMAGE = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error)


class Counted(io.RawIOBase):
    """What an unpacking file gives, as long as it is not a thousand times what it takes in."""

    def __init__(self, file: Any, packed: BinaryIO, where: str, size: int | None = None) -> None:
        self.file, self.packed, self.where, self.size = file, packed, where, size
        self.done = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises DataError once too many have come out of too few."""
        try:
            data: bytes = self.file.read(size)
        except DAMAGE as error:
            raise DataError(
                f"{self.where} is damaged",
                why=str(error),
                next="copy or write the file again; it may be incomplete",
            ) from None
        self.done += len(data)
        taken = self.size if self.size is not None else self.packed.tell()
        if self.done > FREE and self.done > RATIO * max(taken, 1):
            raise DataError(
                f"{self.where} unpacks to more than {RATIO:,} times its size",
                why=f"{self.done:,} bytes have come out of {taken:,}; data is never packed so well",
                next="unpack it yourself, look at what is in it, and add that",
            )
        return data

    def close(self) -> None:
        """Close both."""
        self.file.close()
        if self.size is None:
            self.packed.close()
        super().close()
