"""In a memory, a frozen column is asked once; one that may change is asked each time."""

from __future__ import annotations

import gc
import weakref
from threading import Thread

import numpy as np
import pytest

from trackrecord.stats import remembering
from trackrecord.stats.ranking import rank
from trackrecord.stats.remembering import Memory, remembered
from trackrecord.stats.remembering import remembering as kept_in


def frozen(values: list[float]) -> np.ndarray:
    column = np.array(values)
    column.setflags(write=False)
    return column


def test_a_frozen_column_is_asked_once_in_a_memory_and_forgotten_with_it() -> None:
    asked: list[float] = []

    def find(column: np.ndarray) -> float:
        return remembered("sum", (column,), lambda: asked.append(1) or float(column.sum()))

    column, memory = frozen([1.0, 2.0]), Memory()
    with kept_in(memory):
        assert [find(column), find(column), len(asked)] == [3.0, 3.0, 1]
    assert [find(column), find(column), len(asked)] == [3.0, 3.0, 3]
    with kept_in(memory):
        assert [find(column), len(asked)] == [3.0, 3]
    there = weakref.ref(column)
    del column, memory
    gc.collect()
    assert there() is None


def test_a_column_that_may_change_or_is_a_view_of_one_is_asked_each_time() -> None:
    truth, score = np.array([0, 1, 1], dtype=np.int8), np.array([0.1, 0.5, 0.9])
    view = score[:]
    view.setflags(write=False)
    truth.setflags(write=False)
    with kept_in(Memory()):
        assert rank(truth, view).order.tolist() == [0, 1, 2]
        score[0] = 0.7
        assert rank(truth, view).order.tolist() == [1, 0, 2]


def test_two_things_of_one_column_are_told_apart() -> None:
    column = frozen([3.0, 4.0])
    with kept_in(Memory()):
        assert remembered(("above", 3), (column,), lambda: 1) == 1
        assert remembered(("above", 5), (column,), lambda: 2) == 2
        assert remembered(("above", 3), (column,), lambda: 3) == 1


def test_a_quicker_way_is_taken_where_one_is_offered() -> None:
    one, other, memory = frozen([3.0]), frozen([3.0]), Memory()
    memory.offer("order", (one,), lambda: "quick")
    with kept_in(memory):
        found = [remembered("order", (column,), lambda: "slow") for column in (one, other, one)]
    assert found == ["quick", "slow", "quick"]


def test_another_thread_has_no_part_in_it() -> None:
    column, found = frozen([3.0]), []
    with kept_in(Memory()):
        remembered("value", (column,), lambda: "mine")
        other = Thread(
            target=lambda: found.append(remembered("value", (column,), lambda: "theirs"))
        )
        other.start()
        other.join()
    assert found == ["theirs"]


def test_what_is_kept_is_bounded_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "REMEMBERED", 10)
    columns, asked = [frozen([float(n)] * 4) for n in range(5)], []
    with kept_in(Memory()):
        for column in [*columns, columns[-1], columns[0]]:
            remembered("first", (column,), lambda column=column: asked.append(column[0]))
    assert asked == [0, 1, 2, 3, 4, 0]
