"""The report of a file of predictions: one page, readable without a script or a network.

Same file, same options, same bytes. It holds ids and scores of the most confident errors, so it is
made for whoever has the file, not for publishing.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from trackrecord.evaluation import curves
from trackrecord.evaluation.measuring import columns_of
from trackrecord.evaluation.outcomes import canonical_outcomes
from trackrecord.portfolio import report_figures as figures
from trackrecord.portfolio import report_pictures as drawn
from trackrecord.portfolio.pointers import shown

if TYPE_CHECKING:
    import polars as pl
    from jinja2 import Environment

    from trackrecord.evaluation.library import Result

TEMPLATES = Path(__file__).parent / "templates"
MARK_PATHS = {
    "accepted": "M3 8.5l3.4 3.5L13 4.5",
    "rejected": "M4 4l8 8M12 4l-8 8",
    "undecided": "M2.5 8h3M6.6 8h2.8M10.5 8h3",
}


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
    style = "\n".join(
        (TEMPLATES / part).read_text("utf-8") for part in ("page.css", "report/report.css")
    )
    decision = figures.decision(columns, plan.candidate, plan.reference, plan.level)
    return (
        environment()
        .get_template("report/report.html")
        .render(
            style=Markup(style),
            style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            name=name,
            tool=tool,
            found=found,
            plan=plan,
            result=found.evaluation,
            marks=MARK_PATHS,
            forests=figures.forests(found),
            gains=figures.gains(found),
            calibration=figures.calibration(found),
            ranking=figures.ranking(columns, plan.candidate, plan.reference),
            bars=bars,
            histogram=drawn.histogram(
                bars.edges,
                bars.positive,
                bars.negative,
                label="Scores of what came true, upwards, and of what did not, downwards.",
            ),
            decision=decision,
            benefits=[] if decision is None else decision[1][:: max(1, len(decision[1]) // 8)],
            choices=curves.choices(swept, ratios),
            ratio=ratio,
            cuts=curves.cuts(swept, probabilities=probabilities),
            rows=swept.positives + swept.negatives,
            slices=figures.slices(found),
            slice_columns=[c.removeprefix("slice.") for c in table.columns if c[:6] == "slice."],
            alarms=_mistakes(table, plan.candidate, high),
            misses=_mistakes(table, plan.candidate, low),
        )
    )


def environment() -> Environment:
    """Jinja with escaping everywhere, and the forms in which the page of a case shows numbers."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def form_of(form: str) -> Any:
        return lambda value: shown(value, form)

    for form in ("integer", "number", "signed", "percent", "level"):
        made.filters[form] = form_of(form)
    made.filters["interval"] = lambda estimate: _interval(estimate, "number")
    made.filters["gain"] = lambda estimate: _interval(estimate, "signed")
    made.filters["times"] = _times
    return made


def _interval(estimate: Any, form: str) -> Markup:
    value, lo, hi = (shown(getattr(estimate, key), form) for key in ("value", "lo", "hi"))
    return Markup('<data>{}</data> <span class="bounds">[{}, {}]</span>').format(value, lo, hi)


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
