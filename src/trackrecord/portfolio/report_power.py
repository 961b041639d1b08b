"""How much data decides a criterion, as one page with its curve."""

from __future__ import annotations

import base64
import hashlib
import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from trackrecord.cases.criteria import parse_requirement
from trackrecord.portfolio import report_pictures as drawn
from trackrecord.portfolio.pictures import Axis
from trackrecord.portfolio.report import TEMPLATES, environment
from trackrecord.stats.power import DECIDED, chance_of
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.evaluation.power import Power

POINTS = 80


def render_power(found: Power) -> str:
    """The page as HTML; readable without a script."""
    style = "\n".join(
        (TEMPLATES / part).read_text("utf-8") for part in ("page.css", "report/report.css")
    )
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
    picture = drawn.plot(
        [drawn.Line("candidate", x, y)],
        Axis(low, max(high, low + 1e-9), ticks, 0),
        drawn.SHARE,
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
            style=Markup(style),
            style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            found=found,
            picture=picture,
            tool=__version__,
        )
    )
