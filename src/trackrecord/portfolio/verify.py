"""Checks a published folder without the data and without the author's code, trusting nothing in it.

The order is that of trust: the files, the chain, each piece of evidence, the order of events, the
seal, the rows and their truth, every number, the page, the card, and last what each claim is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trackrecord.portfolio.checking.accounting import check_files
from trackrecord.portfolio.checking.chain import check_folder_chain
from trackrecord.portfolio.checking.claims import check_claims, read_published_claims
from trackrecord.portfolio.checking.compare import Recomputed
from trackrecord.portfolio.checking.evidence import Newer, case_of, check_belonging, read_pieces
from trackrecord.portfolio.checking.folder import CARD, CHAIN, CLAIMS, PAGE, list_folder
from trackrecord.portfolio.checking.order import check_order
from trackrecord.portfolio.checking.page import check_page
from trackrecord.portfolio.checking.recompute import recompute
from trackrecord.portfolio.checking.record import last_publication, resolve_record
from trackrecord.portfolio.checking.report import Check, Report, bad, good
from trackrecord.portfolio.checking.run import check_subjects
from trackrecord.portfolio.checking.seal import check_seals
from trackrecord.portfolio.checking.writing import check_writing

Progress = Callable[[str, float], None]


def verify_folder(
    folder: Path | str, *, head: str | None = None, progress: Progress | None = None
) -> Report:
    """Check everything in a published folder.

    Reads only plain files inside it, and runs nothing. Whatever the folder holds, this returns a
    report and raises nothing.

    Parameters
    ----------
    head:
        The digest of the chain's last line as it was noted elsewhere, if it was.
    progress:
        Told what is being done, and which share of all is done.
    """
    tell = progress or (lambda _step, _share: None)
    try:
        return _verify(Path(folder), head, tell)
    except Newer as error:
        return _unusable(bad("folder", f"a newer trackrecord made it: {error}", str(folder)))
    except OSError as error:
        why = error.strerror or str(error)
        return _unusable(bad("folder", f"it cannot be read: {why}", str(folder)))
    except BaseException as error:
        # A stranger's folder must not be able to end this with anything but a finding; what
        # panics in native code is not even an Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        what = f"a check could not be finished: {type(error).__name__}: {error}"
        return _unusable(bad("folder", what, str(folder)))


def _verify(root: Path, head: str | None, progress: Progress) -> Report:
    if not root.is_dir():
        what = "it is a file, not a folder" if root.exists() else "there is no such folder"
        return _unusable(bad("folder", what, str(root)))
    progress("reading the folder", 0.0)
    folder, checks = list_folder(root)
    if not any(name in folder.sizes for name in (PAGE, CARD, CLAIMS, CHAIN)):
        return _unusable(
            bad("folder", "it is not a published folder", str(root), expected=f"{PAGE}, {CHAIN}, …")
        )
    entries, found = check_folder_chain(folder, head)
    checks += found
    pieces, found = read_pieces(folder)
    checks += found
    publication = last_publication(entries, pieces)
    case = case_of(publication) if publication is not None else None
    found = check_belonging(pieces, entries, case)
    checks += found
    strangers = {check.file for check in found}
    pieces = {digest: piece for digest, piece in pieces.items() if piece.file not in strangers}
    if not any(check.name == "evidence" for check in checks) and pieces:
        said = f"{len(pieces):,} statements, each named by its digest and in the chain"
        checks.append(good("evidence", said, "evidence/"))
    checks += check_files(folder, entries, publication)
    record = resolve_record(folder, entries, pieces, publication, case)
    progress("comparing seal, run and looks", 0.15)
    checks += _finished("order", CHAIN, check_order, record)
    checks += _finished("seal", CHAIN, check_seals, record)
    checks += _finished("subjects", CHAIN, check_subjects, record)
    recomputed = Recomputed([], {})
    checks += _finished("numbers", "runs", recompute, record, recomputed, progress)
    progress("reading the page", 0.8)
    page, found = check_page(record)
    checks += found
    claims, found = read_published_claims(record)
    checks += found
    checks += _finished("writing", PAGE, check_writing, record, claims)
    lines, found = check_claims(record, claims, page, recomputed.holds, _broken(checks))
    checks += found
    progress("done", 1.0)
    return Report(
        case=case,
        head=entries[-1].digest if entries else None,
        entries=len(entries),
        numbers=recomputed.numbers,
        checks=checks,
        claims=lines,
        exit_code=0 if all(check.ok for check in checks) else 1,
    )


def _finished(name: str, file: str, step: Callable[..., list[Check]], *words: Any) -> list[Check]:
    """What a step found; where it could not be finished, that is what it found."""
    try:
        return step(*words)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        what = f"this check could not be finished: {type(error).__name__}: {error}"
        return [bad(name, what, file)]


def _broken(checks: list[Check]) -> dict[str, str]:
    """File to the first thing that is wrong with it."""
    broken: dict[str, str] = {}
    for check in checks:
        if not check.ok:
            broken.setdefault(check.file, check.what)
    return broken


def _unusable(check: Check) -> Report:
    return Report(
        case=None, head=None, entries=0, numbers=0, checks=[check], claims=[], exit_code=2
    )
