"""Ways to divide rows that go past spans, shares and one group: each a table ``[split]``.

Days are those of the calendar in the case's time zone. What each kind makes of a table is in
``trackrecord.data.splits``.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Column = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
DateText = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Days = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Folds = Annotated[int, msgspec.Meta(ge=2, le=100)]


class StratifiedSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="stratified",
):
    """Each stratum has the same shares, exactly: its units in the order of their hashes.

    ``strata`` are columns; without any, the classes of the target.
    """

    strata: list[Column] = []
    validation: Share = 0.1
    test: Share = 0.25
    seed: int = 0


class TogetherSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="together",
):
    """Like group, by several columns at once, and with near-duplicates on one side.

    Rows that share a value of any column in ``together``, or that are alike in all of ``alike``
    (numbers to ``digits`` significant digits, text without case, marks and spaces), share a part;
    so do rows whose text in a column of ``near`` agrees in at least ``near_share`` of its runs of
    three words, and rows that a chain of such rows connects.
    """

    together: list[Column] = []
    alike: list[Column] = []
    digits: Annotated[int, msgspec.Meta(ge=1, le=15)] = 6
    near: list[Column] = []
    near_share: Share = 0.6
    validation: Share = 0.1
    test: Share = 0.25
    seed: int = 0


class ForwardSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="forward",
):
    """Train before validation before test; ``validation`` and ``test`` are their first days.

    The last ``gap_days`` before each of these are left out, because their outcomes are known only
    in the next part; and the first ``embargo_days`` from it, because their features look back.
    """

    validation: DateText
    test: DateText
    gap_days: Days = 0
    embargo_days: Days = 0


class GroupTimeSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="group_time",
):
    """New groups, later: a row is in a part only where its group's hash and its day both say so.

    ``validation_groups`` and ``test_groups`` are shares of the groups. All other rows are left out.
    """

    by: Column
    validation: DateText
    test: DateText
    validation_groups: Share = 0.1
    test_groups: Share = 0.25
    gap_days: Days = 0
    embargo_days: Days = 0
    seed: int = 0


class RollingSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="rolling",
):
    """Several folds: each tests the ``step_days`` from its origin, and trains on what is before.

    ``origin`` is the first fold's, each next one ``step_days`` later. ``train_days`` bounds how far
    back training looks; 0 is everything. The last fold is the case's test, the one before it its
    validation.
    """

    origin: DateText
    folds: Folds = 5
    step_days: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 30
    train_days: Days = 0
    gap_days: Days = 0
    embargo_days: Days = 0


class NestedSplit(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag="nested",
):
    """Outer folds to measure with, inner folds within each to choose with, by hash.

    ``together``, ``alike``, ``digits``, ``near`` and ``near_share`` are as in ``together``. The
    first outer fold is the case's test, of the rest the first inner fold its validation.
    """

    outer: Folds = 5
    inner: Folds = 4
    together: list[Column] = []
    alike: list[Column] = []
    digits: Annotated[int, msgspec.Meta(ge=1, le=15)] = 6
    near: list[Column] = []
    near_share: Share = 0.6
    seed: int = 0
