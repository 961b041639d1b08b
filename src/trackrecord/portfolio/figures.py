"""From an evaluation's evidence to the rows and pictures that a page shows. Deterministic."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from markupsafe import Markup

from trackrecord.portfolio import pictures
from trackrecord.portfolio.citations import Cited, plain
from trackrecord.portfolio.results import (
    BEST,
    NOTES,
    difference_to,
    differences_of,
    estimate_in,
    headline,
    leaning,
    metric_direction,
    metric_form,
    metric_title,
    reason_in,
)

REFERENCES = {"zero": 0.0, "one": 1.0}


class Row(msgspec.Struct, frozen=True):
    """A line of a forest plot: its name, its picture, and its estimate or why there is none."""

    name: Cited
    tone: str
    picture: Markup
    estimate: Cited | None
    reason: Cited | None = None
    place: Cited | None = None
    value: Cited | None = None
    title: Markup | None = None
    band: Cited | None = None


class Forest(msgspec.Struct, frozen=True):
    """Rows on one scale."""

    title: Markup
    note: str
    best: str
    rows: list[Row]
    scale: Markup
    form: str = "number"


class Gap(msgspec.Struct, frozen=True):
    """A protocol's promise and what came true."""

    contrast: Cited
    picture: Markup


class CalibrationFigure(msgspec.Struct, frozen=True):
    """The reliability curves of the candidate and of one baseline."""

    candidate: Cited
    baseline: Cited | None
    picture: Markup


class Planned(msgspec.Struct, frozen=True):
    """A criterion with the chance that the test decides it."""

    criterion: Cited
    picture: Markup


class Power(msgspec.Struct, frozen=True):
    """What a seal reckoned: the test that it reckoned with, and each criterion."""

    test: Cited
    criteria: list[Planned]


class ContrastFigure(msgspec.Struct, frozen=True):
    """What other protocols would have claimed, beside the sealed one."""

    title: Markup
    protocols: Forest
    gaps: list[Gap]
    gap_scale: Markup


def comparison(evaluation: Cited) -> list[Forest]:
    """Each metric as a small forest plot: baselines before, candidate after."""
    result = evaluation["result"]
    candidate = evaluation["plan"]["candidate"].raw
    forests = []
    for metric in evaluation["plan"]["metrics"]:
        found = [(model, estimate_in(model, metric.raw)) for model in result["models"]]
        found.sort(key=lambda pair: pair[0]["name"].raw == candidate)
        direction = metric_direction(metric.raw) or ""
        best = REFERENCES.get(direction)
        axis = pictures.axis_for(
            [interval_of(e) for _, e in found if e is not None],
            include=[] if best is None else [best],
            most_ticks=3,
        )
        rows = [
            Row(
                name=model["name"],
                tone="candidate" if model["name"].raw == candidate else "baseline",
                picture=pictures.interval_row(
                    axis,
                    None if estimate is None else interval_of(estimate),
                    tone="candidate" if model["name"].raw == candidate else "baseline",
                    reference=best,
                ),
                estimate=estimate,
                reason=reason_in(model, metric.raw),
            )
            for model, estimate in found
        ]
        forests.append(
            Forest(
                title_cited(metric),
                NOTES.get(metric.raw, ""),
                BEST.get(direction, ""),
                rows,
                pictures.axis_row(axis),
                metric_form(metric.raw),
            )
        )
    return forests


def gains(evaluation: Cited) -> list[Row]:
    """The paired differences to the headline's baseline, drawn so that right is always better.

    Each row has its own scale around zero; metrics whose best value is in the middle are left out,
    since a difference in them is neither good nor bad.
    """
    result, candidate = evaluation["result"], evaluation["plan"]["candidate"].raw
    _, baseline = headline(evaluation)
    rows = []
    for metric in evaluation["plan"]["metrics"]:
        difference = difference_to(result, candidate, baseline, metric.raw)
        lean = leaning(metric.raw, difference)
        if difference is None or lean is None:
            continue
        shown = interval_of(difference)
        if metric_direction(metric.raw) == "lower":
            shown = pictures.Interval(-shown.value, -shown.hi, -shown.lo)
        reach = 1.15 * max(abs(shown.lo), abs(shown.hi), 1e-12)
        axis = pictures.Axis(-reach, reach, (), 0)
        rows.append(
            Row(
                name=metric,
                title=title_cited(metric),
                tone=tone_of(lean),
                picture=pictures.interval_row(axis, shown, tone=tone_of(lean), reference=0.0),
                estimate=difference,
            )
        )
    return rows


def calibration(evaluation: Cited) -> CalibrationFigure | None:
    """The candidate's reliability curve against that of the headline's baseline."""
    curves = {curve["model"].raw: curve for curve in evaluation["result"]["calibration"]}
    candidate = curves.get(evaluation["plan"]["candidate"].raw)
    if candidate is None or not len(candidate["bins"]):
        return None
    _, name = headline(evaluation)
    baseline = curves.get(name) if name is not None else None
    return CalibrationFigure(
        candidate,
        baseline,
        pictures.calibration(
            _bins(candidate["bins"]),
            _bins(baseline["bins"]) if baseline is not None else [],
            label="Calibration curve: mean prediction against the rate that came true. "
            "The table below has the same numbers.",
        ),
    )


def power(seal: Cited) -> Power | None:
    """What the seal reckoned of the test; None for one that does not say what it reckoned with."""
    if "planned_for" not in seal or seal["planned_for"].raw is None or not len(seal["plan"]):
        return None
    test = seal["planned_for"]
    wanted = float(test["wanted"].raw)
    return Power(
        test,
        [
            Planned(planned, pictures.chance_row(float(planned["chance"].raw), wanted))
            for planned in seal["plan"]
        ],
    )


def contrast(evaluation: Cited, predicate: Cited) -> ContrastFigure:
    """The headline's metric under each protocol, and promise against truth under each."""
    metric, _ = headline(evaluation)
    places = [predicate["honest"], *predicate["contrasts"]]
    found = [estimate_in(place, metric) for place in places]
    axis = pictures.axis_for([interval_of(e) for e in found if e is not None], most_ticks=5)
    honest = found[0]
    rows = [
        Row(
            name=place["name"],
            tone="candidate" if index == 0 else "warning",
            picture=pictures.interval_row(
                axis,
                None if estimate is None else interval_of(estimate),
                tone="candidate" if index == 0 else "warning",
                reference=None if honest is None else float(honest["value"].raw),
            ),
            estimate=estimate,
            reason=reason_in(place, metric) if "absent" in place else None,
            place=place,
        )
        for index, (place, estimate) in enumerate(zip(places, found, strict=True))
    ]
    ends = [float(place[key].raw) for place in places for key in ("prediction_mean", "rate")]
    gap_axis = pictures.axis_of_rates(ends)
    title = title_of(evaluation, metric)
    return ContrastFigure(
        title=title,
        protocols=Forest(title, "", "", rows, pictures.axis_row(axis), metric_form(metric)),
        gaps=[
            Gap(
                place,
                pictures.gap_row(
                    gap_axis, float(place["prediction_mean"].raw), float(place["rate"].raw)
                ),
            )
            for place in places
        ],
        gap_scale=pictures.axis_row(gap_axis, percent=True),
    )


def all_differences(evaluation: Cited) -> list[tuple[Cited, list[Row]]]:
    """Every baseline with the candidate's paired differences to it, for the table of numbers."""
    result, candidate = evaluation["result"], evaluation["plan"]["candidate"].raw
    tables = []
    for baseline in evaluation["plan"]["baselines"]:
        found = differences_of(result, candidate, baseline.raw)
        if found is None:
            continue
        rows = [
            Row(metric, "", Markup(), estimate_in(found, metric.raw), reason_in(found, metric.raw),
                title=title_cited(metric))
            for metric in evaluation["plan"]["metrics"]
        ]  # fmt: skip
        tables.append((baseline, rows))
    return tables


def title_cited(metric: Cited) -> Markup:
    """A metric's title, or its name where it has none that a page may print."""
    title = metric_title(metric.raw)
    return plain(title or metric.raw, metric)


def title_of(evaluation: Cited, metric: str) -> Markup:
    """A metric's title, for the sentences of a page."""
    return title_cited(next(m for m in evaluation["plan"]["metrics"] if m.raw == metric))


def tone_of(lean: str) -> str:
    """The class of a colour."""
    return {"better": "good", "worse": "bad", "unclear": "unsure"}[lean]


def interval_of(estimate: Cited) -> pictures.Interval:
    """An estimate, to be drawn."""
    value, lo, hi = (float(estimate[key].raw) for key in ("value", "lo", "hi"))
    return pictures.Interval(value, lo, hi)


def _bins(bins: Iterable[Cited]) -> list[pictures.Bin]:
    return [
        pictures.Bin(*(float(b[key].raw) for key in ("predicted", "rate", "lo", "hi")))
        for b in bins
    ]
