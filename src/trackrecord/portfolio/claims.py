"""Claims: sentences whose numbers are pointers into evidence, never typed.

``claims.toml`` holds them. ``docs/reference/claims.md`` describes the format.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from trackrecord.cases.reader import LineOf, line_finder
from trackrecord.errors import BadInput, suggest
from trackrecord.portfolio.pointers import FORMATS, resolve, shown, upright
from trackrecord.portfolio.record import WORDS, CaseRecord, read_record

CLAIMS_VERSION = 1
MAX_CLAIMS_BYTES = 1_000_000

_PIECE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_]*)\}|[^{}]+")


class ClaimNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a placeholder's value stands, and the form in which it is shown.

    ``at`` is ``WORD/POINTER``: ``seal``, ``run``, ``evaluation`` or ``contrast``, then an RFC 6901
    pointer into that statement.
    """

    at: str
    form: str = "number"


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence with ``{placeholders}``, and what stands in each of them."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]
    numbers: dict[str, ClaimNumber] = {}


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claims file. ``evaluation`` is the digest of the evaluation the sentences were written on.

    Sentences that were true of one evaluation may be false of the next, whose numbers would fill
    the same placeholders; with the digest, publishing them unread is refused.
    """

    claims: int
    claim: list[Claim] = []
    evaluation: str = ""


def read_claims(path: Path, *, shown_as: str | None = None) -> Claims:
    """The claims in a file. Raises BadInput with file and line for what is not a claims file."""
    name = shown_as or path.as_posix()
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {name}", why=error.strerror) from error
    return decode_claims(raw, name)


def decode_claims(raw: bytes, name: str) -> Claims:
    """Like :func:`read_claims`, from bytes already in hand."""
    if len(raw) > MAX_CLAIMS_BYTES:
        raise BadInput(f"{name} is larger than 1 MB", why="claims are a few sentences")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is not UTF-8", where=f"{name}, byte {error.start}") from None
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        raise BadInput(
            f"{name} is not valid TOML",
            where=f"{name}:{found.group(1)}:{found.group(2)}" if found else name,
            why=re.sub(r"\s*\(at .*\)", "", str(error)),
            next="open it at that line; strings need quotes",
        ) from None
    line_of = line_finder(text)
    version = document.get("claims")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadInput(
            f"{name} does not say which version of the claims format it uses",
            where=f"{name}:1",
            next=f"write `claims = {CLAIMS_VERSION}` on the first line",
        )
    if version > CLAIMS_VERSION:
        raise BadInput(
            f"{name} was written for a newer trackrecord",
            where=_place(name, line_of("claims")),
            why=f"it has claims = {version}; this version reads up to {CLAIMS_VERSION}",
            next="update trackrecord; in its clone: git pull && pip install .",
        )
    try:
        claims = msgspec.convert(document, Claims)
    except msgspec.ValidationError as error:
        raise _invalid(name, str(error), line_of) from None
    for index, claim in enumerate(claims.claim):
        try:
            _check_text(claim)
        except BadInput as error:
            key = f"claim.{index}.text"
            raise BadInput(
                error.what, where=_place(name, line_of(key)), why=error.why, next=error.next
            ) from None
    return claims


def check_claims(claims: Claims, record: CaseRecord, name: str) -> None:
    """Raise BadInput where a claim cannot be shown, or was written on another evaluation."""
    if claims.evaluation and claims.evaluation != record.evaluation:
        raise BadInput(
            f"{name} was written on an earlier evaluation",
            where=name,
            why=f"it says {claims.evaluation[:12]}…; the latest of the sealed test is "
            f"{record.evaluation[:12]}…, whose numbers may say something else",
            next=f'read each sentence again, then write evaluation = "{record.evaluation}" – or '
            f"have new ones: trackrecord claim draft {record.name} --again",
        )
    for index, claim in enumerate(claims.claim):
        try:
            render_claim(claim, record.words())
        except BadInput as error:
            raise BadInput(
                f"claim {index + 1} cannot be shown: {error.what}",
                where=f"{name}: {claim.text[:80]!r}",
                why=error.why,
                next=error.next or "correct that pointer",
            ) from None


def render_claim(claim: Claim, statements: Mapping[str, Any]) -> str:
    """The sentence as a person reads it.

    ``statements`` maps ``seal``, ``run``, ``evaluation`` and ``contrast`` to decoded statements
    (those that there are). Raises BadInput for a pointer that leads nowhere.
    """
    return "".join(
        piece if number is None else shown(value_at(number, statements), number.form)
        for piece, number in pieces(claim)
    )


def pieces(claim: Claim) -> Iterator[tuple[str, ClaimNumber | None]]:
    """The text in order: plain pieces (with None) and placeholders (with what stands there)."""
    position = 0
    while position < len(claim.text):
        found = _PIECE.match(claim.text, position)
        if found is None:
            raise BadInput(
                "a brace in this claim opens or closes no placeholder",
                why=f"column {position + 1} of {claim.text[:80]!r}",
                next="write {name} for a number, {{ for a brace itself",
            )
        position = found.end()
        name = found.group(1)
        if name is None:
            yield {"{{": "{", "}}": "}"}.get(found.group(), found.group()), None
        elif name in claim.numbers:
            yield name, claim.numbers[name]
        else:
            near = suggest(name, list(claim.numbers))
            raise BadInput(
                f"the placeholder {{{name}}} has no number",
                why=f"did you mean {{{near}}}?" if near else None,
                next=f"add it to [claim.numbers], or take {{{name}}} out of the text",
            )


def value_at(number: ClaimNumber, statements: Mapping[str, Any]) -> Any:
    """The value that a claim's pointer names."""
    word, pointer = split_pointer(number.at)
    if word not in statements:
        raise BadInput(
            f"the pointer {number.at!r} needs a {word}, and this record has none",
            next=f"one of: {', '.join(statements)}",
        )
    return resolve(statements[word], pointer)


def split_pointer(at: str) -> tuple[str, str]:
    """``evaluation/predicate/look`` → ``("evaluation", "/predicate/look")``."""
    word, slash, rest = at.partition("/")
    if word not in WORDS or not slash:
        raise BadInput(
            f"the pointer {at!r} does not say which evidence it means",
            why=f"its first word is one of {', '.join(WORDS)}",
            next='write it like "evaluation/predicate/result/rows"',
        )
    return word, "/" + rest


def _check_text(claim: Claim) -> None:
    used = set()
    for piece, number in pieces(claim):
        if number is not None:
            used.add(piece)
            split_pointer(number.at)
            if number.form not in FORMATS:
                near = suggest(number.form, list(FORMATS))
                raise BadInput(
                    f"there is no form {number.form!r}",
                    why=f"did you mean {near!r}?" if near else f"forms: {', '.join(FORMATS)}",
                )
        elif typed := next((c for c in piece if c.isnumeric()), None):
            raise BadInput(
                f"a claim's numbers are never typed, and this text has {typed!r}",
                why=f"in {claim.text[:80]!r}",
                next="put a {placeholder} there and point it at the evidence",
            )
        elif upright(piece) != piece:
            raise BadInput(
                "a claim may not turn the direction of writing: numbers would read backwards",
                why=f"in {claim.text[:80]!r}",
                next="remove that invisible character",
            )
    if unused := sorted(claim.numbers.keys() - used):
        raise BadInput(
            f"the number '{unused[0]}' is not used in the text",
            next=f"write {{{unused[0]}}} where it belongs, or remove it",
        )


def _invalid(name: str, message: str, line_of: LineOf) -> BadInput:
    found = re.search(r" - at `\$\.?(.*?)`$", message)
    path = re.sub(r"\[(\d+)\]", r".\1", found.group(1)).replace("[...]", "") if found else ""
    what = message[: found.start()] if found else message
    unknown = re.search(r"unknown field `(.+)`", what)
    why = f"at the key '{path}'" if path else None
    if unknown:
        key = unknown.group(1)
        path = f"{path}.{key}" if path else key
        allowed = ["at", "form", "text", "numbers", "claim", "claims", "evaluation"]
        near = suggest(key, allowed)
        what = f"there is no key '{key}' here"
        why = f"did you mean '{near}'?" if near else why
    return BadInput(
        f"{name} is not a claims file: {what[0].lower() + what[1:]}",
        where=_place(name, line_of(path)),
        why=why,
        next="the format is described in docs/reference/claims.md",
    )


def _place(name: str, line: int | None) -> str:
    return f"{name}:{line}" if line else name


def draft_case_claims(root: Path, name: str) -> int:
    """Write ``cases/NAME/claims.toml`` from the latest test evaluation; how many claims it has."""
    from trackrecord.ledger import write_atomic
    from trackrecord.portfolio.drafts import draft_claims, write_claims
    from trackrecord.workspace import open_workspace

    workspace = open_workspace(root)
    claims = draft_claims(read_record(workspace.evidence, name))
    write_atomic(workspace.case_folder(name) / "claims.toml", write_claims(claims).encode())
    return len(claims.claim)
