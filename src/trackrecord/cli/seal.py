"""``trackrecord seal`` and ``trackrecord amend``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import add_case_argument, open_case
from trackrecord.cli.printing import counted, progress, say, say_next
from trackrecord.errors import BadInput, CaseError
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.cli.opening import Opened


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    add_case_argument(parser)
    if verb == "seal":
        parser.description = (
            "Digest the case, its data and its split into the ledger, before the first training\n"
            "run. A later change needs `trackrecord amend`, and every number after it says so."
        )
        parser.epilog = "example:\n  trackrecord seal churn"
    else:
        parser.description = (
            "Seal a changed case again. The reason, what changed, and how often the test had been\n"
            "seen by then stay in the record, and every later number says so."
        )
        parser.epilog = 'example:\n  trackrecord amend churn --reason "two carriers were missing"'
        parser.add_argument("--reason", required=True, help="why it has to change, in a sentence")


def run(verb: str, options: argparse.Namespace) -> Answer:
    from trackrecord.cases.seal import amend_case, life_of, seal_case
    from trackrecord.cases.spec import Part
    from trackrecord.cli.findings import findings_of, tell_findings
    from trackrecord.data.checks.decisions import UNDECIDED
    from trackrecord.data.finding import percent
    from trackrecord.data.fingerprint import take_fingerprint
    from trackrecord.data.split import assign_parts, split_digest
    from trackrecord.data.table import load_case_table
    from trackrecord.ledger import read_chain

    opened = open_case(options)
    case, workspace = opened.case, opened.workspace
    refuse = _refusal(opened, None if verb == "seal" else options.reason)
    with progress("sealing") as step:
        step("reading the data", 0.1)
        table = load_case_table(case, workspace.root, strict=False)
        if refuse is not None:
            split = None
            with suppress(BadInput):  # what hinders the split is the check's to tell
                split = split_digest(table, assign_parts(table.frame, case), case).digest
            if split is not None:
                refuse(table.digests, split)
        step("checking the case", 0.5)
        findings = findings_of(opened, table)
        # What may wait while a case is a draft must be decided before it is fixed.
        errors = [f for f in findings if f.severity == "error" or f.code == UNDECIDED]
        if errors:
            tell_findings(errors, refused=True)
            first = errors[0]
            raise CaseError(
                f"the case '{case.name}' has {counted(len(errors), 'error')}: it was not sealed",
                where=f"{first.file}:{first.line}" if first.line else first.file,
                why=f"{first.code}: {first.what}" + (", and more" if len(errors) > 1 else ""),
                next=f"{first.fix}; then: trackrecord case check {case.name}",
            )
        step("digesting data and split", 0.8)
        parts = assign_parts(table.frame, case)
        fingerprint = take_fingerprint(case, table, parts)
    lock = workspace.cache / "lock"
    if verb == "seal":
        entry = seal_case(workspace.evidence, case, fingerprint, tool=__version__, lock=lock)
        say(f"✓ sealed '{case.name}' as entry {entry.seq} of the chain, {entry.time}")
        before = life_of(read_chain(workspace.evidence), case.name)
        if before.runs or before.looks:
            say(
                f"! sealed after {counted(len(before.runs), 'unsealed run')} and "
                f"{counted(before.looks, 'look')} at the test: the seal says so"
            )
    else:
        entry = amend_case(
            workspace.evidence,
            case,
            fingerprint,
            reason=options.reason,
            tool=__version__,
            lock=lock,
        )
        say(
            f"✓ amended '{case.name}' as entry {entry.seq} of the chain; every later number says so"
        )
    for source in fingerprint.data:
        say(f"  data   {source.path}: {source.rows:,} rows, content {source.table[:16]}…")
    for name, part in fingerprint.split.parts.items():
        days = getattr(case.split, name, None)
        if isinstance(days, Part):
            span = f", {days.first} to {days.last}"
        else:
            span = f", {part.first} to {part.last}" if part.first else ""
        say(f"  split  {name:<10} {part.rows:>9,} rows{span}")
    for planned in fingerprint.plan:
        verdict = f"{percent(planned.chance)} chance that this test decides it"
        needed = (
            f"; {planned.rows_needed:,} rows would"
            if planned.rows_needed and planned.chance < 0.8
            else ""
        )
        say(f"  power  {planned.criterion}: {verdict}{needed}", indent=9)
    say_next(f"trackrecord run {case.name}")
    return Answer(
        0, {"case": case.name, "entry": entry.seq, "evidence": entry.evidence, "time": entry.time}
    )


def _refusal(
    opened: Opened, reason: str | None
) -> Callable[[Mapping[str, str], str | None], None] | None:
    """Refuse what needs no check: a second seal, an amendment without a change or a ``reason``.

    At once where each file has its sealed bytes. Else what is returned refuses, once it is given
    the content digests of the data and the split; None for a first seal.
    """
    from trackrecord.cases.seal import (
        drift_since_seal,
        life_of,
        refuse_second_seal,
        refuse_unchanged,
        sealed_case,
        sealed_to_amend,
    )
    from trackrecord.data.unread import sealed_tables
    from trackrecord.ledger import read_chain

    case, workspace = opened.case, opened.workspace
    life = life_of(read_chain(workspace.evidence), case.name)
    previous = life.seal if reason is None else sealed_to_amend(life, case, reason)
    if previous is None:
        return None
    seal = sealed_case(workspace.evidence, previous)

    def refuse(tables: Mapping[str, str], split: str | None) -> None:
        drift = drift_since_seal(seal, case, tables, split)
        if reason is None:
            refuse_second_seal(case, previous, drift)
        refuse_unchanged(case, drift)

    same = sealed_tables(seal, workspace.root)
    if same is not None:
        refuse(same, None)
    return refuse
