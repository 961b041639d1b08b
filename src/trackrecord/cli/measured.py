"""Tables of an evaluation for a person: estimates, differences, slices, calibration, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cli.confused import tell_confusion
from trackrecord.cli.printing import WIDTH, counted, line_width, say, table
from trackrecord.evaluation.text import decimals_for, in_decimals, plain_number, rows_said
from trackrecord.portfolio.pointers import shown as pointed
from trackrecord.portfolio.results import LEAST_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable

    from trackrecord.evaluation.plan import Plan
    from trackrecord.evaluation.result import Band, Evaluation, SliceResult, Verdict
    from trackrecord.stats.estimate import Absence, Estimate
    from trackrecord.stats.metrics import Task

MARKS = {"accepted": "✓", "rejected": "✗", "undecided": "?"}
STRIP = 13
BAR = 20
NAME = 23
# Slices without an estimate, beyond which they are counted and not listed.
MOST_BARE = 5
MOST_SLICES = 40


def tell_evaluation(
    result: Evaluation,
    plan: Plan,
    size: str | None = None,
    *,
    between: Callable[[Evaluation, Plan], None] | None = None,
) -> None:
    """Everything a person reads of one evaluation, at most 100 columns wide.

    ``size`` says how much data it was; the number of rows where it is not given. ``between`` tells
    what lies between the slices, below them.
    """
    said = pointed(size or rows_said(result), "condition")
    say(f"  {said} · {100 * plan.level:g} % intervals")
    tell_headline(result, plan)
    tell_estimates(result, plan)
    tell_differences(result, plan)
    tell_slices(result, plan)
    if between is not None:
        between(result, plan)
    tell_calibration(result, plan)
    tell_confusion(result, plan)
    for verdict in result.verdicts:
        tell_verdict(verdict, plan.task)


def tell_headline(result: Evaluation, plan: Plan) -> None:
    """The candidate's first metric, with its interval, its gain over the reference, and n."""
    model = next(m for m in result.models if m.name == plan.candidate)
    if not model.estimates:
        return
    first = model.estimates[0]
    said = f"  {plan.candidate}: {first.metric} {own(first, plan.task)}"
    for difference in result.differences:
        if (difference.model, difference.baseline) == (plan.candidate, plan.reference):
            gain = found(difference.estimates, first.metric)
            if gain is not None:
                said += f" · {shown(gain, signed=True, task=plan.task)} over {plan.reference}"
    say_wrapped(said)


def tell_estimates(result: Evaluation, plan: Plan) -> None:
    """A row a metric, a column a model; several tables where one would be too wide."""
    columns = {
        model.name: [own(found(model.estimates, metric), plan.task) for metric in plan.metrics]
        for model in result.models
    }
    _tables("metric", plan.metrics, columns)
    for model in result.models:
        _tell_absent(model.absent, f"of {model.name}")


def tell_differences(result: Evaluation, plan: Plan) -> None:
    """The candidate minus each baseline, on the same rows."""
    differences = [d for d in result.differences if d.model == plan.candidate]
    columns = {
        f"{plan.candidate} − {d.baseline}": [
            shown(found(d.estimates, metric), signed=True, task=plan.task)
            for metric in plan.metrics
        ]
        for d in differences
    }
    _tables("paired difference", plan.metrics, columns)


def tell_slices(result: Evaluation, plan: Plan) -> None:
    """The candidate's first metric in each slice, drawn on one scale."""
    metric = next(
        (m for m in plan.metrics if any(found(s.estimates, m) for s in result.slices)), None
    )
    if metric is None:
        for reason in sorted({a.reason for part in result.slices for a in part.absent}):
            say_wrapped(f"  – {counted(len(result.slices), 'slice')}: {reason}")
        return
    drawn = [_banded(found(s.estimates, metric), s.bands) for s in result.slices]
    low, high = _scale(
        [(p.rows, e) for p, e in zip(result.slices, drawn, strict=True) if e is not None],
        LEAST_SHARE * result.rows,
    )
    rows, pairs = [], list(zip(result.slices, drawn, strict=True))
    few = [part for part, estimate in pairs if estimate is None]
    if len(few) > MOST_BARE:  # a table of dashes tells nothing
        pairs = [(part, estimate) for part, estimate in pairs if estimate is not None]
    for part, estimate in pairs[:MOST_SLICES]:
        gain = _banded(found(part.differences, metric), part.difference_bands)
        cells = [slice_name(part), f"{part.rows:,}", shown(estimate, task=plan.task)]
        cells.append("" if estimate is None else strip(estimate, low, high))
        rows.append(
            cells if plan.reference is None else [*cells, shown(gain, signed=True, task=plan.task)]
        )
    span = f"{low:.2f} to {high:.2f}"
    if plan.task != "binary":
        span = f"{plain_number(low, digits=3)} to {plain_number(high, digits=3)}"
    rows_are = "queries" if plan.task == "ranking" else "rows"
    header = ["slice", rows_are, metric, span.replace(" ", "\N{NO-BREAK SPACE}")]
    if plan.reference is not None:
        header.append(f"− {short(plan.reference, NAME - 2)}")
    table(header, rows, right={1, 2, 4})
    each = [band.each for part in result.slices for band in part.bands if band.metric == metric]
    if each:
        say_wrapped(
            f"  these bands hold for all slices at once at {100 * plan.level:g} %; "
            f"each by itself is at {100 * each[0]:.4g} %"
        )
    if (left := len(pairs) - MOST_SLICES) > 0:
        say(f"  … and {counted(left, 'slice')} more: --json has them all")
    if len(few) > MOST_BARE:
        inside = sum(part.rows for part in few)
        say(f"  – {counted(len(few), 'slice')} of {inside:,} {rows_are} not measured, not shown")
    reasons = {a.reason for part in few for a in part.absent if a.metric == metric}
    for reason in sorted(reasons):
        say_wrapped(f"  – {metric}: {reason}")


def _scale(drawn: list[tuple[int, Estimate]], least: float) -> tuple[float, float]:
    """The reach of the slices with at least so many rows; of all where hardly any has as many."""
    large = [estimate for rows, estimate in drawn if rows >= least]
    setting = large if len(large) > 1 else [estimate for _, estimate in drawn]
    return min(e.lo for e in setting), max(e.hi for e in setting)


def _banded(estimate: Estimate | None, bands: list[Band]) -> Estimate | None:
    """The estimate with the bounds that hold for all slices at once, where there are any."""
    band = next((b for b in bands if estimate is not None and b.metric == estimate.metric), None)
    if estimate is None or band is None:
        return estimate
    import msgspec

    return msgspec.structs.replace(estimate, lo=band.lo, hi=band.hi)


def tell_calibration(result: Evaluation, plan: Plan) -> None:
    """The candidate's reliability curve: what was predicted, against what came true."""
    curve = next((c for c in result.calibration if c.model == plan.candidate), None)
    if curve is None or len(curve.bins) < 2:
        return
    rows = [
        [
            f"{b.predicted:.3f}",
            interval(b.rate, b.lo, b.hi),
            "▪" * round(BAR * b.rate),
            f"{b.rows:,}",
        ]
        for b in curve.bins
    ]
    table([f"{curve.model} predicted", "came true", "", "rows"], rows, right={0, 1, 3})


def tell_verdict(verdict: Verdict, task: Task = "binary") -> None:
    """One criterion: the verdict, what was asked, what was found."""
    measured = "no estimate"
    if verdict.value is not None and verdict.lo is not None and verdict.hi is not None:
        signed = verdict.baseline is not None or has_sign(verdict.metric, task)
        measured = interval(verdict.value, verdict.lo, verdict.hi, signed=signed, task=task)
    said = f"  {MARKS[verdict.verdict]} {verdict.verdict:<9} {verdict.criterion}"
    if verdict.criterion == verdict.require:
        say_wrapped(f"{pointed(said, 'condition')}: {measured}", indent=14)
    else:
        say_wrapped(said, indent=14)
        say_wrapped(f"{'':14}{pointed(verdict.require, 'condition')}: {measured}", indent=14)
    if verdict.verdict == "undecided":
        say_wrapped(f"{'':14}{pointed(verdict.reason, 'condition')}", indent=14)


def found(estimates: list[Estimate], metric: str) -> Estimate | None:
    """The estimate of a metric, if there is one."""
    return next((estimate for estimate in estimates if estimate.metric == metric), None)


def has_sign(metric: str, task: Task) -> bool:
    """Whether a metric is best at zero, so that its sign says something."""
    from trackrecord.errors import TrackrecordError
    from trackrecord.stats.metrics import get_metric

    try:
        return get_metric(metric, task).direction == "zero"
    except TrackrecordError:
        return False


def own(estimate: Estimate | None, task: Task = "binary") -> str:
    """A model's own estimate; signed where a metric is best at zero, as on the page."""
    signed = estimate is not None and has_sign(estimate.metric, task)
    return shown(estimate, signed=signed, task=task)


def shown(estimate: Estimate | None, *, signed: bool = False, task: Task = "binary") -> str:
    """``0.742 [0.731, 0.753]``, or a dash for what is absent."""
    if estimate is None:
        return "–"
    return interval(estimate.value, estimate.lo, estimate.hi, signed=signed, task=task)


def interval(
    value: float, lo: float, hi: float, *, signed: bool = False, task: Task = "binary"
) -> str:
    """``0.742 [0.731, 0.753]``, with the page's own rounding; numbers as the interval knows."""
    if task == "binary":
        form = "signed" if signed else "number"
        return f"{pointed(value, form)} [{pointed(lo, form)}, {pointed(hi, form)}]"
    decimals = decimals_for(value, lo, hi)
    texts = (in_decimals(x, decimals, signed=signed).replace("-", "−") for x in (value, lo, hi))
    return "{} [{}, {}]".format(*texts)


def short(name: str, most: int) -> str:
    """A name of at most ``most`` characters."""
    return name if len(name) <= most else name[: most - 1] + "…"


def slice_name(part: SliceResult) -> str:
    """``carrier: AA``, or ``carrier: (missing)``; at most NAME characters."""
    value = part.value if part.kind in ("value", "condition") else f"({part.value})"
    # The value tells slices apart, so a long column's name gives way first.
    room = max(6, NAME - len(value) - 2)
    return short(f"{short(part.slice, room)}: {value}", NAME)


def strip(estimate: Estimate, low: float, high: float) -> str:
    """An interval and its value between two ends: ``  ├──●─┤      ``.

    What goes on beyond an end has an arrow there, and a value beyond it no dot. Without spaces,
    so that no table wraps it.
    """

    def cell(value: float) -> int:
        share = (value - low) / (high - low) if high > low else 0.5
        return min(STRIP - 1, max(0, round(share * (STRIP - 1))))

    first, middle, last = cell(estimate.lo), cell(estimate.value), cell(estimate.hi)
    cells = ["\N{NO-BREAK SPACE}"] * STRIP
    cells[first : last + 1] = ["─"] * (last + 1 - first)
    cells[first], cells[last] = "├", "┤"
    if low <= estimate.value <= high:
        cells[middle] = "●"
    if estimate.lo < low:
        cells[0] = "◂"
    if estimate.hi > high:
        cells[-1] = "▸"
    return "".join(cells)


def _tables(corner: str, names: list[str], columns: dict[str, list[str]]) -> None:
    """Columns side by side, as many as fit into the width; the rest in further tables."""
    width = min(WIDTH, line_width())
    first = max(len(text) for text in [corner, *names]) + 2
    chosen: dict[str, list[str]] = {}
    room = width - first
    for name, cells in columns.items():
        wanted = max(len(text) for text in [name, *cells]) + 3
        if chosen and wanted > room:
            _one_table(corner, names, chosen)
            chosen, room = {}, width - first
        chosen[name] = cells
        room -= wanted
    if chosen:
        _one_table(corner, names, chosen)


def _one_table(corner: str, names: list[str], columns: dict[str, list[str]]) -> None:
    rows = [[name, *(cells[i] for cells in columns.values())] for i, name in enumerate(names)]
    table([corner, *columns], rows, right=set(range(1, len(columns) + 1)))


def _tell_absent(absent: list[Absence], whose: str) -> None:
    """What could not be measured, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for absence in absent:
        reasons.setdefault(absence.reason, []).append(absence.metric)
    for reason, metrics in reasons.items():
        say_wrapped(f"  – {', '.join(metrics)} {whose}: {reason}")


def say_wrapped(text: str, *, indent: int = 4) -> None:
    """A sentence that may be longer than a line."""
    say(text, indent=indent)
