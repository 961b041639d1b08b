"""Compares what was answered, window by window, with what the model met before it was served.

Four things are watched, each by a detector that may be asked after every window: the features, the
answers, the metric as it is expected without truth, and the metric as truth has made it.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.data.drift.result import LEAST, ColumnDrift, Measured, grade
from trackrecord.serving.monitoring.reference import DAY, Reference
from trackrecord.serving.monitoring.result import (
    LENGTH,
    WATCHES,
    Monitoring,
    Signal,
    Speed,
    Watch,
    Window,
)
from trackrecord.serving.monitoring.windows import Every, cut
from trackrecord.stats.detector import Detector, e_of_p, observe, p_beyond
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import estimate, named
from trackrecord.stats.metrics import Metric
from trackrecord.stats.unlabelled import expected_of
from trackrecord.version import __version__

if TYPE_CHECKING:
    import polars as pl

# A distance below this is no alarm, however sure: what `data drift` calls moderate.
TOLERANCE = LEAST["moderate"]
# A metric may be worse by this share of its distance from useless, or of itself.
METRIC_SHARE = 0.1
LEAST_ROWS = 30
SHIFT = "x."


def monitor_answers(
    reference: Reference,
    answers: pl.DataFrame,
    truth: pl.DataFrame,
    *,
    version: int,
    every: Every,
    metrics: list[str] | None = None,
    tolerance: float = TOLERANCE,
    timezone: str = "UTC",
) -> Monitoring:
    """Look at every whole window of ``answers``.

    Parameters
    ----------
    answers:
        As ``read_captures`` gives them, oldest first; shadows' are left out.
    truth:
        ``unit`` and ``truth``, a row a unit.
    metrics:
        Metrics of a yes or no that are expected and realised; by default the case's first, and
        the bias, which shows a base rate that has moved.
    tolerance:
        How large a distance is none of an alarm's business.
    timezone:
        Whose days are alike, where the case's rows are not independent.
    """
    import polars as pl

    asked = [named(name) for name in metrics or usual_metrics(reference)]
    given = answers.filter(pl.col("role") == "answer")
    joined = given.join(truth.select("unit", "truth"), on="unit", how="left", maintain_order="left")
    if reference.clustered:
        days = joined["time"].dt.convert_time_zone(timezone).dt.date().cast(pl.String)
        joined = joined.with_columns(days.alias(DAY))
    rate = float(reference.frame["truth"].cast(pl.Float64).mean() or 0.0)  # type: ignore[arg-type]
    before = {one.name: _reference_metric(reference, one) for one in asked}
    allowed = {one.name: _allowed(one, before[one.name], rate) for one in asked}
    detectors: dict[Watch, Detector] = {watch: Detector(length=LENGTH) for watch in WATCHES}
    known = [name.removeprefix(SHIFT) for name in joined.columns if name.startswith(SHIFT)]
    features = [name for name in reference.frame.columns if name in known]
    done = []
    pieces = [piece for piece in cut(joined, every) if piece.height >= LEAST_ROWS]
    for piece in pieces:
        window = _window(reference, piece, features, asked, before, tolerance, allowed)
        alarms: list[Watch] = []
        for watch in WATCHES:
            bets = [e_of_p(signal.p) for signal in window.signals if signal.watch == watch]
            detectors[watch] = observe(detectors[watch], bets)
            if detectors[watch].alarmed:
                alarms.append(watch)
        evidence = {watch: round(detectors[watch].evidence, 4) for watch in WATCHES}
        done.append(msgspec.structs.replace(window, evidence=evidence, alarms=alarms))
    names = set(reference.frame.columns) - {"truth", "probability", DAY}
    return Monitoring(
        case=reference.case.name,
        question=reference.case.question,
        version=version,
        metrics=[one.name for one in asked],
        reference=before,
        reference_rows=reference.frame.height,
        reference_rate=rate,
        answers=given.height,
        shadows=answers.height - given.height,
        left=given.height - sum(window.rows for window in done),
        windows=done,
        detectors={watch: detectors[watch] for watch in WATCHES},
        tolerance=tolerance,
        metric_tolerance=allowed,
        window=every.words,
        captured_columns=features,
        missing_columns=sorted(names - set(features)),
        tool=__version__,
    )


def _window(
    reference: Reference,
    piece: pl.DataFrame,
    features: list[str],
    asked: list[Metric],
    before: dict[str, Estimate | Absence],
    tolerance: float,
    allowed: dict[str, float],
) -> Window:
    import polars as pl

    answered = piece.drop_nulls("probability")
    score = answered["probability"].to_numpy()
    expected = {one.name: expected_of(one, score, calibrated=reference.calibrated) for one in asked}
    labelled = answered.drop_nulls("truth")
    realised: dict[str, Estimate | Absence] = {}
    if labelled.height:
        days = _codes(labelled) if reference.clustered else None
        columns = labelled["truth"].to_numpy(), labelled["probability"].to_numpy()
        realised = {one.name: estimate(one.name, *columns, cluster=days) for one in asked}
    signals = _distances(reference, piece, features, tolerance)
    told: list[tuple[Watch, dict[str, Estimate | Absence]]] = [
        ("expected", expected),
        ("realised", realised),
    ]
    for watch, found in told:
        for one in asked:
            now, then = found.get(one.name), before[one.name]
            if isinstance(now, Estimate) and isinstance(then, Estimate):
                signals.append(_worse(watch, one, then, now, allowed[one.name]))
    seconds = piece["seconds"]
    versions = piece["version"].value_counts(sort=True)
    first, last = piece["time"].min(), piece["time"].max()
    return Window(
        start=first,  # type: ignore[arg-type]
        end=last,  # type: ignore[arg-type]
        rows=piece.height,
        versions={str(v): int(n) for v, n in versions.iter_rows()},
        labelled=labelled.height,
        signals=signals,
        mean_probability=float(score.mean()) if len(score) else math.nan,
        positives=float(labelled["truth"].cast(pl.Float64).mean() or 0.0)  # type: ignore[arg-type]
        if labelled.height
        else None,
        expected=expected,
        realised=realised,
        speed=Speed(
            float(seconds.quantile(0.5) or 0.0),
            float(seconds.quantile(0.99) or 0.0),
            piece.height - answered.height,
        ),
        evidence={},
        alarms=[],
    )


def _distances(
    reference: Reference, piece: pl.DataFrame, features: list[str], tolerance: float
) -> list[Signal]:
    """Each captured feature's distance from the reference, its missing values', the answers'."""
    import polars as pl

    from trackrecord.data.drift.compare import compare_tables

    cluster = DAY if reference.clustered and piece[DAY].n_unique() > 1 else None
    days = [DAY] if cluster else []
    now = piece.select(
        *(pl.col(SHIFT + name).alias(name) for name in features), "probability", *days
    )
    then = reference.frame.select(*features, "probability", *days)
    schema = {name: kind for name, kind in then.schema.items() if name != DAY}
    now = now.with_columns(pl.col(name).cast(kind, strict=False) for name, kind in schema.items())
    if days:
        then = then.with_columns(pl.col(DAY).cast(pl.String))
    drift = compare_tables(then, now, cluster=cluster, classifier=False)
    return [signal for column in drift.columns for signal in _signals(column, tolerance)]


def _signals(column: ColumnDrift, tolerance: float) -> list[Signal]:
    watch: Watch = "answers" if column.name == "probability" else "features"
    found = []
    for measure, measured in (
        (column.measure or "", column.values),
        ("share missing", column.missing),
    ):
        if isinstance(measured, Measured):
            band = measured.hi - measured.effect
            found.append(
                Signal(
                    watch=watch,
                    name=column.name,
                    measure=measure,
                    effect=measured.effect,
                    lo=measured.lo,
                    hi=measured.hi,
                    tolerance=tolerance,
                    p=p_beyond(measured.effect, band, tolerance),
                    severity=measured.severity,
                )
            )
    return found


def _worse(watch: Watch, asked: Metric, before: Estimate, now: Estimate, allowed: float) -> Signal:
    """By how much the metric is worse than before, and how sure that it is by more than allowed."""
    sign = -1.0 if asked.direction == "higher" else 1.0
    loss = sign * (now.value - before.value)
    if asked.direction not in ("higher", "lower"):
        # Further from where it should be, on whichever side.
        loss = abs(now.value - before.value)
    error = math.hypot(before.se, now.se)
    half = NormalDist().inv_cdf(0.975) * error
    beyond = (loss - allowed) / error if error > 0 else (math.inf if loss > allowed else -math.inf)
    p = NormalDist().cdf(-beyond) if math.isfinite(beyond) else float(beyond < 0)
    return Signal(
        watch=watch,
        name=asked.name,
        measure="loss",
        effect=loss,
        lo=loss - half,
        hi=loss + half,
        tolerance=allowed,
        p=p,
        severity=grade((loss - half) / allowed * LEAST["moderate"] if allowed > 0 else 0.0),
    )


def _reference_metric(reference: Reference, asked: Metric) -> Estimate | Absence:
    days = _codes(reference.frame) if reference.clustered else None
    frame = reference.frame
    return estimate(
        asked.name, frame["truth"].to_numpy(), frame["probability"].to_numpy(), cluster=days
    )


def usual_metrics(reference: Reference) -> list[str]:
    """The case's first metric, and the bias."""
    return list(dict.fromkeys([reference.case.evaluation.metrics[0], "bias"]))


def _allowed(asked: Metric, before: Estimate | Absence, rate: float) -> float:
    """A tenth: of what an area is above chance, of the base rate for a bias, else of the value."""
    if isinstance(before, Absence):
        return 0.0
    if asked.direction == "level":
        return METRIC_SHARE * rate
    useless = 0.5 if asked.name == "roc_auc" else 0.0
    return METRIC_SHARE * abs(before.value - useless)


def _codes(frame: pl.DataFrame) -> Any:
    import polars as pl

    return (frame[DAY].cast(pl.String).rank("dense").cast(pl.Int64) - 1).to_numpy()
