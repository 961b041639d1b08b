"""Forests of an evaluation of any task: models, paired differences, slices. Deterministic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from trackrecord.portfolio import pictures
from trackrecord.portfolio.results import BEST, LEAST_SHARE
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    from trackrecord.evaluation.measured import Result
    from trackrecord.evaluation.result import Band, SliceResult
    from trackrecord.stats.estimate import Absence, Estimate
    from trackrecord.stats.metrics import Metric

REFERENCES = {"zero": 0.0, "one": 1.0}


class Row(msgspec.Struct, frozen=True):
    """A line of a forest: its name, its picture, its estimate or why there is none.

    ``band`` holds for all slices at once; ``rows`` are a slice's.
    """

    name: str
    tone: str
    picture: Markup
    estimate: Estimate | None
    signed: bool
    reason: str | None = None
    rows: int | None = None
    band: Band | None = None
    own: Estimate | None = None


class Forest(msgspec.Struct, frozen=True):
    """Rows on one scale."""

    title: str
    best: str
    rows: list[Row]
    scale: Markup


class Slices(msgspec.Struct, frozen=True):
    """Slices on one scale; ``against`` is the baseline that they are differences to."""

    title: str
    best: str
    against: str | None
    overall: Row
    groups: dict[str, list[Row]]
    scale: Markup
    each: float | None


def forests(found: Result) -> list[Forest]:
    """Each metric as a small forest: baselines before, models after."""
    return [_forest(found, get_metric(name, found.plan.task)) for name in found.plan.metrics]


def gains(found: Result) -> list[Row]:
    """The candidate's paired differences to the reference, drawn so that right is better."""
    pair = (found.plan.candidate, found.plan.reference)
    item = next((d for d in found.differences if (d.model, d.baseline) == pair), None)
    rows = []
    for estimate in item.estimates if item is not None else []:
        asked = get_metric(estimate.metric, found.plan.task)
        if asked.direction not in ("higher", "lower"):
            continue
        sign = 1 if asked.direction == "higher" else -1
        lo, hi = sorted((sign * estimate.lo, sign * estimate.hi))
        reach = 1.15 * max(abs(lo), abs(hi), 1e-300)
        axis = pictures.Axis(-reach, reach, (), 0)
        tone = _tone(asked, estimate.lo, estimate.hi)
        drawn = pictures.Interval(sign * estimate.value, lo, hi)
        lane = pictures.interval_row(axis, drawn, tone=tone, reference=0.0)
        rows.append(Row(asked.title, tone, lane, estimate, signed=True))
    return rows


def slices(found: Result) -> Slices | None:
    """Every slice of the candidate, as the paired difference where there is a baseline."""
    plan = found.plan
    metric = next((m for m in plan.metrics if any(of(m, s.estimates) for s in found.slices)), None)
    if metric is None:
        return None
    asked = get_metric(metric, plan.task)
    paired = plan.reference is not None and any(of(metric, s.differences) for s in found.slices)
    best = 0.0 if paired else REFERENCES.get(asked.direction)
    signed = paired or asked.direction == "zero"
    own = of(metric, found.candidate.estimates)
    pair = (plan.candidate, plan.reference)
    whole = own
    if paired:
        item = next(d for d in found.differences if (d.model, d.baseline) == pair)
        whole = of(metric, item.estimates)
    parts = [
        (s, of(metric, s.differences if paired else s.estimates), _band(s, metric, paired))
        for s in found.slices
    ]
    axis = pictures.axis_for(
        [*_setting(parts, found.rows), *([_interval(whole)] if whole is not None else [])],
        include=[] if best is None else [best],
        most_ticks=6,
    )
    groups: dict[str, list[Row]] = {}
    for part, estimate, band in parts:
        held = band or estimate
        tone = _tone(asked, held.lo, held.hi) if paired and held is not None else "candidate"
        lane = pictures.interval_row(
            axis,
            None if estimate is None else _interval(estimate),
            tone=tone,
            reference=best,
            band=None if band is None else (band.lo, band.hi),
        )
        row = Row(
            part.value if part.kind in ("value", "condition") else f"({part.value})",
            tone, lane, estimate, signed,
            reason=why(metric, [*part.absent_differences, *part.absent]),
            rows=part.rows, band=band,
            own=of(metric, part.estimates) if paired else None,
        )  # fmt: skip
        groups.setdefault(part.slice, []).append(row)
    lane = pictures.interval_row(
        axis, None if whole is None else _interval(whole), tone="candidate", reference=best
    )
    overall = Row("all", "candidate", lane, whole, signed, rows=found.rows,
                  own=own if paired else None)  # fmt: skip
    return Slices(
        asked.title,
        BEST.get(asked.direction, ""),
        plan.reference if paired else None,
        overall,
        groups,
        pictures.axis_row(axis),
        next((band.each for _, _, band in parts if band is not None), None),
    )


def of(metric: str, estimates: list[Estimate]) -> Estimate | None:
    """The estimate of a metric, if there is one."""
    return next((e for e in estimates if e.metric == metric), None)


def why(metric: str, absent: list[Absence]) -> str | None:
    """Why a metric has no estimate, where that is said."""
    return next((a.reason for a in absent if a.metric == metric), None)


def _forest(found: Result, asked: Metric) -> Forest:
    best = REFERENCES.get(asked.direction)
    estimates = [(m, of(asked.name, m.estimates)) for m in found.models]
    axis = pictures.axis_for(
        [_interval(e) for _, e in estimates if e is not None],
        include=[] if best is None else [best],
        most_ticks=3,
    )
    rows = []
    for model, estimate in estimates:
        tone = "candidate" if model.name == found.plan.candidate else "baseline"
        drawn = None if estimate is None else _interval(estimate)
        lane = pictures.interval_row(axis, drawn, tone=tone, reference=best)
        reason = why(asked.name, model.absent)
        rows.append(Row(model.name, tone, lane, estimate, asked.direction == "zero", reason))
    return Forest(asked.title, BEST.get(asked.direction, ""), rows, pictures.axis_row(axis))


def _tone(asked: Metric, lo: float, hi: float) -> str:
    """Whether a difference is for the better, the worse, or neither."""
    if asked.direction not in ("higher", "lower"):
        return "candidate"
    if asked.direction == "lower":
        lo, hi = -hi, -lo
    return "good" if lo > 0 else "bad" if hi < 0 else "unsure"


def _band(part: SliceResult, metric: str, paired: bool) -> Band | None:
    bands = part.difference_bands if paired else part.bands
    return next((band for band in bands if band.metric == metric), None)


def _setting(
    parts: list[tuple[SliceResult, Estimate | None, Band | None]], rows: int
) -> list[pictures.Interval]:
    """What sets the scale: slices with enough rows, as far as their bands reach."""
    drawn = []
    for part, estimate, band in parts:
        if estimate is not None:
            held = band or estimate
            drawn.append((part.rows >= LEAST_SHARE * rows,
                          pictures.Interval(estimate.value, held.lo, held.hi)))  # fmt: skip
    large = [shown for enough, shown in drawn if enough]
    return large if len(large) > 1 else [shown for _, shown in drawn]


def _interval(estimate: Estimate) -> pictures.Interval:
    return pictures.Interval(estimate.value, estimate.lo, estimate.hi)
