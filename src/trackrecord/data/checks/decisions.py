"""TR040: what the draft left to a person, and no person has decided."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from trackrecord.cases.spec import Case
from trackrecord.data.draft import DRAFTED_LIMIT, DRAFTED_MEANING, DRAFTED_QUESTION, DRAFTED_USE
from trackrecord.data.finding import Finding, LineOf

UNDECIDED = "TR040"
_MARK = re.compile(r"#\s*decide:\s*")


def check_decisions(case: Case, text: str, file: str, line_of: LineOf) -> Iterator[Finding]:
    """Each ``# decide:`` mark that is left, and each sentence that is still the draft's.

    A mark and the sentence below it are one place. ``text`` is the file's own: marks are comments.
    """
    drafted = {line: (key, sentence) for key, line, sentence in _untouched(case, line_of)}
    lines = text.splitlines()
    for number in _marks(text, lines):
        at = _key_below(lines, number)
        key, _ = drafted.pop(at, ("", ""))
        still = f" ({key} is still the draft's)" if key else ""
        yield Finding(
            UNDECIDED,
            "doubt",
            f"not decided yet: {_asked(lines, number)}{still}",
            file,
            number,
            "decide, then take the mark '# decide:' out; a case with one is not sealed",
        )
    for at, (key, sentence) in drafted.items():
        yield Finding(
            UNDECIDED,
            "doubt",
            f"{key} is still the draft's: {sentence!r}",
            file,
            at,
            "write your own sentence; a case with the draft's is not sealed",
        )


def _untouched(case: Case, line_of: LineOf) -> Iterator[tuple[str, int | None, str]]:
    """(key, line, sentence) for each sentence that stands as it was drafted."""
    found = [
        ("question", case.question, DRAFTED_QUESTION.fullmatch(case.question) is not None),
        ("intended_use", case.intended_use, case.intended_use == DRAFTED_USE),
        ("limits", DRAFTED_LIMIT, DRAFTED_LIMIT in case.limits),
        (
            "target.missing_means",
            case.target.missing_means,
            case.target.missing_means == DRAFTED_MEANING,
        ),
    ]
    for key, sentence, untouched in found:
        if untouched:
            yield key, line_of(key), str(sentence)


def _marks(text: str, lines: list[str]) -> list[int]:
    """The lines, from 1, that have a mark in a comment; inside a string it is the author's text."""
    found = [number for number, line in enumerate(lines, 1) if _MARK.search(line)]
    if not found:
        return []
    document = tomllib.loads(text.removeprefix("\ufeff"))

    def means_nothing(numbers: list[int]) -> bool:
        """Whether the document is the same without these marks."""
        changed = list(lines)
        for number in numbers:
            changed[number - 1] = _MARK.sub("# ", changed[number - 1])
        return tomllib.loads("\n".join(changed).removeprefix("\ufeff")) == document

    if means_nothing(found):
        return found
    return [number for number in found if means_nothing([number])]


def _key_below(lines: list[str], number: int) -> int | None:
    """The line of the key that a mark is about: its own, or the first one below the comment."""
    for at in range(number, len(lines) + 1):
        bare = lines[at - 1].strip()
        if bare and not bare.startswith("#"):
            return at
    return None


def _asked(lines: list[str], number: int) -> str:
    """What a mark asks: up to the first question mark, or else the end of its sentence."""
    said = [lines[number - 1][_MARK.search(lines[number - 1]).end() :]]  # type: ignore[union-attr]
    for line in lines[number:]:
        if said[-1].rstrip().endswith(("?", ".")) or not line.startswith("# ") or _MARK.match(line):
            break
        said.append(line[2:])
    sentence = " ".join(" ".join(said).split())
    asked, mark, _ = sentence.partition("? ")
    return f"{asked}?" if mark else sentence or "what this mark stands at"
