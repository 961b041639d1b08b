"""The case study: one self-contained page, written from the record alone.

The same record and claims give the same bytes, so a reader who has them can write the page again
and compare. There is no script, no request, and a policy that would block both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from trackrecord.portfolio import figures
from trackrecord.portfolio.citations import Cited, cite
from trackrecord.portfolio.claims import Claim, Claims, pieces, split_pointer, value_at
from trackrecord.portfolio.decision_figures import decision
from trackrecord.portfolio.pointers import upright
from trackrecord.portfolio.record import CaseRecord
from trackrecord.portfolio.rendering import kept_environment, style_of
from trackrecord.portfolio.results import headline
from trackrecord.portfolio.slice_figures import slices

if TYPE_CHECKING:
    from trackrecord.ledger import Entry


class Event(msgspec.Struct, frozen=True):
    """A line of the timeline: the chain's entry, its kind and what its evidence says.

    ``power`` is what a seal or an amendment reckoned of the test.
    """

    entry: Cited
    kind: str
    predicate: Cited | None
    power: figures.Power | None = None


def render_page(record: CaseRecord, claims: Claims) -> str:
    """The page as HTML. Pure: knows no clock, no folder and no network."""
    evaluation = record.evidence_of("evaluation")
    seal = record.cited("seal")
    contrast = record.cited("contrast")
    metric, baseline = headline(evaluation)
    told = [claim_html(record, claim) for claim in claims.claim]
    return (
        kept_environment()
        .get_template("page.html")
        .render(
            **style_of("page.css"),
            title=upright(str(record.spec()["question"].raw)),
            record=record,
            spec=record.spec(),
            seal=None if seal is None else seal["predicate"],
            spans={name: part_span(record, name) for name in ("train", "validation", "test")},
            sealed_by=_entry_of(record, record.seal),
            run=record.evidence_of("run"),
            evaluation=evaluation,
            result=evaluation["result"],
            plan=evaluation["plan"],
            candidate=evaluation["plan"]["candidate"],
            baseline=None if baseline is None else _named(evaluation, baseline),
            metric=figures.title_of(evaluation, metric),
            answer=told[0] if told else None,
            claims=told[1:],
            events=[event(record, entry) for entry in record.entries],
            amendments=[
                Event(_cited_entry(entry), "amendment", said["predicate"])
                for entry, said in record.of_kind("amendment")
            ],
            verdicts=[
                (verdict, _planned(seal, verdict)) for verdict in evaluation["result"]["verdicts"]
            ],
            comparison=figures.comparison(evaluation),
            gains=figures.gains(evaluation),
            differences=figures.all_differences(evaluation),
            calibration=figures.calibration(evaluation),
            decision=decision(evaluation),
            slices=slices(evaluation),
            contrast=None
            if contrast is None
            else figures.contrast(evaluation, contrast["predicate"]),
            contrast_look=None if contrast is None else contrast["predicate"]["look"],
        )
    )


def part_span(record: CaseRecord, name: str) -> tuple[Cited, Cited] | None:
    """First and last day of a part: as the case asks, else as the sealed rows are."""
    split = record.spec()["split"]
    if split["kind"].raw == "time":
        return split[name]["first"], split[name]["last"]
    seal = record.cited("seal")
    part = None if seal is None else seal["predicate"]["split"]["parts"][name]
    if part is None or part["first"].raw is None:
        return None
    return part["first"], part["last"]


def claim_html(record: CaseRecord, claim: Claim) -> Markup:
    """A claim with each placeholder as the pointer it is."""
    words = record.words()
    said = Markup()
    for text, number in pieces(claim):
        if number is None:
            said += text
            continue
        word, pointer = split_pointer(number.at)
        value = Cited(getattr(record, word), pointer, value_at(number, words))
        said += cite(value, number.form, "bound" if pointer[-3:] in ("/lo", "/hi") else "")
    return said


def event(record: CaseRecord, entry: Entry) -> Event:
    """An entry of the chain with its evidence (a merge has none)."""
    predicate = power = None
    if entry.evidence is not None and entry.evidence in record.statements:
        said = Cited(entry.evidence, "", record.statements[entry.evidence])
        predicate = said["predicate"]
        if entry.kind in ("seal", "amendment"):
            power = figures.power(predicate)
    return Event(_cited_entry(entry), entry.kind, predicate, power)


def _cited_entry(entry: Entry) -> Cited:
    return Cited(entry.seq, "", msgspec.to_builtins(entry))


def _entry_of(record: CaseRecord, digest: str | None) -> Cited | None:
    found = next((e for e in record.entries if digest and e.evidence == digest), None)
    return None if found is None else _cited_entry(found)


def _named(evaluation: Cited, name: str) -> Cited:
    return next(b for b in evaluation["plan"]["baselines"] if b.raw == name)


def _planned(seal: Cited | None, verdict: Cited) -> Cited | None:
    """What the seal reckoned for a criterion before training."""
    if seal is None:
        return None
    plan: Any = seal["predicate"]["plan"]
    return next((p for p in plan if p["criterion"].raw == verdict["criterion"].raw), None)
