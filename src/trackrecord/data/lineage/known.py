"""What gathering a lineage stands on: the record, digests of files, and what was not readable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from trackrecord.data.build.state import Digests
from trackrecord.data.lineage.graph import Edge, Field, Node
from trackrecord.data.lineage.shapes import SHAPES, amiss
from trackrecord.errors import DataError, LedgerError, TrackrecordError
from trackrecord.ledger import Entry, Statement, read_chain, read_evidence


class Said(msgspec.Struct, frozen=True):
    """An entry of the chain and its evidence."""

    entry: Entry
    statement: Statement

    @property
    def predicate(self) -> dict[str, Any]:
        """What the evidence says."""
        return self.statement.predicate

    def digest_of(self, name: str) -> str:
        """The SHA-256 of the subject with this name, empty where there is none."""
        for subject in self.statement.subject:
            if subject.name == name:
                return subject.digest.get("sha256", "")
        return ""


class Known:
    """The record of a workspace, read once; and the graph as it grows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nodes: dict[str, Node] = {}
        self.edges: set[Edge] = set()
        self.problems: list[str] = []
        self.digests = Digests(root)
        self._said: dict[str, list[Said]] = {kind: [] for kind in SHAPES}
        self._by_digest: dict[str, Said] = {}
        self._read()

    def _read(self) -> None:
        evidence = self.root / "evidence"
        try:
            entries = read_chain(evidence)
        except LedgerError as error:
            where = f" ({_from_root(error.where, self.root)})" if error.where else ""
            self.problems.append(f"{error.what}{where}: nothing is told from the record")
            return
        for entry in entries:
            if entry.kind not in self._said or entry.evidence is None:
                continue
            try:
                statement = read_evidence(evidence, entry.evidence)
            except LedgerError as error:
                self.problems.append(
                    f"entry {entry.seq} of the chain, {entry.kind}: {error.what}"
                    f" (evidence/{entry.evidence[:12]}….json)"
                )
                continue
            if why := amiss(entry.kind, statement.predicate, len(statement.subject)):
                self.problems.append(f"entry {entry.seq} of the chain, {entry.kind}: {why}")
                continue
            said = Said(entry, statement)
            self._said[entry.kind].append(said)
            self._by_digest[entry.evidence] = said

    def said(self, kind: str) -> list[Said]:
        """All evidence of a kind, oldest first."""
        return self._said[kind]

    def evidence(self, digest: str) -> Said | None:
        """The evidence with this digest, of whatever kind."""
        return self._by_digest.get(digest)

    def last(self, kind: str, key: str, value: object) -> Said | None:
        """The newest evidence of a kind that says ``value`` under ``key``."""
        found = (one for one in reversed(self._said[kind]) if one.predicate.get(key) == value)
        return next(found, None)

    def sha256(self, path: Path) -> str | None:
        """The digest of a file as it is now; None where it cannot be read."""
        if ".." in path.parts:
            return None
        try:
            return self.digests.parquet(path) if path.is_file() else None
        except (DataError, ValueError):
            # It cannot be read, or is not in the workspace.
            return None

    def add(self, node: Node, *made_of: str) -> None:
        """A node, and what it is made of."""
        self.nodes[node.id] = node
        self.edges.update(Edge(source, node.id) for source in made_of)

    def table(self, name: str, reader: str) -> str:
        """The id of the table with this name; where nobody makes it, it is there as missing."""
        for node in (f"table:{name}", f"source:{name}"):
            if node in self.nodes:
                return node
        self.add(
            Node(
                id=f"source:{name}", kind="source", name=name, file=f"data/{name}.parquet",
                state="missing", why=f"{reader} reads it, and nobody makes it",
            )
        )  # fmt: skip
        return f"source:{name}"

    def problem(self, error: TrackrecordError) -> str:
        """Note what could not be read; returns it in words."""
        said = f"{error.what}: {error.why}" if error.why else error.what
        self.problems.append(said)
        return said


def _from_root(where: str, root: Path) -> str:
    return where.removeprefix(f"{root}/")


def fields_of(path: Path) -> tuple[list[Field], int | None]:
    """Columns with Arrow types, and rows, from a Parquet file's footer; nothing where unread."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            found = [Field(name, str(schema.field(n).type)) for n, name in enumerate(schema.names)]
            return found, int(file.metadata.num_rows)
    except (OSError, pa.ArrowException):
        return [], None
