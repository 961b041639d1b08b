"""The seal: what was fixed before training, and how it changed since.

Data and split come in as digests that the data room took; this room only says what they mean
for the case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

import msgspec

from trackrecord.cases.reader import case_document, changed_keys
from trackrecord.cases.spec import Case
from trackrecord.errors import CaseError
from trackrecord.ledger import Entry, Statement, Subject, canonical, case_digest, read_chain, record
from trackrecord.ledger import read_evidence as read_statement


class SealedData(msgspec.Struct, frozen=True, kw_only=True):
    """One source: its path, the digest of its bytes and the digest of its content."""

    path: str
    sha256: str
    table: str
    rows: int
    license: str = ""
    origin: str = ""


class SealedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the split: counts, the span of time, and digests of ids and of ids with truth."""

    rows: int
    positives: int | None
    first: str | None
    last: str | None
    ids: str
    truth: str | None


class SealedSplit(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that the case's split made of the data."""

    kind: str
    parts: dict[str, SealedPart]
    digest: str


class PlannedCriterion(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this test can decide a criterion, as reckoned before training."""

    criterion: str
    chance: float
    rows_needed: int | None
    half_width: float
    assumption: str


class PlannedTest(msgspec.Struct, frozen=True, kw_only=True):
    """What a seal's plan reckons with: the test's rows and clusters, counted without its truth.

    ``prevalence`` and how alike the rows of a cluster are come from the training part;
    ``design_effect`` is how much clusters inflate a variance (Kish 1965). ``rows_needed`` of a
    criterion is what it takes for a chance of ``wanted``.
    """

    rows: int
    clusters: int | None
    prevalence: float
    design_effect: float
    wanted: float


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """All that a seal says besides the case itself."""

    data: list[SealedData]
    split: SealedSplit
    excluded: dict[str, int]
    plan: list[PlannedCriterion]
    planned_for: PlannedTest | None = None

    @property
    def tables(self) -> dict[str, str]:
        """The content digest of each source, by its path."""
        return {source.path: source.table for source in self.data}


class SealedCase(msgspec.Struct, frozen=True, kw_only=True):
    """The case inside a seal: its name, its document and the document's digest."""

    name: str
    spec: dict[str, Any]
    digest: str


class SealPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``seal``: case, data and split, digested before the first training run.

    ``runs`` and ``looks`` count what was done without a seal before this one: 0 and 0 where the
    question did come first.
    """

    case: SealedCase
    data: list[SealedData]
    split: SealedSplit
    excluded: dict[str, int]
    plan: list[PlannedCriterion]
    tool: str
    runs: int = 0
    looks: int = 0
    planned_for: PlannedTest | None = None


class AmendmentPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """Predicate ``amendment``: a later seal, why it came, and how often the test had been seen."""

    case: SealedCase
    data: list[SealedData]
    split: SealedSplit
    excluded: dict[str, int]
    plan: list[PlannedCriterion]
    tool: str
    reason: str
    previous: str
    looks: int
    changed: list[str]
    planned_for: PlannedTest | None = None


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger remembers of one case, oldest first."""

    seal: str | None
    amendments: list[str]
    runs: list[str]
    looks: int
    looks_before_amendment: int
    evaluations: list[str]
    contrasts: list[str]
    publications: list[str]


def life_of(entries: list[Entry], name: str) -> Life:
    """The case's life from a chain's entries. The seal is the last one, amendments included."""
    case = case_digest(name)
    seal: str | None = None
    looks = looks_before_amendment = 0
    found: dict[str, list[str]] = {
        kind: [] for kind in ("amendment", "run", "evaluation", "contrast", "publication")
    }
    for entry in entries:
        if entry.case != case or entry.evidence is None:
            continue
        if entry.kind in found:
            found[entry.kind].append(entry.evidence)
        if entry.kind in ("seal", "amendment"):
            seal = entry.evidence
        if entry.kind == "look":
            looks += 1
        if entry.kind == "amendment":
            looks_before_amendment = looks
    return Life(
        seal=seal,
        amendments=found["amendment"],
        runs=found["run"],
        looks=looks,
        looks_before_amendment=looks_before_amendment,
        evaluations=found["evaluation"],
        contrasts=found["contrast"],
        publications=found["publication"],
    )


def spec_digest(case: Case) -> str:
    """SHA-256 of the canonical JSON of the case, without keys that have their default.

    Comments, order and layout of the TOML file do not count; every value does.
    """
    return hashlib.sha256(canonical(case_document(case))).hexdigest()


def sealed_case(evidence: Path, digest: str) -> SealPredicate:
    """The seal (or amendment) with this digest."""
    statement: Statement = read_statement(evidence, digest)
    return msgspec.convert(statement.predicate, SealPredicate)


Drift = Literal["case", "data", "split"]


def drift_since_seal(
    seal: SealPredicate, case: Case, tables: Mapping[str, str], split: str | None
) -> list[tuple[Drift, str]]:
    """What no longer is as it was sealed: (kind, key path or file) pairs; empty when all is.

    ``tables`` has the content digest of each of the case's files, ``split`` is that of the split;
    None leaves the split out.
    """
    drift: list[tuple[Drift, str]] = []
    if spec_digest(case) != seal.case.digest:
        drift += [("case", key) for key in changed_keys(seal.case.spec, case_document(case))]
    before = {source.path: source.table for source in seal.data}
    for path in sorted(before.keys() | tables.keys()):
        if before.get(path) != tables.get(path):
            drift.append(("data", path))
    if split not in (None, seal.split.digest) and not drift:
        drift.append(("split", seal.split.kind))
    return drift


def refuse_second_seal(case: Case, seal: str, drift: list[tuple[Drift, str]]) -> NoReturn:
    """Raise CaseError: the case is sealed, by the evidence ``seal``."""
    if not drift:
        raise CaseError(
            f"the case '{case.name}' is sealed already, and unchanged since",
            where=f"evidence/{seal}.json",
            next=f"trackrecord run {case.name}",
        )
    raise CaseError(
        f"the case '{case.name}' is sealed already, and has changed since",
        where=f"evidence/{seal}.json",
        why="changed: " + ", ".join(f"{kind} {what}" for kind, what in drift),
        next=f'trackrecord amend {case.name} --reason "why it has to change"',
    )


def sealed_to_amend(life: Life, case: Case, reason: str) -> str:
    """The digest of the seal that an amendment follows.

    Raises CaseError where there is none, and for a reason that is none.
    """
    if len(reason.split()) < 3:
        raise CaseError(
            "an amendment needs a reason that a reader can weigh",
            why=f"{reason!r} has fewer than three words",
            next=f'trackrecord amend {case.name} --reason "the carrier table lacked OO and HA"',
        )
    if life.seal is None:
        raise CaseError(
            f"the case '{case.name}' is not sealed, so there is nothing to amend",
            next=f"trackrecord seal {case.name}",
        )
    return life.seal


def refuse_unchanged(case: Case, drift: list[tuple[Drift, str]]) -> None:
    """Raise CaseError where nothing has changed since the seal."""
    if not drift:
        raise CaseError(
            f"the case '{case.name}' is as it was sealed: nothing to amend",
            next=f"trackrecord run {case.name}",
        )


def seal_case(
    evidence: Path, case: Case, fingerprint: Fingerprint, *, tool: str, lock: Path | None = None
) -> Entry:
    """Write the first seal. Raises CaseError when the case has one."""
    life = life_of(read_chain(evidence), case.name)
    if life.seal is not None:
        seal = sealed_case(evidence, life.seal)
        refuse_second_seal(
            case,
            life.seal,
            drift_since_seal(seal, case, fingerprint.tables, fingerprint.split.digest),
        )
    predicate = SealPredicate(
        case=_sealed(case),
        data=fingerprint.data,
        split=fingerprint.split,
        excluded=fingerprint.excluded,
        plan=fingerprint.plan,
        tool=tool,
        runs=len(life.runs),
        looks=life.looks,
        planned_for=fingerprint.planned_for,
    )
    return record(
        evidence,
        kind="seal",
        predicate=predicate,
        subjects=_subjects(predicate.case, fingerprint),
        case=case.name,
        lock_path=lock,
    )


def amend_case(
    evidence: Path,
    case: Case,
    fingerprint: Fingerprint,
    *,
    reason: str,
    tool: str,
    lock: Path | None = None,
) -> Entry:
    """Write an amendment. Raises CaseError when there is nothing to amend, or no reason."""
    life = life_of(read_chain(evidence), case.name)
    previous = sealed_to_amend(life, case, reason)
    seal = sealed_case(evidence, previous)
    drift = drift_since_seal(seal, case, fingerprint.tables, fingerprint.split.digest)
    refuse_unchanged(case, drift)
    sealed = _sealed(case)
    predicate = AmendmentPredicate(
        case=sealed,
        data=fingerprint.data,
        split=fingerprint.split,
        excluded=fingerprint.excluded,
        plan=fingerprint.plan,
        tool=tool,
        reason=reason,
        previous=previous,
        looks=life.looks,
        changed=[f"{kind}: {what}" for kind, what in drift],
        planned_for=fingerprint.planned_for,
    )
    return record(
        evidence,
        kind="amendment",
        predicate=predicate,
        subjects=_subjects(sealed, fingerprint),
        case=case.name,
        lock_path=lock,
    )


def _sealed(case: Case) -> SealedCase:
    return SealedCase(name=case.name, spec=case_document(case), digest=spec_digest(case))


def _subjects(sealed: SealedCase, fingerprint: Fingerprint) -> list[Subject]:
    case = Subject(name=f"cases/{sealed.name}/case", digest={"sha256": sealed.digest})
    data = [
        Subject(
            name=source.path, digest={"sha256": source.sha256, "trackrecordTable1": source.table}
        )
        for source in fingerprint.data
    ]
    split = Subject(name="split", digest={"sha256": fingerprint.split.digest})
    return [case, *data, split]
