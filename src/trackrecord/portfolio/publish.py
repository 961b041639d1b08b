"""Publishes a case: lists what will be revealed, then writes it, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import Entry, Subject, case_digest, read_chain, record
from trackrecord.portfolio.card import render_card
from trackrecord.portfolio.claims import check_claims, decode_claims, read_claims
from trackrecord.portfolio.drafts import draft_claims, write_claims
from trackrecord.portfolio.folders import cannot_publish, put_in_place, recover, write_files
from trackrecord.portfolio.page import render_page
from trackrecord.portfolio.record import CaseRecord, record_of
from trackrecord.portfolio.reveals import what_is_revealed
from trackrecord.version import __version__
from trackrecord.workspace import Workspace, checked_case_name, open_workspace

PAGE, CARD, CLAIMS, CHAIN = "index.html", "model-card.md", "claims.toml", "evidence/chain.jsonl"


class PublicationPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``publication``: what was published of a case.

    The subjects are the page, the card, the claims and every file of rows, by SHA-256.
    ``evaluation`` and ``contrast`` are the digests of the evidence that the page speaks of;
    ``reveals`` is the list that the author was shown before.
    """

    case: str
    evaluation: str
    contrast: str | None
    reveals: list[str]
    tool: str


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """All that is needed to write a folder, and nothing written yet.

    ``files`` are the subjects' bytes by name; ``recorded`` is the entry of an earlier publication
    with just these files, which is used again instead of a second one.
    """

    workspace: Workspace
    record: CaseRecord
    files: dict[str, bytes]
    predicate: PublicationPredicate
    recorded: Entry | None

    @property
    def reveals(self) -> list[str]:
        """What will be revealed, a line each."""
        return self.predicate.reveals


def plan_publication(root: Path, name: str) -> Publication:
    """Everything that ``write_publication`` would write, in memory.

    Raises
    ------
    BadInput
        When the sealed test was not evaluated, or a claim cannot be shown.
    DataError
        When a file of rows is gone or changed.
    LedgerError
        When the chain or a piece of the case's evidence is not whole.
    """
    workspace = open_workspace(root)
    chain = read_chain(workspace.evidence)
    mine = [entry for entry in chain if entry.case == case_digest(checked_case_name(name))]
    if mine and mine[-1].kind == "publication":
        # Nothing has happened since the case was last published: the same folder again, perhaps
        # because writing it was cut short, is the same publication.
        before = [entry for entry in chain if entry.seq < mine[-1].seq]
        again = _plan(workspace, name, before)
        if _is_that(again, mine[-1], workspace):
            return msgspec.structs.replace(again, recorded=mine[-1])
    return _plan(workspace, name, chain)


def write_publication(plan: Publication, out: Path) -> None:
    """Write the folder and record the publication, once.

    The folder is written beside ``out`` and takes its place when it is whole; an older publication
    of the same case is replaced. A kill at any instant leaves the older one, and the next
    publication of the same state does not count twice.

    Raises
    ------
    BadInput
        When ``out`` is anything but a publication of this case, or cannot be written, or when the
        case has gone on since the plan.
    """
    from filelock import FileLock, Timeout

    out = out.resolve()
    if not out.name:
        raise BadInput("the whole disk is no place for a publication", next="choose --out FOLDER")
    new, old = (
        out.with_name(f".{out.name}.{word}") for word in ("trackrecord-new", "trackrecord-old")
    )
    cache = plan.workspace.cache
    try:
        cache.mkdir(parents=True, exist_ok=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "publish.lock", timeout=60):
            recover(new, out, old)
            refuse_foreign(out, plan.record.name)
            entry = plan.recorded or _record(plan)
            try:
                write_files(new, {**plan.files, **_evidence(plan, entry)})
                put_in_place(new, out, old)
            except BaseException:
                recover(new, out, old)
                raise
    except Timeout:
        raise BadInput(
            "another process is publishing from this workspace",
            next="wait for it, then run the same command again",
        ) from None
    except OSError as error:
        raise cannot_publish(out, error) from error


def refuse_foreign(out: Path, case: str) -> None:
    """Raise BadInput unless ``out`` is free, empty, or a publication of the case and no more."""
    if not out.exists():
        return
    if not out.is_dir():
        raise BadInput(f"{out.name} is a file", where=str(out), next="choose --out FOLDER")
    if next(out.iterdir(), None) is None:
        return
    published = _published_case(out)
    if published is None:
        raise BadInput(
            "that folder is not a publication, so it is not overwritten",
            where=str(out),
            why="it is not empty, and has no chain that ends with a publication",
            next="choose an empty place with --out FOLDER",
        )
    name, subjects = published
    if name != case:
        raise BadInput(
            f"that folder holds the publication of '{name}'",
            where=str(out),
            next=f"choose another place with --out FOLDER, e.g. published/{case}",
        )
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    known = {*subjects, CHAIN}
    foreign = sorted(f for f in there - known if not _is_evidence(f))
    if foreign:
        raise BadInput(
            "that folder has files that trackrecord did not write; they would be lost",
            where=f"{out}: {', '.join(foreign[:5])}" + (", …" if len(foreign) > 5 else ""),
            next="move them elsewhere, or choose another place with --out FOLDER",
        )


def _plan(workspace: Workspace, name: str, chain: list[Entry]) -> Publication:
    known = record_of(workspace.evidence, chain, name)
    path = workspace.case_folder(name) / "claims.toml"
    shown = f"cases/{name}/claims.toml"
    if path.exists():
        raw = path.read_bytes()
        claims = read_claims(path, shown_as=shown)
        check_claims(claims, known, shown)
    else:
        raw = write_claims(draft_claims(known)).encode()
        claims = decode_claims(raw, CLAIMS)
    rows = dict(_rows(workspace, known))
    files = {
        PAGE: render_page(known, claims).encode(),
        CARD: render_card(known, claims).encode(),
        CLAIMS: raw,
        **rows,
    }
    predicate = PublicationPredicate(
        case=name,
        evaluation=known.evaluation,
        contrast=known.contrast,
        reveals=what_is_revealed(known, chain, claims, rows, drafted=not path.exists()),
        tool=__version__,
    )
    return Publication(
        workspace=workspace, record=known, files=files, predicate=predicate, recorded=None
    )


def _rows(workspace: Workspace, known: CaseRecord) -> Iterator[tuple[str, bytes]]:
    """The files of rows that the page's numbers can be computed from, if they are as recorded."""
    pieces = [known.evaluation, *([known.contrast] if known.contrast else [])]
    validated = [
        d
        for d in known.digests("evaluation")
        if known.statements[d]["predicate"]["part"] == "validation"
        and known.statements[d]["predicate"]["run"] == known.run
    ]
    for digest in [*pieces, *validated[-1:]]:
        for subject in known.statements[digest]["subject"]:
            name = subject["name"]
            if not name.startswith("runs/"):
                continue
            path = workspace.root / name
            redo = f"trackrecord evaluate {known.name} --part test, then publish again"
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                raise DataError(
                    "the rows that the evidence was computed from are gone", where=name, next=redo
                ) from None
            found = hashlib.sha256(data).hexdigest()
            if found != subject["digest"]["sha256"]:
                raise DataError(
                    "the rows are not those that the evidence was computed from",
                    where=name,
                    why=f"expected SHA-256 {subject['digest']['sha256'][:16]}…, "
                    f"found {found[:16]}…",
                    next=f"restore the file, or: {redo}",
                )
            yield name, data


def _is_that(plan: Publication, entry: Entry, workspace: Workspace) -> bool:
    """Whether an entry already publishes just these files."""
    from trackrecord.ledger import read_evidence

    statement = read_evidence(workspace.evidence, str(entry.evidence))
    recorded = {s.name: s.digest.get("sha256") for s in statement.subject}
    planned = {s.name: s.digest["sha256"] for s in _subjects(plan)}
    return recorded == planned and statement.predicate == msgspec.to_builtins(plan.predicate)


def _record(plan: Publication) -> Entry:
    """Put the publication on the chain, if the case still stands where it was planned."""
    _refuse_stale(plan, read_chain(plan.workspace.evidence), None)
    entry = record(
        plan.workspace.evidence,
        kind="publication",
        predicate=plan.predicate,
        subjects=_subjects(plan),
        case=plan.record.name,
        lock_path=plan.workspace.cache / "lock",
    )
    _refuse_stale(plan, read_chain(plan.workspace.evidence), entry)
    return entry


def _refuse_stale(plan: Publication, chain: list[Entry], until: Entry | None) -> None:
    """Raise BadInput when something else was recorded of the case since the plan was made."""
    mine = case_digest(plan.record.name)
    now = [
        e.digest
        for e in chain
        if (e.case == mine or e.kind == "merge") and (until is None or e.seq < until.seq)
    ]
    if now != [e.digest for e in plan.record.entries]:
        raise BadInput(
            f"the record of '{plan.record.name}' has changed since this was planned",
            why="another command recorded something while you were reading the list",
            next=f"trackrecord publish {plan.record.name}",
        )


def _subjects(plan: Publication) -> list[Subject]:
    return [
        Subject(name=name, digest={"sha256": hashlib.sha256(data).hexdigest()})
        for name, data in sorted(plan.files.items())
    ]


def _evidence(plan: Publication, entry: Entry) -> dict[str, bytes]:
    """The chain up to and including the publication, and all evidence of the case."""
    folder = plan.workspace.evidence
    lines = (folder / "chain.jsonl").read_bytes().splitlines(keepends=True)
    upto: list[bytes] = []
    for line in lines:
        upto.append(line)
        if f'"digest":"{entry.digest}"'.encode() in line:
            break
    digests = {*plan.record.statements, str(entry.evidence)}
    found = {f"evidence/{d}.json": (folder / f"{d}.json").read_bytes() for d in sorted(digests)}
    return {CHAIN: b"".join(upto), **found}


def _published_case(out: Path) -> tuple[str, list[str]] | None:
    """(case, subjects' names) of the publication that a folder's chain ends with, or None."""
    from trackrecord.errors import TrackrecordError
    from trackrecord.ledger import read_evidence

    try:
        last = read_chain(out / "evidence")[-1]
        if last.kind != "publication" or last.evidence is None:
            return None
        statement = read_evidence(out / "evidence", last.evidence)
        return str(statement.predicate["case"]), [s.name for s in statement.subject]
    except (TrackrecordError, IndexError, KeyError, OSError):
        return None


def _is_evidence(name: str) -> bool:
    folder, _, file = name.partition("/")
    stem = file.removesuffix(".json")
    return folder == "evidence" and len(stem) == 64 and stem.isalnum() and file.endswith(".json")
