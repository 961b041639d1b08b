"""The report of a file of predictions: one page, readable without a script or a network.

Same file, same options, same bytes. It holds ids and scores of the most confident errors, so it is
made for whoever has the file, not for publishing.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.evaluation import curves
from trackrecord.evaluation.measuring import columns_of
from trackrecord.evaluation.outcomes import canonical_outcomes
from trackrecord.portfolio import figures, plots, rendering
from trackrecord.portfolio.citations import Cited, Stated, cite, stated
from trackrecord.portfolio.decision_figures import decision
from trackrecord.portfolio.group_figures import groups
from trackrecord.portfolio.pointers import shown, upright
from trackrecord.portfolio.rendering import style_of
from trackrecord.portfolio.report_figures import ranking
from trackrecord.portfolio.results import headline
from trackrecord.portfolio.slice_figures import slices

if TYPE_CHECKING:
    import polars as pl
    from jinja2 import Environment

    from trackrecord.evaluation.measured import Result
    from trackrecord.evaluation.measuring import Columns


class Mistake(msgspec.Struct, frozen=True):
    """A row on which the model was sure, and wrong."""

    id: str
    score: float
    values: list[str]


def render_report(
    found: Result, outcomes: pl.DataFrame, *, name: str, tool: str, ratio: float | None = None
) -> str:
    """The report as HTML.

    ``name`` is what the file is called; ``ratio`` what a miss costs, in false alarms, where the
    reader has said so.
    """
    plan = found.plan
    table = canonical_outcomes(outcomes)
    columns = columns_of(table, plan)
    score = columns.scores[plan.candidate]
    swept = curves.sweep(columns.truth, score, columns.weight)
    probabilities = bool(score.min() >= 0 and score.max() <= 1)
    bars = curves.histogram(columns.truth, score, columns.weight)
    ratios = sorted({*curves.RATIOS, *([ratio] if ratio is not None else [])})
    high, low = curves.worst(columns.truth, score)
    evaluation = evaluation_of(found, columns)
    _, baseline = headline(evaluation)
    return (
        environment()
        .get_template("report/report.html")
        .render(
            **style_of("page.css", "report/report.css"),
            name=name,
            tool=tool,
            found=found,
            plan=evaluation["plan"],
            result=evaluation["result"],
            candidate=evaluation["plan"]["candidate"],
            baseline=baseline,
            comparison=figures.comparison(evaluation),
            gains=figures.gains(evaluation),
            calibration=figures.calibration(evaluation),
            ranking=ranking(columns, plan.candidate, plan.reference),
            bars=bars,
            histogram=plots.histogram(
                bars.edges,
                bars.positive,
                bars.negative,
                label="Scores of what came true, upwards, and of what did not, downwards.",
            ),
            decision=decision(evaluation) if probabilities else None,
            choices=curves.choices(swept, ratios),
            ratio=ratio,
            cuts=curves.cuts(swept, probabilities=probabilities),
            rows=swept.positives + swept.negatives,
            slices=slices(evaluation),
            groups=groups(found),
            model=plan.candidate,
            unit="rows",
            slice_columns=[c.removeprefix("slice.") for c in table.columns if c[:6] == "slice."],
            alarms=_mistakes(table, plan.candidate, high),
            misses=_mistakes(table, plan.candidate, low),
        )
    )


def evaluation_of(found: Result, columns: Columns) -> Stated:
    """Plan and result in the form of evidence, with a decision curve where nobody asked for one."""
    plan, result = found.plan, found.evaluation
    if plan.decision is None:
        reached = curves.reached_thresholds(columns.scores[plan.candidate])
        plan = msgspec.structs.replace(plan, decision=reached)
        result = msgspec.structs.replace(result, decision=curves.decision_curves(columns, plan))
    return stated({"plan": msgspec.to_builtins(plan), "result": msgspec.to_builtins(result)})


@cache
def environment() -> Environment:
    """The page's filters, which here take plain numbers as well as those of an evaluation."""
    made = rendering.environment()
    made.finalize = lambda value: upright(value) if type(value) is str else value

    def form_of(form: str) -> Any:
        return lambda value: cite(value, form) if isinstance(value, Cited) else shown(value, form)

    for form in ("integer", "number", "signed", "percent", "level"):
        made.filters[form] = form_of(form)
    made.filters["times"] = _times
    return made


def _times(ratio: float) -> str:
    """``5 ×``, or ``1/5 ×`` below one."""
    if ratio >= 1 or not (1 / ratio).is_integer():
        return f"{ratio:g} ×"
    return f"1/{1 / ratio:g} ×"


def _mistakes(table: pl.DataFrame, candidate: str, rows: list[int]) -> list[Mistake]:
    names = [c for c in table.columns if c.startswith("slice.")]
    found = []
    for row in table[rows].iter_rows(named=True):
        values = ["–" if row[c] is None else str(row[c])[:60] for c in names]
        found.append(Mistake(row["id"], float(row[f"score.{candidate}"]), values))
    return found
