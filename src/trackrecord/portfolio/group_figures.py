"""Groups against each other: how far apart slices are, and which are truly worse than all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from trackrecord.evaluation.text import decimals_for, in_decimals
from trackrecord.portfolio.pointers import shown
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    from trackrecord.evaluation.measured import Result
    from trackrecord.evaluation.result import SliceResult
    from trackrecord.stats.metrics import Task

# Slices that are named as worse in a metric; the rest is counted.
MOST_NAMED = 12


class GapRow(msgspec.Struct, frozen=True):
    """How far apart the slices of one text are in a metric; ``times`` is least over greatest."""

    metric: str
    least: str
    most: str
    apart: Markup
    times: Markup | None


class WorseIn(msgspec.Struct, frozen=True):
    """Slices that are truly worse than all rows in a metric, the surest first."""

    metric: str
    named: list[tuple[str, str]]
    more: int


class Groups(msgspec.Struct, frozen=True):
    """Gaps by the slice's text, what is worse, and the chance in percent that one is not."""

    gaps: dict[str, list[GapRow]]
    worse: list[WorseIn]
    wrong: str


def groups(found: Result) -> Groups | None:
    """What lies between the slices; None where no two of them were measured."""
    plan, result = found.plan, found.evaluation
    gaps: dict[str, list[GapRow]] = {}
    for gap in result.gaps:
        times = None
        if gap.ratio is not None and gap.ratio_lo is not None and gap.ratio_hi is not None:
            times = _interval(gap.ratio, gap.ratio_lo, gap.ratio_hi, "binary")
        gaps.setdefault(shown(gap.slice, "condition"), []).append(
            GapRow(
                get_metric(gap.metric, plan.task).title,
                shown(gap.least, "text"),
                shown(gap.most, "text"),
                _interval(gap.value, gap.lo, gap.hi, plan.task),
                times,
            )
        )
    named = [(part, one) for part in result.slices for one in part.worse]
    worse = []
    for metric in plan.metrics:
        mine = sorted((one.p, _name(part)) for part, one in named if one.metric == metric)
        if not mine:
            continue
        said = [(name, chance(p)) for p, name in mine[:MOST_NAMED]]
        title = get_metric(metric, plan.task).title
        worse.append(WorseIn(title, said, max(0, len(mine) - MOST_NAMED)))
    if not gaps and not worse:
        return None
    return Groups(gaps, worse, f"{100 * (1 - plan.level):.2g}")


def chance(p: float) -> str:
    """A p value with three decimals, or that it is below what those can say."""
    said = "p < 0.001" if p < 0.001 else f"p {p:.3f}"
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def _name(part: SliceResult) -> str:
    value = part.value if part.kind in ("value", "condition") else f"({part.value})"
    return f"{shown(part.slice, 'condition')}: {shown(value, 'text')}"


def _interval(value: float, lo: float, hi: float, task: Task) -> Markup:
    """Three decimals for a yes or no, as on all of its page; else as the interval knows."""
    places = 3 if task == "binary" else decimals_for(value, lo, hi)
    texts = [in_decimals(end, places, signed=False).replace("-", "−") for end in (value, lo, hi)]
    return Markup('<data>{}</data> <span class="bounds">[{}, {}]</span>').format(*texts)
