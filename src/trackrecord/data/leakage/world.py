"""What the audit looks at: two tables and what their columns are for, from a case or from anywhere.

The truth of the test rows is never looked at, but by the detectors that compare an encoding of
the target with it, and only where the tables come from outside a sealed case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.leakage.scores import Area, column_area
from trackrecord.data.leakage.views import View, views_of
from trackrecord.errors import DataError, suggest

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.features.look_ahead import LookAhead
    from trackrecord.data.finding import Finding
    from trackrecord.data.leakage.matching import Copies

SEED = 20230804
LONG_TEXT = 40
MOST_ROWS = 50_000


@dataclass(frozen=True, eq=False)
class World:
    """Train and test with roles.

    ``target`` is a column of ``train``; ``test`` may lack it. ``id``, ``group``, ``time`` and
    ``text`` name columns by what they are for; none of them is taken for a feature. ``population``
    holds the declared share of each value of some columns. ``groups_apart``
    says that no group may be on both sides. ``declared`` are findings that the case's own words
    lead to; ``target_name`` is the target's name there. ``recompute`` makes the features again of
    what was known at some rows' moments, where a definition or a function of one's own says how.
    """

    train: pl.DataFrame
    test: pl.DataFrame
    target: str
    features: list[str]
    id: str | None = None
    group: list[str] = field(default_factory=list)
    time: str | None = None
    text: list[str] = field(default_factory=list)
    known_later: list[str] = field(default_factory=list)
    population: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    groups_apart: bool = True
    declared: list[Finding] = field(default_factory=list)
    target_name: str = ""
    recompute: Callable[[], LookAhead] | None = None

    @cached_property
    def views(self) -> list[View]:
        """The target of the training rows as questions with two answers."""
        return views_of(self.train[self.target])

    @cached_property
    def sample(self) -> World:
        """The same with at most 50,000 training rows, drawn evenly, for what needs no more."""
        if self.train.height <= MOST_ROWS:
            return self
        rows = np.sort(self.generator().choice(self.train.height, MOST_ROWS, replace=False))
        return replace(self, train=self.train[rows])

    @cached_property
    def alone(self) -> dict[str, Area]:
        """What each plain feature alone tells of the target, on the sampled training rows."""
        few = self.sample
        if not few.views:
            return {}
        return {name: column_area(few.train[name], few.views) for name in self.plain}

    @cached_property
    def copies(self) -> Copies | None:
        """The test rows that are exact copies of training rows; two detectors ask."""
        from trackrecord.data.leakage.matching import exact_copies

        return exact_copies(self)

    @cached_property
    def plain(self) -> list[str]:
        """Features that are no long texts: numbers, categories, times."""
        return [name for name in self.features if name not in self.text]

    @cached_property
    def truth_of_all(self) -> pl.Series | None:
        """The target of train and test, one below the other; None where the test's is hidden."""
        import polars as pl

        if self.target not in self.test.columns:
            return None
        return pl.concat([self.train[self.target], self.test[self.target]], how="vertical")

    def generator(self) -> np.random.Generator:
        """Random numbers, the same for each audit."""
        return np.random.default_rng(SEED)


def world_of(
    train: pl.DataFrame,
    test: pl.DataFrame,
    target: str,
    *,
    id: str | None = None,
    group: Iterable[str] = (),
    time: str | None = None,
    text: Iterable[str] = (),
    known_later: Iterable[str] = (),
    population: Mapping[str, Mapping[str, float]] | None = None,
) -> World:
    """A world from two tables made anywhere.

    Features are the columns that both tables have and that no role names. A column of strings
    that are longer than 40 characters on average is taken for text.

    Raises DataError for an unknown column, an empty training table, or a target that is missing
    in every training row.
    """
    groups, texts = list(group), list(text)
    named = [*([id] if id else []), *groups, *([time] if time else []), *texts, *known_later]
    _require(train, [target, *named], "the training table")
    _require(test, [name for name in named if name not in known_later], "the test table")
    if train.height == 0 or train[target].null_count() == train.height:
        raise DataError(
            "the training table has no row with a target",
            why=f"{train.height:,} rows, target {target!r}",
            next="name the file that the model was trained on, and its target column",
        )
    if test.height == 0:
        raise DataError("the test table has no row", next="name the file of the test rows")
    train, test = _flat(train), _flat(test)
    if target in test.columns and test[target].null_count() < test.height:
        test = test.filter(test[target].is_not_null())
    train, test = _same_types(train.filter(train[target].is_not_null()), test)
    roles = {target, id, time, *groups, *texts}
    features = [name for name in train.columns if name in test.columns and name not in roles]
    texts += [name for name in features if name not in texts and is_text(train[name])]
    return World(
        train=train,
        test=test,
        target=target,
        features=features,
        id=id,
        group=groups,
        time=time,
        text=texts,
        known_later=list(known_later),
        population=population or {},
    )


def is_text(series: pl.Series) -> bool:
    """Whether a column holds sentences rather than names."""
    import polars as pl

    if series.dtype != pl.String or series.null_count() == len(series):
        return False
    lengths = series.drop_nulls().head(2_000).str.len_chars()
    return float(lengths.mean() or 0) > LONG_TEXT  # type: ignore[arg-type]


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Lists, structs and bytes as the text that shows them; empty columns as text."""
    import polars as pl

    odd = [
        name
        for name, kind in table.schema.items()
        if kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Categorical, pl.Enum)
    ]
    shown = [
        pl.Series(name, [None if one is None else str(one) for one in table[name].to_list()],
                  dtype=pl.String)
        for name in odd
    ]  # fmt: skip
    return table.with_columns(shown)


def _require(table: pl.DataFrame, names: list[str], where: str) -> None:
    for name in names:
        if name not in table.columns:
            near = suggest(name, table.columns)
            raise DataError(
                f"there is no column {name!r} in {where}",
                why=f"did you mean {near!r}?"
                if near
                else f"columns: {', '.join(table.columns[:40])}",
                next="correct the name",
            )


def _same_types(train: pl.DataFrame, test: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Columns of both tables in one type each: whole numbers beside broken ones become broken."""
    import polars as pl

    for name in train.columns:
        if name not in test.columns or train[name].dtype == test[name].dtype:
            continue
        a, b = train[name].dtype, test[name].dtype
        if a == pl.Null or b == pl.Null:
            kind = b if a == pl.Null else a
        elif a.is_numeric() and b.is_numeric():
            kind = pl.Float64()
        elif a.is_temporal() and b.is_temporal():
            kind = pl.Datetime("us", "UTC")
        else:
            kind = pl.String()
        try:
            train = train.with_columns(pl.col(name).cast(kind))
            test = test.with_columns(pl.col(name).cast(kind))
        except pl.exceptions.PolarsError as error:
            raise DataError(
                f"the column {name!r} is of two types: {a} in train, {b} in test",
                next="store it alike in both tables",
            ) from error
    return train, test
