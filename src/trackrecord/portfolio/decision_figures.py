"""The decision curve: what acting on a model is worth, at each threshold (Vickers & Elkin 2006)."""

from __future__ import annotations

import msgspec
from markupsafe import Markup

from trackrecord.portfolio import plots
from trackrecord.portfolio.citations import Cited


class DecisionRow(msgspec.Struct, frozen=True):
    """Net benefits at one threshold; the last two are None without a baseline."""

    candidate: Cited
    always: Cited
    reference: Cited | None
    gain: Cited | None


class DecisionFigure(msgspec.Struct, frozen=True):
    """The curves drawn, and their numbers. Without points there is a ``reason`` alone.

    ``gains`` draws the paired difference to the reference. ``banded`` says whether the candidate
    has bounds everywhere; where it has not, ``reason`` says why.
    """

    picture: Markup | None
    gains: Markup | None
    rows: list[DecisionRow]
    reference: Cited | None
    banded: bool
    reason: Cited | None


def decision(evaluation: Cited) -> DecisionFigure | None:
    """The candidate's curve, the reference's, and that of acting always; None where not asked."""
    result, plan = evaluation["result"], evaluation["plan"]
    if "decision" not in result or not len(result["decision"]):
        return None
    curves = {(curve["model"].raw, curve["minus"].raw): curve for curve in result["decision"]}
    name, against = plan["candidate"].raw, plan["reference"].raw
    candidate, always = curves[name, None], curves[None, None]
    reason = candidate["reason"] if candidate["reason"].raw is not None else None
    if not len(candidate["points"]):
        return DecisionFigure(None, None, [], None, False, reason)
    reference, gain = None, None
    if against is not None and len(curves[against, None]["points"]):
        reference, gain = curves[against, None], curves[name, against]
    rows = [
        DecisionRow(
            point,
            always["points"][index],
            None if reference is None else reference["points"][index],
            None if gain is None else gain["points"][index],
        )
        for index, point in enumerate(candidate["points"])
    ]
    return DecisionFigure(
        picture=_picture(candidate, reference, always),
        gains=None if gain is None else _gains(gain),
        rows=rows,
        reference=None if reference is None else reference["model"],
        banded=_bounded(candidate),
        reason=reason,
    )


def _picture(candidate: Cited, reference: Cited | None, always: Cited) -> Markup:
    x = _of(candidate, "threshold")
    lines = [plots.Line("nobody", x, [0.0] * len(x))]
    if reference is not None:
        lines.append(plots.Line("baseline", x, _of(reference, "value")))
    lines.append(plots.Line("candidate", x, _of(candidate, "value")))
    band = _band(candidate)
    # acting on all falls without end; it may leave the picture
    shown = [y for line in lines for y in line.y] + ([*band.lo, *band.hi] if band else [])
    everyone = plots.Line("everyone", x, _of(always, "value"))
    top = max(*shown, everyone.y[0], 1e-6)
    low = max(-top, min(*shown, -0.1 * top))
    return plots.plot(
        [everyone, *lines],
        plots.spanning(x[0], x[-1], most_ticks=5),
        plots.spanning(1.05 * low, 1.05 * top, most_ticks=6),
        band=band,
        label="Decision curve: net benefit over thresholds, beside acting always and never. "
        "The table below has the same numbers.",
        shape="wide",
    )


def _gains(gain: Cited) -> Markup:
    """The difference on a scale of its own: curves on the same rows move together."""
    x, y, band = _of(gain, "threshold"), _of(gain, "value"), _band(gain)
    shown = [*y, 0.0, *([*band.lo, *band.hi] if band else [])]
    room = 0.08 * (max(shown) - min(shown)) or 1e-6
    return plots.plot(
        [plots.Line("nobody", x, [0.0] * len(x)), plots.Line("candidate", x, y)],
        plots.spanning(x[0], x[-1], most_ticks=5),
        plots.spanning(min(shown) - room, max(shown) + room, most_ticks=4),
        band=band,
        label="The paired difference in net benefit over thresholds. "
        "The table below has the same numbers.",
        shape="low",
    )


def _band(curve: Cited) -> plots.Band | None:
    if not _bounded(curve):
        return None
    return plots.Band(_of(curve, "threshold"), _of(curve, "lo"), _of(curve, "hi"))


def _bounded(curve: Cited) -> bool:
    return all(point["lo"].raw is not None for point in curve["points"])


def _of(curve: Cited, key: str) -> list[float]:
    return [float(point[key].raw) for point in curve["points"]]
