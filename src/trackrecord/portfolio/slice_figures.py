"""Slices as a forest plot: each with its own interval, and the band that holds all at once."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from trackrecord.portfolio import pictures
from trackrecord.portfolio.citations import Cited
from trackrecord.portfolio.figures import REFERENCES, Row, interval_of, title_of, tone_of
from trackrecord.portfolio.results import (
    BEST,
    LEAST_SHARE,
    difference_to,
    estimate_in,
    headline,
    leaning,
    metric_direction,
    metric_form,
    model_named,
    reason_in,
)


class SliceGroup(msgspec.Struct, frozen=True):
    """All values of one slice."""

    name: Cited
    rows: list[Row]


class SliceFigure(msgspec.Struct, frozen=True):
    """Slices on one scale, as differences to a baseline or as the metric itself.

    ``each`` is the level of each band by itself, where there are bands.
    """

    title: Markup
    best: str
    baseline: Cited | None
    overall: Row | None
    groups: list[SliceGroup]
    scale: Markup
    form: str
    own_form: str
    each: Cited | None


class _Fields(msgspec.Struct, frozen=True):
    """Where a slice's result has what is shown."""

    estimates: str
    absent: str
    bands: str


OWN = _Fields("estimates", "absent", "bands")
DIFFERENCES = _Fields("differences", "absent_differences", "difference_bands")


def slices(evaluation: Cited) -> SliceFigure | None:
    """Every slice, as the paired difference to the reference where there is one."""
    result, plan = evaluation["result"], evaluation["plan"]
    metric = _metric(evaluation)
    if metric is None:
        return None
    candidate = model_named(result, plan["candidate"].raw)
    reference = plan["reference"].raw
    by_difference = reference is not None and any(
        estimate_in(part, metric, "differences") is not None for part in result["slices"]
    )
    fields = DIFFERENCES if by_difference else OWN
    found = [
        (part, estimate_in(part, metric, fields.estimates), _band(part, metric, fields.bands))
        for part in result["slices"]
    ]
    whole = (
        difference_to(result, candidate["name"].raw, reference, metric)
        if by_difference
        else estimate_in(candidate, metric)
    )
    best = 0.0 if by_difference else REFERENCES.get(metric_direction(metric) or "")
    drawn = _setting_the_scale(found, result["rows"].raw)
    axis = pictures.axis_for(
        [*drawn, *([interval_of(whole)] if whole is not None else [])],
        include=[] if best is None else [best],
        most_ticks=6,
    )

    def row(
        name: Cited, estimate: Cited | None, band: Cited | None, place: Cited, missing: str
    ) -> Row:
        lean = leaning(metric, band or estimate) if by_difference else None
        tone = tone_of(lean) if lean is not None else "candidate"
        return Row(
            name=name,
            tone=tone,
            picture=pictures.interval_row(
                axis,
                None if estimate is None else interval_of(estimate),
                tone=tone,
                reference=best,
                band=None if band is None else (float(band["lo"].raw), float(band["hi"].raw)),
            ),
            estimate=estimate,
            reason=reason_in(place, metric, missing) or reason_in(place, metric),
            place=place,
            value=estimate_in(place, metric) if by_difference else None,
            title=_named(place) if "slice" in place else None,
            band=band,
        )

    groups: dict[str, SliceGroup] = {}
    for part, estimate, band in found:
        group = groups.setdefault(part["slice"].raw, SliceGroup(part["slice"], []))
        group.rows.append(row(part["value"], estimate, band, part, fields.absent))
    banded = next((band for _, _, band in found if band is not None), None)
    return SliceFigure(
        title=title_of(evaluation, metric),
        best=BEST.get(metric_direction(metric) or "", ""),
        baseline=plan["reference"] if by_difference else None,
        overall=None if whole is None else row(candidate["name"], whole, None, candidate, "absent"),
        groups=list(groups.values()),
        scale=pictures.axis_row(axis),
        form="signed" if by_difference else metric_form(metric),
        own_form=metric_form(metric),
        each=None if banded is None else banded["each"],
    )


def _metric(evaluation: Cited) -> str | None:
    """The headline's metric; where no slice has an estimate of it, the first that one has."""
    parts = list(evaluation["result"]["slices"])
    if not parts:
        return None
    first, _ = headline(evaluation)
    metrics = [first, *(m.raw for m in evaluation["plan"]["metrics"])]
    return next((m for m in metrics if any(estimate_in(part, m) for part in parts)), first)


def _band(part: Cited, metric: str, field: str) -> Cited | None:
    return estimate_in(part, metric, field) if field in part else None


def _setting_the_scale(
    found: list[tuple[Cited, Cited | None, Cited | None]], rows: int
) -> list[pictures.Interval]:
    """Slices with enough rows, as far as their bands reach; all where hardly any has enough."""
    drawn = []
    for part, estimate, band in found:
        if estimate is not None:
            shown = interval_of(estimate)
            if band is not None:
                shown = pictures.Interval(shown.value, band["lo"].raw, band["hi"].raw)
            drawn.append((part["rows"].raw >= LEAST_SHARE * rows, shown))
    large = [shown for enough, shown in drawn if enough]
    return large if len(large) > 1 else [shown for _, shown in drawn]


def _named(part: Cited) -> Markup | None:
    """``weekday = 1`` for a bare number, brackets for what is no value; else None."""
    if "kind" in part and part["kind"].raw in ("missing", "rest"):
        return Markup("({})").format(part["value"])
    try:
        float(part["value"].raw)
    except ValueError:
        return None
    return Markup("{} = {}").format(part["slice"], part["value"])
