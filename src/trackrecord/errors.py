"""The one exception family: what happened, where, why, and what to type next.

Only the command line prints and exits; every other room raises.
"""

from __future__ import annotations


class TrackrecordError(Exception):
    """Something the person can act on.

    Parameters
    ----------
    what:
        What happened, in one sentence.
    where:
        File, line, column or row, as precise as is known.
    why:
        The reason, or what was expected.
    next:
        The next command to type, or the edit to make.
    """

    exit_code = 2

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        why: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.next = next

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"where: {self.where}")
        if self.why:
            lines.append(f"why:   {self.why}")
        if self.next:
            lines.append(f"next:  {self.next}")
        return "\n".join(lines)


class BadInput(TrackrecordError):
    """A file, option or value that cannot be used. Nothing was changed."""


class CaseError(BadInput):
    """The case file does not say something that can be run."""


class DataError(BadInput):
    """The data cannot be read, or cannot answer the question."""


class LedgerError(TrackrecordError):
    """The record is torn, forked, missing a file, or locked."""


class MissingExtra(TrackrecordError):
    """A command needs a package that the installation does not have."""


def suggest(word: str, known: list[str]) -> str | None:
    """The known word closest to a misspelt one, or None."""
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None
