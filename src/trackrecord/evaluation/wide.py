"""Predictions that take several columns: a probability for each class, or for each label.

A prefix P, such that P followed by a class is a column, is a model: ``score.rf.setosa``,
``p_setosa``, or only ``setosa``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import no_column

if TYPE_CHECKING:
    import polars as pl

ADDS_UP = 0.005
_BETWEEN = re.compile(r"[\s_\-]+")

# columns of one model by class
Wide = dict[str, str]


def groups_of(columns: list[str], classes: list[str]) -> dict[str, Wide]:
    """Every prefix, and the column of each class that has one with this prefix."""
    known = set(classes)
    groups: dict[str, Wide] = {}
    for column in columns:
        for cut in range(len(column)):
            if (rest := column[cut:]) in known:
                groups.setdefault(column[:cut], {})[rest] = column
    return groups


def whole_groups(groups: dict[str, Wide], classes: list[str]) -> list[str]:
    """Prefixes of models: they have a column of each class, or say by ``score.`` that they are.

    A ``score.NAME.`` with two classes or more is a model that does not know the others.
    """
    whole = [prefix for prefix, wide in groups.items() if len(wide) == len(set(classes))]
    taken = {column for prefix in whole for column in groups[prefix].values()}
    part = [
        prefix
        for prefix, wide in groups.items()
        if prefix.startswith("score.") and len(wide) >= 2 and not taken & set(wide.values())
    ]
    return [prefix for prefix in groups if prefix in whole or prefix in part]


def group_asked(groups: dict[str, Wide], word: str) -> str | None:
    """The prefix that a person means by ``rf``, ``rf_`` or ``score.rf``; None without one."""
    for prefix in (word, f"{word}.", f"{word}_", f"score.{word}.", f"score.{word}_",
                   f"score.{word}"):  # fmt: skip
        if len(groups.get(prefix, ())) >= 2:
            return prefix
    if word == "score" and len(groups.get("", ())) >= 2:
        return ""
    return None


def name_of(prefix: str) -> str:
    """What the model of a prefix is called: ``rf`` of ``score.rf.``, ``score`` of none."""
    return prefix.removeprefix("score.").rstrip("._-: ") or "score"


def with_others(raw: pl.DataFrame, prefix: str, wide: Wide, free: list[str]) -> Wide:
    """Also the columns of classes that never came true here, as far as they are told by name.

    Behind ``score.NAME.`` every column is a class. Behind any other prefix the further columns are
    classes where only with them the probabilities of every row add up to one.
    """
    others = [c for c in free if c.startswith(prefix) and c not in wide.values()]
    others = [c for c in others if prefix and raw[c].dtype.is_numeric() and c != prefix]
    if not others:
        return wide
    found = wide | {c.removeprefix(prefix): c for c in others}
    if prefix.startswith("score.") and prefix != "score.":
        return found
    return found if _adds_up(raw, found) and not _adds_up(raw, wide) else wide


def check_spelling(
    classes: list[str], others: list[str], whose: str, where: str, what: str = "class"
) -> None:
    """Raise DataError where one class of ``classes`` is written otherwise among ``others``."""
    missing = [name for name in classes if name not in set(others)]
    spare = {_plain(name): name for name in others if name not in set(classes)}
    for name in missing:
        if (other := spare.get(_plain(name))) is not None and _plain(name):
            raise DataError(
                f"{whose} writes the {what} {name!r} as {other!r}",
                where=where,
                why="spelt differently, they are two",
                next=f"write it one way in both: {name!r}",
            )


def no_group(word: str, groups: dict[str, Wide], names: list[str], where: str) -> DataError:
    """The error for a model that has no column and no prefix of its name."""
    prefixes = [prefix for prefix, wide in groups.items() if len(wide) >= 2 and prefix]
    error = no_column(word, names, where, option="--score")
    if prefixes and "did you mean" not in (error.why or ""):
        error.why = f"prefixes of columns with a class after them: {', '.join(prefixes[:8])}"
        error.next = f"--score {prefixes[0]}"
    return error


def _adds_up(raw: pl.DataFrame, wide: Wide) -> bool:
    import polars as pl

    total = raw.select(pl.sum_horizontal(pl.col(c).cast(pl.Float64) for c in wide.values()))
    return bool(((total.to_series() - 1).abs() <= ADDS_UP).all())


def _plain(name: str) -> str:
    return _BETWEEN.sub(" ", name.casefold()).strip()
