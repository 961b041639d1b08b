"""What a detector sees, and the register of detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Literal

from trackrecord.cases.spec import Case
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.table import CaseTable

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Context:
    """A loaded case with its parts.

    ``train`` has the rows of the training part with their truth; ``test`` those of the test part
    **without** it. ``features`` are the case's features that exist.
    """

    case: Case
    table: CaseTable
    parts: pl.Series
    file: str
    line_of: LineOf

    @cached_property
    def features(self) -> list[str]:
        hidden = {self.case.target.column, "truth", "id"}
        known = set(self.table.frame.columns) - hidden
        return [name for name in dict.fromkeys(self.case.features) if name in known]

    @cached_property
    def train(self) -> pl.DataFrame:
        return self.table.frame.filter(self.parts == "train")

    @cached_property
    def test(self) -> pl.DataFrame:
        hidden = ["truth", self.case.target.column]
        return self.table.frame.filter(self.parts == "test").drop(hidden, strict=False)

    def finding(
        self, code: str, severity: Literal["error", "doubt"], key: str, what: str, fix: str
    ) -> Finding:
        return Finding(code, severity, what, self.file, self.line_of(key), fix)


Detector = Callable[[Context], Iterator[Finding]]

DETECTORS: dict[str, Detector] = {}


def detector(name: str) -> Callable[[Detector], Detector]:
    """Register a detector under a name of its own."""

    def register(function: Detector) -> Detector:
        if name in DETECTORS and DETECTORS[name] is not function:
            raise ValueError(f"two detectors are called {name!r}")
        DETECTORS[name] = function
        return function

    return register


@cache
def _load() -> None:
    package = import_module(__package__ or "trackrecord.data.leakage")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    for entry in entry_points(group="trackrecord.detectors"):
        DETECTORS.setdefault(entry.name, entry.load())


def detect(context: Context) -> list[Finding]:
    """All findings of all detectors, by code."""
    _load()
    found = [finding for name in sorted(DETECTORS) for finding in DETECTORS[name](context)]
    return sorted(found, key=lambda finding: (finding.code, finding.what))
