"""The report of a file whose truth is no yes or no: what is on it for each task, and what never."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from trackrecord.evaluation.library import result_of
from trackrecord.evaluation.reading import Asked, interpret
from trackrecord.portfolio.report_tasks import render_task_report
from trackrecord.stats.metrics import Task

from .test_report import EVIL, Tags

BINARY_ONLY = ("came true (", "threshold", "ROC curve", "false alarm", "Decision curve")


def tables(rows: int = 240, seed: int = 3) -> dict[str, pl.DataFrame]:
    """A table of each task, with names that no page may take for tags."""
    draw = np.random.default_rng(seed)
    kinds = ["ant", "bee", EVIL]
    truth = draw.integers(0, 3, rows)
    share = draw.dirichlet([1, 1, 1], rows) * 0.8 + 0.2 * np.eye(3)[truth]
    number = draw.normal(50_000, 9_000, rows)
    labels = draw.integers(0, 2, (rows, 2))
    ids = {"id": [f"u{n:03d}" for n in range(rows)]}
    site = {"slice.site": np.where(np.arange(rows) % 2 == 0, "north", EVIL)}
    return {
        "multiclass": pl.DataFrame(
            {
                **ids, "truth": [kinds[k] for k in truth], **site,
                **{f"score.old.{c}": [0.3, 0.3, 0.4][k] for k, c in enumerate(kinds)},
                **{f"score.new.{c}": share[:, k] for k, c in enumerate(kinds)},
            }
        ),
        "multilabel": pl.DataFrame(
            {
                **ids, **{f"truth.{c}": labels[:, k] for k, c in enumerate("xy")}, **site,
                **{f"score.new.{c}": labels[:, k] * 0.3 + draw.random(rows) * 0.7
                   for k, c in enumerate("xy")},
            }
        ),
        "regression": pl.DataFrame(
            {
                **ids, "truth": number, "score.old": number + draw.normal(0, 9000, rows),
                "score.new": number + draw.normal(0, 4000, rows), **site,
            }
        ),
        "ranking": pl.DataFrame(
            {
                "query": [f"q{n // 4}{EVIL if n < 4 else ''}" for n in range(rows)],
                "document": [f"d{n % 4}" for n in range(rows)],
                "truth": np.where(np.arange(rows) % 4 == 0, 1, draw.integers(0, 2, rows)),
                "score.old": draw.random(rows), "score.new": draw.random(rows),
                "slice.long": [str(n // 4 % 2) for n in range(rows)],
            }
        ),
    }  # fmt: skip


def report(frame: pl.DataFrame, criteria: list[str] | None = None, task: Task | None = None) -> str:
    old = any(column.startswith("score.old") for column in frame.columns)
    read = interpret(frame, "p.csv", Asked(baselines=["old"] if old else [], task=task))
    found = result_of(read, criteria=criteria)
    return render_task_report(found, read.frame, name="p.csv", tool="test")


SECTIONS = {
    "multiclass": ["What is taken for what", "Do the probabilities come true?",
                   "Most confident errors"],
    "multilabel": ["Do the probabilities come true?"],
    "regression": ["Predicted, and what came true", "Errors by prediction", "Greatest errors"],
    "ranking": ["Query by query", "Where <em>new</em> loses most to <em>old</em>"],
}  # fmt: skip


@pytest.mark.parametrize("task", SECTIONS)
def test_each_task_has_its_parts_and_none_of_a_yes_or_no(task: str) -> None:
    page = report(tables()[task])
    for heading in ("The numbers", "Where it does well", "How the intervals", *SECTIONS[task]):
        assert heading in page
    others = {h for t, listed in SECTIONS.items() for h in listed if t != task}
    assert not [h for h in others - set(SECTIONS[task]) if f">{h}<" in page]
    words = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert not [said for said in BINARY_ONLY if said in words]
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"script", "img", "link", "iframe", "form"}
    assert tags.addresses == []  # nor a style in a tag, which the page's policy would refuse
    assert "lines hold for all slices at once" in page
    assert ">Between groups<" in page
    assert re.search(r'<td class="right num"><data>[\d.,]+</data> <span class="bounds">\[', page)


@pytest.mark.parametrize("task", SECTIONS)
def test_the_same_rows_in_any_order_give_the_same_bytes(task: str) -> None:
    frame = tables()[task]
    assert report(frame) == report(frame.sample(fraction=1, shuffle=True, seed=4))


def test_great_numbers_are_readable() -> None:
    page = report(tables()["regression"], ["mae < 5000", "mae difference < 0"])
    assert re.search(r"<data>\d,\d{3}</data> <span class=\"bounds\">\[\d,\d{3}, \d,\d{3}\]", page)
    assert "accepted" in page
    assert "−" in page


def test_many_rows_are_a_density_and_few_are_dots() -> None:
    assert "A dot is a row." in report(tables(rows=240)["regression"])
    assert "The darker a square" in report(tables(rows=900)["regression"])


@pytest.mark.parametrize("rows", [1, 2, 8])
@pytest.mark.parametrize("task", SECTIONS)
def test_hardly_any_rows_still_make_a_page(task: Task, rows: int) -> None:
    frame = tables()[task].head(4 * rows if task == "ranking" else max(rows, 2))
    page = report(frame, task=task)
    assert "How the intervals were made" in page


def test_labels_and_quantiles_without_a_point_leave_pictures_out() -> None:
    frame = tables()["multiclass"].select("id", "truth", pl.col("truth").reverse().alias("pred"))
    page = report(frame)
    assert "What is taken for what" in page
    assert "Do the probabilities" not in page
    assert "Most confident errors" not in page
    spread = tables()["regression"].select(
        "id", "truth", pl.col("truth").alias("q0.1"), (pl.col("truth") + 1).alias("q0.9")
    )
    assert "Predicted, and what came true" not in report(spread)
