"""From an evaluation of a file to the rows and pictures of its report. Deterministic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from trackrecord.evaluation import curves
from trackrecord.portfolio import pictures
from trackrecord.portfolio import report_pictures as drawn
from trackrecord.portfolio.results import BEST, NOTES
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    from trackrecord.evaluation.library import Result
    from trackrecord.evaluation.measuring import Columns
    from trackrecord.evaluation.result import Calibration, SliceResult
    from trackrecord.stats.estimate import Absence, Estimate

REFERENCES = {"zero": 0.0, "one": 1.0}


class Row(msgspec.Struct, frozen=True):
    """A line of a forest plot: its name, its picture, its estimate or why there is none."""

    name: str
    tone: str
    picture: Markup
    estimate: Estimate | None
    reason: str | None = None
    part: SliceResult | None = None
    own: Estimate | None = None
    band: tuple[float, float] | None = None


class Forest(msgspec.Struct, frozen=True):
    """Rows on one scale."""

    title: str
    note: str
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
    banded: bool


class Ranking(msgspec.Struct, frozen=True):
    """The two curves of a ranking."""

    roc: Markup
    precision: Markup
    rate: float


def forests(found: Result) -> list[Forest]:
    """Each metric as a small forest plot: baselines before, models after."""
    made = []
    for metric in found.plan.metrics:
        asked = get_metric(metric)
        best = REFERENCES.get(asked.direction)
        estimates = [(m, _of(metric, m.estimates)) for m in found.models]
        axis = pictures.axis_for(
            [_interval(e) for _, e in estimates if e is not None],
            include=[] if best is None else [best],
            most_ticks=3,
        )
        rows = []
        for model, estimate in estimates:
            tone = "candidate" if model.name == found.plan.candidate else "baseline"
            lane = pictures.interval_row(axis, _or_none(estimate), tone=tone, reference=best)
            rows.append(Row(model.name, tone, lane, estimate, _why(metric, model.absent)))
        made.append(
            Forest(
                asked.title, NOTES.get(metric, ""), BEST.get(asked.direction, ""), rows,
                pictures.axis_row(axis),
            )
        )  # fmt: skip
    return made


def gains(found: Result) -> list[Row]:
    """The candidate's paired differences to the reference, drawn so that right is better."""
    item = next(
        (
            d
            for d in found.differences
            if (d.model, d.baseline) == (found.plan.candidate, found.plan.reference)
        ),
        None,
    )
    rows = []
    for estimate in item.estimates if item is not None else []:
        asked = get_metric(estimate.metric)
        if asked.direction not in ("higher", "lower"):
            continue
        sign = 1 if asked.direction == "higher" else -1
        lo, hi = sorted((sign * estimate.lo, sign * estimate.hi))
        reach = 1.15 * max(abs(lo), abs(hi), 1e-12)
        axis = pictures.Axis(-reach, reach, (), 0)
        tone = "good" if lo > 0 else "bad" if hi < 0 else "unsure"
        lane = pictures.interval_row(
            axis, pictures.Interval(sign * estimate.value, lo, hi), tone=tone, reference=0.0
        )
        rows.append(Row(asked.title, tone, lane, estimate))
    return rows


def calibration(found: Result) -> tuple[Calibration, Calibration | None, Markup] | None:
    """The candidate's reliability curve, the reference's, and both drawn."""
    known = {curve.model: curve for curve in found.evaluation.calibration}
    mine, other = known.get(found.plan.candidate), known.get(found.plan.reference or "")
    if mine is None or not mine.bins:
        return None
    label = "Calibration curve: mean prediction against the rate that came true."
    return mine, other, pictures.calibration(_bins(mine), _bins(other), label=label)


def ranking(columns: Columns, candidate: str, reference: str | None) -> Ranking:
    """ROC and precision-recall curves of the candidate and the reference."""
    roc: list[drawn.Line] = []
    precision: list[drawn.Line] = []
    rate = 0.0
    for name, tone in ((reference, "baseline"), (candidate, "candidate")):
        if name is None:
            continue
        swept = curves.sweep(columns.truth, columns.scores[name], columns.weight)
        rate = swept.positives / (swept.positives + swept.negatives)
        for lines, curve in (
            (roc, curves.roc_curve(swept)),
            (precision, curves.precision_curve(swept)),
        ):
            lines.append(drawn.Line(tone, curve.x, curve.y))
    return Ranking(
        drawn.plot(
            roc, drawn.SHARE, drawn.SHARE, diagonal=True,
            label="ROC curve: share of false alarms against share of positives found.",
        ),
        drawn.plot(
            precision, drawn.SHARE, drawn.SHARE, level=rate,
            label="Precision against recall; the dashed line is the rate of positives.",
        ),
        rate,
    )  # fmt: skip


def decision(
    columns: Columns, candidate: str, reference: str | None, level: float
) -> tuple[Markup, list[curves.Benefit]] | None:
    """The decision curve drawn, and its points; None where scores are no probabilities."""

    def benefit(name: str) -> list[curves.Benefit]:
        return curves.net_benefit(
            columns.truth,
            columns.scores[name],
            cluster=columns.cluster,
            level=level,
            weight=columns.weight,
        )

    scores = columns.scores[candidate]
    if scores.min() < 0 or scores.max() > 1:
        return None
    points = benefit(candidate)
    x = [p.threshold for p in points]
    lines = [
        drawn.Line("everyone", x, [p.everyone for p in points]),
        drawn.Line("nobody", x, [0.0] * len(x)),
    ]
    if (
        reference is not None
        and 0 <= columns.scores[reference].min() <= 1 >= columns.scores[reference].max()
    ):
        against = [p for p in benefit(reference) if p.threshold <= x[-1]]
        lines.append(
            drawn.Line("baseline", [p.threshold for p in against], [p.value for p in against])
        )
    lines.append(drawn.Line("candidate", x, [p.value for p in points]))
    highest = max(*(p.hi for p in points if math.isfinite(p.hi)), points[0].everyone, 1e-6)
    band = drawn.Band(x, [p.lo for p in points], [p.hi for p in points])
    picture = drawn.plot(
        lines,
        drawn.spanning(0.0, x[-1]),
        drawn.spanning(-0.25 * highest, 1.05 * highest, most_ticks=6),
        band=band if all(math.isfinite(p.hi) for p in points) else None,
        label="Decision curve: net benefit over thresholds, beside treating all and none.",
        shape="wide",
    )
    return picture, points


def slices(found: Result) -> Slices | None:
    """Every slice of the candidate, as the paired difference where there is a baseline."""
    metric = next(
        (m for m in found.plan.metrics if any(_of(m, s.estimates) for s in found.slices)), None
    )
    if metric is None:
        return None
    asked, plan = get_metric(metric), found.plan
    paired = plan.reference is not None and any(_of(metric, s.differences) for s in found.slices)
    best = 0.0 if paired else REFERENCES.get(asked.direction)
    whole = (
        found.difference(metric)
        if paired
        else _of(metric, found.candidate.estimates)
    )  # fmt: skip
    parts = [(s, _of(metric, s.differences if paired else s.estimates)) for s in found.slices]
    bands = {id(part): _band(part, metric, paired) for part, _ in parts}
    shown = [_interval(e) for _, e in parts if e is not None]
    shown += [pictures.Interval((b[0] + b[1]) / 2, *b) for b in bands.values() if b is not None]
    axis = pictures.axis_for(
        [*shown, *([_interval(whole)] if whole is not None else [])],
        include=[] if best is None else [best],
        most_ticks=6,
    )

    def tone(lo: float, hi: float) -> str:
        if not paired or asked.direction not in ("higher", "lower"):
            return "candidate"
        sign = 1 if asked.direction == "higher" else -1
        low, high = sorted((sign * lo, sign * hi))
        return "good" if low > 0 else "bad" if high < 0 else "unsure"

    def row(name: str, estimate: Estimate | None, part: SliceResult | None) -> Row:
        band = bands[id(part)] if part is not None else None
        judged = band or ((estimate.lo, estimate.hi) if estimate is not None else None)
        colour = "candidate" if judged is None else tone(*judged)
        lane = pictures.interval_row(axis, _or_none(estimate), tone=colour, reference=best)
        if band is not None:
            lane = _with_band(lane, axis, band, colour)
        absent = [] if part is None else [*part.absent_differences, *part.absent]
        own = _of(metric, part.estimates) if part is not None and paired else None
        return Row(name, colour, lane, estimate, _why(metric, absent), part, own, band)

    groups: dict[str, list[Row]] = {}
    for part, estimate in parts:
        name = part.value if part.kind in ("value", "condition") else f"({part.value})"
        groups.setdefault(part.slice, []).append(row(name, estimate, part))
    return Slices(
        asked.title,
        BEST.get(asked.direction, ""),
        plan.reference if paired else None,
        row("all rows", whole, None),
        groups,
        pictures.axis_row(axis),
        any(band is not None for band in bands.values()),
    )


def _band(part: SliceResult, metric: str, paired: bool) -> tuple[float, float] | None:
    """The slice's simultaneous band, where the evaluation made them."""
    bands = part.difference_bands if paired else part.bands
    return next(((band.lo, band.hi) for band in bands if band.metric == metric), None)


def _with_band(lane: Markup, axis: pictures.Axis, band: tuple[float, float], tone: str) -> Markup:
    """A thin line over the reach of the simultaneous band, below the interval."""
    left, right = (min(max(axis.at(end), 0.0), 100.0) for end in band)
    line = f'<line class="reach {tone}" x1="{left:.2f}%" x2="{right:.2f}%" y1="50%" y2="50%"/>'
    head, opened, rest = str(lane).partition(">")
    return Markup(head + opened + line + rest)


def _of(metric: str, estimates: list[Estimate]) -> Estimate | None:
    return next((e for e in estimates if e.metric == metric), None)


def _why(metric: str, absent: list[Absence]) -> str | None:
    return next((a.reason for a in absent if a.metric == metric), None)


def _interval(estimate: Estimate) -> pictures.Interval:
    return pictures.Interval(estimate.value, estimate.lo, estimate.hi)


def _or_none(estimate: Estimate | None) -> pictures.Interval | None:
    return None if estimate is None else _interval(estimate)


def _bins(curve: Calibration | None) -> list[pictures.Bin]:
    bins = [] if curve is None else curve.bins
    return [pictures.Bin(b.predicted, b.rate, b.lo, b.hi) for b in bins]
