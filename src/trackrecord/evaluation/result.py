"""What an evaluation found. Plain frozen data: it goes into evidence as it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from trackrecord.stats.estimate import Absence, Estimate

VerdictWord = Literal["accepted", "rejected", "undecided"]
Role = Literal["baseline", "model"]
SliceKind = Literal["value", "condition", "missing", "rest"]


class ModelResult(msgspec.Struct, frozen=True, kw_only=True):
    """One model's estimates in the plan's order of metrics; what cannot be had is ``absent``."""

    name: str
    role: Role
    estimates: list[Estimate]
    absent: list[Absence]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Paired: the model's metric minus the baseline's on the same rows."""

    model: str
    baseline: str
    estimates: list[Estimate]
    absent: list[Absence]


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that hold for all slices at once, at the plan's level; each by itself at ``each``."""

    metric: str
    lo: float
    hi: float
    each: float


class Worse(msgspec.Struct, frozen=True, kw_only=True):
    """A slice is truly worse than all rows: its ``gap`` to them, and ``p``, adjusted for all slices
    (Romano & Wolf 2005)."""

    metric: str
    gap: float
    p: float


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """How far apart the slices of one text are in a metric: the greatest value minus the least.

    ``least`` and ``most`` are the values of the two slices. ``lo`` and ``hi`` bound the true gap,
    and ``ratio_lo`` and ``ratio_hi`` the true least over the true greatest, at the plan's level,
    whichever slices they are of: they rest on bounds of all pairs of ``slices`` at once, each at
    the level ``each``. A ratio is there where all values are shown to be above 0.
    """

    slice: str
    metric: str
    least: str
    most: str
    value: float
    lo: float
    hi: float
    ratio: float | None
    ratio_lo: float | None
    ratio_hi: float | None
    each: float
    slices: int


class SliceResult(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate on the rows where a slice holds.

    ``slice`` is the plan's text, ``value`` the column's value (or ``yes``/``no`` for a condition).
    ``differences`` are to the plan's reference baseline. ``kind`` tells a value that is called
    "missing" from rows without a value, and from the ``values`` rarer values that share a slice.
    ``worse`` names metrics where it is truly worse than all rows. ``bands`` and
    ``difference_bands`` are there where the plan asks for simultaneous bands.
    """

    slice: str
    value: str
    rows: int
    positives: int | None
    clusters: int | None
    estimates: list[Estimate]
    absent: list[Absence]
    differences: list[Estimate]
    absent_differences: list[Absence] = []
    kind: SliceKind = "value"
    values: int = 1
    worse: list[Worse] = []
    bands: list[Band] = []
    difference_bands: list[Band] = []


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows with scores in [low, high]: mean prediction, and the rate that came true, bounded."""

    low: float
    high: float
    rows: int
    predicted: float
    rate: float
    lo: float
    hi: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """One model's reliability curve, over bins of equal numbers of rows.

    Rows with the same score stay together, so bins may differ in size and be fewer than asked for.
    ``method`` names how the intervals of the rates were made.
    """

    model: str
    bins: list[CalibrationBin]
    method: str = "wilson"


class Benefit(msgspec.Struct, frozen=True, kw_only=True):
    """Net benefit of acting at a threshold; without bounds where there is no interval."""

    threshold: float
    value: float
    lo: float | None
    hi: float | None


class DecisionCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Net benefit over thresholds (Vickers & Elkin 2006) of acting on a model's probabilities.

    ``model`` is None for acting on every row; to act on none is worth 0 everywhere. Where there is
    ``minus``, it is the paired difference to that baseline. The bounds hold for all thresholds of
    a curve at once, at the plan's level; each by itself at ``each``. ``reason`` says why there are
    no points, or none with bounds.
    """

    model: str | None
    points: list[Benefit]
    minus: str | None = None
    each: float | None = None
    reason: str | None = None


class ConfusionCell(msgspec.Struct, frozen=True, kw_only=True):
    """Of the rows whose class is ``truth``, the ``share`` that is called ``called``.

    ``rows`` counts them. Without bounds where how much rows differ is not known.
    """

    truth: str
    called: str
    rows: int
    share: float
    lo: float | None
    hi: float | None


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """One model's confusion table: cells in the order of ``classes``, by truth and then by call.

    A class without rows has no cells. The bounds hold for all cells at once, at the plan's level;
    each by itself at ``each``. ``reason`` says why there are no cells, or which have no bounds.
    """

    model: str
    classes: list[str]
    cells: list[ConfusionCell]
    each: float | None = None
    method: str = ""
    reason: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a criterion holds, from its interval's bounds; ``reason`` says why, in a sentence."""

    criterion: str
    require: str
    verdict: VerdictWord
    metric: str
    baseline: str | None
    value: float | None
    lo: float | None
    hi: float | None
    reason: str


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``clusters`` is None where rows were taken as independent.

    ``positives`` counts the rows that came true, None where the truth is not a yes or no.
    """

    rows: int
    positives: int | None
    clusters: int | None
    models: list[ModelResult]
    differences: list[Difference]
    slices: list[SliceResult]
    calibration: list[Calibration]
    verdicts: list[Verdict]
    gaps: list[Gap] = []
    decision: list[DecisionCurve] = []
    confusion: list[Confusion] = []
