"""Truth and predictions that are given as columns and arrays, as an Outcomes table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trackrecord.errors import BadInput
from trackrecord.evaluation.arrays import is_lists, table_of, wide_of
from trackrecord.evaluation.checking import class_of
from trackrecord.evaluation.reading import Asked, ReadOutcomes, interpret
from trackrecord.evaluation.reading_classes import probabilities_of
from trackrecord.evaluation.reading_labels import as_labels, truths_of
from trackrecord.evaluation.reading_numbers import POINT, POINT_NAMES
from trackrecord.evaluation.roles import ids_in, others_in
from trackrecord.evaluation.wide import check_spelling, groups_of, whole_groups

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.stats.metrics import Task

# A table of several columns for a model, by their names; a plain column as it was given.
WHERE = "the input"
# What lists of equal length may be.
LABELS = "each list of the truth is a row, with a 0 or 1 for each label"
QUERIES = "each list of the truth is a query, with the relevance of each document"


def read_given(
    truth: Any,
    models: dict[str, Any],
    baselines: dict[str, Any],
    columns: dict[str, Any],
    *,
    classes: Any = None,
    task: Task | None = None,
    history: pl.DataFrame | None = None,
    season: int = 1,
) -> ReadOutcomes:
    """The Outcomes of columns and arrays.

    Parameters
    ----------
    truth:
        (n,), (n, labels), or a list of relevances for each of n queries.
    models, baselines:
        Each (n,), (n, classes), (n, labels), lists like the truth's, or a table or mapping of
        quantiles.
    columns:
        ``id``, ``cluster``, ``time``, ``weight``, ``series``, ``query``, ``document`` and
        ``slice.NAME``, as many as there are.
    classes:
        What the columns of probabilities, or the labels, are called; as scikit-learn's
        ``classes_``.
    task, history, season:
        As in ``Asked`` and ``interpret``.
    """
    if _length(truth) == 0:
        raise BadInput(f"{WHERE} has no rows")
    if both := set(models) & set(baselines):
        raise BadInput(f"{sorted(both)[0]!r} is both a model and a baseline")
    scores = baselines | models
    listed = is_lists(truth) if task in (None, "ranking") and "query" not in columns else False
    if listed or (task == "ranking" and wide_of(truth, "truth") is not None):
        return _rankings(truth, scores, baselines, columns)
    wide_truth = None if task in ("binary", "regression", "ranking") else wide_of(truth, "truth")
    if wide_truth is not None or task == "multilabel":
        guessed = task is None and classes is None and isinstance(truth, list | tuple)
        if guessed and wide_truth is not None and _is_graded(wide_truth):
            read = _rankings(truth, scores, baselines, columns)
            return replace(read, guesses=[QUERIES])
        read = _labels(wide_truth, scores, baselines, columns, classes)
        said = [f"{LABELS} (task='ranking' says otherwise)"] if guessed else []
        return replace(read, guesses=[*said, *read.guesses])
    wide = {name: found for name, values in scores.items()
            if (found := wide_of(values, name)) is not None}  # fmt: skip
    if task == "regression" or (task is None and any(_is_forecast(w) for w in wide.values())):
        flat = _flattened(scores, wide)
        asked = Asked(task="regression", season=season)
        return _read_flat({"truth": truth} | flat | columns, baselines, asked, history)
    if task in (None, "multiclass") and (wide or classes is not None):
        labels = table_of({"truth": truth})["truth"]
        if task == "multiclass" or not _two_of_binary(labels, wide, classes):
            return _classes(labels, scores, wide, baselines, columns, classes)
    flat = {f"score.{name}": values for name, values in scores.items()}
    asked = Asked(task=task, season=season)
    return _read_flat({"truth": truth} | flat | columns, baselines, asked, history)


def _read_flat(
    table: dict[str, Any], baselines: dict[str, Any], asked: Asked, history: pl.DataFrame | None
) -> ReadOutcomes:
    read = interpret(table_of(table), WHERE, asked, history=history)
    guesses, timed = _guesses(read.guesses), "time" in read.frame.columns
    return ReadOutcomes(read.frame, guesses, list(baselines), [], read.task, timed)


def _guesses(said: list[str]) -> list[str]:
    return [text for text in said if not text.startswith("there is no id")]


def _classes(
    labels: pl.Series,
    scores: dict[str, Any],
    wide: dict[str, pl.DataFrame],
    baselines: dict[str, Any],
    columns: dict[str, Any],
    classes: Any,
) -> ReadOutcomes:
    """One class of several, with a column of probabilities for each."""
    truth = class_of(labels, WHERE, truth=True)
    known = truth.unique().sort().to_list()
    flat = {name: values for name, values in scores.items() if name not in wide}
    frame = table_of({"truth": labels, **columns, **{f"score.{n}": v for n, v in flat.items()}})
    parts = [ids_in(frame, "id" if "id" in columns else None, WHERE), truth.alias("truth")]
    for name in scores:
        if name not in wide:
            parts.append(class_of(frame[f"score.{name}"], WHERE, truth=False))
            continue
        table = wide[name]
        _check_height(table, name, frame)
        held = _class_columns(table, _names(classes), known, name, numeric=_is_array(scores[name]))
        said = {label: f"{name}.{label}" for label in held}
        table = table.rename({column: said[label] for label, column in held.items()})
        parts.append(probabilities_of(table, said, WHERE).alias(f"score.{name}"))
    return _assembled(parts, frame, columns, baselines, "multiclass")


def _class_columns(
    table: pl.DataFrame, classes: list[str] | None, known: list[str], name: str, *, numeric: bool
) -> dict[str, str]:
    """The column of each class in a model's table."""
    if classes is not None:
        if len(classes) != table.width or len(set(classes)) != len(classes):
            raise BadInput(
                f"classes= names {len(classes)} classes, and {name!r} has {table.width} columns",
                next="give one name for each column: classes=model.classes_",
            )
        check_spelling(known, classes, "classes=", WHERE)
        return dict(zip(classes, table.columns, strict=True))
    if numeric:
        if len(known) != table.width:
            raise BadInput(
                f"{name!r} has {table.width} columns, and the truth {len(known)} classes",
                why=f"the truth is one of {', '.join(known[:6])}",
                next="say what the columns are: classes=model.classes_",
            )
        # as text 10 comes before 2, as a number after
        return dict(zip(_in_order(known), table.columns, strict=True))
    groups = groups_of(table.columns, known)
    whole = whole_groups(groups, known)
    if whole:
        prefix = whole[0]
        held = [c for c in table.columns if c.startswith(prefix)]
        return {c.removeprefix(prefix): c for c in held}
    check_spelling(known, table.columns, f"the model {name!r}", WHERE)
    return {c: c for c in table.columns}


def _in_order(names: list[str]) -> list[str]:
    """Classes as scikit-learn has them: numbers by value, text by its letters."""
    try:
        return sorted(names, key=float)
    except ValueError:
        return sorted(names)


def _labels(
    truth: pl.DataFrame | None,
    scores: dict[str, Any],
    baselines: dict[str, Any],
    columns: dict[str, Any],
    classes: Any,
) -> ReadOutcomes:
    """Any number of labels: a matrix of the truth, and one of each model."""
    if truth is None:
        raise BadInput("labels are a truth of several columns: (n, labels)")
    labels = _names(classes) or list(truth.columns)
    if len(labels) != truth.width or len(set(labels)) != len(labels):
        raise BadInput(f"classes= names {len(labels)} labels, the truth has {truth.width} columns")
    truth.columns = labels
    frame = table_of({"row": [0] * truth.height, **columns})
    parts = [ids_in(frame, "id" if "id" in columns else None, WHERE)]
    parts.append(truths_of(truth, {label: label for label in labels}, WHERE))
    for name, values in scores.items():
        table = wide_of(_both_classes(values), name)
        if table is None or table.width != len(labels):
            width = 1 if table is None else table.width
            raise BadInput(
                f"{name!r} has {width} columns, and the truth {len(labels)} labels",
                next="give a column of predictions for each label",
            )
        _check_height(table, name, truth)
        if set(table.columns) != set(labels):
            if not _is_array(values):
                check_spelling(labels, table.columns, f"the model {name!r}", WHERE, "label")
                raise BadInput(
                    f"the columns of {name!r} are not the truth's labels",
                    why=f"{', '.join(table.columns[:6])}; labels: {', '.join(labels[:6])}",
                )
            table.columns = labels
        from trackrecord.evaluation.checking import PROBABILITIES, score_of

        held = [score_of(table[label], WHERE, PROBABILITIES) for label in labels]
        parts.append(as_labels(held).alias(f"score.{name}"))
    return _assembled(parts, frame, columns, baselines, "multilabel")


def _rankings(
    truth: Any, scores: dict[str, Any], baselines: dict[str, Any], columns: dict[str, Any]
) -> ReadOutcomes:
    """A list of relevances for each query, and lists of scores; None is not retrieved."""
    import polars as pl

    parts = []
    for name, values in ({"truth": truth} | {f"score.{n}": v for n, v in scores.items()}).items():
        try:
            parts.append(pl.Series(name, list(map(_floats, values)), dtype=pl.List(pl.Float64)))
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise BadInput(
                f"the {name} is no list of numbers for each query", why=str(error)[:200]
            ) from None
    if any(len(part) != len(parts[0]) for part in parts):
        raise BadInput("truth and scores must have a list for each query")
    if len(parts[0]) == 0:
        raise BadInput(f"{WHERE} has no rows")
    frame = table_of({"row": [0] * len(parts[0]), **columns})
    parts.insert(0, ids_in(frame, "id" if "id" in columns else None, WHERE))
    return _assembled(parts, frame, columns, baselines, "ranking")


def _assembled(
    parts: list[pl.Series],
    frame: pl.DataFrame,
    columns: dict[str, Any],
    baselines: dict[str, Any],
    task: Task,
) -> ReadOutcomes:
    import polars as pl

    optional: dict[str, str] = {
        role: role for role in ("cluster", "time", "weight") if role in columns
    }
    sliced = {c.removeprefix("slice."): c for c in columns if c.startswith("slice.")}
    parts = [*parts, *others_in(frame, optional, sliced, WHERE)]
    return ReadOutcomes(pl.DataFrame(parts), [], list(baselines), [], task, timed="time" in columns)


def _is_graded(truth: pl.DataFrame) -> bool:
    """Whether some numbers of the truth are neither 0 nor 1, as relevances may be."""
    columns = truth.get_columns()
    return all(c.dtype.is_numeric() for c in columns) and not all(
        bool(((c == 0) | (c == 1)).all()) for c in columns
    )


def _flattened(scores: dict[str, Any], wide: dict[str, pl.DataFrame]) -> dict[str, Any]:
    """Points and quantiles as columns ``score.NAME`` and ``score.NAME.q0.05``."""
    flat: dict[str, Any] = {}
    for name, values in scores.items():
        if name not in wide:
            flat[f"score.{name}"] = values
            continue
        for column in wide[name].columns:
            level = _level(column)
            if level is None and column.lower() not in (*POINT_NAMES, POINT):
                raise BadInput(
                    f"{name!r} has a column {column!r}, neither a prediction nor a quantile",
                    next="call quantiles q0.05, and the prediction point",
                )
            known = f"score.{name}" if level is None else f"score.{name}.q{level:g}"
            flat[known] = wide[name][column]
    return flat


def _is_forecast(table: pl.DataFrame) -> bool:
    """Whether a model's columns are quantiles, but for a prediction."""
    rest = [c for c in table.columns if c.lower() not in (*POINT_NAMES, POINT)]
    return bool(rest) and all(_level(c) is not None for c in rest)


def _level(column: str) -> float | None:
    try:
        level = float(column.removeprefix("q"))
    except ValueError:
        return None
    return level if 0 < level < 1 else None


def _two_of_binary(labels: pl.Series, wide: dict[str, pl.DataFrame], classes: Any) -> bool:
    """Whether the columns are both classes of a yes or no, as ``predict_proba`` gives them."""
    import polars as pl

    if classes is not None or any(table.width != 2 for table in wide.values()):
        return False
    if labels.dtype == pl.Boolean:
        return True
    return labels.dtype.is_numeric() and bool(((labels == 0) | (labels == 1)).all())


def _both_classes(values: Any) -> Any:
    """Of a list of (n, 2), a label each, as scikit-learn's multi-output models give, the matrix."""
    import numpy as np

    if not isinstance(values, list) or not values:
        return values
    if all(np.ndim(v) == 2 and np.shape(v)[1] == 2 for v in values):
        return np.column_stack([np.asarray(v)[:, 1] for v in values])
    return values


def _length(values: Any) -> int | None:
    try:
        return len(values)
    except TypeError:
        return None


def _floats(values: Any) -> list[float | None]:
    return [None if v is None else float(v) for v in values]


def _is_array(values: Any) -> bool:
    """Whether columns have no names of their own."""
    return not isinstance(values, Mapping) and not hasattr(values, "columns") and not hasattr(
        values, "column_names"
    )  # fmt: skip


def _names(classes: Any) -> list[str] | None:
    if classes is None:
        return None
    if isinstance(classes, str):
        raise BadInput("classes= is a list of names, one for each column")
    from trackrecord.data.kinds import as_text

    return as_text(table_of({"classes": classes})["classes"]).to_list()


def _check_height(table: pl.DataFrame, name: str, frame: pl.DataFrame) -> None:
    if table.height != frame.height:
        raise BadInput(
            "the columns are not of one length",
            why=f"the truth has {frame.height:,} rows, {name} has {table.height:,}",
            next="give one value of each column for every row",
        )
