"""How much data decides a criterion, as one page with its curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trackrecord.cases.criteria import parse_requirement
from trackrecord.portfolio import plots
from trackrecord.portfolio.pictures import Axis
from trackrecord.portfolio.rendering import style_of
from trackrecord.portfolio.report import environment
from trackrecord.stats.power import DECIDED, chance_of
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.evaluation.power import Power

POINTS = 80


def render_power(found: Power) -> str:
    """The page as HTML; readable without a script."""
    asked = parse_requirement(found.criterion)
    low, high = math.log10(found.curve[0].units), math.log10(found.curve[-1].units)
    x = [low + (high - low) * step / POINTS for step in range(POINTS + 1)]
    y = [
        chance_of(
            found.effect, found.spread / 10 ** (at / 2), asked.low, asked.high, level=found.level
        )
        for at in x
    ]
    powers = range(math.floor(low), math.ceil(high) + 1)
    marked = [power + math.log10(step) for power in powers for step in (1, 2, 5)]
    ticks = tuple(tick for tick in marked if low - 1e-9 <= tick <= high + 1e-9)
    marks = [(math.log10(found.needed), DECIDED)] if found.needed else []
    picture = plots.plot(
        [plots.Line("candidate", x, y)],
        Axis(low, max(high, low + 1e-9), ticks, 0),
        plots.SHARE,
        label=f"The chance of a decision over the number of {found.unit}.",
        level=DECIDED,
        shape="wide",
        marks=marks,
        powers=True,
    )
    return (
        environment()
        .get_template("report/power.html")
        .render(
            **style_of("page.css", "report/report.css"),
            found=found,
            picture=picture,
            tool=__version__,
        )
    )
