"""The case: one question, and everything that is fixed before an answer is seen.

``cases/NAME/case.toml`` decodes strictly into :class:`Case`; an unknown key is an error.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from trackrecord.cases.split_kinds import (
    Column,
    DateText,
    ForwardSplit,
    GroupTimeSplit,
    NestedSplit,
    RollingSplit,
    StratifiedSplit,
    TogetherSplit,
)

SPEC_VERSION = 1

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Scalar = str | int | float | bool


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Inclusive first and last day of a part, in the case's time zone."""

    first: DateText
    last: DateText


class TimeSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="time",
):
    """Parts are spans of days; rows in no part are left out."""

    train: Part
    validation: Part
    test: Part


class RandomSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="random",
):
    """Each unit goes to a part by the hash of its id and the seed: adding rows moves none."""

    validation: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.1
    test: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.25
    seed: int = 0


class GroupSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="group",
):
    """Like random, by the hash of a group column: all rows of a group share a part."""

    by: Column
    validation: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.1
    test: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.25
    seed: int = 0


Split = (
    TimeSplit
    | RandomSplit
    | GroupSplit
    | StratifiedSplit
    | TogetherSplit
    | ForwardSplit
    | GroupTimeSplit
    | RollingSplit
    | NestedSplit
)


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is predicted. ``positive`` says which values count as 1, e.g. ``"> 15"`` or ``"yes"``.

    ``missing`` says what happens to rows whose target is missing; there is no default.
    """

    column: Column
    positive: Scalar
    missing: Literal["exclude", "positive", "negative", "error"] = "error"
    missing_means: str = ""


class AsOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Columns of another table, as last observed before the question was asked.

    ``known_by`` is ``"HH:MM the day before"``, ``"HH:MM the same day"``, ``"N hours before"`` or
    ``"at the time"`` (the unit's own time: usually a look ahead). ``max_age_hours`` bounds how old
    an observation may be; older ones count as missing.
    """

    table: Text
    by: list[Column]
    time: Column
    columns: list[Column]
    known_by: Text
    prefix: str = ""
    max_age_hours: Annotated[float, msgspec.Meta(gt=0)] = 24.0


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the rows are and what each column is for."""

    path: Text
    unit: Column
    time: Column | None = None
    timezone: str = "UTC"
    groups: list[Column] = []
    known_later: list[Column] = []
    asof: list[AsOf] = []
    types: dict[str, Literal["string", "number", "boolean", "date", "time"]] = {}
    license: str = ""
    origin: str = ""


class BaseRate(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="base_rate",
):
    """The training part's share of positives, for everyone."""

    name: Name


class RateTable(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="table",
):
    """The training share in each cell of ``by``, shrunk to the overall share by ``prior_rows``."""

    name: Name
    by: list[Column]
    prior_rows: Annotated[float, msgspec.Meta(ge=0)] = 20.0


class Logistic(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="logistic",
):
    """L2-penalised logistic regression on one-hot and standardised features."""

    name: Name
    features: list[Column] = []
    c: Annotated[float, msgspec.Meta(gt=0)] = 1.0


Baseline = BaseRate | RateTable | Logistic


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A candidate: a scikit-learn estimator by its dotted name, or ``python = "file.py:function"``.

    The function takes a seed and returns anything with ``fit(X, y)`` and ``predict_proba(X)``;
    X is a pandas-free Polars frame of the features. ``encode`` prepares columns for an estimator
    named by ``estimator``; a Python function gets them as they are. A model with neither is one
    whose predictions another program brings with ``trackrecord run --outcomes``.
    """

    name: Name
    estimator: str = ""
    python: str = ""
    encode: Literal["ordinal", "one_hot"] = "one_hot"
    features: list[Column] = []
    parameters: dict[str, Scalar] = {}


class Criterion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must hold on the sealed test. ``expect`` is the effect one hopes for, for planning."""

    name: Text
    require: Text
    expect: float | None = None


class Contrast(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The same models under a worse protocol, to show what it would have claimed."""

    name: Text
    split: Split | None = None
    known_by: str = ""


Threshold = Annotated[float, msgspec.Meta(ge=0.001, le=0.999)]


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The probabilities at which somebody would act: where a decision curve is drawn.

    Who acts at ``lowest`` holds a miss to cost ``(1 - lowest) / lowest`` false alarms.
    """

    lowest: Threshold
    highest: Threshold


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the sealed test is measured.

    ``cluster`` is a column whose rows are not independent of one another (a day, a person).
    ``simultaneous`` asks for bands that hold for all slices at once, ``decision`` for a decision
    curve.
    """

    metrics: Annotated[list[Text], msgspec.Meta(min_length=1)]
    cluster: Column | None = None
    slices: list[Text] = []
    level: Annotated[float, msgspec.Meta(gt=0.5, lt=1)] = 0.95
    simultaneous: bool = False
    decision: Thresholds | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question, written down before the answer."""

    spec: int
    name: Name
    question: Text
    task: Literal["binary"]
    data: Data
    target: Target
    split: Split
    features: list[Column]
    evaluation: Evaluation
    baseline: list[Baseline]
    model: list[Model]
    criterion: list[Criterion]
    intended_use: Text
    limits: list[Text]
    candidate: str = ""
    seed: int = 0
    contrast: list[Contrast] = []

    def candidate_name(self) -> str:
        """The model that the criteria judge: ``candidate``, or the last model listed."""
        return self.candidate or self.model[-1].name


_POSITIVE = re.compile(r"\s*(>=|<=|==|>|<)\s*(-?\d+(?:\.\d+)?)\s*\Z")


def positive_rule(positive: Scalar) -> tuple[str, Scalar]:
    """``"> 15"`` becomes ``(">", 15.0)``; any other value must be equalled: ``("==", value)``."""
    if isinstance(positive, str) and (found := _POSITIVE.match(positive)):
        return found.group(1), float(found.group(2))
    return "==", positive
