"""Accounts for every file: evidence in the chain, the chain, or a subject of the publication."""

from __future__ import annotations

from trackrecord.ledger import Entry
from trackrecord.portfolio.checking.evidence import Piece, digest_of, file_of
from trackrecord.portfolio.checking.folder import CARD, CHAIN, CLAIMS, PAGE, Folder, Unreadable
from trackrecord.portfolio.checking.report import Check, bad, good

ALWAYS = (PAGE, CARD, CLAIMS)


def check_files(
    folder: Folder,
    entries: list[Entry],
    publication: Piece | None,
) -> list[Check]:
    """Findings for files that are missing, extra, or not what the publication says."""
    findings: list[Check] = []
    chained = {entry.evidence for entry in entries if entry.evidence is not None}
    subjects = dict(publication.subjects) if publication else {}
    for path in folder.sizes:
        digest = digest_of(path)
        if path == CHAIN or path in subjects:
            continue
        if digest is not None:
            if digest not in chained:
                findings.append(bad("files", "evidence that the chain does not name", path))
        elif publication is not None or path not in (*ALWAYS, *_runs(folder)):
            findings.append(bad("files", "nothing in the record accounts for this file", path))
    findings += _missing_evidence(folder, entries)
    if publication is None:
        findings += [
            bad("files", "the file is missing", p) for p in ALWAYS if p not in folder.sizes
        ]
        return findings
    names = [name for name, _ in publication.subjects]
    for name in names:
        if names.count(name) > 1:
            findings.append(bad("files", f"{name!r} is a subject twice", publication.file))
            break
    for name in ALWAYS:
        if name not in subjects:
            findings.append(bad("files", f"{name} is not among its subjects", publication.file))
    for name, digests in publication.subjects:
        findings += _subject(folder, name, digests)
    if not findings:
        findings.append(good("files", f"{len(folder.sizes):,} files, each accounted for", "."))
    return findings


def _subject(folder: Folder, name: str, digests: dict[str, str]) -> list[Check]:
    expected = digests.get("sha256")
    try:
        found = folder.sha256(name)
    except Unreadable as error:
        return [bad("files", str(error), name, f"SHA-256 {expected}")]
    if found != expected:
        return [bad("files", "it is not the file that was published", name, expected, found)]
    return []


def _missing_evidence(folder: Folder, entries: list[Entry]) -> list[Check]:
    """All evidence of the published case is there; evidence of other cases may be withheld."""
    if not entries or entries[-1].case is None:
        return []
    wanted = entries[-1].case
    missing = {
        entry.evidence: entry
        for entry in entries
        if entry.case == wanted
        and entry.evidence is not None
        and file_of(entry.evidence) not in folder.sizes
    }
    return [
        bad(
            "files",
            f"the {entry.kind} of line {entry.seq + 1} of the chain is missing",
            file_of(digest),
        )
        for digest, entry in missing.items()
    ]


def _runs(folder: Folder) -> list[str]:
    return [path for path in folder.sizes if path.startswith("runs/")]
