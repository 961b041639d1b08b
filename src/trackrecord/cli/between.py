"""Tables of what lies between slices, and of which of two forecasts is better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cli.measured import interval, say_wrapped, short, slice_name
from trackrecord.cli.printing import table
from trackrecord.portfolio.pointers import shown as pointed

if TYPE_CHECKING:
    from trackrecord.evaluation.forecast_test import ForecastTest
    from trackrecord.evaluation.plan import Plan
    from trackrecord.evaluation.result import Evaluation

WIDEST = 12
NAMED = 6
MOST = 16


def tell_gaps(result: Evaluation, plan: Plan) -> None:
    """How far apart the slices of each text are, in each metric; then which are truly worse."""
    rows = []
    for gap in result.gaps:
        times = "–"
        if gap.ratio is not None and gap.ratio_lo is not None and gap.ratio_hi is not None:
            times = interval(gap.ratio, gap.ratio_lo, gap.ratio_hi)
        apart = interval(gap.value, gap.lo, gap.hi, task=plan.task)
        pair = f"{short(gap.least, WIDEST)} to {short(gap.most, WIDEST)}"
        rows.append([short(f"{gap.slice}: {gap.metric}", 30), pair, apart, times])
    if rows:
        header = ["between slices", "least to most", "gap", "least / most"]
        table(header, rows[:MOST], right={2, 3})
        if len(rows) > MOST:
            say_wrapped(f"  … and {len(rows) - MOST} more: --json has them all")
        say_wrapped(f"  a gap's bounds hold for all pairs of its slices at {100 * plan.level:g} %")
    named = [(part, found) for part in result.slices for found in part.worse]
    for metric in plan.metrics:
        mine = sorted((f.p, slice_name(p)) for p, f in named if f.metric == metric)
        if not mine:
            continue
        said = ", ".join(f"{name} (p {_chance(p)})" for p, name in mine[:NAMED])
        more = f" and {len(mine) - NAMED} more" if len(mine) > NAMED else ""
        say_wrapped(f"  ! worse than all rows in {metric}: {said}{more}")
    if named:
        wrong = 100 * (1 - plan.level)
        say_wrapped(f"    the chance that any of these is named wrongly is {wrong:.2g} %, a metric")


def tell_forecast_tests(tests: list[ForecastTest]) -> None:
    """Diebold and Mariano's test, a line a baseline."""
    for found in tests:
        said = f"  {found.model} − {found.baseline}, {found.loss} error {found.horizon} ahead: "
        if found.test is None:
            say_wrapped(f"{said}no test, {found.reason}")
            continue
        test = found.test
        bounds = interval(test.difference, test.lo, test.hi, signed=True, task="regression")
        say_wrapped(
            f"{said}{bounds}, p {_chance(test.p)} over {test.periods:,} times (Diebold–Mariano)"
        )


def _chance(p: float) -> str:
    return "< 0.001" if p < 0.001 else pointed(p, "number")
