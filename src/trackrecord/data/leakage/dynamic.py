"""Tests that run a pipeline: does what it learns depend on the test rows, or on nothing at all?

Works on any scikit-learn pipeline and on functions of one's own: they are called, not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from trackrecord.data.finding import percent
from trackrecord.data.leakage.audit import LEVEL, Leak, holm
from trackrecord.data.leakage.chance import beyond_chance, interval, runs_differ
from trackrecord.data.leakage.changes import (
    half_of,
    permuted,
    permuted_together,
    taken,
    with_other_values,
)
from trackrecord.data.leakage.kinds import KINDS
from trackrecord.data.leakage.rerun import Failed, Pipeline, Tell, pipeline_of, rows_in
from trackrecord.errors import BadInput

MOVED = 1e-9
CHANCE = 0.05
RUNS = 6
OTHER_LABELS = "other labels"
FEWEST_PERMUTATIONS = 5

Arrays = list[np.ndarray]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One way the test was changed: what share of the training predictions moved, how far at most.

    ``largest`` is None where even their shape changed. ``p`` is there where two fits on the same
    rows differ already; ``failed`` says what the pipeline raised, if it could not be run so.
    """

    name: str
    moved: float = 0.0
    largest: float | None = 0.0
    p: float | None = None
    failed: str = ""


class PipelineAudit(msgspec.Struct, frozen=True, kw_only=True):
    """What the dynamic tests found. ``verdict`` is leak, clean, or undecided – ``why`` says then.

    ``moved`` is the largest share of training predictions that moved, ``permuted`` the scores of
    the runs on permuted labels, ``lo`` to ``hi`` the 99 % interval of their mean. ``mutates`` says
    that the pipeline wrote into what it was given, ``seconds`` how long its ``fits`` took.
    """

    verdict: str
    findings: list[Leak]
    moved: float
    repeatable: bool
    permuted: list[float]
    permuted_mean: float | None
    lo: float | None
    hi: float | None
    changes: list[Change] = []
    why: str = ""
    mutates: bool = False
    fits: int = 0
    seconds: float = 0.0


def audit_pipeline(
    fit: Any,
    train: Any,
    test: Any,
    truth: Any,
    test_truth: Any = None,
    *,
    predict: Callable[[Any, Any], Any] | None = None,
    permutations: int = 10,
    seed: int = 0,
    tell: Tell | None = None,
) -> PipelineAudit:
    """Change the test rows, refit, and see what moved; permute the labels, and see what is learnt.

    Parameters
    ----------
    fit:
        ``fit(train, truth, test)`` gives a fitted model: the whole of what is done from the raw
        rows to it. A fourth argument without a default is given the truth of the test rows. A
        scikit-learn estimator is taken for one that never sees the test.
    train, test:
        Arrays (n, …) and (m, …), sparse matrices, or frames of polars or pandas with the same
        columns.
    truth, test_truth:
        The target of the training rows (n,) and of the test rows (m,): classes or numbers. Without
        ``test_truth`` there is no run on permuted labels.
    predict:
        ``predict(model, rows)`` gives a number, a class or (k,) numbers a row; by default
        ``predict_proba``, else ``decision_function``, else ``predict``; a function is called.
    permutations:
        Runs on permuted labels.
    seed:
        Of what is changed and permuted, and of the generators of ``random`` and numpy before each
        fit.
    tell:
        Called with the number of each fit before it.

    Notes
    -----
    *The test rows changed.* Fitted once more with other values in the test rows, then with half of
    them, then – if it takes them – with other labels, a model that saw only the training rows
    predicts the same for them. Any difference is proof, where two fits on the same rows agree.
    Where they do not, six fits on the same rows are held against six on changed ones: the energy
    distance of their predictions, with the exact p over all 462 ways to part the twelve.

    *Labels permuted*, those of train and test together before the pipeline sees any. The score on
    the test must be that of chance, within the interval of the mean over the runs (Student's t): an
    area of 0.5, or, for predicted classes, half of 1 + kappa (Cohen 1960). A pipeline that selects
    features on all rows scores more.

    A pipeline that predicts the same whatever it is trained on – it remembers an earlier fit, or
    learns nothing – cannot be judged: undecided.

    Raises BadInput for tables that do not fit together, a pipeline that fails on them as they are,
    and fewer than 5 permutations.
    """
    for rows, labels, part in ((train, truth, "training"), (test, test_truth, "test")):
        if labels is not None and len(labels) != rows_in(rows):
            raise BadInput(f"{rows_in(rows):,} {part} rows have {len(labels):,} labels")
    if permutations < FEWEST_PERMUTATIONS:
        raise BadInput(f"fewer than {FEWEST_PERMUTATIONS} permutations give no interval")
    draw = np.random.default_rng(seed)
    pipeline = pipeline_of(fit, predict, seed, tell)

    def run(others: Any, theirs: Any) -> np.ndarray:
        found: np.ndarray = pipeline.run(train, truth, others, theirs, [train])[0]
        return found

    first, again = _as_it_is(run, test, test_truth), _as_it_is(run, test, test_truth)
    distance = _distances(first, again)
    size = _size(first)
    repeatable = bool(distance.max() <= MOVED * size)
    alike = [] if repeatable else [first, again, *(run(test, test_truth) for _ in range(RUNS - 2))]
    changes = [
        _changed(name, run, others, theirs, first, alike)
        for name, others, theirs in _ways(pipeline, test, test_truth, draw)
    ]
    deaf, scores = _on_other_labels(
        pipeline, train, truth, test, test_truth, first, permutations, draw
    )
    mean = lo = hi = None
    tested = [one.p for one in changes if one.p is not None]
    if len(scores) >= FEWEST_PERMUTATIONS:
        mean, lo, hi, p = interval(np.array(scores))
        tested.append(p)
    corrected = iter(holm(np.array(tested, dtype=float)).tolist())
    findings = list(_moved(changes, repeatable, len(first), corrected))
    if mean is not None:
        findings += _chance(mean, lo, hi, next(corrected), len(scores))
    why = _why_undecided(changes, deaf and repeatable)
    return PipelineAudit(
        verdict="leak" if findings else "undecided" if why else "clean",
        findings=findings,
        moved=max(one.moved for one in changes),
        repeatable=repeatable,
        permuted=scores,
        permuted_mean=mean,
        lo=lo,
        hi=hi,
        changes=changes,
        why="" if findings else why,
        mutates=pipeline.mutates,
        fits=pipeline.fits,
        seconds=round(pipeline.seconds, 3),
    )


def _as_it_is(run: Callable[[Any, Any], np.ndarray], test: Any, tested: Any) -> np.ndarray:
    try:
        return run(test, tested)
    except Failed as error:
        raise BadInput(
            "the pipeline failed on the rows as they are",
            why=str(error),
            next="mend it; it is called as fit(train, truth, test) and must be let run more than "
            "once",
        ) from error


def _ways(
    pipeline: Pipeline, test: Any, tested: Any, draw: np.random.Generator
) -> Iterator[tuple[str, Any, Any]]:
    """The changes: their names, the test rows and their labels."""
    yield "other values", with_other_values(test, draw), tested
    rows = half_of(test, draw)
    yield "half of the rows", taken(test, rows), taken(tested, rows)
    if pipeline.takes_labels and tested is not None:
        yield OTHER_LABELS, test, permuted(tested, draw)


def _changed(
    name: str,
    run: Callable[[Any, Any], np.ndarray],
    others: Any,
    theirs: Any,
    first: np.ndarray,
    alike: Arrays,
) -> Change:
    """What moves with this change; against the runs that are ``alike``, if two of those differ."""
    try:
        changed = [run(others, theirs) for _ in range(len(alike) or 1)]
    except Failed as error:
        return Change(name=name, failed=str(error))
    if any(one.shape != first.shape for one in changed):
        return Change(name=name, moved=1.0, largest=None)
    distance = _distances(first, changed[0])
    if alike:
        return Change(
            name=name,
            moved=float((distance > MOVED * _size(first)).mean()),
            largest=float(distance.max()),
            p=runs_differ(alike, changed),
        )
    moved = float((distance > MOVED * _size(first)).mean())
    return Change(name=name, moved=moved, largest=float(distance.max()))


def _on_other_labels(
    pipeline: Pipeline,
    train: Any,
    truth: Any,
    test: Any,
    tested: Any,
    first: np.ndarray,
    permutations: int,
    draw: np.random.Generator,
) -> tuple[bool, list[float]]:
    """Whether it predicts the same whatever it learns from, and the scores on permuted labels."""
    scores: list[float] = []
    deaf = True
    for _ in range(1 if tested is None else permutations):
        learnt, judged = permuted(truth, draw), None
        if tested is not None:
            learnt, judged = permuted_together(truth, tested, draw)
        try:
            asked = [train] if tested is None else [train, test]
            found = pipeline.run(train, learnt, test, judged, asked)
        except Failed:
            continue
        deaf = deaf and _same(first, found[0])
        if tested is not None:
            scores.append(beyond_chance(found[1], np.asarray(judged)))
    if deaf:
        try:
            other = pipeline.run(with_other_values(train, draw), truth, test, tested, [train])[0]
        except Failed:
            return False, scores
        deaf = _same(first, other)
    return deaf, scores


def _same(first: np.ndarray, other: np.ndarray) -> bool:
    return first.shape == other.shape and bool(
        (_distances(first, other) <= MOVED * _size(first)).all()
    )


def _distances(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(n,) differences of two predictions: the largest of a row's; 0 and 1 for classes."""
    if one.shape != two.shape:
        return np.full(len(one), np.inf)
    apart: np.ndarray = np.abs(one - two) if one.dtype.kind == "f" else (one != two).astype(float)
    widest: np.ndarray = apart if apart.ndim == 1 else apart.max(1)
    return widest


def _size(values: np.ndarray) -> float:
    return float(np.abs(values).max()) or 1.0 if values.dtype.kind == "f" else 1.0


def _why_undecided(changes: list[Change], deaf: bool) -> str:
    if all(one.failed for one in changes):
        return f"it could not be run with other test rows: {changes[0].failed}"
    if deaf:
        return "it predicts the same whatever it is trained on: it remembers, or learns nothing"
    return ""


def _moved(
    changes: list[Change], repeatable: bool, n: int, corrected: Iterator[float]
) -> Iterator[Leak]:
    strongest: dict[str, tuple[Change, float | None]] = {}
    for one in changes:
        p = None if one.p is None else next(corrected)
        if not one.moved or (p is not None and p >= LEVEL) or (not repeatable and p is None):
            continue
        about = "labels" if one.name == OTHER_LABELS else "rows"
        if about not in strongest or one.moved > strongest[about][0].moved:
            strongest[about] = one, p
    for about, (one, p) in strongest.items():
        kind = "L1.3" if about == "labels" else "L1.2"
        yield Leak(
            detector=f"test-{about}-changed",
            kind=kind,
            kind_words=KINDS[kind],
            verdict="leak",
            columns=[],
            what=f"with {one.name} in the test, {percent(one.moved)} of the predictions for "
            f"training rows move, {_how_far(one)}{'' if repeatable else ', more than by chance'}"
            f": something was learnt from the test {about}",
            measure="share of training predictions that moved",
            value=one.moved,
            lo=None,
            hi=None,
            p=p,
            n=n,
            fix="select features and models within the training rows"
            if about == "labels"
            else "fit every step on the training rows alone; a scikit-learn Pipeline does",
        )


def _how_far(change: Change) -> str:
    return "in number and shape" if change.largest is None else f"by up to {change.largest:.3g}"


def _chance(mean: float, lo: float | None, hi: float | None, p: float, runs: int) -> Iterator[Leak]:
    if p < LEVEL and mean - 0.5 > CHANCE:
        yield Leak(
            detector="permuted-labels",
            kind="L1.3",
            kind_words=KINDS["L1.3"],
            verdict="leak",
            columns=[],
            what=f"on permuted labels the pipeline scores {mean:.3f} on the test rows, where there "
            "is nothing to learn: it saw their labels",
            measure="score on permuted labels (chance: 0.5)",
            value=mean,
            lo=lo,
            hi=hi,
            p=p,
            n=runs,
            fix="select features, and all else that looks at labels, within the training rows",
        )


__all__ = ["Change", "PipelineAudit", "audit_pipeline"]
