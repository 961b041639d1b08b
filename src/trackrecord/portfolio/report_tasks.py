"""The report of a file whose truth is no yes or no: one page, readable without a script.

Same file, same options, same bytes. It holds ids and predictions of single rows, so it is made for
whoever has the file, not for publishing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from trackrecord.evaluation.measuring import Columns, columns_of
from trackrecord.evaluation.outcomes import canonical_outcomes
from trackrecord.evaluation.tasks.multiclass import classes_of
from trackrecord.evaluation.text import decimals_for, in_decimals, plain_number
from trackrecord.portfolio import task_figures as figures
from trackrecord.portfolio import task_pictures as drawn
from trackrecord.portfolio.group_figures import groups
from trackrecord.portfolio.pointers import shown, upright
from trackrecord.portfolio.rendering import TEMPLATES, style_of
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    import polars as pl
    from jinja2 import Environment

    from trackrecord.evaluation.measured import Result
    from trackrecord.evaluation.plan import Plan
    from trackrecord.evaluation.result import Confusion, ConfusionCell

# Beyond so many classes a table of all is no picture any more.
MOST_CLASSES = 20


def render_task_report(found: Result, outcomes: pl.DataFrame, *, name: str, tool: str) -> str:
    """The report as HTML; ``name`` is what the file is called."""
    plan, table = found.plan, canonical_outcomes(outcomes)
    columns = columns_of(table, plan)
    own = {
        "multiclass": _classes,
        "multilabel": _labels,
        "regression": _numbers,
        "ranking": _rankings,
    }[plan.task](found, table, columns)
    nothing = dict.fromkeys(
        ("confusion", "curves", "errors", "scatter", "residuals", "queries"), None
    )
    return (
        environment(plan)
        .get_template("tasks/report.html")
        .render(
            **style_of("page.css", "report/report.css", "tasks/tasks.css"),
            name=name,
            tool=tool,
            found=found,
            plan=plan,
            result=found.evaluation,
            unit="queries" if plan.task == "ranking" else "rows",
            forests=figures.forests(found),
            gains=figures.gains(found),
            slices=figures.slices(found),
            groups=groups(found),
            model=plan.candidate,
            **nothing | own,
        )
    )


def environment(plan: Plan) -> Environment:
    """Jinja with escaping everywhere, and numbers with as many digits as their interval knows."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: upright(value) if type(value) is str else value,
    )
    made.filters["interval"] = interval
    made.filters["bounds"] = bounds
    made.filters["plain"] = plain
    made.filters["integer"] = lambda value: f"{value:,}"
    made.filters["condition"] = lambda value: shown(value, "condition")
    for form in ("percent", "level"):
        made.filters[form] = _form_of(form)
    made.filters["verdict"] = lambda verdict: _verdict(verdict, plan)
    return made


def interval(estimate: Any, signed: bool = False) -> Markup:
    """``48,214 [47,702, 48,725]``, the bounds in a span of their own."""
    places = decimals_for(estimate.value, estimate.lo, estimate.hi)
    value, lo, hi = (
        in_decimals(end, places, signed=signed).replace("-", "−")
        for end in (estimate.value, estimate.lo, estimate.hi)
    )
    return Markup('<data>{}</data> <span class="bounds">[{}, {}]</span>').format(value, lo, hi)


def bounds(band: Any, signed: bool = False) -> Markup:
    """``[47,702, 48,725]``."""
    places = decimals_for((band.lo + band.hi) / 2, band.lo, band.hi)
    lo, hi = (
        in_decimals(end, places, signed=signed).replace("-", "−") for end in (band.lo, band.hi)
    )
    return Markup('<span class="bounds">[{}, {}]</span>').format(lo, hi)


def plain(value: float, digits: int = 4) -> str:
    """A number with about so many digits, and a minus sign for the hyphen."""
    return plain_number(value, digits=digits).replace("-", "−")


def _form_of(form: str) -> Any:
    return lambda value: shown(value, form)


def _verdict(verdict: Any, plan: Plan) -> Markup:
    signed = verdict.baseline is not None
    signed = signed or get_metric(verdict.metric, plan.task).direction == "zero"
    return interval(verdict, signed)


def _classes(found: Result, table: pl.DataFrame, columns: Columns) -> dict[str, Any]:
    """Which classes are taken for which, each class's reliability, and the surest errors."""
    plan = found.plan
    names = classes_of(table, [*plan.baselines, *plan.models])
    score = columns.scores[plan.candidate]
    held = next((c for c in found.evaluation.confusion if c.cells), None)
    curves: list[Any] = []
    if score.ndim == 2:
        one_of = (columns.truth[:, None] == np.arange(len(names))).astype(np.int8)
        curves = drawn.class_curves(names, one_of, score, columns, plan)
    return {
        "confusion": None if held is None else _heat(held),
        "curves": curves,
        "errors": drawn.class_errors(table["id"].to_list(), names, columns.truth, score),
    }


def _heat(found: Confusion) -> dict[str, Any]:
    """Rows of cells, each with a shade from 0 to 10 by its share of the rows of that truth."""
    cells = {(cell.truth, cell.called): cell for cell in found.cells}
    true = [name for name in found.classes if any(c.truth == name for c in found.cells)]

    def shade(cell: ConfusionCell | None) -> int:
        return 0 if cell is None or cell.rows == 0 else max(1, round(10 * cell.share))

    rows = [
        (
            name,
            sum(cell.rows for cell in found.cells if cell.truth == name),
            [(cells.get((name, called)), shade(cells.get((name, called))), name == called)
             for called in found.classes],
        )
        for name in true
    ]  # fmt: skip
    wrong = [cell for cell in found.cells if cell.truth != cell.called and cell.rows > 0]
    wrong.sort(key=lambda cell: (-cell.share, cell.truth, cell.called))
    wide = len(found.classes) <= MOST_CLASSES
    return {"classes": found.classes, "rows": rows if wide else [], "wrong": wrong[:12],
            "each": found.each}  # fmt: skip


def _labels(found: Result, table: pl.DataFrame, columns: Columns) -> dict[str, Any]:
    """Each label's reliability."""
    names = sorted(table["truth"].struct.fields)
    score = columns.scores[found.plan.candidate]
    return {"curves": drawn.class_curves(names, columns.truth, score, columns, found.plan)}


def _numbers(found: Result, table: pl.DataFrame, columns: Columns) -> dict[str, Any]:
    """Predictions against the truth, errors by prediction, and the greatest errors."""
    point = columns.scores[found.plan.candidate].point
    if point is None:
        return {}
    return {
        "scatter": drawn.scatter(columns.truth, point),
        "residuals": drawn.residuals(columns.truth, point),
        "errors": drawn.number_errors(table["id"].to_list(), columns.truth, point),
    }


def _rankings(found: Result, table: pl.DataFrame, columns: Columns) -> dict[str, Any]:
    """The values of each query."""
    return {"queries": drawn.queries(columns, table["id"].to_list(), found.plan)}
