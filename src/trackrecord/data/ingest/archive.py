"""Zip files of a table, of pictures or of texts: names that lead out, links and bombs refused."""

from __future__ import annotations

import contextlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from trackrecord.data.ingest.bombs import Counted
from trackrecord.data.ingest.folders import TABLES, Entry
from trackrecord.errors import DataError

MOST = 1_000_000
LEAVE = "unpack it by hand, look at what is in it, and add the folder"


@contextlib.contextmanager
def unpacking(path: Path, where: str) -> Iterator[list[Entry]]:
    """The files of a zip, sorted, each to be read while this is open.

    Raises DataError for a name that leads out of the archive or is there twice, a link, a
    password, a damaged file, and for what unpacks to more than a thousand times its size.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check(infos, where)
            yield [_entry(archive, info, where) for info in sorted(infos, key=_name)]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DataError(
            f"{where} is damaged",
            where=str(path),
            why=str(error),
            next="copy or write the file again; it may be incomplete",
        ) from None


def names_in(path: Path) -> list[str]:
    """The names in a zip; none where it is damaged, which reading it will say."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return []


def only_table(entries: list[Entry]) -> Entry | None:
    """The one table in an archive; None where there are others beside it, or none."""
    tables = [e for e in entries if PurePosixPath(e.path).suffix.lower() in TABLES]
    return tables[0] if len(tables) == 1 and len(entries) == 1 else None


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Entry:
    shown = f"{where}: {info.filename}"

    def unpack() -> BinaryIO:
        opened = Counted(archive.open(info), cast("BinaryIO", None), shown, info.compress_size)
        return cast("BinaryIO", opened)

    return Entry(info.filename, unpack)


def _name(info: zipfile.ZipInfo) -> str:
    return info.filename


def _check(infos: list[zipfile.ZipInfo], where: str) -> None:
    seen: set[str] = set()
    if len(infos) > MOST:
        raise DataError(
            f"{where} has {len(infos):,} files in it", why=f"at most {MOST:,} are read", next=LEAVE
        )
    for info in infos:
        name = info.filename
        reason = None
        if ".." in name.replace("\\", "/").split("/"):
            reason = "it has '..' in it, which leads out of the archive"
        elif name.startswith(("/", "\\")) or name[1:2] == ":":
            reason = "it is an absolute path"
        elif "\\" in name or "\0" in name:
            reason = "it has a character that no file name here has"
        elif stat.S_ISLNK(info.external_attr >> 16):
            reason = "it is a symbolic link"
        elif info.flag_bits & 1:
            reason = "it is locked with a password"
        elif name in seen:
            reason = "the archive has it twice"
        if reason:
            raise DataError(
                f"{where} holds {name!r}, which is not unpacked",
                where=f"{where}: {name}",
                why=reason,
                next=LEAVE,
            )
        seen.add(name)
