"""A small workspace: loans of books, asked about each visit to the library."""

from __future__ import annotations

import datetime
from pathlib import Path

import polars as pl

from trackrecord.workspace import Workspace, make_workspace

DAY0 = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
TEXT = """\
features = 1
name = "visits"

[rows]
table = "visit"
time = "at"
key = ["id"]

[view.loans]
table = "loan"
by = ["reader"]
time = "taken"
latest = ["book"]
prefix = "loan_"

[view.loans.features]
pages_week = { sum = "pages", window = "7 days", default = 0 }
loans_ever = { count = "*" }
"""


def hours(*numbers: float | None) -> pl.Series:
    times = [None if n is None else DAY0 + datetime.timedelta(hours=n) for n in numbers]
    return pl.Series(times, dtype=pl.Datetime("us", "UTC"))


def library(root: Path, text: str = TEXT, name: str = "visits") -> Workspace:
    """A workspace with two tables and one definition."""
    workspace = make_workspace(root)
    (root / "features").mkdir()
    (root / "features" / f"{name}.toml").write_text(text, "utf-8")
    pl.DataFrame(
        {
            "id": ["v1", "v2", "v3", "v4"],
            "reader": ["ann", "ann", "bob", "cem"],
            "at": hours(10, 200, 30, 40),
        }
    ).write_parquet(root / "data" / "visit.parquet")
    pl.DataFrame(
        {
            "reader": ["ann", "ann", "ann", "bob"],
            "taken": hours(5, 10, 190, 29),
            "back": hours(50, 60, 240, 31),
            "book": ["Emma", "Ulysses", "Momo", "Dune"],
            "pages": [400, 700, 300, 600],
            "overdue": [False, True, False, True],
        }
    ).write_parquet(root / "data" / "loan.parquet")
    return workspace
