"""What a comparison of two tables found, and how bad it is."""

from __future__ import annotations

from typing import Literal

import msgspec

from trackrecord.stats.estimate import Absence, Estimate

Severity = Literal["none", "slight", "moderate", "severe"]
SEVERITIES: tuple[Severity, ...] = ("none", "slight", "moderate", "severe")
# The least effect of each grade: a distance between distributions. A normal whose mean moves by an
# eighth, a quarter and half of its standard deviation has distances 0.050, 0.099 and 0.197.
LEAST = {"slight": 0.05, "moderate": 0.1, "severe": 0.2}
# The areas under the curve by which one tells such normals apart: Phi(shift / sqrt 2).
LEAST_AREA = {"slight": 0.535, "moderate": 0.57, "severe": 0.64}
FALSE = 0.05


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One distance with its interval; ``p`` is of no distance, ``adjusted`` over all distances.

    The severity is the grade that the interval's **lower** end reaches, so it is shown to be at
    least so bad; and none where the adjusted p is over 0.05.
    """

    effect: float
    lo: float
    hi: float
    p: float
    adjusted: float = 1.0
    severity: Severity = "none"


class ColumnDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One column of both tables.

    ``measure`` names the distance of ``values``: "Kolmogorov-Smirnov" of numbers, "total variation"
    of categories. ``wasserstein`` is in standard deviations of the first table's. ``missing`` is
    the difference in the share that is missing. ``why`` says why there is no distance.
    """

    name: str
    kind: str
    rows: tuple[int, int]
    measure: str | None = None
    values: Measured | None = None
    missing_shares: tuple[float, float] = (0.0, 0.0)
    missing: Measured | None = None
    psi: float | None = None
    jensen_shannon: float | None = None
    wasserstein: float | None = None
    chi2: float | None = None
    cramer_v: float | None = None
    new: list[str] = []
    new_share: float = 0.0
    vanished: list[str] = []
    vanished_share: float = 0.0
    why: str | None = None

    @property
    def severity(self) -> Severity:
        return worst([m.severity for m in (self.values, self.missing) if m is not None])


class Importance(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the area under the curve is ``lost`` where the column is shuffled."""

    name: str
    lost: float


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Two tables compared. ``classifier`` is the area by which a model tells their rows apart.

    ``told_by`` are the columns that it tells them by, the most important first.
    """

    rows: tuple[int, int]
    clusters: int | None
    cluster: str | None
    level: float
    severity: Severity
    columns: list[ColumnDrift]
    only_a: list[str]
    only_b: list[str]
    other_kind: list[str]
    classifier: Estimate | Absence | None
    classifier_severity: Severity
    classifier_rows: int
    told_by: list[Importance] = []


def worst(severities: list[Severity]) -> Severity:
    """The worst of them; none where there is none."""
    return max(severities, key=SEVERITIES.index, default="none")


def grade(lo: float, least: dict[str, float] = LEAST) -> Severity:
    """The worst grade whose least effect ``lo`` reaches."""
    reached: list[Severity] = [name for name in SEVERITIES[1:] if lo >= least[name]]
    return worst(reached)
