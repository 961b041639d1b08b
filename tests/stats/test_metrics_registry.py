"""A metric is one file, found by its name; other packages add theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trackrecord.stats.metrics as metrics
from trackrecord.cases.criteria import parse_requirement
from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.influence import Influence, mean_of


def test_every_file_registers_the_metric_of_its_name() -> None:
    folder = Path(metrics.__file__).parent
    for task in metrics.TASKS:
        files = {file.stem for file in (folder / task).glob("*.py")} - {"__init__"}
        assert files == set(metrics.metric_names(task))
    assert len(metrics.metric_names("binary")) >= 30


def test_a_metric_of_another_task_is_told_from_one_that_is_not() -> None:
    with pytest.raises(BadInput) as caught:
        metrics.get_metric("roc_auc", "regression")
    assert "where the truth is a number" in str(caught.value)
    assert "a yes or no" in str(caught.value)


def test_a_family_s_bare_name_is_its_default() -> None:
    truth, score = [0, 1, 0, 1, 1], [0.1, 0.4, 0.6, 0.7, 0.9]
    for bare, named in (
        ("precision", "precision@0.5"),
        ("accuracy", "accuracy@0.5"),
        ("f_beta", "f_beta@2"),
        ("lift", "lift@0.1"),
        ("expected_cost", "expected_cost@1-1"),
        ("brier_reliability", "brier_reliability@10"),
    ):
        first, second = measure(bare, truth * 4, score * 4), measure(named, truth * 4, score * 4)
        assert isinstance(first, Influence)
        assert isinstance(second, Influence)
        assert first.value == second.value


def test_a_parameter_changes_the_value() -> None:
    truth, score = [0, 1, 0, 1, 1], [0.1, 0.4, 0.6, 0.7, 0.9]
    for metric, value in (
        ("precision@0.3", 3 / 4),
        ("recall@0.65", 2 / 3),
        ("net_benefit@0.2", (3 - 1 * 0.25) / 5),
        ("expected_cost@5-1", 1 / 5),
        ("expected_cost@1-5", 2 / 5),
        ("recall_top@0.4", 2 / 3),
        ("precision_top@0.6", 2 / 3),
    ):
        found = measure(metric, truth, score)
        assert isinstance(found, Influence)
        assert found.value == pytest.approx(value, abs=1e-15), metric


@pytest.mark.parametrize(
    ("name", "next_step"),
    [
        ("precision@0.30", "write precision@0.3"),
        ("precision@.3", "write precision@0.3"),
        ("precision@ 0.3", "write precision@0.3"),
        ("precision@1", "write precision@0.5"),
        ("precision@0", "write precision@0.5"),
        ("precision@-0.3", "write precision@0.5"),
        ("precision@nan", "write precision@0.5"),
        ("precision@", "write precision@0.5"),
        ("precision@0.3@0.4", "write precision@0.5"),
        ("precision@half", "write precision@0.5"),
        ("f_beta@2.0", "write f_beta@2"),
        ("brier_resolution@2.5", "write brier_resolution@10"),
        ("expected_cost@5", "write expected_cost@1-1"),
        ("expected_cost@5:1", "write expected_cost@1-1"),
        ("expected_cost@5-1-1", "write expected_cost@1-1"),
        ("roc_auc@0.1", "write 'roc_auc'"),
        ("precsion@0.3", "did you mean 'precision@0.3'?"),
        ("top_recall@0.1", None),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(name: str, next_step: str | None) -> None:
    with pytest.raises(BadInput) as caught:
        metrics.get_metric(name)
    assert next_step is None or caught.value.next == next_step
    assert caught.value.next


def test_a_refused_parameter_is_told_its_bounds_and_default() -> None:
    with pytest.raises(BadInput) as caught:
        metrics.get_metric("precision@30")
    assert caught.value.why == (
        "precision takes the score above which a row is called positive: a number above 0 and "
        "below 1; precision alone is precision@0.5"
    )


@pytest.mark.parametrize("family", metrics.metric_names())
def test_every_default_can_be_written_out_and_judged(family: str) -> None:
    parameter = metrics.get_metric(family).parameter
    if parameter is None:
        return
    with pytest.raises(BadInput) as caught:
        metrics.get_metric(f"{family}@nonsense")
    usual = str(caught.value.next).removeprefix("write ")
    assert metrics.get_metric(usual).name == usual
    assert parse_requirement(f"{usual} >= 0.5").metric == usual


def test_a_misspelt_metric_gets_a_suggestion() -> None:
    with pytest.raises(BadInput) as caught:
        metrics.get_metric("roc_uac")
    assert caught.value.next == "did you mean 'roc_auc'?"
    with pytest.raises(BadInput) as caught:
        measure("nonsense", [0, 1], [0.1, 0.2])
    assert "accuracy" in str(caught.value.next)


@pytest.mark.parametrize("name", ["", "..", "metrics.brier", "__init__", "../brier", "os"])
def test_a_name_that_is_no_metric_imports_nothing(name: str) -> None:
    with pytest.raises(BadInput):
        metrics.get_metric(name)


def test_another_packages_metric_has_intervals_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_entry_points", lambda: {"absolute_error": register})
    monkeypatch.setattr(metrics, "_registry", dict(metrics._registry))
    rng = np.random.default_rng(1)
    truth, score = rng.integers(0, 2, 100), rng.random(100)
    found = estimate_of("absolute_error", measure("absolute_error", truth, score))
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(np.abs(score - truth).mean())


def register() -> None:
    @metrics.metric(
        title="mean absolute error", direction="lower", scale="log", needs="probability"
    )
    def absolute_error(truth: np.ndarray, score: np.ndarray) -> Influence:
        return mean_of(np.abs(score - truth))
