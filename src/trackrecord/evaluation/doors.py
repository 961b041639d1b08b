"""What people hand to ``evaluate`` and ``compare``: a table, the path of one, or columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.errors import BadInput, suggest
from trackrecord.evaluation.reading import Asked, ReadOutcomes, interpret, open_outcomes
from trackrecord.stats.metrics import TASKS, Task

if TYPE_CHECKING:
    import polars as pl


def read_any(
    data: Any,
    score: Any,
    baseline: Any,
    columns: Mapping[str, Any],
    slices: Any,
    *,
    task: Task | None,
    classes: Any,
    history: Any,
    season: int,
) -> ReadOutcomes:
    """A table's Outcomes, or those of columns; ``columns`` are those that have a role."""
    from trackrecord.evaluation.arrays import is_table, table_of

    if task is not None and task not in TASKS:
        near = suggest(str(task), list(TASKS))
        raise BadInput(
            f"there is no task {task!r}",
            why=f"did you mean {near!r}?" if near else f"tasks: {', '.join(TASKS)}",
        )
    past = _past(history)
    file = isinstance(data, str | Path)
    if file or (is_table(data) and (score is None or _is_words(score))):
        asked = asked_of(score, baseline, columns, slices, task=task, season=season)
        if classes is not None:
            raise BadInput("classes= names the columns of an array", why="a table has headers")
        if file:
            return open_outcomes(Path(data), asked, history=past)
        return interpret(table_of(data), "the table", asked, history=past)
    if score is None:
        raise BadInput(
            "there are no scores",
            why=f"a table would have them; the {type(data).__name__} is taken as the truth",
            next="evaluate(truth, score), or evaluate(table)",
        )
    if columns.get("target") is not None:
        raise BadInput("target= names a column of a table", why="the truth is given as a column")
    if slices is not None and not isinstance(slices, Mapping):
        raise BadInput("slices must be a mapping of names to columns", next="slices={'site': site}")
    from trackrecord.evaluation.given import read_given

    given = {name: values for name, values in columns.items() if values is not None}
    given |= {f"slice.{name}": values for name, values in (slices or {}).items()}
    models, baselines = _sides(score, baseline)
    return read_given(
        data,
        models,
        baselines,
        given,
        classes=classes,
        task=task,
        history=past,
        season=season,
    )


def asked_of(
    score: Any,
    baseline: Any,
    columns: Mapping[str, Any],
    slices: Any,
    *,
    task: Task | None = None,
    season: int = 1,
) -> Asked:
    """Which column of a table is what. Raises BadInput for what is no name of a column."""
    named: Any = {name: _name(value, name) for name, value in columns.items()}
    return Asked(
        scores=_names(score, "score"),
        baselines=_names(baseline, "baseline"),
        slices=_names(slices, "slices"),
        task=task,
        season=season,
        **named,
    )


def _by_name(scores: Any, name: str) -> dict[str, Any]:
    """Predictions of each model; a mapping is of models, not of one model's columns."""
    return dict(scores) if isinstance(scores, Mapping) else {name: scores}


def _sides(score: Any, baseline: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """(models, baselines); a baseline may be one of the models, by its name."""
    models = _by_name(score, "score")
    words = [baseline] if isinstance(baseline, str) else baseline
    named = isinstance(score, Mapping) and _is_words(words) and bool(words)
    if named and set(words) <= set(models):
        return ({name: values for name, values in models.items() if name not in words},
                {name: models[name] for name in words})  # fmt: skip
    if isinstance(baseline, str):
        raise BadInput(
            f"there is no model {baseline!r}",
            why=f"models: {', '.join(map(str, models))}",
            next="baseline= is predictions, or the name of one of several models in score=",
        )
    return models, {} if baseline is None else _by_name(baseline, "baseline")


def _past(history: Any) -> pl.DataFrame | None:
    """A history as a table, from a file or in memory."""
    from trackrecord.evaluation.arrays import is_table, table_of

    if history is None:
        return None
    if isinstance(history, str | Path):
        from trackrecord.data.sources import read_table
        from trackrecord.evaluation.room import check_room

        check_room(Path(history))
        return read_table(Path(history), semicolons=True)
    if not is_table(history):
        raise BadInput("history= is a table, or the path of one")
    return table_of(history)


def _is_words(value: Any) -> bool:
    listed = [value] if isinstance(value, str) else value
    return isinstance(listed, list | tuple) and all(isinstance(item, str) for item in listed)


def _name(value: Any, what: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise BadInput(f"{what}= of a table is a column's name", why=f"got a {type(value).__name__}")


def _names(value: Any, what: str) -> list[str]:
    if value is None:
        return []
    if _is_words(value):
        return [value] if isinstance(value, str) else list(value)
    raise BadInput(
        f"{what}= of a table is a column's name, or a list of them",
        why=f"got a {type(value).__name__}",
    )
