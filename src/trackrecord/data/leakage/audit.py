"""The leakage audit: every detector, one correction over all that was looked at, one verdict."""

from __future__ import annotations

import time
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

import msgspec
import numpy as np

from trackrecord.data.leakage.kinds import KINDS
from trackrecord.data.leakage.sign import SIGNS, Detector, Sign, Verdict
from trackrecord.data.leakage.world import World

LEVEL = 0.01
GRAVITY = {"leak": 0, "suspect": 1, "note": 2}


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: which detector, which of the eight kinds, the evidence, the verdict.

    ``p`` is corrected over all tests of the audit (Holm 1979); None for a plain fact. ``rows``
    are the first rows concerned, counted from 0.
    """

    detector: str
    kind: str
    kind_words: str
    verdict: Verdict
    columns: list[str]
    what: str
    measure: str
    value: float
    lo: float | None
    hi: float | None
    p: float | None
    n: int
    fix: str
    rows: list[int] = []


class Ran(msgspec.Struct, frozen=True):
    """A detector that ran: how many things it looked at, and how long.

    ``needs`` says what it would have looked at, where there was nothing.
    """

    detector: str
    kind: str
    looks_for: str
    tests: int
    seconds: float
    needs: str = ""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found. ``verdict`` is the gravest: leak, suspect, or clean."""

    verdict: str
    findings: list[Leak]
    detectors: list[Ran]
    tests: int
    level: float
    train_rows: int
    test_rows: int
    features: int
    target: str


def audit_world(world: World) -> Audit:
    """All detectors over one world.

    A finding is a sign that is large and, where it has a p, still under 0.01 after Holm's (1979)
    correction over every test of every detector: the chance of any false one of these in an audit
    is at most 1 %, whatever the dependence.
    """
    load_detectors()
    seen: list[tuple[Detector, Sign]] = []
    ran = []
    for name in sorted(SIGNS):
        detector = SIGNS[name]
        start = time.perf_counter()
        signs = list(detector.look(world))
        took = time.perf_counter() - start
        seen += [(detector, sign) for sign in signs]
        needs = "" if signs else detector.needs or "anything of the kind"
        ran.append(Ran(name, detector.kind, detector.looks_for, len(signs), round(took, 4), needs))
    p = np.array([sign.p for _, sign in seen if sign.p is not None])
    corrected = iter(holm(p).tolist())
    findings = []
    for detector, sign in seen:
        adjusted = None if sign.p is None else float(next(corrected))
        if sign.large and (adjusted is None or adjusted < LEVEL):
            findings.append(_leak(detector, sign, adjusted))
    findings.sort(key=lambda found: (GRAVITY[found.verdict], found.kind, found.detector))
    grave = [found.verdict for found in findings if found.verdict != "note"]
    return Audit(
        verdict=grave[0] if grave else "clean",
        findings=findings,
        detectors=ran,
        tests=len(seen),
        level=LEVEL,
        train_rows=world.train.height,
        test_rows=world.test.height,
        features=len(world.features),
        target=world.target_name or world.target,
    )


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's step-down p-values (k,), in the order given (Scandinavian J. Statist. 6, 1979)."""
    if p.size == 0:
        return p
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(1.0, stepped)
    return adjusted


def _leak(detector: Detector, sign: Sign, p: float | None) -> Leak:
    kind = sign.kind or detector.kind
    return Leak(
        detector=detector.name,
        kind=kind,
        kind_words=KINDS[kind],
        verdict=sign.verdict,
        columns=sign.columns,
        what=sign.what,
        measure=sign.measure,
        value=sign.value,
        lo=sign.lo,
        hi=sign.hi,
        p=p,
        n=sign.n,
        fix=sign.fix,
        rows=sign.rows,
    )


@cache
def load_detectors() -> None:
    """The detectors of this package, and those of others (entry points of trackrecord.audit)."""
    package = import_module("trackrecord.data.leakage.signs")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")
    for entry in entry_points(group="trackrecord.audit"):
        entry.load()
