"""How much data decides a criterion, as one page with its curve."""

from __future__ import annotations

import base64
import hashlib
import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from trackrecord.portfolio import report_pictures as drawn
from trackrecord.portfolio.pictures import Axis
from trackrecord.portfolio.report import TEMPLATES, environment
from trackrecord.stats.power import DECIDED
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.evaluation.power import Power


def render_power(found: Power) -> str:
    """The page as HTML; readable without a script."""
    style = "\n".join(
        (TEMPLATES / part).read_text("utf-8") for part in ("page.css", "report/report.css")
    )
    x = [math.log10(point.units) for point in found.curve]
    y = [point.chance for point in found.curve]
    first, last = math.ceil(x[0] - 1e-9), math.floor(x[-1] + 1e-9)
    ticks = tuple(float(power) for power in range(first, last + 1))
    marks = [(math.log10(found.needed), DECIDED)] if found.needed else []
    picture = drawn.plot(
        [drawn.Line("candidate", x, y)],
        Axis(x[0], max(x[-1], x[0] + 1e-9), ticks, 0),
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
