"""What the truth of a table is: a yes or no, a class, labels, a number, or what answers a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.evaluation.reading_classes import class_models, guessed_models, is_label
from trackrecord.evaluation.reading_labels import label_columns
from trackrecord.evaluation.reading_numbers import quantile_columns
from trackrecord.evaluation.reading_rankings import QUERY_NAMES
from trackrecord.evaluation.roles import SCORE_NAMES, Asked, named, optional_in, truth_in

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.stats.metrics import Task

    Guess = tuple[Task, str | None]

# A truth of whole numbers with so many different values is a number, unless predictions say more.
MOST_COUNTED = 20
# So many classes are looked for among columns.
MOST_CLASSES = 2000
# Text of so many values may still be a yes or no and something else.
MOST_NAMED = 6
OTHERWISE = "(--task says otherwise)"


def guessed_task(raw: pl.DataFrame, asked: Asked, *, with_history: bool = False) -> Guess:
    """(the task, the guess in words); a yes or no is no guess, and told by nothing.

    Who gives a history, or names a series, has forecasts. Where nothing fits, it is a yes or no:
    its reader says what is missing.
    """
    names = list(raw.columns)
    if asked.task is not None:
        return asked.task, None
    if asked.positive is not None:
        return "binary", None
    if (query := query_in(raw, asked)) is not None:
        said = None if asked.query else f"documents are ranked for each {query!r} {OTHERWISE}"
        return "ranking", said
    if labels := label_columns(raw, asked):
        return "multilabel", f"a row has any number of {len(labels)} labels {OTHERWISE}"
    if asked.series is not None or with_history:
        return "regression", None
    truth = truth_in(names, asked)
    if truth is None or truth not in names:
        return "binary", None
    series = raw[truth].drop_nulls()
    if series.dtype.is_nested():
        return "binary", None
    return _by_values(raw, series, truth, asked)


def query_in(raw: pl.DataFrame, asked: Asked) -> str | None:
    """The column that names each row's query; a name is a guess only where queries repeat."""
    if asked.query is not None:
        return asked.query
    names = list(raw.columns)
    others = {asked.target, asked.id, asked.cluster, asked.time, asked.weight, *asked.slices}
    column = named([n for n in names if n not in others], QUERY_NAMES)
    if column is None:
        return None
    return column if raw[column].n_unique() < raw.height else None


def _by_values(raw: pl.DataFrame, series: pl.Series, truth: str, asked: Asked) -> Guess:
    """By the truth's values and those of the predictions."""
    import polars as pl

    if series.dtype == pl.Boolean or len(series) == 0:
        return "binary", None
    if series.dtype.is_numeric():
        finite = series.filter(series.is_finite()) if series.dtype.is_float() else series
        if bool(((finite == 0) | (finite == 1)).all()):
            return "binary", None
        broken = series.dtype.is_float() and not bool((finite == finite.round()).all())
        if broken and finite.n_unique() > 2:
            return "regression", f"{truth!r} is a number {OTHERWISE}"
    elif series.dtype != pl.String:
        return "binary", None
    count = series.n_unique()
    if count < 2:
        return "binary", None
    predicted = count <= MOST_CLASSES and _predicts_classes(raw, series, truth, asked)
    if predicted and (series.dtype == pl.String or count <= MOST_COUNTED or predicted == "wide"):
        return "multiclass", f"{truth!r} is one class of {count:,} {OTHERWISE}"
    if series.dtype == pl.String:
        few = count <= MOST_NAMED and _single_score(raw, asked, truth)
        return ("binary", None) if few else (
            "multiclass", f"{truth!r} is one class of {count:,} {OTHERWISE}"
        )  # fmt: skip
    if count > 2 and _predicts_numbers(raw, asked, truth, many=count > MOST_COUNTED):
        return "regression", f"{truth!r} is a number {OTHERWISE}"
    return "binary", None


def _predicts_classes(raw: pl.DataFrame, series: pl.Series, truth: str, asked: Asked) -> str | None:
    """``wide`` where there are probabilities of classes, ``labels`` where classes are named."""
    from trackrecord.data.kinds import as_text
    from trackrecord.errors import DataError

    classes = as_text(series).unique().sort().to_list()
    taken = {truth, asked.id, *optional_in(list(raw.columns), asked).values()}
    free = [c for c in raw.columns if c not in taken and not c.startswith("slice.")]
    if asked.scores:
        try:
            words = Asked(scores=asked.scores, baselines=asked.baselines)
            models = class_models(raw, classes, words, {c for c in taken if c}, "")
        except DataError:
            return None
        models = {
            name: held
            for name, held in models.items()
            if not isinstance(held, str) or is_label(raw[held], classes)
        }
    else:
        models = guessed_models(raw, classes, free)
    if not models:
        return None
    return "wide" if any(not isinstance(held, str) for held in models.values()) else "labels"


def _score_columns(raw: pl.DataFrame, asked: Asked, truth: str) -> list[str]:
    """Columns of numbers that are scores by their names, or were named."""
    names = [n for n in raw.columns if n != truth]
    words = [*asked.scores, *asked.baselines]
    found = [c for word in words for c in (word, f"score.{word}") if c in names]
    found = found or [c for c in names if c.startswith("score.")]
    if not found and (column := named(names, SCORE_NAMES)) is not None:
        found = [column]
    return [c for c in found if raw[c].dtype.is_numeric()]


def _single_score(raw: pl.DataFrame, asked: Asked, truth: str) -> bool:
    return len(_score_columns(raw, asked, truth)) >= 1


def _predicts_numbers(raw: pl.DataFrame, asked: Asked, truth: str, *, many: bool) -> bool:
    """Whether predictions are no probabilities, or are quantiles.

    Beside a truth of ``many`` values, predictions that are all missing were to be numbers.
    """
    if quantile_columns([n for n in raw.columns if n != truth and raw[n].dtype.is_numeric()]):
        return True
    columns = [raw[c].drop_nulls() for c in _score_columns(raw, asked, truth)]
    if many and columns and all(len(c) == 0 for c in columns):
        return True
    return any(len(c) > 0 and not bool(c.is_between(0, 1).all()) for c in columns)
