"""What columns a table has besides predictions: truth, ids, clusters, weights, slices."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.slices import slice_parts
from trackrecord.errors import DataError, suggest
from trackrecord.evaluation.checking import ids_of, no_column, optional_of, weights_of
from trackrecord.evaluation.outcomes import OPTIONAL
from trackrecord.stats.metrics import Task

if TYPE_CHECKING:
    import polars as pl

# Other names that programs give these columns, the likeliest first.
ID_NAMES = ("id", "row_id", "unit_id", "unit", "index", "key")
TRUTH_NAMES = ("truth", "y_true", "label", "target", "actual", "outcome", "y", "labels", "class")
SCORE_NAMES = (
    *("score", "y_score", "probability", "proba", "prob", "y_prob", "y_proba", "y_pred_proba"),
    *("predict_proba", "prediction", "predicted", "pred", "y_pred", "p", "y_hat"),
)
SINGLE = ("target", "id", "cluster", "time", "weight", "series", "query", "document")
_TIGHT = re.compile(r"(.+?)(>=|<=|==|!=|=|>|<)(.+)")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which column is what; what is None or empty is guessed.

    ``scores`` are models, ``baselines`` scores that the models are compared with; ``slices`` are
    columns or conditions; ``positive`` is the truth's value that counts as 1. ``task`` is what the
    truth is. ``series`` names what a forecast is of, ``season`` is after how many steps its past
    repeats; ``query`` and ``document`` name what is ranked for what.
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
    task: Task | None = None
    series: str | None = None
    season: int = 1
    query: str | None = None
    document: str | None = None


@dataclass(frozen=True)
class ReadOutcomes:
    """An Outcomes table, and what had to be guessed to read it so, a sentence each.

    ``baselines`` are the models that were asked for as baselines, ``slices`` the slices asked for
    as a plan writes them; both empty where nobody asked. ``task`` is what the truth is; ``timed``
    says that a time was asked for, so that rows near each other in time may depend.
    """

    frame: pl.DataFrame
    guesses: list[str]
    baselines: list[str] = field(default_factory=list)
    slices: list[str] = field(default_factory=list)
    task: Task = "binary"
    timed: bool = False


@dataclass(frozen=True)
class Places:
    """The columns of a table that every task has.

    ``truth`` is None where several columns hold it, ``id`` where rows have no name. ``optional``
    ones and those of slices are by name, ``slices`` as a plan writes them; ``claimed`` are the
    columns that have a role.
    """

    truth: str | None
    id: str | None
    optional: dict[str, str]
    sliced: dict[str, str]
    slices: list[str]
    claimed: set[str]


def places_of(
    names: list[str], where: str, asked: Asked, *, truth: str | None, held: set[str] | None = None
) -> Places:
    """Which column is what, but for the predictions.

    ``truth`` is the truth's column as far as it is known, ``held`` are other columns that have a
    role already. Raises DataError for columns that are not there, or have two roles.
    """
    check_single(names, where, asked)
    slices, sliced = _slices(names, where, asked)
    optional = optional_in(names, asked)
    claimed = {*optional.values(), *(held or ()), *filter(None, (truth, asked.id))}
    known = asked.id or named([n for n in names if n not in claimed], ID_NAMES)
    if known is not None:
        claimed.add(known)
    return Places(truth, known, optional, sliced, slices, claimed)


def truth_in(names: list[str], asked: Asked) -> str | None:
    """The column of the truth, as it was named or from its name."""
    if asked.target is not None:
        return asked.target
    claimed = {*optional_in(names, asked).values(), *(getattr(asked, role) for role in SINGLE),
               *asked.scores, *asked.baselines}  # fmt: skip
    return named([n for n in names if n not in claimed], TRUTH_NAMES)


def optional_in(names: list[str], asked: Asked) -> dict[str, str]:
    """The columns of cluster, time and weight, where there are any."""
    found = {}
    for role in OPTIONAL:
        column = getattr(asked, role) or (role if role in names else None)
        if column is not None:
            found[role] = column
    return found


def said_of(
    names: list[str], places: Places, asked: Asked, used: set[str], said: str | None = None
) -> list[str]:
    """What was guessed, a sentence each; ``said`` is the guess about the scores."""
    guesses = [said] if said else []
    if places.truth is not None and places.truth != (asked.target or "truth"):
        guesses.append(f"the column {places.truth!r} holds the truth")
    if places.id is None:
        guesses.append("there is no id column, so rows are named by their number")
    elif places.id != (asked.id or "id"):
        guesses.append(f"the column {places.id!r} holds the ids")
    taken = {places.truth, places.id, *places.optional.values(), *places.sliced.values(), *used}
    unused = [name for name in names if name not in taken]
    if unused:
        shown = ", ".join(unused[:8]) + (f", … ({len(unused)} in all)" if len(unused) > 8 else "")
        guesses.append(f"not used: {shown} (--slice NAME slices by a column)")
    return guesses


def ids_in(raw: pl.DataFrame, column: str | None, where: str) -> pl.Series:
    """Ids as text; the rows' numbers where there is no column of them."""
    import polars as pl

    if column is None:
        return pl.int_range(1, raw.height + 1, eager=True).cast(pl.String).alias("id")
    return ids_of(raw[column], where)


def others_in(
    raw: pl.DataFrame, optional: dict[str, str], sliced: dict[str, str], where: str
) -> list[pl.Series]:
    """Cluster, time, weight and slice columns, checked, as the Outcomes have them."""
    found = []
    for role, column in optional.items():
        series = raw[column].alias(role)
        found.append(weights_of(series, where) if role == "weight" else optional_of(series))
    return found + [raw[c].alias(f"slice.{name}") for name, c in sliced.items()]


def check_single(names: list[str], where: str, asked: Asked) -> None:
    """Every column that was named for a role is there, and has one role."""
    roles: dict[str, str] = {}
    for option in SINGLE:
        column = getattr(asked, option)
        if column is None:
            continue
        if column not in names:
            raise no_column(column, names, where, option=f"--{option}")
        # What names a unit may well be what its rows share, or when it was asked.
        shared = {"id", "cluster", "time", "series", "query"}
        if column in roles and not {option, roles[column]} <= shared:
            raise DataError(
                f"the column {column!r} cannot be both the {roles[column]} and the {option}",
                next=f"name another column with --{option}",
            )
        roles[column] = option
    for option, listed in (("score", asked.scores), ("baseline", asked.baselines)):
        for word in listed:
            if roles.get(word) in ("target", "weight"):
                raise DataError(
                    f"the column {word!r} cannot be both the {roles[word]} and a {option}",
                    next=f"name another column with --{option}",
                )


def taken_by(places: Places, names: list[str]) -> set[str]:
    """Columns that hold no predictions: a slice may be of predictions, which they then remain."""
    sliced = set(places.sliced.values())
    headed = {c for c in names if c == "score" or c.startswith("score.")}
    known = headed or {c for c in names if c.lower() in SCORE_NAMES}
    return {*places.claimed, *(sliced - known)}


def named(names: list[str], known: tuple[str, ...]) -> str | None:
    """The first column that has one of the known names, in any case; exact spelling first."""
    if known[0] in names:
        return known[0]
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[word] for word in known if word in lower), None)


def model_of(column: str) -> str:
    """What the model of a column of scores is called."""
    return column.removeprefix("score.")


def named_twice(model: str) -> DataError:
    """The error for a model that is named more than once."""
    return DataError(
        f"the scores of {model!r} are named twice",
        why="a model is not its own baseline, and is measured once",
        next="name each column once",
    )


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
