"""Tables whose truth is any number of labels: a column of 0 and 1 for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import PROBABILITIES, no_column, score_of, truth_of
from trackrecord.evaluation.roles import (
    Asked,
    ReadOutcomes,
    ids_in,
    named_twice,
    others_in,
    places_of,
    said_of,
    taken_by,
)
from trackrecord.evaluation.wide import (
    Wide,
    check_spelling,
    group_asked,
    groups_of,
    name_of,
    no_group,
)

if TYPE_CHECKING:
    import polars as pl

TRUTH = "truth."
SHAPE = (
    "labels are columns truth.LABEL of 0 and 1 (or --target PREFIX), and a model has a column "
    "behind one prefix for each of them (score.NAME.LABEL)"
)


def label_columns(raw: pl.DataFrame, asked: Asked) -> Wide:
    """The truth's column of each label; empty where there are not two labels or more."""
    names = list(raw.columns)
    if asked.target is None:
        if "truth" in names:
            return {}
        prefix = TRUTH
    elif asked.target in names:
        return {}
    else:
        prefix = asked.target
    found = {c.removeprefix(prefix): c for c in names if c.startswith(prefix) and c != prefix}
    if prefix != TRUTH:  # a prefix of a person's own may begin other columns, too
        found = {label: c for label, c in found.items() if _is_yes_or_no(raw[c])}
    return found if len(found) >= 2 else {}


def read_labels(raw: pl.DataFrame, where: str, asked: Asked) -> ReadOutcomes:
    """The Outcomes of a table of labels.

    Raises DataError without labels or predictions of all of them, and for values that are missing,
    no numbers or, of the truth, anything but 0 and 1 – naming rows.
    """
    import msgspec
    import polars as pl

    names = list(raw.columns)
    truth = label_columns(raw, asked)
    if not truth:
        error = no_column(asked.target or "truth.LABEL", names, where)
        error.next = SHAPE
        raise error
    rest = msgspec.structs.replace(asked, target=None)
    held = set(truth.values())
    places = places_of(names, where, rest, truth=None, held=held)
    taken = {*held, *taken_by(places, names)}
    models = label_models(raw, list(truth), rest, taken, where)
    used = held | {c for wide in models.values() for c in wide.values()}
    guesses = [said_of_model(name, wide) for name, wide in models.items()]
    guesses += said_of(names, places, rest, used)
    columns = [ids_in(raw, places.id, where), truths_of(raw, truth, where)]
    for name, wide in models.items():
        parts = [score_of(_number(raw[c]), where, PROBABILITIES).alias(label)
                 for label, c in wide.items()]  # fmt: skip
        columns.append(as_labels(parts).alias(f"score.{name}"))
    columns += others_in(raw, places.optional, places.sliced, where)
    baselines = list(models)[: len(asked.baselines)]
    return ReadOutcomes(
        pl.DataFrame(columns), [g for g in guesses if g], baselines, places.slices, "multilabel"
    )


def truths_of(raw: pl.DataFrame, truth: Wide, where: str) -> pl.Series:
    """A struct of Int8, 0 or 1, with a field for each label."""
    import polars as pl

    parts = [truth_of(raw[c], where).alias(label) for label, c in truth.items()]
    return pl.DataFrame(parts).to_struct("truth")


def as_labels(parts: list[pl.Series]) -> pl.Series:
    """A struct of probabilities; of Int8 where a model says 0 and 1 only."""
    import polars as pl

    if all(bool(((part == 0) | (part == 1)).all()) for part in parts):
        parts = [part.cast(pl.Int8) for part in parts]
    return pl.DataFrame(parts).to_struct("score")


def label_models(
    raw: pl.DataFrame, labels: list[str], asked: Asked, taken: set[str], where: str
) -> dict[str, Wide]:
    """The columns of each model by label; baselines come before the models."""
    names = list(raw.columns)
    free = [c for c in names if c not in taken and not c.startswith("slice.")]
    groups = groups_of([c for c in free if _is_numeric(raw[c])], labels)
    prefixes: list[str] = []
    for word in [*asked.baselines, *asked.scores]:
        prefix = group_asked(groups, word)
        if prefix is None:
            raise no_group(word, groups, names, where)
        prefixes.append(prefix)
    if not asked.scores:
        whole = [p for p, w in groups.items() if len(w) == len(labels) or _says_so(p, w)]
        prefixes += [prefix for prefix in whole if prefix not in prefixes]
    if len(prefixes) == len(asked.baselines):
        raise DataError(
            f"{where} has no predictions of the labels {', '.join(labels[:6])}",
            why=f"columns: {', '.join(names[:20])}",
            next=SHAPE,
        )
    found: dict[str, Wide] = {}
    for prefix in prefixes:
        name, wide = name_of(prefix), groups[prefix]
        if name in found:
            raise named_twice(name)
        if absent := [label for label in labels if label not in wide]:
            spare = [c.removeprefix(prefix) for c in free if c.startswith(prefix)]
            check_spelling(labels, spare, f"the model {name!r}", f"{where}, headers", "label")
            raise DataError(
                f"the model {name!r} has no column for the label {absent[0]!r}",
                where=f"{where}, {prefix}{absent[0]}",
                why="each label has a truth, and a prediction of every model",
                next="write that column, or leave the label's truth out",
            )
        found[name] = {label: wide[label] for label in labels}
    return found


def said_of_model(name: str, wide: Wide) -> str:
    """What was taken as a model's predictions; empty where the header says it."""
    label, column = next(iter(wide.items()))
    prefix = column.removesuffix(label)
    if prefix.startswith("score."):
        return ""
    shown = f"the columns {prefix!r} and a label" if prefix else "columns named by labels"
    return f"{shown} hold the predictions of {name!r}"


def _says_so(prefix: str, wide: Wide) -> bool:
    return prefix.startswith("score.") and len(wide) >= 2


def _number(series: pl.Series) -> pl.Series:
    import polars as pl

    return series.cast(pl.Int8) if series.dtype == pl.Boolean else series


def _is_numeric(series: pl.Series) -> bool:
    import polars as pl

    return series.dtype.is_numeric() or series.dtype == pl.Boolean


def _is_yes_or_no(series: pl.Series) -> bool:
    import polars as pl

    held = series.drop_nulls()
    if series.dtype == pl.Boolean:
        return True
    return held.dtype.is_numeric() and len(held) > 0 and bool(((held == 0) | (held == 1)).all())
