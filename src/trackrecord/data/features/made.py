"""The features of rows and of single entities, from a definition and its events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from trackrecord.data.blame import KeyedDataError
from trackrecord.data.features.asked import asked_at
from trackrecord.data.features.entities import check_keys, distinct_entities, entity_numbers
from trackrecord.data.features.history import History, make_history
from trackrecord.data.features.loose import Loose, can_be_loose, make_loose
from trackrecord.data.features.offline import Pairs, Taken, features_of, pairs_of
from trackrecord.data.features.online import OpenFeatures
from trackrecord.data.features.plan import Plan, ViewPlan
from trackrecord.data.features.reading import own_times
from trackrecord.data.kinds import Place, canonical
from trackrecord.errors import suggest

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

THREADS = 2
Made = TypeVar("Made")


def keys_of(frame: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """The entity columns of rows, in canonical kinds. Raises DataError where one is not there."""
    import polars as pl

    for view in plan.views:
        for name in view.by:
            if name not in frame.columns:
                near = suggest(name, frame.columns)
                raise KeyedDataError(
                    f"the rows have no column {name!r}, by which the view {view.name!r} is joined",
                    key=f"view.{view.name}.by",
                    why=f"did you mean {near!r}?"
                    if near
                    else f"columns: {', '.join(frame.columns[:40])}",
                )
    if not plan.keys:
        return pl.DataFrame({"__row": pl.int_range(frame.height, eager=True)}).select([])
    return pl.DataFrame([canonical(frame[name], "UTC", Place("the rows")) for name in plan.keys])


def histories_of(plan: Plan, events: list[pl.DataFrame], keys: pl.DataFrame) -> list[History]:
    """Each view's history, of the entities that ``keys`` (rows with the entity columns) name."""
    tasks = _tasks(plan, events, keys)
    return _each(lambda task: make_history(*task), tasks)


def histories_of_all(plan: Plan, events: list[pl.DataFrame]) -> list[History]:
    """Each view's history, of all entities that its events name."""
    tasks = [
        (view, frame, distinct_entities(frame, view.by) if view.by else _nobody())
        for view, frame in zip(plan.views, events, strict=True)
    ]
    return _each(lambda task: make_history(*task), tasks)


def gathered(plan: Plan, events: list[pl.DataFrame], keys: pl.DataFrame) -> list[History | Loose]:
    """The same for rows that are asked for once: events stay as they come where that will do."""

    def made(task: tuple[ViewPlan, pl.DataFrame, pl.DataFrame]) -> History | Loose:
        return make_loose(*task) if can_be_loose(task[0]) else make_history(*task)

    return _each(made, _tasks(plan, events, keys))


def _tasks(
    plan: Plan, events: list[pl.DataFrame], keys: pl.DataFrame
) -> list[tuple[ViewPlan, pl.DataFrame, pl.DataFrame]]:
    """Each view with its events and the entities that the rows name."""
    known: dict[tuple[str, ...], pl.DataFrame] = {}
    tasks = []
    for view, frame in zip(plan.views, events, strict=True):
        check_keys(
            {name: keys[name].dtype for name in view.by},
            {name: frame[name].dtype for name in view.by
             if frame[name].null_count() < frame.height},
            view.name,
        )  # fmt: skip
        if view.by not in known:
            known[view.by] = distinct_entities(keys, view.by) if view.by else _nobody()
        entities = known[view.by]
        tasks.append((view, _keyed_alike(frame, view, entities), entities))
    return tasks


def _each(function: Callable[[Any], Made], tasks: Sequence[Any]) -> list[Made]:
    """The function of each task, in threads: numpy and Polars let go of the interpreter."""
    if len(tasks) == 1:
        return [function(tasks[0])]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(function, tasks))


def _keyed_alike(frame: pl.DataFrame, view: ViewPlan, entities: pl.DataFrame) -> pl.DataFrame:
    """A key column that is missing throughout has no kind of its own: it takes the entities'."""
    import polars as pl

    empty = [name for name in view.by if frame[name].null_count() == frame.height]
    return frame.with_columns(
        pl.lit(None, dtype=entities.schema[name]).alias(name) for name in empty
    )


def _nobody() -> pl.DataFrame:
    """The one entity of a view without keys."""
    import polars as pl

    return pl.DataFrame({"__everything": [True]})


def offline(
    plan: Plan, histories: Sequence[History | Loose], frame: pl.DataFrame
) -> tuple[pl.DataFrame, list[NDArray[np.int64]]]:
    """The features of all rows of ``frame``, in its order, and each view's ages (:class:`Taken`).

    Raises DataError where ``frame`` lacks a key or the time.
    """
    keys = keys_of(frame, plan)
    asked = asked_at(own_times(frame, plan), plan.known_by, plan.timezone)
    taken = features_at(histories, keys, asked)
    import polars as pl

    columns = [column for one in taken for column in one.columns]
    return pl.DataFrame(columns), [one.ages for one in taken]


def features_at(
    histories: Sequence[History | Loose], keys: pl.DataFrame, asked: NDArray[np.int64]
) -> list[Taken]:
    """Each view's features for rows with these keys and moments."""
    pairs: dict[tuple[str, ...], Pairs] = {}
    for history in histories:
        by = history.plan.by
        if by not in pairs:
            entities = history.entities
            numbers = entity_numbers(keys, by, entities) if by else np.zeros(len(asked), np.int64)
            pairs[by] = pairs_of(numbers, asked, entities.height)
    return _each(lambda one: features_of(one, pairs[one.plan.by]), histories)


def online(plan: Plan, events: list[pl.DataFrame]) -> OpenFeatures:
    """The same features, opened once to answer for one entity at a time."""
    return OpenFeatures(plan, histories_of_all(plan, events))
