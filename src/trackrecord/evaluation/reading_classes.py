"""Tables whose truth is one class of several: labels, or a column of probabilities a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import PROBABILITIES, class_of, no_column, score_of
from trackrecord.evaluation.roles import (
    SCORE_NAMES,
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
from trackrecord.evaluation.wide import (
    Wide,
    check_spelling,
    group_asked,
    groups_of,
    name_of,
    no_group,
    whole_groups,
    with_others,
)

if TYPE_CHECKING:
    import polars as pl

    # of each model, the column of its labels, or of each class' probability
    Models = dict[str, str | Wide]

SHAPE = (
    "predictions of classes are a column of labels (predicted, score.NAME), or a column of "
    "probabilities for each class behind one prefix (score.NAME.CLASS, p_CLASS)"
)
# the most classes that an error or a guess names
NAMED = 6


def read_classes(raw: pl.DataFrame, where: str, asked: Asked) -> ReadOutcomes:
    """The Outcomes of a table of classes.

    Raises DataError for missing classes or probabilities, naming rows; for a class that is written
    in two ways; and where there are no predictions of classes.
    """
    import polars as pl

    names = list(raw.columns)
    truth = truth_in(names, asked)
    if truth is None:
        raise no_column("truth", names, where)
    places = places_of(names, where, asked, truth=truth)
    labels = class_of(raw[truth], where, truth=True).alias("truth")
    classes = labels.unique().sort().to_list()
    models = class_models(raw, classes, asked, taken_by(places, names), where)
    used = {c for held in models.values() for c in columns_in(held)}
    guesses = said_of(names, places, asked, used)
    guesses[:0] = said_of_models(models, classes)
    columns = [ids_in(raw, places.id, where), labels]
    for name, held in models.items():
        read = _labels(raw[held], classes, name, where) if isinstance(held, str) else (
            probabilities_of(raw, held, where)
        )  # fmt: skip
        columns.append(read.alias(f"score.{name}"))
    columns += others_in(raw, places.optional, places.sliced, where)
    baselines = baselines_in(models, asked)
    return ReadOutcomes(pl.DataFrame(columns), guesses, baselines, places.slices, "multiclass")


def class_models(
    raw: pl.DataFrame, classes: list[str], asked: Asked, taken: set[str], where: str
) -> Models:
    """What each model predicts with; baselines come before the models.

    Raises DataError where a model that was asked for has no columns, or none was found.
    """
    names = list(raw.columns)
    free = [c for c in names if c not in taken and not c.startswith("slice.")]
    groups = groups_of([c for c in free if raw[c].dtype.is_numeric()], classes)
    found: Models = {}
    for word in [*asked.baselines, *asked.scores]:
        name, held = _asked_for(raw, word, groups, names, where)
        if name in found:
            raise named_twice(name)
        found[name] = held
    if not asked.scores:
        chosen = {c for held in found.values() for c in columns_in(held)}
        rest = [c for c in free if c not in chosen]
        for name, held in guessed_models(raw, classes, rest).items():
            if name in found:
                raise named_twice(name)
            found[name] = held
    if not found or (asked.baselines and len(found) == len(asked.baselines)):
        _check_columns(classes, free, where)
        shown = ", ".join(classes[:NAMED]) + (", …" if len(classes) > NAMED else "")
        raise DataError(
            f"{where} has no predictions of classes",
            why=f"the truth is one of {len(classes):,}: {shown}; columns: {', '.join(names[:20])}",
            next=SHAPE,
        )
    for name, held in found.items():
        if isinstance(held, dict):
            prefix = _prefix(held)
            spare = [c.removeprefix(prefix) for c in free if c.startswith(prefix)]
            check_spelling(classes, spare, f"the model {name!r}", f"{where}, column headers")
            found[name] = with_others(raw, prefix, held, free)
    return found


def guessed_models(raw: pl.DataFrame, classes: list[str], free: list[str]) -> Models:
    """Models by their columns' names; of a column without a model's name, by its values."""
    groups = groups_of([c for c in free if raw[c].dtype.is_numeric()], classes)
    found: Models = {name_of(prefix): groups[prefix] for prefix in whole_groups(groups, classes)}
    for name in free:
        if name.startswith("score.") and is_label(raw[name], classes):
            found.setdefault(model_of(name), name)
    if found:
        return found
    labels = [c for c in free if is_label(raw[c], classes)]
    column = named(labels, SCORE_NAMES)
    if column is None:
        alike = [c for c in labels if is_label(raw[c], classes, all_known=True)]
        column = alike[0] if len(alike) == 1 else None
    return {} if column is None else {column: column}


def is_label(series: pl.Series, classes: list[str], *, all_known: bool = False) -> bool:
    """Whether a column names classes: text, or whole numbers that are all classes.

    With ``all_known`` text, too, must hold nothing but classes.
    """
    import polars as pl

    from trackrecord.data.kinds import as_text

    if series.dtype.is_nested() or series.null_count() == len(series):
        return False
    if not (series.dtype.is_numeric() or series.dtype in (pl.String, pl.Boolean)):
        return False
    values = series.drop_nulls().unique()
    if series.dtype == pl.String and not all_known:
        return bool(values.is_in(classes).any())
    if len(values) > len(classes):
        return False
    return set(as_text(values).to_list()) <= set(classes)


def columns_in(held: str | Wide) -> list[str]:
    """The columns that a model takes."""
    return [held] if isinstance(held, str) else list(held.values())


def probabilities_of(raw: pl.DataFrame, wide: Wide, where: str) -> pl.Series:
    """A struct with a field for each class, none missing."""
    import polars as pl

    parts = [score_of(raw[c], where, PROBABILITIES).alias(name) for name, c in wide.items()]
    return pl.DataFrame(parts).to_struct("score")


def said_of_models(models: Models, classes: list[str]) -> list[str]:
    """What was taken as a model's predictions, a sentence each."""
    said = []
    for name, held in models.items():
        if isinstance(held, str):
            if held != f"score.{name}":
                said.append(f"the column {held!r} names the predicted class")
            continue
        prefix = _prefix(held)
        if not prefix.startswith("score."):
            shown = f"the columns {prefix!r} and a class" if prefix else "columns named by classes"
            said.append(f"{shown} hold the probabilities of {name!r}")
        if absent := [c for c in classes if c not in held]:
            shown = ", ".join(absent[:NAMED]) + (", …" if len(absent) > NAMED else "")
            said.append(f"{name!r} has no probability of {shown}, so it never predicts that")
    return said


def baselines_in(models: Models, asked: Asked) -> list[str]:
    """The models that were asked for as baselines: they come first."""
    return list(models)[: len(asked.baselines)]


def _asked_for(
    raw: pl.DataFrame, word: str, groups: dict[str, Wide], names: list[str], where: str
) -> tuple[str, str | Wide]:
    """(the model's name, what it predicts with) of what a person named."""
    column = next((c for c in (word, f"score.{word}") if c in names), None)
    prefix = group_asked(groups, word)
    if prefix is not None and (column is None or raw[column].dtype.is_float()):
        return name_of(prefix), groups[prefix]
    if column is None:
        raise no_group(word, groups, names, where)
    return model_of(column), column


def _prefix(wide: Wide) -> str:
    name, column = next(iter(wide.items()))
    return column.removesuffix(name)


def _labels(series: pl.Series, classes: list[str], model: str, where: str) -> pl.Series:
    predicted = class_of(series, where, truth=False)
    check_spelling(
        classes, predicted.unique().to_list(), f"the model {model!r}", f"{where}, {series.name!r}"
    )
    if series.dtype.is_float() and not is_label(series, classes, all_known=True):
        raise DataError(
            f"{series.name!r} holds numbers that are no classes",
            where=f"{where}, row 1: {series[0]}",
            why=f"the truth is one of: {', '.join(classes[:NAMED])}",
            next=SHAPE,
        )
    return predicted


def _check_columns(classes: list[str], free: list[str], where: str) -> None:
    """Raise DataError where the headers hold the classes, spelt differently."""
    check_spelling(classes, [c for c in free if c not in classes], "the header", where)
    for cut in {c[: -len(name)] for c in free for name in classes if _ends(c, name)}:
        rest = [c.removeprefix(cut) for c in free if c.startswith(cut)]
        check_spelling(classes, rest, f"the header, behind {cut!r},", where)


def _ends(column: str, name: str) -> bool:
    return column.casefold().strip().endswith(name.casefold().strip()) and column != name
