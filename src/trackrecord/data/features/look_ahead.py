"""Features made again of what was known at a moment: any difference is proof of a look ahead.

Works on definitions and on functions of one's own: they are called, not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.data.asof import parse_known_by
from trackrecord.data.features.asked import NEVER, asked_at, last_known
from trackrecord.data.features.reading import utc_text
from trackrecord.data.kinds import Place, as_kind, canonical
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

CUTS = 20
AT = 100
BEFORE = 100
SHOWN = 20


class Difference(msgspec.Struct, frozen=True):
    """One value that was another when what came later was taken away.

    ``row`` counts from 1; ``cut`` is the last moment that counted; ``made`` is the feature as made
    of everything, ``then`` as made of what was known.
    """

    feature: str
    row: int
    entity: str
    cut: str
    made: str
    then: str


class LookAhead(msgspec.Struct, frozen=True, kw_only=True):
    """What a recomputation found: so many values compared, at so many moments, so many different.

    ``repeatable`` is False where the same events gave other features twice: then nothing is proven.
    """

    cuts: int
    compared: int
    different: int
    features: list[str] = []
    first: list[Difference] = []
    repeatable: bool = True

    @property
    def verdict(self) -> str:
        """``clean``, ``leak``, or ``undecided`` where the function is not repeatable."""
        if not self.repeatable:
            return "undecided"
        return "leak" if self.different else "clean"


class Sample(msgspec.Struct, frozen=True):
    """Moments, and for each the rows whose question was asked by then."""

    cuts: list[int]
    rows: list[Any]


def sample_cuts(asked: NDArray[np.int64], cuts: int, seed: int) -> Sample:
    """Some of the rows' moments, drawn at random, each with rows of that very moment (up to 100),
    the nearest before it (100), and some earlier ones: nothing later may matter to any of them.
    """
    draw = np.random.default_rng(seed)
    order = np.argsort(asked, kind="stable")
    order = order[asked[order] != NEVER]
    known = last_known(asked[order])
    moments = np.unique(known)
    if len(moments) > cuts:
        moments = np.sort(draw.choice(moments, cuts, replace=False))
    rows = []
    for cut in moments:
        first = int(np.searchsorted(known, cut, side="left"))
        end = int(np.searchsorted(known, cut, side="right"))
        at = np.arange(first, end)
        if len(at) > AT:
            at = draw.choice(at, AT, replace=False)
        near = np.arange(max(0, first - BEFORE), first)
        far = draw.integers(0, first, min(first, BEFORE // 2)) if first else near
        rows.append(order[np.unique(np.concatenate([at, near, far]))])
    return Sample(moments.tolist(), rows)


def differences(
    made: pl.DataFrame,
    then: pl.DataFrame,
    tolerance: Mapping[str, float],
) -> list[tuple[int, str]]:
    """(row, feature) of each value that is not the same; numbers within a share of their size."""
    found = []
    for name in made.columns:
        one, other = made[name], then[name]
        same = one.eq_missing(other)
        if (share := tolerance.get(name, 0.0)) and one.dtype.is_float():
            near = (one - other).abs() <= share * (one.abs() + other.abs()) / 2
            same = same | near.fill_null(False)
        found += [(row, name) for row in (~same).arg_true().to_list()]
    return sorted(found)


def shown(value: Any) -> str:
    """A value as people read it, short."""
    if value is None:
        return "missing"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.10g}"
    return str(value)[:60]


class Tally:
    """Differences as they are found at one moment after another."""

    def __init__(self, entities: pl.DataFrame) -> None:
        self.entities = entities
        self.compared = self.different = 0
        self.features: dict[str, int] = {}
        self.first: list[Difference] = []

    def add(
        self, made: pl.DataFrame, then: pl.DataFrame, rows: Any, cut: int,
        tolerance: Mapping[str, float],
    ) -> None:  # fmt: skip
        """Compare the features of these rows as made of everything and of what was known."""
        self.compared += made.height * made.width
        for row, name in differences(made, then, tolerance):
            self.different += 1
            count = self.features[name] = self.features.get(name, 0) + 1
            if len(self.first) < SHOWN and count <= 3:
                number = int(rows[row])
                entity = ", ".join(
                    f"{key} {shown(value)}"
                    for key, value in self.entities.row(number, named=True).items()
                )
                self.first.append(
                    Difference(
                        name, number + 1, entity, utc_text(cut),
                        shown(made[name][row]), shown(then[name][row]),
                    )
                )  # fmt: skip

    def result(self, cuts: int, repeatable: bool = True) -> LookAhead:
        return LookAhead(
            cuts=cuts,
            compared=self.compared,
            different=self.different,
            features=list(self.features),
            first=self.first,
            repeatable=repeatable,
        )


Make = Callable[[Any, Any], Any]


def audit_features(
    make: Make,
    events: Any,
    rows: Any,
    *,
    time: str,
    known: str | Mapping[str, str],
    known_by: str = "at the time",
    timezone: str = "UTC",
    cuts: int = CUTS,
    seed: int = 0,
) -> LookAhead:
    """Whether a function that makes features looks ahead.

    Parameters
    ----------
    make:
        ``make(events, rows)`` gives a Polars frame of features, a row for each of ``rows``, in
        their order.
    events:
        A Polars frame, or several by name.
    rows:
        A Polars frame: one row a question.
    time:
        The column of ``rows`` with their time.
    known:
        The column of ``events`` with the moment at which a row of them was known; for several
        frames, by their names, and a frame that is not named is left whole.
    known_by:
        By when something must have been known, as in a case: ``"18:00 the day before"``.
    cuts:
        At how many moments all that was not known is taken away, and ``make`` is called again.

    Raises BadInput where ``make`` gives no frame with a row for each row.
    """
    import polars as pl

    frames = {"": events} if isinstance(events, pl.DataFrame) else dict(events)
    columns = {"": known} if isinstance(known, str) else dict(known)

    def until(cut: int | None) -> Any:
        kept = {}
        for name, frame in frames.items():
            if cut is not None and name in columns:
                moments = as_kind(
                    canonical(frame[columns[name]], "UTC", Place(name or "the events")),
                    "time", "UTC", Place(name or "the events"),
                ).to_physical()  # fmt: skip
                frame = frame.filter(moments <= cut)
            kept[name] = frame
        return kept.get("", kept)

    times = as_kind(canonical(rows[time], "UTC", Place("the rows")), "time", "UTC", Place("rows"))
    asked = asked_at(times, parse_known_by(known_by), timezone)
    made = _made(make, until(None), rows)
    repeatable = not differences(made, _made(make, until(None), rows), {})
    sample = sample_cuts(asked, cuts, seed)
    tally = Tally(rows)
    for cut, chosen in zip(sample.cuts, sample.rows, strict=True):
        index = pl.Series(chosen)
        then = _made(make, until(cut), rows)
        tally.add(made[index], then[index], chosen, cut, {})
    return tally.result(len(sample.cuts), repeatable)


def _made(make: Make, events: Any, rows: Any) -> pl.DataFrame:
    import polars as pl

    found = make(events, rows)
    if not isinstance(found, pl.DataFrame) or found.height != rows.height:
        given = (
            f"{found.height:,} rows" if isinstance(found, pl.DataFrame) else type(found).__name__
        )
        raise BadInput(
            f"the function gave {given} for {rows.height:,} rows",
            next="return a Polars frame with one row for each row, in their order",
        )
    return found
