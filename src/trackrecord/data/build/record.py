"""A step's run as evidence: what was read, what came of it, and what became of the rows."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from trackrecord.data.build.effect import Effect
from trackrecord.data.build.state import Input
from trackrecord.data.ingest.record import SourceColumn
from trackrecord.data.named import named_table
from trackrecord.ledger import Entry, Subject, record

KIND = "build"


class ContractHeld(msgspec.Struct, frozen=True):
    """The contract that the output was checked against before it got its name."""

    name: str
    version: str
    sha256: str
    rules: int


class BuildPredicate(msgspec.Struct, frozen=True, kw_only=True):
    """A step ran and its output was kept.

    ``digest`` is of what the step says, ``key`` of all that the output depends on; ``parquet`` and
    ``content`` are the output's digests, and ``replaces`` the content that had its name before.
    ``why`` is what made it run, ``unsettled`` what could make it come out otherwise. ``started``
    and ``ended`` are in UTC.
    """

    tool: str
    engine: str
    step: str
    number: int
    file: str
    kind: Literal["sql", "python"]
    digest: str
    key: str
    why: list[str]
    inputs: list[Input]
    rows: int
    parquet: str
    content: str
    columns: list[SourceColumn]
    effects: list[Effect] = []
    unsettled: list[str] = []
    contract: ContractHeld | None = None
    replaces: str | None = None
    started: str = ""
    ended: str = ""


def record_build(root: Path, predicate: BuildPredicate, file_digest: str) -> Entry:
    """Put a run on the chain. Its subjects are the output, the step's file, and the inputs."""
    tables = [
        Subject(name=_shown(root, one.name), digest={"sha256": one.parquet})
        for one in predicate.inputs
    ]
    return record(
        root / "evidence",
        kind=KIND,
        predicate=predicate,
        subjects=[
            Subject(
                name=f"data/built/{predicate.step}.parquet", digest={"sha256": predicate.parquet}
            ),
            Subject(name=predicate.file, digest={"sha256": file_digest}),
            *tables,
        ],
        case=None,
        lock_path=root / ".trackrecord" / "lock",
    )


def _shown(root: Path, table: str) -> str:
    """The file of a table as seen from the workspace."""
    path = named_table(root, table)
    return table if path is None else path.relative_to(root).as_posix()
