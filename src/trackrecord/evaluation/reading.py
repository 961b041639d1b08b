"""Which column is what: any table of predictions as an Outcomes table, each guess said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import SHAPE, no_column, score_of, truth_of
from trackrecord.evaluation.commas import with_points
from trackrecord.evaluation.guessing import guessed_task
from trackrecord.evaluation.roles import (
    SCORE_NAMES,
    TRUTH_NAMES,
    Asked,
    ReadOutcomes,
    ids_in,
    model_of,
    named,
    named_twice,
    others_in,
    places_of,
    said_of,
    taken_by,
    truth_in,
)
from trackrecord.stats.metrics import TRUTHS, Task

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "SCORE_NAMES",
    "TRUTH_NAMES",
    "Asked",
    "ReadOutcomes",
    "Roles",
    "interpret",
    "open_outcomes",
    "roles_of",
]


@dataclass(frozen=True)
class Roles:
    """The column of each role: ``truth``, ``id`` (None: rows have no name), the ``scores`` of each
    model, ``optional`` ones and those of slices by name; the rest as in ``ReadOutcomes``."""

    truth: str
    id: str | None
    scores: dict[str, str]
    optional: dict[str, str]
    sliced: dict[str, str]
    guesses: list[str]
    baselines: list[str]
    slices: list[str]


def open_outcomes(
    path: Path,
    asked: Asked | None = None,
    *,
    history: Path | pl.DataFrame | None = None,
    qrels: Path | None = None,
) -> ReadOutcomes:
    """Read a file in any of the common shapes, saying what was guessed.

    Parameters
    ----------
    path:
        Predictions; of a ranking, the table or the TREC run.
    asked:
        Which column is what, as far as that is known.
    history:
        A table of the series' past, or its file, where the truth is a number.
    qrels:
        Which documents answer a query, where the predictions are a ranking.

    Raises
    ------
    DataError
        For a file that is empty, no table, or too big for this machine; without truth or scores
        (with a suggestion); with doubled columns or ids; and for truth and scores that are
        missing, NaN, infinite or of a kind that the task cannot use – naming rows.
    """
    from trackrecord.data.sources import read_table
    from trackrecord.evaluation.arrays import table_of
    from trackrecord.evaluation.nested import nested_in, rankings_in
    from trackrecord.evaluation.room import check_room
    from trackrecord.evaluation.trec import is_trec_run

    check_room(path)
    past = history
    if isinstance(history, Path):
        check_room(history)
        past = read_table(history, semicolons=True)
    if qrels is not None:
        from trackrecord.evaluation.reading_rankings import open_rankings

        return open_rankings([path], qrels, asked or Asked())
    if path.is_file() and is_trec_run(path):
        raise BadInput(
            f"{path.name} is a TREC run: it does not say which documents answer a query",
            next=f"give the judgements, too: trackrecord evaluate {path.name} --qrels FILE",
        )
    raw = nested_in(path)
    if raw is None:
        raw = read_table(path, semicolons=True)
    elif (ranked := rankings_in(raw)) is not None:
        return ranked
    else:
        raw = table_of(raw)
    return interpret(raw, path.name, asked, history=past)  # type: ignore[arg-type]


def interpret(
    raw: pl.DataFrame,
    where: str,
    asked: Asked | None = None,
    *,
    history: pl.DataFrame | None = None,
) -> ReadOutcomes:
    """Like :func:`open_outcomes`, for a table already in memory."""
    asked = asked or Asked()
    if raw.height == 0:
        raise DataError(f"{where} has no rows", next=SHAPE)
    raw, commas = with_points(raw, asked)
    found = _interpreted(raw, where, asked, history)
    if not commas:
        return found
    said = f"{', '.join(commas[:4])}{', …' if len(commas) > 4 else ''}: a comma is a decimal point"
    return replace(found, guesses=[said, *found.guesses])


def _interpreted(
    raw: pl.DataFrame, where: str, asked: Asked, history: pl.DataFrame | None
) -> ReadOutcomes:
    import polars as pl

    task, said = guessed_task(raw, asked, with_history=history is not None)
    if history is not None and task != "regression":
        raise BadInput(
            "a history is for forecasts, where the truth is a number",
            where=where,
            next="leave --history out, or say --task regression",
        )
    if task != "binary":
        found = _read_task(raw, where, asked, history, task)
        guesses = [said, *found.guesses] if said else found.guesses
        return replace(found, guesses=guesses, timed=asked.time is not None)
    roles = roles_of(raw, where, asked)
    columns = [ids_in(raw, roles.id, where), truth_of(raw[roles.truth], where, asked.positive)]
    columns += [score_of(raw[c], where).alias(f"score.{name}") for name, c in roles.scores.items()]
    columns += others_in(raw, roles.optional, roles.sliced, where)
    return ReadOutcomes(
        pl.DataFrame(columns),
        roles.guesses,
        roles.baselines,
        roles.slices,
        timed=asked.time is not None,
    )


def roles_of(raw: pl.DataFrame, where: str, asked: Asked) -> Roles:
    """Which column is what, where the truth is a yes or no.

    From their names; where there is no score's name, from their values. Raises DataError for
    columns that are not there, or cannot be told from one another.
    """
    names = list(raw.columns)
    for option, listed in (("score", asked.scores), ("baseline", asked.baselines)):
        for word in listed:
            if word not in names and f"score.{word}" not in names:
                raise no_column(word, names, where, option=f"--{option}")
    truth = truth_in(names, asked)
    held = {*asked.scores, *asked.baselines}
    places = places_of(names, where, asked, truth=truth, held=held)
    if truth is None:
        raise no_column("truth", names, where)
    scores, said = _scores(raw, taken_by(places, names), where, asked)
    guesses = said_of(names, places, asked, set(scores.values()), said)
    baselines = [name for name, c in scores.items() if c in _resolved(names, asked.baselines)]
    return Roles(
        truth, places.id, scores, places.optional, places.sliced, guesses, baselines, places.slices
    )


def _read_task(
    raw: pl.DataFrame, where: str, asked: Asked, history: pl.DataFrame | None, task: Task
) -> ReadOutcomes:
    """A table whose truth is no yes or no."""
    if asked.positive is not None:
        raise BadInput(
            "--positive is for a yes or no",
            why=f"the truth is {TRUTHS[task]}",
            next=f"leave --positive {asked.positive} out, or say --task binary",
        )
    if task == "multiclass":
        from trackrecord.evaluation.reading_classes import read_classes

        return read_classes(raw, where, asked)
    if task == "multilabel":
        from trackrecord.evaluation.reading_labels import read_labels

        return read_labels(raw, where, asked)
    if task == "regression":
        from trackrecord.evaluation.reading_numbers import read_numbers

        return read_numbers(raw, where, asked, history=history)
    from trackrecord.evaluation.reading_rankings import read_rankings

    return read_rankings(raw, where, asked)


def _resolved(names: list[str], words: list[str]) -> list[str]:
    """Columns of scores by their own name, or by the model's name after ``score.``."""
    return [word if word in names else f"score.{word}" for word in words]


def _scores(
    raw: pl.DataFrame, taken: set[str], where: str, asked: Asked
) -> tuple[dict[str, str], str | None]:
    """(column of each model, what was guessed); baselines come before the models."""
    names = list(raw.columns)
    if asked.scores or asked.baselines:
        chosen = _resolved(names, [*asked.baselines, *asked.scores])
        if not asked.scores:
            others = [c for c in names if c.startswith("score.") and c not in chosen]
            chosen += others or [_score_column(raw, {*taken, *chosen}, where)]
    else:
        chosen = [c for c in names if c.startswith("score.")]
        if chosen and "score" in names:
            raise DataError(
                f"{where} has both 'score' and 'score.NAME' columns",
                next="give each model one name, or name the columns with --score",
            )
    if "score." in chosen:
        raise DataError(f"{where} has a column 'score.' without a model's name", next=SHAPE)
    if not chosen:
        column = _score_column(raw, taken, where)
        said = None if column == "score" else f"the column {column!r} holds the scores"
        return {"score" if column.lower() in SCORE_NAMES else column: column}, said
    found: dict[str, str] = {}
    for column in chosen:
        name = model_of(column)
        if name in found:
            raise named_twice(name)
        found[name] = column
    return found, None


def _score_column(raw: pl.DataFrame, taken: set[str], where: str) -> str:
    """The one column of scores where none is called ``score.NAME``."""
    found = named([name for name in raw.columns if name not in taken], SCORE_NAMES)
    if found is not None:
        return found
    free = [
        name
        for name in raw.columns
        if name not in taken
        and not name.startswith("slice.")
        and (raw[name].dtype.is_float() or _is_share(raw[name]))
    ]
    if len(free) == 1:
        return free[0]
    if free:
        raise DataError(
            f"{where} has several columns that could be scores: {', '.join(free[:8])}",
            next=f"name them: --score {free[-1]} --baseline {free[0]}",
        )
    raise no_column("score", raw.columns, where)


def _is_share(series: pl.Series) -> bool:
    return series.dtype.is_integer() and bool(series.is_between(0, 1).all())
