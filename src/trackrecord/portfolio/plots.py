"""Lines in a frame, and histograms of two classes, as inline SVG.

Like the other pictures: positions in percent, colours by class, no outside text.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from trackrecord.portfolio.pictures import Axis, axis_between

SHARE = Axis(0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), 1)


class Line(msgspec.Struct, frozen=True):
    """Points of a line, and its tone: ``candidate``, ``baseline``, ``everyone``."""

    tone: str
    x: Sequence[float]
    y: Sequence[float]


class Band(msgspec.Struct, frozen=True):
    """Lower and upper ends along a line."""

    x: Sequence[float]
    lo: Sequence[float]
    hi: Sequence[float]


def spanning(low: float, high: float, *, most_ticks: int = 8) -> Axis:
    """A scale from exactly ``low`` to ``high`` with ticks at round numbers within."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return axis_between(low, high, most_ticks)


def plot(
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    *,
    label: str,
    band: Band | None = None,
    diagonal: bool = False,
    level: float | None = None,
    shape: str = "",
    marks: Sequence[tuple[float, float]] = (),
    powers: bool = False,
) -> Markup:
    """Lines in a frame; ``diagonal`` for what chance gives, ``level`` for a line across.

    ``shape`` is a class that sets the frame's proportions; ``marks`` are points on the candidate;
    ``powers`` says that x is a power of ten.
    """
    parts = [_frame(x, y, powers=powers)]
    if diagonal:
        parts.append('<line class="diagonal" x1="0" y1="100%" x2="100%" y2="0"/>')
    if level is not None and y.low <= level <= y.high:
        at = 100 - y.at(level)
        parts.append(f'<line class="diagonal" x1="0" x2="100%" y1="{at:.2f}%" y2="{at:.2f}%"/>')
    shapes = []
    if band is not None and len(band.x) > 1:
        upper = [_point(x, y, *p) for p in zip(band.x, band.hi, strict=True)]
        lower = [_point(x, y, *p) for p in zip(band.x, band.lo, strict=True)]
        shapes.append(f'<polygon class="band" points="{" ".join(upper + lower[::-1])}"/>')
    for line in lines:
        points = " ".join(_point(x, y, *p) for p in zip(line.x, line.y, strict=True))
        shapes.append(f'<polyline class="{line.tone}" points="{points}"/>')
    parts.append(
        '<svg class="shapes clipped" viewBox="0 0 1000 1000" preserveAspectRatio="none" '
        f'width="100%" height="100%">{"".join(shapes)}</svg>'
    )
    for at, value in marks:
        parts.append(
            f'<circle class="dot candidate" cx="{x.at(at):.2f}%" '
            f'cy="{100 - y.at(value):.2f}%" r="4"/>'
        )
    return _picture("".join(parts), label, shape)


def histogram(
    edges: Sequence[float], up: Sequence[float], down: Sequence[float], *, label: str
) -> Markup:
    """Bars of one class upwards and of the other downwards, on one scale of scores."""
    most = max([*up, *down, 1e-9])
    x = spanning(edges[0], edges[-1])
    y = spanning(-1.08 * most, 1.08 * most, most_ticks=6)
    parts = [_frame(x, y, absolute=True)]
    zero = 100 - y.at(0.0)
    for low, high, rises, falls in zip(edges, edges[1:], up, down, strict=False):
        left, width = x.at(low), x.at(high) - x.at(low)
        for share, tone, top in ((rises, "positive", y.at(rises)), (falls, "negative", None)):
            if share <= 0:
                continue
            at = zero if top is None else 100 - top
            height = abs(y.at(share) - y.at(0.0))
            parts.append(
                f'<rect class="{tone}" x="{left + 0.06 * width:.2f}%" y="{at:.2f}%" '
                f'width="{0.88 * width:.2f}%" height="{height:.2f}%"/>'
            )
    parts.append(f'<line class="tick" x1="0" x2="100%" y1="{zero:.2f}%" y2="{zero:.2f}%"/>')
    return _picture("".join(parts), label, "low")


def _frame(x: Axis, y: Axis, *, absolute: bool = False, powers: bool = False) -> str:
    """Grid lines and the numbers beside them."""
    parts = []
    for tick in x.ticks:
        at = x.at(tick)
        shown = f"{10**tick:,.0f}" if powers else _label(tick, x.decimals)
        parts.append(
            f'<line class="grid" y1="0" y2="100%" x1="{at:.2f}%" x2="{at:.2f}%"/>'
            f'<text x="{at:.2f}%" y="100%" dy="18" text-anchor="middle">'
            f"{shown}</text>"
        )
    for tick in y.ticks:
        at = 100 - y.at(tick)
        value = abs(tick) if absolute else tick
        parts.append(
            f'<line class="grid" x1="0" x2="100%" y1="{at:.2f}%" y2="{at:.2f}%"/>'
            f'<text x="0" dx="-8" y="{at:.2f}%" dy="4" text-anchor="end">'
            f"{_label(value, y.decimals)}</text>"
        )
    return "".join(parts)


def _picture(inside: str, label: str, shape: str) -> Markup:
    return Markup('<svg class="curve {}" role="img" aria-label="{}">{}</svg>').format(
        shape, label, Markup(inside)
    )


def _label(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.replace("-", "")


def _point(x: Axis, y: Axis, at: float, value: float) -> str:
    across = min(max(10 * x.at(at), 0.0), 1000.0)
    down = min(max(1000 - 10 * y.at(value), -50.0), 1050.0)
    return f"{across:.1f},{down:.1f}"
