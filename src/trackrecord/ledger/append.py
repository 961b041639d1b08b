"""Recording: evidence into the store, then its digest onto the chain, under one lock.

The order matters. A process that dies between the two leaves evidence that no entry names, which
is harmless; the other way round the chain would name evidence that is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trackrecord.errors import LedgerError
from trackrecord.ledger.branches import Row, read_row
from trackrecord.ledger.chain import DOCTOR, Entry, refuse_lost_chain
from trackrecord.ledger.jcs import canonical
from trackrecord.ledger.lines import CHAIN, ZEROS
from trackrecord.ledger.lock import locked
from trackrecord.ledger.naming import case_digest
from trackrecord.ledger.statement import STATEMENT_TYPE, Subject, predicate_type
from trackrecord.ledger.store import cannot_write, fsync, fsync_folder, write_all, write_evidence


def record(
    evidence: Path,
    *,
    kind: str,
    predicate: Any,
    subjects: Sequence[Subject],
    case: str | None,
    lock_path: Path | None = None,
) -> Entry:
    """Write a piece of evidence and put it on the chain; returns its entry once both are on disk.

    Parameters
    ----------
    evidence:
        The folder of evidence; made when it is not there.
    kind:
        ``seal``, ``run``, ``look``, …: lower-case letters, with hyphens between words.
    predicate:
        A struct or a dict: what the evidence says.
    subjects:
        What it is about, with digests.
    case:
        The case's name; the chain shows only `case_digest` of it.
    lock_path:
        The lock for many processes; by default ``.trackrecord/lock`` beside the folder, which is
        the workspace's own.

    Raises LedgerError, before anything is written, when the predicate has no canonical form, when
    the chain's end is torn or changed, or when the lock or the disk cannot be had.
    """
    if kind == "merge":
        raise LedgerError(
            "a merge cannot be recorded: it joins heads", next="trackrecord doctor --merge"
        )
    data = canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": list(subjects),
            "predicateType": predicate_type(kind),
            "predicate": predicate,
        }
    )
    if b',"predicate":{' not in data:
        raise LedgerError(
            "a predicate is a struct or a dict", why=f"this one is a {type(predicate).__name__}"
        )
    with locked(evidence, lock_path), open_chain(evidence) as chain:
        last = last_row(chain, evidence)
        digest = write_evidence(evidence, data)
        entry, line = make_line(
            kind=kind,
            case=None if case is None else case_digest(case),
            evidence=digest,
            follows=[] if last is None else [last],
            seq=0 if last is None else last.seq + 1,
        )
        append_line(chain, evidence, line)
        return entry


@contextlib.contextmanager
def open_chain(evidence: Path) -> Iterator[int]:
    """The chain's file, open for reading and appending; made when this is the first entry.

    It is made before the first evidence, so that evidence without a chain always means a loss.
    """
    path = os.path.join(evidence, CHAIN)
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
    try:
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            evidence.mkdir(parents=True, exist_ok=True)
            refuse_lost_chain(evidence)
            descriptor = os.open(path, flags | os.O_CREAT, 0o666)
            fsync_folder(evidence)
    except OSError as error:
        raise cannot_write(Path(path), error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def last_row(chain: int, evidence: Path) -> Row | None:
    """The chain's last line; None when it has none yet.

    Raises LedgerError when that line is torn or changed: nothing is built on that, and nothing
    is mended in passing.
    """
    size = os.fstat(chain).st_size
    if size == 0:
        return None
    length = 4096
    while True:
        start = max(0, size - length)
        os.lseek(chain, start, os.SEEK_SET)
        tail = os.read(chain, size - start)
        cut = tail.rfind(b"\n", 0, -1)
        if cut >= 0 or start == 0:
            break
        length *= 8
    line = tail[cut + 1 :]
    if not line.endswith(b"\n"):
        raise _bad_end(evidence, "the chain's last line is torn", "it ends before its newline")
    row = read_row(line[:-1], 0)
    if row is None:
        raise _bad_end(evidence, "the chain's last line is not an entry", None)
    if not row.holds:
        why = f"expected digest {row.digest[:16]}…, found {row.computed[:16]}…"
        raise _bad_end(evidence, "the chain's last line was changed", why)
    return row


def append_line(chain: int, evidence: Path, line: bytes) -> None:
    """Write one line to the end of the chain and fsync it, or leave the chain as it was."""
    size = os.fstat(chain).st_size
    try:
        try:
            write_all(chain, line)
            fsync(chain)
        except OSError as error:
            # A full disk takes part of a line: what this step wrote, it takes back.
            with contextlib.suppress(OSError):
                os.ftruncate(chain, size)
            if os.fstat(chain).st_size != size:
                raise LedgerError(
                    "cannot write to the chain, and its last line is torn now",
                    where=str(evidence / CHAIN),
                    why=error.strerror or str(error),
                    next=DOCTOR,
                ) from error
            raise
    except OSError as error:
        raise cannot_write(evidence / CHAIN, error) from error


def make_line(
    *, kind: str, case: str | None, evidence: str | None, follows: Sequence[Row], seq: int
) -> tuple[Entry, bytes]:
    """A new entry, and its line of the chain with the newline.

    Its time is this machine's clock, but never before the entries that it follows: clocks of two
    clones differ, and an order that time contradicts helps no reader.
    """
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    prev, *also = [row.digest for row in follows] or [ZEROS]
    moment = max([now, *(row.time for row in follows)])
    # Canonical JSON by hand: the keys are in order, and no value needs an escape.
    merged = '"also":["' + '","'.join(also) + '"],' if also else ""
    before = f'{{{merged}"case":{_quoted(case)},'
    after = (
        f'"evidence":{_quoted(evidence)},"kind":"{kind}","prev":"{prev}","seq":{seq},'
        f'"time":"{moment}"}}'
    )
    digest = hashlib.sha256((before + after).encode("ascii")).hexdigest()
    entry = Entry(
        seq=seq,
        time=moment,
        kind=kind,
        case=case,
        evidence=evidence,
        prev=prev,
        digest=digest,
        also=also,
    )
    return entry, f'{before}"digest":"{digest}",{after}\n'.encode("ascii")


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def _bad_end(evidence: Path, what: str, why: str | None) -> LedgerError:
    path = evidence / CHAIN
    data = path.read_bytes()
    line = data.count(b"\n") + (not data.endswith(b"\n"))
    return LedgerError(
        f"{what}; nothing was recorded", where=f"{path}:{line}", why=why, next=DOCTOR
    )
