"""Renders each claim again, compares it with the page, and says what it is worth.

A claim stands on its sentence, on the publication that fixes the sentence, and on all evidence
that its numbers point to, with everything below: evaluation, look, run, seal, outcomes. It falls
with any of them, and only with them; a broken chain fells every claim.
"""

from __future__ import annotations

import re
import tomllib

from trackrecord.errors import TrackrecordError
from trackrecord.portfolio.checking.evidence import Newer, Piece, file_of
from trackrecord.portfolio.checking.folder import CHAIN, CLAIMS, PAGE, Unreadable
from trackrecord.portfolio.checking.markup import Page
from trackrecord.portfolio.checking.record import Record
from trackrecord.portfolio.checking.report import Check, ClaimCheck, bad, good, harmless
from trackrecord.portfolio.claims import (
    CLAIMS_VERSION,
    Claim,
    Claims,
    decode_claims,
    render_claim,
    split_pointer,
)

# Places whose numbers are computed again here; a number from anywhere else is only stated.
RECOMPUTED = {
    "evaluation": re.compile(
        r"/predicate/(result|plan|look|looks_before_amendment|amendments|sealed|part|case)(/|\Z)"
    ),
    "contrast": re.compile(r"/predicate/(contrasts|honest|plan|look|case)(/|\Z)"),
    "seal": re.compile(r"/predicate/(case/|split/digest\Z|split/parts/test/(rows|ids|truth)\Z)"),
    "run": re.compile(r"/predicate/(case|seal|sealed|run)(/|\Z)"),
}


MOST_CLAIMS = 500
MOST_NEAR = 5


def read_published_claims(record: Record) -> tuple[Claims | None, list[Check]]:
    """The claims in the folder, decoded strictly. Raises Newer for a later version's."""
    try:
        data = record.folder.read(CLAIMS)
        return decode_claims(data, CLAIMS), []
    except Unreadable as error:
        return None, [bad("claims", str(error), CLAIMS)]
    except (TrackrecordError, RecursionError, ValueError) as error:
        if record.publication is not None and _is_newer(data):
            raise Newer(str(error)) from None
        return None, [bad("claims", f"it does not hold claims: {error}", CLAIMS)]


def _is_newer(data: bytes) -> bool:
    """Whether it is TOML that says it is of a later version."""
    try:
        version = tomllib.loads(data.decode("utf-8-sig")).get("claims")
    except (ValueError, RecursionError):
        return False
    return isinstance(version, int) and version > CLAIMS_VERSION


def check_claims(
    record: Record,
    claims: Claims | None,
    page: Page | None,
    holds: dict[str, list[str]],
    broken: dict[str, str],
) -> tuple[list[ClaimCheck], list[Check]]:
    """A line for each claim, and a finding for each sentence that the page tells otherwise.

    Parameters
    ----------
    holds:
        Digests of evidence whose numbers all came out again, with the files they were computed of.
    broken:
        File to what is wrong with it, for every file that some check failed on.
    """
    findings: list[Check] = []
    lines: list[ClaimCheck] = []
    on_page = claims_on(page)
    if claims is not None and len(claims.claim) > MOST_CLAIMS:
        what = f"it has {len(claims.claim):,} claims, which nobody reads"
        return [], [bad("claims", what, CLAIMS)]
    rendered: list[str] = []
    unknown = claims is None
    for claim in claims.claim if claims is not None else []:
        text, why = _rendered(record, claim)
        unknown = unknown or why is not None
        if why is None and text not in on_page:
            what = f"the claim {text!r} is not on it as the evidence has it"
            near = _nearest(text, on_page) if len(findings) < MOST_NEAR else None
            findings.append(bad("claims", what, PAGE, text, near))
            why = f"{PAGE} does not say it as the evidence has it"
        rendered.append(text)
        if why is None:
            why = _falls(record, claim, broken)
        level = "L1" if why is None and _recomputed(record, claim, holds) else "L0"
        lines.append(
            ClaimCheck(
                ok=why is None,
                level=level,  # type: ignore[arg-type]
                text=harmless(text, 600),
                reason=None if why is None else harmless(why),
            )
        )
    # Where one of the claims cannot be told, a sentence more on the page may be that one.
    for text in on_page if not unknown else []:
        if text not in rendered:
            findings.append(
                bad("claims", f"the page claims {text!r}, which {CLAIMS} does not", PAGE)
            )
    if not findings and claims is not None and page is not None:
        count = len(claims.claim)
        findings.append(
            good("claims", f"{count} sentences on the page are those of {CLAIMS}", PAGE)
        )
    return lines, findings


def claims_on(page: Page | None) -> list[str]:
    """The sentences that the page marks as claims, white space as one space."""
    if page is None:
        return []
    return [
        " ".join("".join(element.text).split())
        for element in page.elements
        if element.tag == "li" and "claims" in element.parent.split()
    ]


def _rendered(record: Record, claim: Claim) -> tuple[str, str | None]:
    """The sentence with its numbers, or the bare text and why it has none."""
    try:
        return " ".join(render_claim(claim, _words(record)).split()), None
    except (TrackrecordError, ValueError, OverflowError, RecursionError) as error:
        what = error.what if isinstance(error, TrackrecordError) else str(error)
        return claim.text, f"a number in it points nowhere: {what}"


def _words(record: Record) -> dict[str, object]:
    """What a claim's first words stand for."""
    named = {
        "seal": record.seal,
        "run": record.run,
        "evaluation": record.evaluation,
        "contrast": record.contrast,
    }
    return {word: piece.document for word, piece in named.items() if piece is not None}


def _falls(record: Record, claim: Claim, broken: dict[str, str]) -> str | None:
    for path in stands_on(record, claim):
        if path in broken:
            return f"{path}: {broken[path]}"
    return None


def stands_on(record: Record, claim: Claim) -> list[str]:
    """Every file that a claim needs, the chain first; one that is gone is needed all the same."""
    files = [CHAIN, CLAIMS]
    words = {split_pointer(number.at)[0] for number in claim.numbers.values()}
    publication = record.publication
    if publication is not None:
        files.append(publication.file)
        said = publication.predicate
        if "contrast" in words and said.contrast is not None:
            words.add("evaluation")
            files += [file_of(said.contrast), *_files(record, "look"), *_rows(record.contrast)]
        if words:
            files += [file_of(said.evaluation)]
    if record.evaluation is not None and words:
        evaluated = record.evaluation.predicate
        if words != {"seal"}:
            files.append(file_of(evaluated.run))
        if "evaluation" in words:
            looked = [evaluated.look_evidence] if evaluated.look_evidence else []
            files += [*map(file_of, looked), *_rows(record.evaluation)]
        if evaluated.seal is not None:
            files += [*_files(record, "seal"), *_files(record, "amendment")]
    return list(dict.fromkeys(files))


def _files(record: Record, kind: str) -> list[str]:
    return [file_of(e.evidence) for e in record.own if e.kind == kind and e.evidence is not None]


def _rows(piece: Piece | None) -> list[str]:
    """The tables that a piece of evidence was computed from."""
    subjects = piece.subjects if piece is not None else []
    return [name for name, _ in subjects if name.startswith("runs/")]


def _recomputed(record: Record, claim: Claim, holds: dict[str, list[str]]) -> bool:
    """Whether every number of a claim was computed here, and its rows were sealed beforehand."""
    if not claim.numbers or record.seal is None or record.evaluation is None:
        return False
    for number in claim.numbers.values():
        word, pointer = split_pointer(number.at)
        piece = record.contrast if word == "contrast" else record.evaluation
        if piece is None or piece.digest not in holds or not RECOMPUTED[word].match(pointer):
            return False
    return True


def _nearest(text: str, candidates: list[str]) -> str | None:
    from difflib import get_close_matches

    found = get_close_matches(text[:600], [c[:600] for c in candidates[:50]], n=1, cutoff=0.4)
    return found[0] if found else None
