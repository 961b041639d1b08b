"""The curves of a ranking, for the report of a file. Deterministic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup

from trackrecord.evaluation import curves
from trackrecord.portfolio import plots

if TYPE_CHECKING:
    from trackrecord.evaluation.measuring import Columns


class Ranking(msgspec.Struct, frozen=True):
    """The two curves of a ranking."""

    roc: Markup
    precision: Markup
    rate: float


def ranking(columns: Columns, candidate: str, reference: str | None) -> Ranking:
    """ROC and precision-recall curves of the candidate and the reference."""
    roc: list[plots.Line] = []
    precision: list[plots.Line] = []
    rate = 0.0
    for name, tone in ((reference, "baseline"), (candidate, "candidate")):
        if name is None:
            continue
        swept = curves.sweep(columns.truth, columns.scores[name], columns.weight)
        rate = swept.positives / (swept.positives + swept.negatives)
        for lines, curve in (
            (roc, curves.roc_curve(swept)),
            (precision, curves.precision_curve(swept)),
        ):
            lines.append(plots.Line(tone, curve.x, curve.y))
    return Ranking(
        plots.plot(
            roc, plots.SHARE, plots.SHARE, diagonal=True,
            label="ROC curve: share of false alarms against share of positives found.",
        ),
        plots.plot(
            precision, plots.SHARE, plots.SHARE, level=rate,
            label="Precision against recall; the dashed line is the rate of positives.",
        ),
        rate,
    )  # fmt: skip
