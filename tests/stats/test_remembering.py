"""What is found of a frozen column is found once; of one that may change, each time."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from trackrecord.stats import remembering
from trackrecord.stats.ranking import rank
from trackrecord.stats.remembering import remembered


def frozen(values: list[float]) -> np.ndarray:
    column = np.array(values)
    column.setflags(write=False)
    return column


def test_a_frozen_column_is_asked_once_and_forgotten_with_it() -> None:
    asked: list[float] = []

    def find(column: np.ndarray) -> float:
        return remembered("sum", (column,), lambda: asked.append(1) or float(column.sum()))

    column = frozen([1.0, 2.0])
    assert [find(column), find(column), len(asked)] == [3.0, 3.0, 1]
    kept = len(remembering._kept)
    del column
    gc.collect()
    assert len(remembering._kept) == kept - 1
    assert find(frozen([5.0])) == 5.0


def test_a_column_that_may_change_or_is_a_view_of_one_is_asked_each_time() -> None:
    truth, score = np.array([0, 1, 1], dtype=np.int8), np.array([0.1, 0.5, 0.9])
    view = score[:]
    view.setflags(write=False)
    truth.setflags(write=False)
    assert rank(truth, view).order.tolist() == [0, 1, 2]
    score[0] = 0.7
    assert rank(truth, view).order.tolist() == [1, 0, 2]


def test_two_things_of_one_column_are_told_apart() -> None:
    column = frozen([3.0, 4.0])
    assert remembered(("above", 3), (column,), lambda: 1) == 1
    assert remembered(("above", 5), (column,), lambda: 2) == 2
    assert remembered(("above", 3), (column,), lambda: 3) == 1


def test_what_is_kept_is_bounded_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "REMEMBERED", 10)
    columns = [frozen([float(n)] * 4) for n in range(5)]
    for column in columns:
        remembered("first", (column,), lambda column=column: column[0])
    rows = sum(rows for _, rows, _ in remembering._kept.values())
    assert rows <= 10
