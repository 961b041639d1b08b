"""Results as plain text, for those who look at them in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackrecord.evaluation.result import Evaluation
    from trackrecord.stats.estimate import Absence, Estimate

MARKS = {"accepted": "✓", "rejected": "✗", "undecided": "?"}


def rows_said(result: Evaluation) -> str:
    """``2,000 rows in 40 clusters, 607 positive (30.3 %)``; positives of a yes or no only."""
    rows = "1 row" if result.rows == 1 else f"{result.rows:,} rows"
    clusters = "1 cluster" if result.clusters == 1 else f"{result.clusters or 0:,} clusters"
    said = rows if result.clusters is None else f"{rows} in {clusters}"
    if result.positives is None:
        return said
    return f"{said}, {result.positives:,} positive ({100 * result.positives / result.rows:.1f} %)"


def interval_text(estimate: Estimate, *, signed: bool = False) -> str:
    """``0.742 [0.731, 0.753]``."""
    sign = "+" if signed else ""
    value, lo, hi = (f"{x:{sign}.3f}" for x in (estimate.value, estimate.lo, estimate.hi))
    return f"{value} [{lo}, {hi}]"


def estimates_table(
    estimates: list[Estimate], absent: list[Absence], *, signed: bool = False
) -> str:
    """A line a metric: value and interval, clusters, method; then what is absent, and why."""
    rows = [["metric", "value and interval", "n", "clusters", "method"]]
    for e in estimates:
        clusters = "–" if e.clusters is None else f"{e.clusters:,}"
        rows.append([e.metric, interval_text(e, signed=signed), f"{e.n:,}", clusters, e.method])
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
