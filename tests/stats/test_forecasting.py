"""Errors of forecasts over the change of their series' past: series are the units."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.samples import Predicted, Scaled

BOTH = pytest.mark.parametrize("name", ["mase", "rmsse"])


def found(name: str, truth: Any, score: Any, weight: Any = None) -> Influence:
    measured = measure(get_metric(name, "regression"), truth, score, weight)
    assert isinstance(measured, Influence), measured
    return measured


def scaled(point: Any, series: Any, scale: Any, square: Any) -> Scaled:
    """Scales by series, laid out by row."""
    codes = np.asarray(series, dtype=np.int64)
    return Scaled(
        np.asarray(point, dtype=float), np.asarray(scale)[codes], np.asarray(square)[codes], codes
    )


def sample(seed: int = 1, many: int = 40) -> tuple[np.ndarray, Scaled]:
    """Series of one to nine steps, each with its own size of errors and scale."""
    rng = np.random.default_rng(seed)
    series = np.repeat(np.arange(many), rng.integers(1, 10, many))
    size = rng.lognormal(sigma=0.4, size=many)
    truth = rng.normal(100, 10, series.size)
    point = truth + size[series] * rng.normal(size=series.size)
    scale = rng.uniform(0.5, 3, many)
    return truth, scaled(point, series, scale, 1.4 * scale**2)


def values_of(name: str, truth: np.ndarray, score: Scaled) -> np.ndarray:
    """Each series' own value, in a loop."""
    own = []
    for code in np.unique(score.series):
        mine = score.series == code
        error = score.point[mine] - truth[mine]
        if name == "mase":
            own.append(np.mean(abs(error)) / score.scale[mine][0])
        else:
            own.append(np.sqrt(np.mean(error**2) / score.square[mine][0]))
    return np.array(own)


def test_two_series_worked_by_hand() -> None:
    """Pasts 2, 5, 4, 8 and 10, 12: changes 3, -1, 4 (mean size 8/3, square 26/3) and 2 (2, 4).

    Errors 2, -4 and 1, 1, 4: mean absolute 3 and 2, mean squared 10 and 6.
    """
    truth = np.array([9.0, 9.0, 12.0, 13.0, 14.0])
    point = np.array([11.0, 5.0, 13.0, 14.0, 18.0])
    score = scaled(point, [0, 0, 1, 1, 1], [8 / 3, 2.0], [26 / 3, 4.0])
    mase = (Fraction(3) / Fraction(8, 3) + Fraction(2) / 2) / 2
    assert mase == Fraction(17, 16)
    assert found("mase", truth, score).value == pytest.approx(float(mase), rel=1e-12)
    rmsse = ((10 / (26 / 3)) ** 0.5 + (6 / 4) ** 0.5) / 2
    assert found("rmsse", truth, score).value == pytest.approx(rmsse, rel=1e-12)


def test_naive_forecasts_of_the_past_itself_have_a_scaled_error_of_one() -> None:
    """By definition (Hyndman & Koehler 2006, section 3); and of the squares likewise."""
    past = np.random.default_rng(2).normal(size=60).cumsum()
    change = np.diff(past)
    score = scaled(past[:-1], np.zeros(59), [abs(change).mean()], [(change**2).mean()])
    assert found("mase", past[1:], score).value == pytest.approx(1, rel=1e-12)
    assert found("rmsse", past[1:], score).value == pytest.approx(1, rel=1e-12)


@BOTH
def test_long_and_short_series_count_alike(name: str) -> None:
    truth, score = sample()
    assert found(name, truth, score).value == pytest.approx(
        values_of(name, truth, score).mean(), rel=1e-12
    )


@BOTH
def test_weights_of_a_series_weigh_it(name: str) -> None:
    """As the M5 competition's WRMSSE: a weight for each series, the same on all its rows."""
    truth, score = sample()
    share = np.random.default_rng(3).uniform(0.1, 5, 40)
    own = values_of(name, truth, score)
    mine = found(name, truth, score, share[score.series])
    assert mine.value == pytest.approx(float(share @ own / share.sum()), rel=1e-12)


@BOTH
def test_influences_add_up_to_each_series_distance_from_the_mean(name: str) -> None:
    truth, score = sample()
    mine = found(name, truth, score)
    own = values_of(name, truth, score)
    sums = np.bincount(score.series, mine.influence)
    np.testing.assert_allclose(sums, truth.size / 40 * (own - own.mean()), atol=1e-10)


@BOTH
def test_an_influence_is_the_derivative_by_a_rows_weight(name: str) -> None:
    truth, score = sample()
    mine, step = found(name, truth, score), 1e-5
    for row in range(0, truth.size, 9):
        moved = []
        for sign in (1, -1):
            weight = np.ones(truth.size)
            weight[row] += sign * step
            moved.append(found(name, truth, score, weight).value)
        slope = (moved[0] - moved[1]) / (2 * step) * truth.size
        assert slope == pytest.approx(mine.influence[row], rel=1e-4, abs=1e-6)


@BOTH
def test_with_series_as_clusters_the_error_is_that_of_a_mean_of_series(name: str) -> None:
    truth, score = sample()
    own = values_of(name, truth, score)
    one = estimate_of(
        get_metric(name, "regression"), found(name, truth, score), cluster=score.series
    )
    assert isinstance(one, Estimate)
    assert one.clusters == 40
    # CR2 gives a long series a little more than a short one; equal ones are the plain mean's
    assert one.se == pytest.approx(own.std(ddof=1) / np.sqrt(40), rel=0.03)
    even = score.series < 40
    truth, point = truth[even], score.point[even]
    codes = np.arange(truth.size) // 4
    codes, rows = codes[codes < codes.max()], np.flatnonzero(codes < codes.max())
    scale = np.ones(codes.max() + 1)
    equal = scaled(point[rows], codes, scale, scale)
    own = values_of(name, truth[rows], equal)
    two = estimate_of(
        get_metric(name, "regression"), found(name, truth[rows], equal), cluster=codes
    )
    assert isinstance(two, Estimate)
    assert two.se == pytest.approx(own.std(ddof=1) / np.sqrt(own.size), rel=1e-12)


@BOTH
def test_leaving_out_each_series_gives_the_same_error(name: str) -> None:
    truth, score = sample(many=60)
    one = found(name, truth, score)
    left = np.array(
        [found(name, truth[score.series != s], score[score.series != s]).value for s in range(60)]
    )
    jackknife = np.sqrt(59 / 60 * ((left - left.mean()) ** 2).sum())
    estimate = estimate_of(get_metric(name, "regression"), one, cluster=score.series)
    assert isinstance(estimate, Estimate)
    assert estimate.se == pytest.approx(jackknife, rel=0.03)


@BOTH
def test_one_series_has_no_interval(name: str) -> None:
    truth, score = sample(many=1)
    truth, score = np.tile(truth, 3), score[np.tile(np.arange(truth.size), 3)]
    absent = estimate_of(
        get_metric(name, "regression"), found(name, truth, score), cluster=score.series
    )
    assert isinstance(absent, Absence)
    assert "one cluster" in absent.reason


def test_a_series_forecast_without_any_error_counts_as_zero() -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    score = scaled([1.0, 2.0, 4.0, 6.0], [0, 0, 1, 1], [1.0, 1.0], [1.0, 1.0])
    for name, own in (("mase", 1.5), ("rmsse", 2.5**0.5)):
        one = found(name, truth, score)
        assert one.value == pytest.approx(own / 2)
        assert np.isfinite(one.influence).all()


def test_a_past_that_never_changes_is_counted_not_divided_by() -> None:
    truth = np.ones(4)
    score = scaled(truth + 1, [0, 0, 1, 1], [0.0, 1.0], [0.0, 1.0])
    for name in ("mase", "rmsse"):
        absent = measure(get_metric(name, "regression"), truth, score)
        assert isinstance(absent, Absence)
        assert "2 of 4 rows belong to series whose past never changes" in absent.reason
    unknown = scaled(truth + 1, [0, 0, 1, 1], [1.0, 1.0], [np.nan, 1.0])
    absent = measure(get_metric("rmsse", "regression"), truth, unknown)
    assert isinstance(absent, Absence)
    assert "2 of 4 rows lack their series' mean squared change" in absent.reason
    assert isinstance(measure(get_metric("mase", "regression"), truth, unknown), Influence)


@BOTH
def test_a_prediction_without_a_past_has_no_scaled_error(name: str) -> None:
    for score in (np.ones(4), Predicted(np.ones(4), None, None)):
        absent = measure(get_metric(name, "regression"), np.zeros(4), score)
        assert isinstance(absent, Absence)
        assert "past is not known" in absent.reason
