"""A file for each task: what an Outcomes table holds of it, and the arrays that metrics take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.stats.metrics import Task


@dataclass(frozen=True)
class TaskColumns:
    """What one task makes of an Outcomes table.

    ``usual`` are the metrics that are measured where none are named, in the order of reading.
    ``check(outcomes, models)`` raises DataError unless truth and scores are of the task's kinds.
    ``arrays(table, models)`` gives the truth and each model's prediction, as ``stats.samples``
    says.
    """

    usual: tuple[str, ...]
    check: Callable[[pl.DataFrame, list[str]], None]
    arrays: Callable[[pl.DataFrame, list[str]], tuple[Any, dict[str, Any]]]


def task_columns(task: Task) -> TaskColumns:
    """The file of one task."""
    from importlib import import_module

    found: TaskColumns = import_module(f"{__name__}.{task}").COLUMNS
    return found
