"""The page of a model that is served: one file, readable without a script or a network."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence

import msgspec
from markupsafe import Markup, escape

from trackrecord.portfolio.pictures import Axis, axis_between
from trackrecord.portfolio.rendering import environment, style_of
from trackrecord.portfolio.results import metric_title
from trackrecord.serving.monitoring.result import WATCHES, Monitoring, Watch, Window
from trackrecord.stats.estimate import Absence, Estimate

TITLES: dict[Watch, str] = {
    "features": "Features",
    "answers": "Answers",
    "expected": "Expected performance",
    "realised": "Realised performance",
}
SAID: dict[Watch, str] = {
    "features": "whether rows still look like those the model met before",
    "answers": "whether its probabilities are spread as they were",
    "expected": "how good it should be on these rows, before truth is known",
    "realised": "how good it was, where truth has come",
}
MOST_DATES = 7


class State(msgspec.Struct, frozen=True):
    """One watch as the page's head shows it."""

    title: str
    says: str
    alarms: int
    first: str | None
    now: bool


class Row(msgspec.Struct, frozen=True):
    """One feature's distances over the windows: the picture of it, and its worst."""

    name: str
    cells: Markup
    worst: float
    measure: str


def render_monitoring(found: Monitoring) -> str:
    """The page as HTML."""
    made = environment()
    # Windows of less than a day need their hour, too.
    shown = _date if found.window.endswith(("day", "days", "week", "weeks")) else _moment
    made.filters["date"] = shown
    made.filters["figure"] = lambda value: f"{value:.3f}".replace("-", "−")
    made.filters["seconds"] = lambda value: f"{1000 * value:,.1f}"
    made.filters["whole"] = lambda value: f"{value:,}"
    made.filters["estimate"] = _estimate
    windows = found.windows
    return made.get_template("monitoring/monitoring.html").render(
        **style_of("page.css", "monitoring/monitoring.css"),
        found=found,
        states=[_state(found, watch, shown) for watch in WATCHES],
        titles=TITLES,
        title_of=lambda name: (
            (metric_title(name) or name)[:1].upper() + (metric_title(name) or name)[1:]
        ),
        charts={name: performance(found, name) for name in found.metrics},
        rates=rates(found),
        speed=speed(windows),
        rows=distances(found),
        dates=_dates(windows, shown),
        labelled=sum(window.labelled for window in windows),
        alarming=[window for window in windows if window.alarms],
        worst=_worst_signals,
    )


def performance(found: Monitoring, name: str) -> Markup:
    """A metric over the windows: the band is what was expected, dots are what came true."""
    windows = found.windows
    before = found.reference[name]
    numbers: list[float] = []
    for window in windows:
        for one in (window.expected.get(name), window.realised.get(name)):
            if isinstance(one, Estimate):
                numbers += [one.lo, one.hi]
    if isinstance(before, Estimate):
        numbers.append(before.value)
    if not numbers:
        return Markup('<p class="absent">No window has this metric.</p>')
    y = _axis(min(numbers), max(numbers))
    x = _across(windows)
    parts = [_grid(y)]
    band_up, band_down, middle = [], [], []
    for at, window in zip(x, windows, strict=True):
        one = window.expected.get(name)
        if isinstance(one, Estimate):
            band_up.append(_point(y, at, one.hi))
            band_down.append(_point(y, at, one.lo))
            middle.append(_point(y, at, one.value))
    parts.append(
        '<svg class="shapes" viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" '
        f'height="100%"><polygon class="band" points="{" ".join(band_up + band_down[::-1])}"/>'
        f'<polyline class="expected" points="{" ".join(middle)}"/></svg>'
    )
    if isinstance(before, Estimate):
        level = 100 - y.at(before.value)
        parts.append(
            f'<line class="reference" x1="0" x2="100%" y1="{level:.2f}%" y2="{level:.2f}%"/>'
        )
    for at, window in zip(x, windows, strict=True):
        one = window.realised.get(name)
        if isinstance(one, Estimate):
            tone = "alarm" if "realised" in window.alarms else "true"
            parts.append(_interval(y, at, one, tone, _moment(window.start)))
    label = f"{metric_title(name) or name} over {len(windows)} windows, expected and realised"
    return _picture(parts, label)


def rates(found: Monitoring) -> Markup:
    """The mean probability and the share of positives, window by window."""
    windows = found.windows
    y = _axis(
        0.0,
        max(
            [w.mean_probability for w in windows if not math.isnan(w.mean_probability)]
            + [w.positives for w in windows if w.positives is not None]
            + [found.reference_rate, 0.05]
        ),
    )
    x = _across(windows)
    said = " ".join(
        _point(y, at, w.mean_probability)
        for at, w in zip(x, windows, strict=True)
        if not math.isnan(w.mean_probability)
    )
    level = 100 - y.at(found.reference_rate)
    parts = [
        _grid(y),
        '<svg class="shapes" viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" '
        f'height="100%"><polyline class="expected" points="{said}"/></svg>',
        f'<line class="reference" x1="0" x2="100%" y1="{level:.2f}%" y2="{level:.2f}%"/>',
    ]
    for at, window in zip(x, windows, strict=True):
        if window.positives is not None:
            parts.append(
                f'<circle class="true" cx="{at:.2f}%" cy="{100 - y.at(window.positives):.2f}%" '
                'r="4"/>'
            )
    return _picture(parts, "predicted and realised rates over the windows")


def speed(windows: Sequence[Window]) -> Markup:
    """Median and 99th percentile of the time to answer, in milliseconds."""
    most = max([1000 * w.speed.p99 for w in windows] + [0.1])
    y = _axis(0.0, most)
    x = _across(windows)
    lines = []
    for tone, values in (
        ("expected", [1000 * w.speed.median for w in windows]),
        ("slow", [1000 * w.speed.p99 for w in windows]),
    ):
        points = " ".join(_point(y, at, value) for at, value in zip(x, values, strict=True))
        lines.append(f'<polyline class="{tone}" points="{points}"/>')
    parts = [
        _grid(y),
        '<svg class="shapes" viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" '
        f'height="100%">{"".join(lines)}</svg>',
    ]
    return _picture(parts, "milliseconds from request to answer")


def distances(found: Monitoring) -> list[Row]:
    """A row of cells for each watched column, the furthest first: darker is further."""
    windows = found.windows
    seen: dict[str, dict[int, tuple[float, str, str]]] = {}
    for place, window in enumerate(windows):
        for signal in window.signals:
            if signal.watch not in ("features", "answers"):
                continue
            name = signal.name if signal.measure != "share missing" else f"{signal.name}: missing"
            seen.setdefault(name, {})[place] = (signal.effect, signal.measure, signal.severity)
    rows = []
    for name, cells in seen.items():
        width = 100 / len(windows)
        parts = []
        for place, (effect, measure, severity) in sorted(cells.items()):
            tip = f"{_moment(windows[place].start)}: {measure} {effect:.2f}, {severity}"
            parts.append(
                f'<rect class="{severity}" x="{place * width:.3f}%" y="0" '
                f'width="{width * 0.94:.3f}%" height="100%"><title>{escape(tip)}</title></rect>'
            )
        worst = max(cell[0] for cell in cells.values())
        label = f"{name}: at most {worst:.2f}"
        picture = Markup(
            f'<svg class="strip" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
        )
        rows.append(Row(name, picture, worst, next(iter(cells.values()))[1]))
    return sorted(rows, key=lambda row: (-row.worst, row.name))


Shown = Callable[[datetime.datetime], str]


def _state(found: Monitoring, watch: Watch, shown: Shown) -> State:
    alarms = [window for window in found.windows if watch in window.alarms]
    now = bool(found.windows) and watch in found.windows[-1].alarms
    first = shown(alarms[0].start) if alarms else None
    return State(TITLES[watch], SAID[watch], len(alarms), first, now)


def _worst_signals(window: Window) -> list[str]:
    """What made a window alarm, in words, the surest first."""
    told: list[str] = []
    for signal in sorted(window.signals, key=lambda one: (one.p, -one.effect)):
        if signal.watch in window.alarms and signal.p < 0.05 and len(told) < 3:
            if signal.watch in ("expected", "realised"):
                kind = "" if signal.watch == "realised" else "expected "
                title = (metric_title(signal.name) or signal.name).lower()
                told.append(f"{kind}{title} worse by {signal.effect:.3f}")
            else:
                told.append(f"{signal.name}, {signal.measure} {signal.effect:.2f}")
    return told


def _across(windows: Sequence[Window]) -> list[float]:
    """Where each window is, in percent: its cell's middle, as in the strips."""
    return [100 * (place + 0.5) / len(windows) for place in range(len(windows))]


def _dates(windows: Sequence[Window], shown: Shown) -> list[tuple[float, str]]:
    """A few windows' dates, and where they go."""
    step = max(1, math.ceil(len(windows) / MOST_DATES))
    places = _across(windows)
    return [(places[at], shown(windows[at].start)) for at in range(0, len(windows), step)]


def _date(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _moment(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")


def _estimate(found: Estimate | Absence | None) -> Markup:
    if found is None:
        return Markup('<span class="absent">no truth yet</span>')
    if isinstance(found, Absence):
        return Markup('<span class="absent" title="{}">–</span>').format(found.reason)
    text = f"{found.value:.3f} [{found.lo:.3f}, {found.hi:.3f}]".replace("-", "−")
    return Markup("{}").format(text)


def _interval(y: Axis, at: float, one: Estimate, tone: str, date: str) -> str:
    low, high, middle = (100 - y.at(value) for value in (one.lo, one.hi, one.value))
    tip = f"{date}: {one.value:.3f} [{one.lo:.3f}, {one.hi:.3f}]"
    return (
        f'<g class="{tone}"><title>{escape(tip)}</title>'
        f'<line x1="{at:.2f}%" x2="{at:.2f}%" y1="{low:.2f}%" y2="{high:.2f}%"/>'
        f'<circle cx="{at:.2f}%" cy="{middle:.2f}%" r="4"/></g>'
    )


def _axis(low: float, high: float) -> Axis:
    """A scale with some air above, so that the topmost number is not cut."""
    return axis_between(low, high + 0.06 * (high - low or 1.0), 6)


def _grid(y: Axis) -> str:
    parts = []
    for tick in y.ticks:
        at = 100 - y.at(tick)
        text = f"{tick:.{y.decimals}f}".replace("-", "−")
        parts.append(
            f'<line class="grid" x1="0" x2="100%" y1="{at:.2f}%" y2="{at:.2f}%"/>'
            f'<text x="0" dx="-8" y="{at:.2f}%" dy="4" text-anchor="end">{text}</text>'
        )
    return "".join(parts)


def _point(y: Axis, at: float, value: float) -> str:
    return f"{10 * at:.1f},{1000 - 10 * y.at(value):.1f}"


def _picture(parts: Sequence[str], label: str) -> Markup:
    return Markup(
        f'<svg class="over-time" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
