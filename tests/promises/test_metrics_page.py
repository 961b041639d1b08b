"""The page of metrics lists each one that there is, under its task, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trackrecord.stats.metrics import TASKS, Task, metric_names

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
HEADINGS: dict[Task, str] = {
    "binary": "Yes or no",
    "multiclass": "Multi-class",
    "multilabel": "Multi-label",
    "regression": "Regression",
    "ranking": "Ranking",
}


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_of_a_task_has_its_row(task: Task) -> None:
    sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    (section,) = (text for text in sections if text.startswith(HEADINGS[task] + "\n"))
    listed = re.findall(r"^\| `([a-z0-9_]+)(?:@[^`]*)?`", section, re.MULTILINE)
    assert sorted(listed) == metric_names(task)
