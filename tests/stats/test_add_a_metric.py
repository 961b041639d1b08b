"""The page that teaches how to add a metric is right: its file works as it stands."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.stats import test_every_metric, test_weights

import trackrecord.stats.metrics as metrics
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate_of, measure

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-metric.md"


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The page's metric, registered for one test."""
    monkeypatch.setattr(metrics, "_registry", dict(metrics._registry))
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "observed_ratio.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("observed_ratio")
    yield "observed_ratio"
    del sys.modules["observed_ratio"]


def test_the_pages_metric_has_the_value_it_says(taught: str) -> None:
    found = estimate_of(taught, measure(taught, [0, 0, 0, 0, 1, 1], [0.1, 0.5, 0.6, 0.2, 0.4, 0.9]))
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(2 / 2.7)


def test_the_pages_metric_keeps_the_contract(taught: str) -> None:
    checks = [
        check
        for contract in (test_every_metric, test_weights)
        for name, check in vars(contract).items()
        if name.startswith("test_")
        and check.__code__.co_varnames[: check.__code__.co_argcount] == ("metric",)
    ]
    assert len(checks) > 25
    for check in checks:
        check(taught)


def test_a_file_of_eighty_lines_is_enough() -> None:
    folder = Path(metrics.__file__).parent
    for file in folder.glob("*/*.py"):
        if file.name != "__init__.py":
            assert len(file.read_text().splitlines()) <= 80, file.name


def test_the_page_names_every_argument_of_the_decorator() -> None:
    text = PAGE.read_text()
    for argument in metrics.metric.__kwdefaults__ | dict.fromkeys(
        ["title", "direction", "scale", "needs"]
    ):
        assert f"`{argument}`" in text


def test_influence_by_the_ratio_rule_is_the_metrics(taught: str) -> None:
    rng = np.random.default_rng(1)
    truth, score = rng.integers(0, 2, 50), rng.random(50)
    found = metrics.get_metric(taught).compute(truth.astype(np.int8), score)
    by_rule = (truth - found.value * score) / score.mean()
    np.testing.assert_allclose(found.influence, by_rule, atol=1e-14)
