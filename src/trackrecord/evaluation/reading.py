"""Which column is what: any table of predictions as an Outcomes table, each guess said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.slices import slice_parts
from trackrecord.errors import DataError, suggest
from trackrecord.evaluation.checking import (
    SHAPE,
    ids_of,
    no_column,
    optional_of,
    score_of,
    truth_of,
    weights_of,
)
from trackrecord.evaluation.outcomes import OPTIONAL

if TYPE_CHECKING:
    import polars as pl

# Other names that programs give these columns, the likeliest first.
ID_NAMES = ("id", "row_id", "unit_id", "unit", "index", "key")
TRUTH_NAMES = ("truth", "y_true", "label", "target", "actual", "outcome", "y", "labels", "class")
SCORE_NAMES = (
    *("score", "y_score", "probability", "proba", "prob", "y_prob", "y_proba", "y_pred_proba"),
    *("predict_proba", "prediction", "predicted", "pred", "y_pred", "p", "y_hat"),
)
_TIGHT = re.compile(r"(.+?)(>=|<=|==|!=|=|>|<)(.+)")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which column is what; what is None or empty is guessed.

    ``scores`` are models, ``baselines`` scores that the models are compared with; ``slices`` are
    columns or conditions; ``positive`` is the truth's value that counts as 1.
    """

    target: str | None = None
    scores: list[str] = []
    baselines: list[str] = []
    id: str | None = None
    cluster: str | None = None
    time: str | None = None
    weight: str | None = None
    slices: list[str] = []
    positive: str | None = None


@dataclass(frozen=True)
class ReadOutcomes:
    """An Outcomes table, and what had to be guessed to read it so, a sentence each.

    ``baselines`` are the models that were asked for as baselines, ``slices`` the slices asked for
    as a plan writes them; both empty where nobody asked.
    """

    frame: pl.DataFrame
    guesses: list[str]
    baselines: list[str] = field(default_factory=list)
    slices: list[str] = field(default_factory=list)


def open_outcomes(path: Path, asked: Asked | None = None) -> ReadOutcomes:
    """Read a file in any of the common shapes, saying what was guessed.

    Raises
    ------
    DataError
        For a file that is empty, no table, or too big for this machine; without truth or scores
        (with a suggestion); with doubled columns or ids; and for truth and scores that are
        missing, NaN, infinite, text or, for truth, anything but 0 and 1 – naming rows.
    """
    from trackrecord.data.sources import read_table
    from trackrecord.evaluation.room import check_room

    check_room(path)
    return interpret(read_table(path), path.name, asked)


def interpret(raw: pl.DataFrame, where: str, asked: Asked | None = None) -> ReadOutcomes:
    """Like :func:`open_outcomes`, for a table already in memory."""
    import polars as pl

    asked = asked or Asked()
    if raw.height == 0:
        raise DataError(f"{where} has no rows", next=SHAPE)
    names = list(raw.columns)
    guesses: list[str] = []
    _check_asked(names, where, asked)
    slices, sliced = _slices(names, where, asked)
    optional = {
        role: column
        for role in OPTIONAL
        if (column := getattr(asked, role) or (role if role in names else None)) is not None
    }
    claimed = {*optional.values(), asked.target, asked.id, *asked.scores, *asked.baselines}
    truth = asked.target or _named([n for n in names if n not in claimed], TRUTH_NAMES)
    if truth is None:
        raise no_column("truth", names, where)
    claimed.add(truth)
    known_id = asked.id or _named([n for n in names if n not in claimed], ID_NAMES)
    claimed.add(known_id)
    scores, said = _scores(raw, claimed, sliced, where, asked)
    if said:
        guesses.append(said)
    if truth != (asked.target or "truth"):
        guesses.append(f"the column {truth!r} holds the truth")
    if known_id is None:
        guesses.append("there is no id column, so rows are named by their number")
        ids = pl.int_range(1, raw.height + 1, eager=True).cast(pl.String).alias("id")
    else:
        if known_id != (asked.id or "id"):
            guesses.append(f"the column {known_id!r} holds the ids")
        ids = ids_of(raw[known_id], where)
    columns = [ids, truth_of(raw[truth], where, asked.positive)]
    columns += [score_of(raw[c], where).alias(f"score.{name}") for name, c in scores.items()]
    for role, column in optional.items():
        series = raw[column].alias(role)
        columns.append(weights_of(series, where) if role == "weight" else optional_of(series))
    columns += [raw[c].alias(f"slice.{name}") for name, c in sliced.items()]
    used = {truth, known_id, *scores.values(), *optional.values(), *sliced.values()}
    unused = [name for name in names if name not in used]
    if unused:
        shown = ", ".join(unused[:8]) + (f", … ({len(unused)} in all)" if len(unused) > 8 else "")
        guesses.append(f"not used: {shown} (--slice NAME slices by a column)")
    baselines = [name for name, c in scores.items() if c in _resolved(names, asked.baselines)]
    return ReadOutcomes(pl.DataFrame(columns), guesses, baselines, slices)


def _check_asked(names: list[str], where: str, asked: Asked) -> None:
    """Every column that was named is there, and has one role."""
    roles: dict[str, str] = {}
    for option in ("target", "id", "cluster", "time", "weight"):
        column = getattr(asked, option)
        if column is None:
            continue
        if column not in names:
            raise no_column(column, names, where, option=f"--{option}")
        # What names a unit may well be what its rows share, or when it was asked.
        if column in roles and not {option, roles[column]} <= {"id", "cluster", "time"}:
            raise DataError(
                f"the column {column!r} cannot be both the {roles[column]} and the {option}",
                next=f"name another column with --{option}",
            )
        roles[column] = option
    for option, listed in (("score", asked.scores), ("baseline", asked.baselines)):
        for word in listed:
            if word not in names and f"score.{word}" not in names:
                raise no_column(word, names, where, option=f"--{option}")
            if roles.get(word) in ("target", "weight"):
                raise DataError(
                    f"the column {word!r} cannot be both the {roles[word]} and a {option}",
                    next=f"name another column with --{option}",
                )


def _resolved(names: list[str], words: list[str]) -> list[str]:
    """Columns of scores by their own name, or by the model's name after ``score.``."""
    return [word if word in names else f"score.{word}" for word in words]


def _scores(
    raw: pl.DataFrame,
    claimed: set[str | None],
    sliced: dict[str, str],
    where: str,
    asked: Asked,
) -> tuple[dict[str, str], str | None]:
    """(column of each model, what was guessed); baselines come before the models."""
    names = list(raw.columns)
    if asked.scores or asked.baselines:
        chosen = _resolved(names, [*asked.baselines, *asked.scores])
        if not asked.scores:
            others = [c for c in names if c.startswith("score.") and c not in chosen]
            taken = {*claimed, *sliced.values(), *chosen}
            chosen += others or [_score_column(raw, taken, where)]
    else:
        chosen = [c for c in names if c.startswith("score.")]
        if chosen and "score" in names:
            raise DataError(
                f"{where} has both 'score' and 'score.NAME' columns",
                next="give each model one name, or name the columns with --score",
            )
    if "score." in chosen:
        raise DataError(f"{where} has a column 'score.' without a model's name", next=SHAPE)
    said = None
    if not chosen:
        column = _score_column(raw, {*claimed, *sliced.values()}, where)
        said = None if column == "score" else f"the column {column!r} holds the scores"
        return {"score" if column.lower() in SCORE_NAMES else column: column}, said
    found: dict[str, str] = {}
    for column in chosen:
        name = column.removeprefix("score.")
        if name in found:
            raise DataError(
                f"the scores of {name!r} are named twice",
                why="a model is not its own baseline, and is measured once",
                next="name each column once",
            )
        found[name] = column
    return found, said


def _slices(names: list[str], where: str, asked: Asked) -> tuple[list[str], dict[str, str]]:
    """(the slices asked for as a plan writes them, the column of each slice column's name)."""
    ready = {c.removeprefix("slice."): c for c in names if c.startswith("slice.") and c != "slice."}
    if not asked.slices:
        return [], ready
    known = {**{name: name for name in names}, **ready}
    texts: list[str] = []
    sliced: dict[str, str] = {}
    for text in asked.slices:
        column, condition = _slice_asked(text, known, where)
        name = column.removeprefix("slice.")
        sliced[name] = known[column]
        texts.append(f"{name} {condition}" if condition else name)
    return list(dict.fromkeys(texts)), sliced


def _slice_asked(text: str, known: dict[str, str], where: str) -> tuple[str, str]:
    """(column, condition): ``hour>=18`` is read like ``hour >= 18``, if there is such a column."""
    text = text.strip()
    if text in known:
        return text, ""
    column, operator, literal = slice_parts(text)
    if operator is None and (tight := _TIGHT.fullmatch(text)) is not None:
        column, sign, literal = (part.strip() for part in tight.groups())
        operator = "==" if sign == "=" else sign
        literal = literal.strip("\"'")
    if column in known:
        return column, f"{operator} {literal}"
    near = suggest(column, list(known))
    raise DataError(
        f"the slice {text!r} names {column!r}, which is not a column of {where}",
        why=f"did you mean {near!r}?" if near else f"columns: {', '.join(list(known)[:40])}",
        next='write it like --slice carrier or --slice "hour >= 18"',
    )


def _named(names: list[str], known: tuple[str, ...]) -> str | None:
    """The first column that has one of the known names, in any case; exact spelling first."""
    if known[0] in names:
        return known[0]
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[word] for word in known if word in lower), None)


def _score_column(raw: pl.DataFrame, taken: set[str | None], where: str) -> str:
    """The one column of scores where none is called ``score.NAME``."""
    found = _named([name for name in raw.columns if name not in taken], SCORE_NAMES)
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
