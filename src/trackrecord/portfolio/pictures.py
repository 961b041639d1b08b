"""Pictures from evidence, as inline SVG: the same numbers give the same bytes.

Positions are percentages, sizes of text and strokes are pixels: a picture fits a phone and a wide
page without its text growing or shrinking. Colours are classes that the page's style sheet maps to
CSS variables, so one picture serves light and dark. No outside text enters a picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from markupsafe import Markup


class Axis(msgspec.Struct, frozen=True):
    """A scale from ``low`` to ``high`` with ticks at round numbers."""

    low: float
    high: float
    ticks: tuple[float, ...]
    decimals: int

    def at(self, value: float) -> float:
        """Position of a value in percent of the width, not clipped."""
        return 100 * (value - self.low) / (self.high - self.low)


class Interval(msgspec.Struct, frozen=True):
    """What a row draws."""

    value: float
    lo: float
    hi: float


def axis_for(
    intervals: Sequence[Interval], *, include: Sequence[float] = (), most_ticks: int = 4
) -> Axis:
    """A scale that shows every value and all but the widest intervals.

    Intervals of tiny groups can be twenty times as wide as the others; bounds further than four
    median half-widths from the outermost value are cut off (and drawn with an arrow).
    """
    widths = sorted((i.hi - i.lo) / 2 for i in intervals)
    reach = 4 * widths[len(widths) // 2] if widths else 0.0
    values = [i.value for i in intervals] + list(include)
    if not values:
        return axis_between(0.0, 1.0, most_ticks)
    low, high = min(values), max(values)
    low = min([low, *(max(i.lo, low - reach) for i in intervals)])
    high = max([high, *(min(i.hi, high + reach) for i in intervals)])
    room = 0.06 * (high - low) or 0.05 * max(abs(high), 1e-3)
    return axis_between(low - room, high + room, most_ticks)


def axis_between(low: float, high: float, most_ticks: int) -> Axis:
    """A scale with exactly these ends, and at least two ticks."""
    step = _round_step((high - low) / most_ticks)
    first, last = _whole_steps(low, high, step)
    if last - first < 1:  # one tick gives no scale
        step = _round_step((high - low) / (2 * most_ticks))
        first, last = _whole_steps(low, high, step)
    ticks = tuple(round(step * k, 10) for k in range(first, last + 1))
    return Axis(low, high, ticks, max(0, -math.floor(math.log10(step) + 1e-9)))


def _whole_steps(low: float, high: float, step: float) -> tuple[int, int]:
    return math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 × a power of ten that is at least ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def interval_row(
    axis: Axis,
    interval: Interval | None,
    *,
    tone: str,
    reference: float | None = None,
    band: tuple[float, float] | None = None,
) -> Markup:
    """One row of a forest plot: a dot with its interval, and a line where the reference is.

    ``band`` is a wider interval, drawn as a thin line. What goes on beyond the scale ends in an
    arrow; a value that lies there has no dot. ``tone`` is a class: ``candidate``, ``baseline``,
    ``good``, ``bad`` or ``unsure``.
    """
    parts = [_grid(axis, reference)]
    if interval is not None:
        lo, hi, at = (axis.at(v) for v in (interval.lo, interval.hi, interval.value))
        if band is not None:
            parts.append(_reach(axis, band, tone))
            lo, hi = min(lo, axis.at(band[0])), max(hi, axis.at(band[1]))
        left, right = (min(max(axis.at(v), 0.0), 100.0) for v in (interval.lo, interval.hi))
        parts.append(
            f'<line class="span {tone}" x1="{left:.2f}%" x2="{right:.2f}%" y1="50%" y2="50%"/>'
        )
        if lo < 0:
            parts.append(f'<svg x="0" y="50%"><path class="{tone}" d="M7-4L0 0L7 4"/></svg>')
        if hi > 100:
            parts.append(f'<svg x="100%" y="50%"><path class="{tone}" d="M-7-4L0 0L-7 4"/></svg>')
        if 0 <= at <= 100:
            parts.append(f'<circle class="dot {tone}" cx="{at:.2f}%" cy="50%" r="4"/>')
    return _row("".join(parts))


def _reach(axis: Axis, band: tuple[float, float], tone: str) -> str:
    """A thin line with a stroke across each end that lies on the scale."""
    ends = [axis.at(v) for v in band]
    left, right = (min(max(end, 0.0), 100.0) for end in ends)
    parts = [f'<line class="reach {tone}" x1="{left:.2f}%" x2="{right:.2f}%" y1="50%" y2="50%"/>']
    parts += [
        f'<svg x="{end:.2f}%" y="50%"><path class="reach {tone}" d="M0-4L0 4"/></svg>'
        for end in ends
        if 0 <= end <= 100
    ]
    return "".join(parts)


def chance_row(chance: float, wanted: float) -> Markup:
    """A chance as the length of a bar from 0 to 1, and a line where one would want it to be."""
    tone = "good" if chance >= wanted else "unsure"
    at, aim = 100 * chance, 100 * wanted
    return _row(
        '<line class="grid" x1="0" x2="100%" y1="50%" y2="50%"/>'
        f'<line class="chance {tone}" x1="0" x2="{at:.2f}%" y1="50%" y2="50%"/>'
        f'<line class="reference" x1="{aim:.2f}%" x2="{aim:.2f}%" y1="15%" y2="85%"/>'
    )


def gap_row(axis: Axis, predicted: float, rate: float) -> Markup:
    """A hollow mark for what was predicted, below it a full one for what came true.

    One above the other, so that neither hides the other where a prediction came true.
    """
    a, b = axis.at(predicted), axis.at(rate)
    return _row(
        _grid(axis, None)
        + f'<line class="gap" x1="{a:.2f}%" x2="{b:.2f}%" y1="30%" y2="70%"/>'
        + f'<circle class="dot hollow" cx="{a:.2f}%" cy="30%" r="4"/>'
        + f'<circle class="dot truth" cx="{b:.2f}%" cy="70%" r="4.5"/>'
    )


def axis_of_rates(rates: Sequence[float]) -> Axis:
    """A scale for rates that differ little, at least five percentage points wide.

    Marks stand for values by their place and not by their length, so zero need not be on it; but
    a gap of a tenth of a point must not fill the picture.
    """
    middle = (min(rates) + max(rates)) / 2
    half = max(0.6 * (max(rates) - min(rates)), 0.025)
    return axis_between(middle - half, middle + half, 4)


def axis_row(axis: Axis, *, percent: bool = False) -> Markup:
    """The scale below the rows of a forest plot.

    Of more than three ticks every second is ``minor``: its label is hidden where there is no room.
    """
    parts = []
    for tick in axis.ticks:
        x = axis.at(tick)
        text = _percent(tick) if percent else _label(tick, axis.decimals)
        minor = ' class="minor"' if _is_minor(axis, tick) else ""
        parts.append(
            f'<line class="tick" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="5"/>'
            f'<text{minor} x="{x:.2f}%" y="17" text-anchor="middle">{text}</text>'
        )
    return Markup(
        '<svg class="scale" aria-hidden="true" focusable="false">' + "".join(parts) + "</svg>"
    )


def _is_minor(axis: Axis, tick: float) -> bool:
    if len(axis.ticks) <= 3:
        return False
    step = axis.ticks[1] - axis.ticks[0]
    return round(tick / step) % 2 == 1


def _grid(axis: Axis, reference: float | None) -> str:
    lines = [
        f'<line class="grid" x1="{axis.at(t):.2f}%" x2="{axis.at(t):.2f}%" y1="0" y2="100%"/>'
        for t in axis.ticks
    ]
    if reference is not None and axis.low <= reference <= axis.high:
        x = axis.at(reference)
        lines.append(f'<line class="reference" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="100%"/>')
    return "".join(lines)


def _row(inside: str) -> Markup:
    return Markup(f'<svg class="lane" aria-hidden="true" focusable="false">{inside}</svg>')


def _label(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.replace("-", "")


class Bin(msgspec.Struct, frozen=True):
    """A bin of a reliability curve: mean prediction, rate that came true, its interval."""

    predicted: float
    rate: float
    lo: float
    hi: float


def calibration(candidate: Sequence[Bin], baseline: Sequence[Bin], *, label: str) -> Markup:
    """The reliability curve with its band, the baseline's curve, and the diagonal of honesty.

    Both axes have the same scale, so the diagonal is where predictions come true.
    """
    highest = max((max(b.predicted, b.hi) for b in [*candidate, *baseline]), default=1.0)
    step = _round_step(max(highest, 1e-3) / 5)
    top = min(1.0, step * math.ceil(highest / step - 1e-9))
    axis = axis_between(0.0, top, 5)
    parts = []
    for tick in axis.ticks:
        at = axis.at(tick)
        text = _percent(tick)
        parts.append(
            f'<line class="grid" x1="0" x2="100%" y1="{100 - at:.2f}%" y2="{100 - at:.2f}%"/>'
            f'<line class="grid" y1="0" y2="100%" x1="{at:.2f}%" x2="{at:.2f}%"/>'
            f'<text x="{at:.2f}%" y="100%" dy="18" text-anchor="middle">{text}</text>'
        )
        if tick > 0:
            parts.append(
                f'<text x="0" dx="-8" y="{100 - at:.2f}%" dy="4" text-anchor="end">{text}</text>'
            )
    parts.append('<line class="diagonal" x1="0" y1="100%" x2="100%" y2="0"/>')
    shapes = []
    if len(candidate) > 1:
        upper = [_point(axis, b.predicted, b.hi) for b in candidate]
        lower = [_point(axis, b.predicted, b.lo) for b in reversed(candidate)]
        shapes.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
    for bins, tone in ((baseline, "baseline"), (candidate, "candidate")):
        if len(bins) > 1:
            points = " ".join(_point(axis, b.predicted, b.rate) for b in bins)
            shapes.append(f'<polyline class="{tone}" points="{points}"/>')
    parts.append(
        '<svg class="shapes" viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" '
        f'height="100%">{"".join(shapes)}</svg>'
    )
    for bins, tone in ((baseline, "baseline"), (candidate, "candidate")):
        for b in bins:
            x, y = axis.at(b.predicted), 100 - axis.at(b.rate)
            if len(bins) == 1:
                low, high = 100 - axis.at(b.lo), 100 - axis.at(b.hi)
                parts.append(
                    f'<line class="span {tone}" x1="{x:.2f}%" x2="{x:.2f}%" '
                    f'y1="{low:.2f}%" y2="{high:.2f}%"/>'
                )
            parts.append(
                f'<circle class="dot {tone}" cx="{x:.2f}%" cy="{y:.2f}%" r="{_radius(tone)}"/>'
            )
    inside = "".join(parts)
    return Markup('<svg class="curve" role="img" aria-label="{}">{}</svg>').format(
        label, Markup(inside)
    )


def _radius(tone: str) -> str:
    return "4" if tone == "candidate" else "3"


def _point(axis: Axis, x: float, y: float) -> str:
    return f"{10 * axis.at(x):.1f},{1000 - 10 * axis.at(y):.1f}"


def _percent(value: float) -> str:
    return f"{100 * value:.3f}".rstrip("0").rstrip(".") + " %"
