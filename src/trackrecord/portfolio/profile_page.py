"""The page of a table's profile: one file, readable without a script or a network.

Same table, same bytes. It shows values of the data, so it is for whoever has the data.
"""

from __future__ import annotations

from markupsafe import Markup, escape

from trackrecord.data.finding import percent
from trackrecord.data.profile.result import Column, Frequent, Histogram, Profile
from trackrecord.portfolio.pointers import upright
from trackrecord.portfolio.rendering import environment, style_of

# A page of five thousand columns is no page: beyond so many only those with a doubt are drawn.
MOST_DRAWN = 300


def render_profile(found: Profile, *, tool: str) -> str:
    """The page as HTML; ``tool`` is the version that wrote it."""
    made = environment()
    made.filters["share"] = percent
    made.filters["whole"] = lambda value: f"{value:,}"
    made.filters["figure"] = figure
    made.filters["upright"] = upright
    drawn = found.columns
    if len(drawn) > MOST_DRAWN:
        drawn = [column for column in found.columns if column.suspicions][:MOST_DRAWN]
    return made.get_template("profile/profile.html").render(
        **style_of("page.css", "profile/profile.css"),
        found=found,
        tool=tool,
        drawn=drawn,
        cells=found.rows * len(found.columns),
        missing=sum(column.missing for column in found.columns),
        doubts=sum(len(column.suspicions) for column in found.columns),
        bars={column.name: bars(column.histogram) for column in found.columns if column.histogram},
        frequent=_frequent,
        spread=_spread,
    )


def figure(value: float | None) -> str:
    """A number with five digits at most, its minus a minus."""
    return "–" if value is None else f"{value:,.5g}".replace("-", "−")


def bars(shape: Histogram) -> Markup:
    """A histogram as SVG: positions in percent, colours by class, no outside text."""
    most = max([*shape.counts, 1])
    width = 100 / len(shape.counts)
    parts = []
    for number, count in enumerate(shape.counts):
        if count == 0:
            continue
        # What is there at all can be seen.
        height = max(100 * count / most, 1.5)
        parts.append(
            f'<rect class="positive" x="{number * width + 0.06 * width:.2f}%" '
            f'y="{100 - height:.2f}%" width="{0.88 * width:.2f}%" height="{height:.2f}%"/>'
        )
    parts.append('<line class="tick" x1="0" x2="100%" y1="100%" y2="100%"/>')
    label = f"{len(shape.counts)} bars from {shape.low} to {shape.high}, at most {most:,} rows each"
    return Markup(
        f'<svg class="bars" role="img" aria-label="{escape(upright(label))}">{"".join(parts)}</svg>'
    )


def _frequent(one: Frequent, column: Column, rows: int) -> Markup:
    """A bar as long as the value's share of the values that are there."""
    present = max(1, rows - column.missing)
    share = min(1.0, one.rows * column.sampled / present)
    return Markup(
        '<svg class="share" aria-hidden="true"><rect class="positive" x="0" y="0" '
        f'width="{100 * share:.2f}%" height="100%"/></svg>'
    )


def _spread(column: Column) -> list[tuple[str, str]]:
    """Order statistics with their names, least to greatest."""
    if column.minimum is None or column.maximum is None:
        return []
    names = {0.25: "quarter", 0.5: "median", 0.75: "three quarters"}
    inner = [
        (names.get(one.level, f"{100 * one.level:g} %"), one.value)
        for one in column.quantiles
        if one.level in (0.05, 0.25, 0.5, 0.75, 0.95)
    ]
    return [("least", column.minimum), *inner, ("greatest", column.maximum)]
