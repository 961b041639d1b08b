"""A forger who knows the format: edits anything, then makes every digest hold again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl

from trackrecord.ledger import canonical

ZEROS = "0" * 64
PAGES = ("index.html", "model-card.md", "claims.toml")


class Forger:
    """Holds a published folder in memory; ``entries`` and ``statements`` may be edited at will.

    ``statements`` is keyed by the digest that the evidence had when the folder was opened; entries
    name their evidence by that digest too, and so may statements name each other: :meth:`rebuild`
    replaces old digests by new ones wherever they stand, the page included.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        lines = (folder / "evidence" / "chain.jsonl").read_text().splitlines()
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.statements: dict[str, dict[str, Any]] = {
            path.stem: json.loads(path.read_bytes())
            for path in sorted((folder / "evidence").glob("*.json"))
        }
        self.renamed: dict[str, str] = {}

    def of_kind(self, kind: str) -> list[str]:
        """Digests of the statements of a kind, in the chain's order."""
        return [
            entry["evidence"]
            for entry in self.entries
            if entry["kind"] == kind and entry["evidence"] in self.statements
        ]

    def last(self, kind: str) -> dict[str, Any]:
        """The predicate of the latest statement of a kind."""
        predicate: dict[str, Any] = self.statements[self.of_kind(kind)[-1]]["predicate"]
        return predicate

    def entry_of(self, digest: str) -> dict[str, Any]:
        return next(entry for entry in self.entries if entry["evidence"] == digest)

    def named(self, digest: str) -> str:
        """The file that the evidence with this old digest is in, after rebuilding."""
        return f"evidence/{self.renamed.get(digest, digest)}.json"

    def edit_file(self, path: str, data: bytes) -> None:
        """Write a file, and let everything that has its digest have the new one."""
        target = self.folder / path
        old = hashlib.sha256(target.read_bytes()).hexdigest()
        target.write_bytes(data)
        self.renamed[old] = hashlib.sha256(data).hexdigest()

    def edit_table(self, path: str, table: pl.DataFrame) -> None:
        """Write an outcomes table as the program itself writes one."""
        from trackrecord.evaluation.outcomes import write_outcomes

        target = self.folder / path
        old = hashlib.sha256(target.read_bytes()).hexdigest()
        write_outcomes(table, target)
        self.renamed[old] = hashlib.sha256(target.read_bytes()).hexdigest()

    def rebuild(self) -> None:
        """Make every digest hold: evidence, chain, page, publication."""
        evidence = self.folder / "evidence"
        for path in evidence.glob("*.json"):
            path.unlink()
        previous = ZEROS
        lines = []
        for seq, entry in enumerate(self.entries):
            old = entry["evidence"]
            if entry["kind"] == "publication" and entry is self.entries[-1]:
                self._pages(old)
            if old in self.statements:
                data = canonical(self._substituted(self.statements[old]))
                self.renamed[old] = hashlib.sha256(data).hexdigest()
                (evidence / f"{self.renamed[old]}.json").write_bytes(data)
            line = {k: v for k, v in entry.items() if k not in ("digest", "seq", "prev")}
            line |= {"seq": seq, "prev": previous}
            line["evidence"] = self.renamed.get(old, old)
            previous = hashlib.sha256(canonical(line)).hexdigest()
            if "digest" in entry:
                self.renamed[entry["digest"]] = previous
            lines.append(canonical(line | {"digest": previous}) + b"\n")
        (evidence / "chain.jsonl").write_bytes(b"".join(lines))

    def _pages(self, publication: str) -> None:
        """Pages with the new digests in them, and the publication with the pages' digests."""
        for name in PAGES:
            path = self.folder / name
            if path.exists():
                text = path.read_bytes().decode("utf-8", "surrogateescape")
                path.write_bytes(self._substituted_text(text).encode("utf-8", "surrogateescape"))
        for subject in self.statements.get(publication, {}).get("subject", []):
            path = self.folder / subject["name"][:200].replace("\0", "")
            if path.is_file():
                subject["digest"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()

    def _substituted(self, document: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._substituted_text(json.dumps(document)))
        return found

    def _substituted_text(self, text: str) -> str:
        for old, new in self.renamed.items():
            if old != new:
                text = text.replace(old, new)
        return text
