"""What a profile says: structs, no code. Values are text, so that any kind of column fits."""

from __future__ import annotations

import msgspec


class Suspicion(msgspec.Struct, frozen=True):
    """One thing about a column that a person should look at.

    ``rows`` counts the rows concerned, where rows are; ``values`` are a few of them.
    """

    code: str
    what: str
    fix: str
    rows: int | None = None
    values: list[str] = []


class Histogram(msgspec.Struct, frozen=True):
    """Counts of values between equally spaced edges.

    ``low`` and ``high`` are edges as people write them; ``below`` and ``above`` count the values
    beyond them, where a few far ones would have squeezed all others into one bar.
    """

    low: str
    high: str
    counts: list[int]
    below: int = 0
    above: int = 0


class Frequent(msgspec.Struct, frozen=True):
    """A value and its rows."""

    value: str
    rows: int


class Gap(msgspec.Struct, frozen=True):
    """A stretch of time without a row, between two that have one."""

    after: str
    before: str
    days: float


class Quantile(msgspec.Struct, frozen=True):
    """The value that ``level`` of the values do not exceed (interpolated linearly)."""

    level: float
    value: str


class Column(msgspec.Struct, frozen=True):
    """One column.

    ``distinct_error`` is None for an exact count, else the relative standard error of the sketch.
    ``mean`` and ``deviation`` are of numbers; ``lengths`` are the least, median and greatest number
    of characters of text; ``sampled`` n says that order statistics are of each n-th row.
    """

    name: str
    type: str
    kind: str
    missing: int
    nan: int
    empty: int
    distinct: int
    distinct_error: float | None = None
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None
    deviation: float | None = None
    zeros: int | None = None
    lengths: list[int] = []
    quantiles: list[Quantile] = []
    histogram: Histogram | None = None
    frequent: list[Frequent] = []
    gaps: list[Gap] = []
    gap_count: int = 0
    suspicions: list[Suspicion] = []
    sampled: int = 1


class Profile(msgspec.Struct, frozen=True):
    """A table.

    ``keys`` are column sets without a repeated and without a missing value, the smallest that were
    found; ``duplicate_rows`` counts rows that repeat an earlier one in every column.
    """

    name: str
    rows: int
    bytes: int
    duplicate_rows: int
    keys: list[list[str]]
    columns: list[Column]
    notes: list[str] = []
