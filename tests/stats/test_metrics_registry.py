"""A metric is one file, found by its name; other packages add theirs."""

from __future__ import annotations

import numpy as np
import pytest

import trackrecord.stats.metrics as metrics
from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.influence import Influence, mean_of


def test_every_file_registers_the_metric_of_its_name() -> None:
    assert metrics.metric_names() == [
        "accuracy",
        "average_precision",
        "bias",
        "brier",
        "calibration_intercept",
        "calibration_slope",
        "log_loss",
        "roc_auc",
    ]


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
