"""Finds one's way in an evaluation's evidence: this model's estimate of that metric, and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from trackrecord.errors import TrackrecordError

if TYPE_CHECKING:
    from trackrecord.portfolio.citations import Cited

Leaning = Literal["better", "worse", "unclear"]

# What a reader who has never met a metric needs to know to read a picture of it.
NOTES = {
    "roc_auc": "how often what came true is ranked above what did not",
    "average_precision": "precision averaged over all thresholds",
    "log_loss": "the mean surprise of what came true",
    "brier": "the mean squared error of the probabilities",
    "accuracy": "the share of right answers at a threshold of one half",
    "calibration_intercept": "how far all log odds would have to be moved",
    "calibration_slope": "below one: predictions too extreme; above: too timid",
    "bias": "mean prediction minus the rate that came true",
}

# A slice with a smaller share of the rows than this does not set the scale of the others.
LEAST_SHARE = 0.01

BEST = {
    "higher": "higher is better",
    "lower": "lower is better",
    "zero": "best at zero",
    "one": "best at one",
}


def metric_direction(metric: str) -> str | None:
    """Where a metric's best value lies, or None for one that this installation does not know."""
    from trackrecord.stats.metrics import get_metric

    try:
        return get_metric(metric).direction
    except TrackrecordError:
        return None


def metric_title(metric: str) -> str | None:
    """A metric's title; None where it is unknown or has a digit, which a page may not print."""
    from trackrecord.stats.metrics import get_metric

    try:
        title = get_metric(metric).title
    except TrackrecordError:
        return None
    return None if any(c.isnumeric() for c in title) else title


def model_named(result: Cited, name: str) -> Cited:
    """The result of the model called ``name``; the evidence has one for each in its plan."""
    return next(model for model in result["models"] if model["name"].raw == name)


def estimate_in(place: Cited, metric: str, field: str = "estimates") -> Cited | None:
    """The estimate of a metric in a model's, difference's, slice's or contrast's result."""
    return next((e for e in place[field] if e["metric"].raw == metric), None)


def reason_in(place: Cited, metric: str, field: str = "absent") -> Cited | None:
    """Why the metric has no estimate there."""
    if field not in place:
        return None
    found = next((a for a in place[field] if a["metric"].raw == metric), None)
    return None if found is None else found["reason"]


def differences_of(result: Cited, model: str, baseline: str | None) -> Cited | None:
    """All paired differences of a model to a baseline."""
    return next(
        (
            d
            for d in result["differences"]
            if d["model"].raw == model and d["baseline"].raw == baseline
        ),
        None,
    )


def difference_to(result: Cited, model: str, baseline: str | None, metric: str) -> Cited | None:
    """The paired difference in one metric."""
    found = differences_of(result, model, baseline)
    return None if found is None else estimate_in(found, metric)


def headline(evaluation: Cited) -> tuple[str, str | None]:
    """(metric, baseline) that the case asks for first: its first criterion on a difference.

    Without one, the plan's first metric against its reference baseline.
    """
    for verdict in evaluation["result"]["verdicts"]:
        if verdict["baseline"].raw is not None:
            return verdict["metric"].raw, verdict["baseline"].raw
    plan = evaluation["plan"]
    return plan["metrics"][0].raw, plan["reference"].raw


def leaning(metric: str, difference: Cited | None) -> Leaning | None:
    """Whether a paired difference favours the model. None where bigger is neither good nor bad."""
    direction = metric_direction(metric)
    if difference is None or direction not in ("higher", "lower"):
        return None
    sign = 1 if direction == "higher" else -1
    lo, hi = sorted((sign * difference["lo"].raw, sign * difference["hi"].raw))
    return "better" if lo > 0 else "worse" if hi < 0 else "unclear"


def metric_form(metric: str) -> str:
    """The form in which a metric's own value is shown: one that is best at zero has a sign."""
    return "signed" if metric_direction(metric) == "zero" else "number"


def criterion_form(verdict: Cited) -> str:
    """The form in which a criterion's estimate is shown: a difference has a sign."""
    own = verdict["baseline"].raw is None
    return metric_form(verdict["metric"].raw) if own else "signed"
