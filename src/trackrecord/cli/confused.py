"""The confusion table in the terminal: what the rows of each class were taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cli.printing import WIDTH, line_width, say, table

if TYPE_CHECKING:
    from trackrecord.evaluation.plan import Plan
    from trackrecord.evaluation.result import Confusion, ConfusionCell, Evaluation

MOST_CLASSES = 12
MOST_MISTAKES = 6
NAME = 14


def tell_confusion(result: Evaluation, plan: Plan) -> None:
    """The candidate's table, and the mistakes it makes most, with their bounds."""
    for found in result.confusion:
        if not found.cells:
            say(f"  – confusion of {found.model}: {found.reason}")
        elif len(found.classes) <= MOST_CLASSES:
            _tell_shares(found)
        if found.cells:
            _tell_mistakes(found, plan)


def _tell_shares(found: Confusion) -> None:
    """A row a class that came true: the share of it that was called each class."""
    cells = {(cell.truth, cell.called): cell for cell in found.cells}
    true = [name for name in found.classes if any(c.truth == name for c in found.cells)]
    room = (min(WIDTH, line_width()) - NAME - 10) // max(1, len(found.classes)) - 3
    rows = []
    for name in true:
        shares = [_share(cells.get((name, called))) for called in found.classes]
        count = sum(cell.rows for cell in found.cells if cell.truth == name)
        rows.append([_short(name, NAME), *shares, f"{count:,}"])
    header = ["truth ↓ called →", *(_short(c, max(5, room)) for c in found.classes), "rows"]
    table(header, rows, right=set(range(1, len(header))))


def _tell_mistakes(found: Confusion, plan: Plan) -> None:
    """The commonest mistakes, with bounds that hold for all cells at once."""
    wrong = [cell for cell in found.cells if cell.truth != cell.called and cell.rows > 0]
    wrong.sort(key=lambda cell: (-cell.share, cell.truth, cell.called))
    if not wrong:
        return
    rows = [
        [_short(c.truth, 24), _short(c.called, 24), f"{c.rows:,}", _bounded(c)]
        for c in wrong[:MOST_MISTAKES]
    ]
    table(["truth", "called", "rows", "share of that truth"], rows, right={2, 3})
    more = f"the {MOST_MISTAKES} commonest of {len(wrong)} kinds of mistake; "
    said = more if len(wrong) > MOST_MISTAKES else ""
    if found.each is not None:
        said += f"bounds hold for all cells at once at {100 * plan.level:g} %"
    if said:
        say(f"  {said.removesuffix('; ')}")


def _bounded(cell: ConfusionCell) -> str:
    if cell.lo is None or cell.hi is None:
        return f"{cell.share:.3f}"
    return f"{cell.share:.3f} [{cell.lo:.3f}, {cell.hi:.3f}]"


def _share(cell: ConfusionCell | None) -> str:
    """A percentage without decimals; a dot for none, and ``<1`` for hardly any."""
    if cell is None or cell.rows == 0:
        return "·"
    percent = 100 * cell.share
    return "<1 %" if percent < 0.5 else f"{percent:.0f} %"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
