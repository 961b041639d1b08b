"""What is shown of one task only: densities, residuals, values by query, curves by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from markupsafe import Markup

from trackrecord.evaluation.calibration import calibration_of
from trackrecord.portfolio import pictures, plots
from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.evaluation.measuring import Columns
    from trackrecord.evaluation.plan import Plan

    Floats = NDArray[np.float64]

# Rows that are shown as a dot each; more are shown by how many there are.
MOST_DOTS = 600
CELLS = 28
BINS = 16
MOST_CURVES = 12
SHOWN = 8
BARS = 20


class ClassCurve(msgspec.Struct, frozen=True):
    """The reliability curve of one class or label, against all others."""

    name: str
    share: float
    picture: Markup


class Scatter(msgspec.Struct, frozen=True):
    """Predictions against the truth, ``dots`` or a density; ``outside`` rows are beyond it."""

    picture: Markup
    dots: bool
    outside: int


class Residuals(msgspec.Struct, frozen=True):
    """Errors by prediction: of each bin of rows the mean, and where nine of ten errors lie."""

    picture: Markup
    bins: list[tuple[float, int, float, float, float]]


class Queries(msgspec.Struct, frozen=True):
    """A metric's value for each query: how they are spread, and where the model does worst."""

    title: str
    picture: Markup
    bars: list[tuple[float, float, float, float]]
    worst: list[tuple[str, float, float | None, int]]


class Error(msgspec.Struct, frozen=True):
    """A row on which the candidate was most wrong; what it was, and what was predicted."""

    id: str
    truth: str | float
    predicted: str | float
    by: float


def class_curves(
    names: list[str], truth: Any, score: Any, columns: Columns, plan: Plan
) -> list[ClassCurve]:
    """Reliability of the candidate's probabilities, a class at a time, the commonest first.

    ``truth`` (n, names) of 0 and 1, ``score`` (n, names). Empty where they are no probabilities.
    """
    if score.dtype.kind != "f" or not np.isfinite(score).all():
        return []
    shares = truth.mean(axis=0)
    found = []
    for place in sorted(np.argsort(-shares, kind="stable")[:MOST_CURVES].tolist()):
        curve = calibration_of(
            names[place],
            truth[:, place].astype(np.int8),
            np.ascontiguousarray(score[:, place]),
            cluster=columns.cluster,
            level=plan.level,
            bins=min(plan.bins, max(2, len(truth) // 30)),
            weight=columns.weight,
        )
        if curve is None or len(curve.bins) < 2:
            continue
        bins = [pictures.Bin(b.predicted, b.rate, b.lo, b.hi) for b in curve.bins]
        label = f"Calibration of {names[place]}: mean prediction against the rate that came true."
        drawn = pictures.calibration(bins, [], label=label)
        found.append(ClassCurve(names[place], float(shares[place]), drawn))
    return found


def scatter(truth: Floats, point: Floats) -> Scatter:
    """Predictions across, the truth upwards, on one scale."""
    both = np.concatenate([truth, point])
    low, high = float(both.min()), float(both.max())
    if truth.size > MOST_DOTS:
        low, high = (float(end) for end in np.quantile(both, [0.001, 0.999]))
    room = 0.03 * (high - low)
    axis = plots.spanning(low - room, high + room, most_ticks=5)
    inside = (truth >= axis.low) & (truth <= axis.high) & (point >= axis.low) & (point <= axis.high)
    x, y = (100 * (v[inside] - axis.low) / (axis.high - axis.low) for v in (point, truth))
    label = "What was predicted, across, against what came true, upwards; the diagonal is both."
    if truth.size <= MOST_DOTS:
        inner = "".join(
            f'<circle class="row" cx="{a:.1f}%" cy="{100 - b:.1f}%" r="2.5"/>'
            for a, b in zip(x.tolist(), y.tolist(), strict=True)
        )
    else:
        inner = _density(x, y)
    plain = plots.plot([], axis, axis, diagonal=True, label=label)
    return Scatter(_within(plain, inner), truth.size <= MOST_DOTS, int((~inside).sum()))


def residuals(truth: Floats, point: Floats) -> Residuals | None:
    """Prediction minus truth over bins of equal numbers of rows; None for too few rows."""
    if truth.size < 40 or point.min() == point.max():
        return None
    order = np.argsort(point, kind="stable")
    error = (point - truth)[order]
    found = []
    for rows in np.array_split(np.arange(truth.size), min(BINS, truth.size // 20)):
        low, high = (float(v) for v in np.quantile(error[rows], [0.05, 0.95]))
        middle = float(point[order][rows].mean())
        found.append((middle, len(rows), float(error[rows].mean()), low, high))
    x = [one[0] for one in found]
    reach = max(max(abs(one[3]), abs(one[4])) for one in found) * 1.08 or 1.0
    picture = plots.plot(
        [plots.Line("candidate", x, [one[2] for one in found])],
        plots.spanning(min(x), max(x), most_ticks=6),
        plots.spanning(-reach, reach, most_ticks=6),
        band=plots.Band(x, [one[3] for one in found], [one[4] for one in found]),
        level=0.0,
        shape="wide",
        label="Prediction minus truth over predictions: its mean, and where nine of ten lie.",
    )
    return Residuals(picture, found)


def queries(columns: Columns, ids: list[str], plan: Plan) -> Queries | None:
    """The first metric that is a mean over queries: its values for candidate and reference."""
    for name in plan.metrics:
        asked = get_metric(name, plan.task)
        mine = _by_query(columns, name, plan.candidate)
        if mine is not None and mine.size:
            break
    else:
        return None
    other = None if plan.reference is None else _by_query(columns, name, plan.reference)
    top = max(1.0, float(mine.max()), 0.0 if other is None else float(other.max()))
    edges = np.linspace(0.0, top, BARS + 1)
    up = np.histogram(mine, edges)[0] / mine.size
    down = np.zeros(BARS) if other is None else np.histogram(other, edges)[0] / other.size
    picture = plots.histogram(
        edges.tolist(), up.tolist(), down.tolist(),
        label="Share of queries by their value: the candidate upwards, the baseline downwards.",
    )  # fmt: skip
    key = mine if other is None else mine - other
    sizes = columns.truth.sizes
    worst = np.lexsort((np.arange(mine.size), key))[:SHOWN].tolist()
    return Queries(
        asked.title,
        picture,
        list(zip(edges[:-1].tolist(), edges[1:].tolist(), up.tolist(), down.tolist(), strict=True)),
        [(ids[q], float(mine[q]), None if other is None else float(other[q]), int(sizes[q]))
         for q in worst],
    )  # fmt: skip


def class_errors(ids: list[str], names: list[str], truth: Any, score: Any) -> list[Error]:
    """Rows that were called another class with the highest score; the first in order of ids."""
    if score.ndim != 2:
        return []
    held = np.where(np.isfinite(score), score, -np.inf)
    called = held.argmax(axis=1)
    wrong = np.flatnonzero(called != truth)
    sure = held[wrong, called[wrong]]
    chosen = wrong[np.lexsort((wrong, -sure))[:SHOWN]].tolist()
    return [
        Error(ids[r], names[truth[r]], names[called[r]], float(held[r, called[r]])) for r in chosen
    ]


def number_errors(ids: list[str], truth: Floats, point: Floats) -> list[Error]:
    """Rows with the greatest errors; the first in order of ids."""
    error = point - truth
    chosen = np.lexsort((np.arange(error.size), -abs(error)))[:SHOWN].tolist()
    return [Error(ids[r], float(truth[r]), float(point[r]), float(error[r])) for r in chosen]


def _by_query(columns: Columns, name: str, model: str) -> Floats | None:
    """A mean's value for each query, from its influence; None for a metric that is no mean."""
    asked = get_metric(name, "ranking")
    found = measure(asked, columns.truth, columns.scores[model])
    if not isinstance(found, Influence):
        return None
    values = np.clip(found.value + found.influence, 0.0, None)
    return values if np.isclose(values.mean(), found.value, atol=1e-9) else None


def _density(x: Floats, y: Floats) -> str:
    """Squares, the darker the more rows are in them."""
    counts, _, _ = np.histogram2d(x, y, bins=CELLS, range=[[0, 100], [0, 100]])
    most = float(counts.max()) or 1.0
    size = 100 / CELLS
    parts = []
    for across, up in np.argwhere(counts > 0).tolist():
        shade = 0.08 + 0.92 * float(np.sqrt(counts[across, up] / most))
        parts.append(
            f'<rect class="heat" x="{across * size:.2f}%" y="{100 - (up + 1) * size:.2f}%" '
            f'width="{size:.2f}%" height="{size:.2f}%" fill-opacity="{shade:.2f}"/>'
        )
    return "".join(parts)


def _within(picture: Markup, inner: str) -> Markup:
    """A picture with more drawn on top, before its end."""
    return Markup(str(picture).removesuffix("</svg>") + inner + "</svg>")
