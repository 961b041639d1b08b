"""What a look at the answers found, window by window."""

from __future__ import annotations

import datetime
from typing import Literal

import msgspec

from trackrecord.data.drift.result import Severity
from trackrecord.stats.detector import Detector
from trackrecord.stats.estimate import Absence, Estimate

Watch = Literal["features", "answers", "expected", "realised"]
WATCHES: tuple[Watch, ...] = ("features", "answers", "expected", "realised")
# Four detectors, none of which may cry wolf more than once in 4,000 windows: together one in 1,000.
LENGTH = 4000.0


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is watched, in one window.

    ``effect`` is a distance from the reference, or by how much a metric got worse; ``p`` is of its
    being at most ``tolerance``.
    """

    watch: Watch
    name: str
    measure: str
    effect: float
    lo: float
    hi: float
    tolerance: float
    p: float
    severity: Severity = "none"


class Speed(msgspec.Struct, frozen=True):
    """Seconds from request to answer, and how many answers had none to give."""

    median: float
    p99: float
    unanswered: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A window: its answers, what they differ by, and which detectors it made raise an alarm.

    ``expected`` has each metric before truth is known, ``realised`` that of the ``labelled`` rows.
    """

    start: datetime.datetime
    end: datetime.datetime
    rows: int
    versions: dict[str, int]
    labelled: int
    signals: list[Signal]
    mean_probability: float
    positives: float | None
    expected: dict[str, Estimate | Absence]
    realised: dict[str, Estimate | Absence]
    speed: Speed
    evidence: dict[str, float]
    alarms: list[Watch]


class Monitoring(msgspec.Struct, frozen=True, kw_only=True):
    """All windows of a case's answers.

    ``reference`` has each metric on the ``reference_rows`` that the model met before, and
    ``metric_tolerance`` by how much it may be worse. ``detectors`` are the states after the last
    window. ``left`` answers are in no whole window yet.
    """

    case: str
    question: str
    version: int
    metrics: list[str]
    reference: dict[str, Estimate | Absence]
    reference_rows: int
    reference_rate: float
    answers: int
    shadows: int
    left: int
    windows: list[Window]
    detectors: dict[str, Detector]
    tolerance: float
    metric_tolerance: dict[str, float]
    window: str
    captured_columns: list[str]
    missing_columns: list[str]
    tool: str
