"""What the doctor tells: one finding for each thing that is not as it should be."""

from __future__ import annotations

import msgspec

from trackrecord.ledger.branches import Branches, Row, before

MERGE = "trackrecord doctor --merge"
REPAIR = "trackrecord doctor --repair"
_MOST_HEADS = 5  # heads that are told one by one


class Finding(msgspec.Struct, frozen=True):
    """Something that the doctor found.

    ``code`` is stable. ``file`` is relative to the workspace. ``next`` is what to do. A harmless
    finding needs nothing: the ledger works as it is.
    """

    code: str
    what: str
    file: str
    line: int | None = None
    next: str | None = None
    harmless: bool = False


def restore(file: str) -> str:
    """What to do about a file of the record that is lost or changed."""
    return f"restore it: git checkout -- {file}, or from a backup"


def restore_line(file: str) -> str:
    """What to do about a line of the chain: the lines below it may not be in git yet."""
    return (
        f"bring the line back and keep those below it: git diff -- {file} shows what changed; "
        "or take the file from a backup"
    )


def said_row(row: Row) -> str:
    """An entry in a few words."""
    return f"'{row.kind}' of {row.time} ({row.digest[:12]}…)"


def said_heads(branches: Branches) -> str:
    """Each head of a forked chain: its entry, and how many entries only its branch has."""
    said = []
    at = {row.digest: row for row in branches.rows}
    heads = branches.heads[:_MOST_HEADS]
    for head in heads:
        others = [other for other in heads if other is not head]
        alone = len(before([head], at) - before(others, at))
        entries = "1 entry" if alone == 1 else f"{alone} entries"
        said.append(f"{said_row(head)}, with {entries} of its own")
    more = len(branches.heads) - len(heads)
    told = [f"head {number}: {text}" for number, text in enumerate(said, 1)]
    return "; ".join([*told, f"and {more} more heads"] if more else told)
