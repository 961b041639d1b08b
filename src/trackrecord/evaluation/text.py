"""Results as plain text, for those who look at them in Python."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.evaluation.result import Evaluation
    from trackrecord.stats.estimate import Absence, Estimate
    from trackrecord.stats.metrics import Task

MARKS = {"accepted": "✓", "rejected": "✗", "undecided": "?"}


def rows_said(result: Evaluation) -> str:
    """``2,000 rows in 40 clusters, 607 positive (30.3 %)``; positives of a yes or no only."""
    rows = "1 row" if result.rows == 1 else f"{result.rows:,} rows"
    clusters = "1 cluster" if result.clusters == 1 else f"{result.clusters or 0:,} clusters"
    said = rows if result.clusters is None else f"{rows} in {clusters}"
    if result.positives is None:
        return said
    return f"{said}, {result.positives:,} positive ({100 * result.positives / result.rows:.1f} %)"


def size_said(outcomes: pl.DataFrame, result: Evaluation, task: Task) -> str:
    """How much was measured, and of what: ``1,797 rows, 10 classes (from 174 to 183 rows each)``.

    Of numbers ``442 rows, mean 152, from 25 to 346``; of rankings ``225 queries, 50,000
    documents``; of a yes or no as :func:`rows_said`.
    """
    said, truth = rows_said(result), outcomes["truth"]
    if task == "multiclass":
        counts = truth.value_counts()["count"].to_list()
        few, many = min(counts), max(counts)
        each = f"{few:,}" if few == many else f"from {few:,} to {many:,}"
        return f"{said}, {len(counts):,} classes ({each} rows each)"
    if task == "multilabel":
        labels = truth.struct.unnest()
        held = sum(int(label.sum() or 0) for label in labels.get_columns()) / max(1, len(truth))
        return f"{said}, {labels.width:,} labels, {held:.2f} in a row"
    if task == "regression":
        numbers = truth.to_numpy()
        ends = (numbers.mean(), numbers.min(), numbers.max())
        mean, low, high = (plain_number(float(x), digits=4) for x in ends)
        series = f", {outcomes['series'].n_unique():,} series" if "series" in outcomes else ""
        return f"{said}{series}, mean {mean}, from {low} to {high}"
    if task == "ranking":
        documents = int(truth.list.len().sum() or 0)
        queries = said.replace(" rows", " queries").replace("1 row", "1 query")
        return f"{queries}, {documents:,} documents"
    return said


def decimals_for(value: float, lo: float, hi: float) -> int | None:
    """After how many decimals nothing more is known: two digits of the interval's nearer end.

    At least three for numbers below ten; None for a number so great or so small that it is written
    with an exponent.
    """
    ends = [abs(x) for x in (value, lo, hi) if math.isfinite(x)]
    most = max(ends, default=0.0)
    if most == 0:
        return 3
    sides = [side for side in (value - lo, hi - value) if math.isfinite(side) and side > 0]
    needed = 1 - math.floor(math.log10(min(sides, default=most / 100)))
    if most >= 1e9 or needed > 9:
        return None
    if most < 10:
        return max(3, needed)
    return max(0, needed)


def in_decimals(value: float, decimals: int | None, *, signed: bool = False) -> str:
    """A number with so many decimals and commas between thousands; None: with an exponent."""
    sign = "+" if signed and value != 0 else ""
    if not math.isfinite(value):
        return f"{value:{sign}}"
    if decimals is None:
        return f"{value:{sign}.3e}"
    text = f"{value:{sign},.{decimals}f}"
    return text if any(digit in text for digit in "123456789") else text.lstrip("+-")


def plain_number(value: float, *, digits: int) -> str:
    """A number with about so many digits: ``152.1``, ``48,214``, ``0.00042``."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    power = math.floor(math.log10(abs(value)))
    if power >= 12 or power < -6:
        return f"{value:.{digits - 1}e}"
    text = f"{value:,.{max(0, digits - 1 - power)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval_text(estimate: Estimate, *, signed: bool = False, task: Task = "binary") -> str:
    """``0.742 [0.731, 0.753]``; of numbers, with as many digits as the interval knows."""
    ends = (estimate.value, estimate.lo, estimate.hi)
    sign = "+" if signed else ""
    value, lo, hi = (f"{x:{sign}.3f}" for x in ends)
    if task != "binary":
        decimals = decimals_for(*ends)
        value, lo, hi = (in_decimals(x, decimals, signed=signed) for x in ends)
    return f"{value} [{lo}, {hi}]"


def estimates_table(
    estimates: list[Estimate],
    absent: list[Absence],
    *,
    signed: bool = False,
    task: Task = "binary",
) -> str:
    """A line a metric: value and interval, clusters, method; then what is absent, and why."""
    rows = [["metric", "value and interval", "n", "clusters", "method"]]
    for e in estimates:
        clusters = "–" if e.clusters is None else f"{e.clusters:,}"
        shown = interval_text(e, signed=signed, task=task)
        rows.append([e.metric, shown, f"{e.n:,}", clusters, e.method])
    lines = aligned(rows, right={2, 3})
    lines += [f"{a.metric}: none, {a.reason}" for a in absent]
    return "\n".join(lines)


def aligned(rows: list[list[str]], *, right: set[int]) -> list[str]:
    """Rows with their columns below one another, a rule under the first."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "─" * max(map(len, lines)), *lines[1:]]
