"""The store: evidence in files named by their own digest, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import sys
from pathlib import Path

import msgspec

from trackrecord.errors import LedgerError
from trackrecord.ledger.jcs import as_doubles, canonical
from trackrecord.ledger.statement import STATEMENT_TYPE, Statement

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
TEMPORARY = re.compile(r"\..+\.[0-9]+-[0-9a-f]{8}\.new\Z")

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

# What a file system without folder fsync answers.
_NO_FOLDER_FSYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


def evidence_file(evidence: Path, digest: str) -> Path:
    """Where the evidence with this digest is. Raises LedgerError for what is no digest."""
    if not DIGEST.match(digest):
        raise LedgerError(
            f"{digest!r} is not the digest of evidence",
            why="a digest is 64 hexadecimal digits, in lower case",
        )
    return evidence / f"{digest}.json"


def write_atomic(path: Path, data: bytes) -> None:
    """Write ``path`` so that it holds, at every instant and after a power cut, the old or the new.

    A temporary file beside it is written and fsynced, renamed over it, and the folder is fsynced.
    Raises LedgerError when that fails (disk full, read-only folder); then nothing has changed.
    """
    try:
        _write_atomic(os.fspath(path), data)
    except OSError as error:
        raise cannot_write(path, error) from error


def _write_atomic(path: str, data: bytes) -> None:
    """The same with a plain path, which an append has no time to take apart twice."""
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{secrets.token_hex(4)}.new")
    descriptor = os.open(temporary, _NEW_FILE, 0o666)
    try:
        try:
            write_all(descriptor, data)
            fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    fsync_folder(folder or os.curdir)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex, read in pieces. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``, in one call where the system takes it in one."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def fsync(descriptor: int) -> None:
    """Make a file's bytes last through a power cut; on macOS `os.fsync` alone does not."""
    if sys.platform == "darwin":  # pragma: no cover - elsewhere
        import fcntl

        with contextlib.suppress(OSError):  # a file system of another kind
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def fsync_folder(folder: Path | str) -> None:
    """Make the names in a folder last, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FSYNC:
            raise
    finally:
        os.close(descriptor)


def cannot_write(path: Path, error: OSError) -> LedgerError:
    """The error for a person when the system refuses a write."""
    advice = {
        errno.ENOSPC: "free some space, then run the same command again",
        errno.EDQUOT: "free some space, then run the same command again",
        errno.EROFS: "make the folder writable, or work in a copy of it",
        errno.EACCES: "make the folder writable, or work in a copy of it",
        errno.EPERM: "make the folder writable, or work in a copy of it",
        errno.ENOENT: "trackrecord doctor",
    }
    return LedgerError(
        f"cannot write {path.name}; nothing was changed",
        where=str(path),
        why=error.strerror or str(error),
        next=advice.get(error.errno or 0),
    )


def write_evidence(evidence: Path, data: bytes) -> str:
    """Write the canonical bytes of a statement into the store; returns their digest.

    Evidence that is there already is compared and left alone. Raises LedgerError when what is
    there is not what its name says, and when the system refuses.
    """
    digest = hashlib.sha256(data).hexdigest()
    name = f"{os.fspath(evidence)}{os.sep}{digest}.json"
    try:
        os.stat(name)
    except FileNotFoundError:
        try:
            _write_atomic(name, data)
        except OSError as error:
            raise cannot_write(Path(name), error) from error
        return digest
    except OSError as error:
        raise _cannot_read(Path(name), error) from error
    path = Path(name)
    try:
        there = path.read_bytes()
    except OSError as error:
        raise _cannot_read(path, error) from error
    if there != data:
        raise _changed(path, hashlib.sha256(there).hexdigest())
    try:
        # Whoever wrote it may have died before the folder was on the disk.
        fsync_folder(evidence)
    except OSError as error:
        raise cannot_write(path, error) from error
    return digest


def read_evidence(evidence: Path, digest: str) -> Statement:
    """The statement with this digest, whose bytes have this digest and are canonical.

    Raises LedgerError when the file is missing, changed, or not a canonical in-toto Statement v1:
    two readers could take two meanings from JSON that is not (a key written twice, for one).
    """
    path = evidence_file(evidence, digest)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise LedgerError(
            "evidence is missing",
            where=str(path),
            why="the chain names it; the file is not there",
            next="trackrecord doctor",
        ) from None
    except OSError as error:
        raise _cannot_read(path, error) from error
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise _changed(path, found)
    try:
        statement = decode_statement(data)
    except ValueError as error:
        raise LedgerError(
            "evidence is not a canonical in-toto Statement v1",
            where=str(path),
            why=str(error),
            next="trackrecord doctor",
        ) from None
    return statement


def decode_statement(data: bytes) -> Statement:
    """Canonical bytes as a Statement. Raises ValueError, saying why, for any other bytes."""
    try:
        statement = msgspec.json.decode(data, type=Statement)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if statement._type != STATEMENT_TYPE:
        raise ValueError(f"its _type is {statement._type!r}")
    statement = msgspec.structs.replace(statement, predicate=as_doubles(statement.predicate))
    try:
        again = canonical(statement)
    except LedgerError as error:
        raise ValueError(error.why or error.what) from None
    if again != data:
        raise ValueError("it is not in canonical form (RFC 8785)")
    return statement


def _changed(path: Path, found: str) -> LedgerError:
    return LedgerError(
        "evidence was changed: it is not what its name says",
        where=str(path),
        why=f"expected SHA-256 {path.stem[:16]}…, found {found[:16]}…",
        next=f"restore it: git checkout -- {path.parent.name}/{path.name}, or from a backup",
    )


def _cannot_read(path: Path, error: OSError) -> LedgerError:
    return LedgerError("cannot read evidence", where=str(path), why=error.strerror or str(error))
