"""What a metric is expected to be before truth arrives, and what it then is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.unlabelled import IDENTITY, calibrated_on, expected_of, probability_of

METRICS = ["roc_auc", "brier", "log_loss", "accuracy", "recall", "precision", "average_precision"]


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    return 1 / (1 + np.exp(-rng.normal(-1, 1.2, n)))


def expected(metric: str, score: np.ndarray, **options: object) -> Estimate:
    found = expected_of(metric, score, **options)  # type: ignore[arg-type]
    assert isinstance(found, Estimate)
    return found


def test_accuracy_is_expected_to_be_the_mean_of_the_larger_probability() -> None:
    score = drawn(np.random.default_rng(1), 300)
    found = expected("accuracy", score)
    likely = np.maximum(score, 1 - score)
    assert found.value == pytest.approx(likely.mean())
    # a sum of independent yes or no
    assert found.se == pytest.approx(math.sqrt((likely * (1 - likely)).sum()) / 300, rel=0.02)


def test_the_brier_score_is_expected_to_be_the_mean_of_p_times_one_minus_p() -> None:
    score = drawn(np.random.default_rng(2), 300)
    assert expected("brier", score).value == pytest.approx((score * (1 - score)).mean())


@pytest.mark.parametrize("metric", METRICS)
def test_the_interval_holds_what_is_realised(metric: str) -> None:
    """200 windows of 400 rows: 95 % of them, within four simulation errors."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        p = drawn(rng, 400)
        found = expected(metric, p)
        realised = measure(metric, (rng.random(400) < p).astype(np.int8), p)
        assert isinstance(realised, Influence)
        held += found.lo <= realised.value <= found.hi
    assert 0.89 < held / 200 <= 1


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["roc_auc", "brier", "accuracy"])
def test_a_calibration_that_was_learnt_brings_its_own_error(metric: str) -> None:
    """Scores that are too sure; the line is learnt on 300 rows, the window has 5,000."""
    rng = np.random.default_rng(4)
    held = without = 0
    for _ in range(200):
        log_odds = rng.normal(-1, 1.2, 5300)
        truth = (rng.random(5300) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
        score = 1 / (1 + np.exp(-(0.4 + 1.6 * log_odds)))
        line = calibrated_on(truth[:300], score[:300])
        found = expected(metric, score[300:], calibrated=line)
        realised = measure(metric, truth[300:], score[300:])
        assert isinstance(realised, Influence)
        held += found.lo <= realised.value <= found.hi
        alone = expected(metric, score[300:])
        without += alone.lo <= realised.value <= alone.hi
    assert held / 200 > 0.89
    if metric != "accuracy":
        assert without < held


def test_the_line_is_that_of_a_logistic_regression() -> None:
    rng = np.random.default_rng(5)
    log_odds = rng.normal(0, 1.5, 800)
    truth = (rng.random(800) < 1 / (1 + np.exp(-(0.3 + 0.7 * log_odds)))).astype(int)
    score = 1 / (1 + np.exp(-log_odds))
    found = calibrated_on(truth, score)
    fitted = sm.Logit(truth, sm.add_constant(log_odds)).fit(disp=0, cov_type="HC0")
    assert (found.a, found.b) == pytest.approx(tuple(fitted.params), rel=1e-6)
    np.testing.assert_allclose(found.covariance, fitted.cov_params(), rtol=1e-5)
    assert found.inflation == 1.0


def test_rows_of_a_day_that_are_alike_widen_the_interval() -> None:
    rng = np.random.default_rng(6)
    day = np.repeat(np.arange(60), 100)
    log_odds = rng.normal(-1, 1, 6000)
    shift = np.repeat(rng.normal(0, 0.7, 60), 100)
    truth = (rng.random(6000) < 1 / (1 + np.exp(-(log_odds + shift)))).astype(int)
    score = 1 / (1 + np.exp(-log_odds))
    alone, by_day = calibrated_on(truth, score), calibrated_on(truth, score, cluster=day)
    assert by_day.inflation > 4
    wide = expected("accuracy", score, calibrated=by_day)
    narrow = expected("accuracy", score, calibrated=alone)
    assert wide.hi - wide.lo > 2 * (narrow.hi - narrow.lo)


def test_certain_rows_are_as_certain_as_they_say() -> None:
    found = expected_of("accuracy", np.array([0.0, 1.0, 1.0, 0.0, 1.0]))
    if isinstance(found, Estimate):
        assert (found.value, found.se) == (1.0, 0.0)
    else:
        assert isinstance(found, Absence)
    assert (probability_of([0.0, 0.3, 1.0], IDENTITY) == [0.0, 0.3, 1.0]).all()


def test_few_rows_and_wrong_scores() -> None:
    assert isinstance(expected_of("roc_auc", [0.5]), Absence)
    assert isinstance(expected_of("roc_auc", []), Absence)
    for wrong in ([0.5, 1.2], [0.5, float("nan")]):
        with pytest.raises(BadInput, match="probabilities"):
            expected_of("roc_auc", wrong)
    with pytest.raises(BadInput, match="both classes"):
        calibrated_on([1, 1], [0.2, 0.4])
    with pytest.raises(BadInput):
        calibrated_on([0, 1] * 20, [0.5] * 40)
