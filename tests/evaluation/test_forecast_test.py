"""Diebold and Mariano's test from an Outcomes table: one series, several, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from scipy import stats

from trackrecord.errors import BadInput, TrackrecordError
from trackrecord.evaluation.forecast_test import ForecastTest, forecast_tests
from trackrecord.stats.forecasts import diebold_mariano


def outcomes(times: int = 60, series: int = 1, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = times * series
    truth = rng.normal(size=n)
    frame = pl.DataFrame(
        {
            "id": np.arange(n).astype(str),
            "truth": truth,
            "score.good": truth + 0.5 * rng.normal(size=n),
            "score.naive": truth + 0.9 * rng.normal(size=n),
            "time": np.repeat(np.arange(times), series),
            "series": np.tile(np.arange(series), times).astype(str),
        }
    )
    return frame.drop("series") if series == 1 else frame.sample(fraction=1, shuffle=True, seed=2)


def judged(frame: pl.DataFrame, **how: object) -> ForecastTest:
    (one,) = forecast_tests(frame, models=["good"], baselines=["naive"], **how)  # type: ignore[arg-type]
    return one


def refused(act: Callable[[], object]) -> TrackrecordError:
    with pytest.raises(TrackrecordError) as caught:
        act()
    return caught.value


def test_one_step_ahead_of_one_series_it_is_the_paired_t_test() -> None:
    frame = outcomes()
    good, naive = (abs(frame[f"score.{m}"] - frame["truth"]).to_numpy() for m in ("good", "naive"))
    theirs = stats.ttest_rel(good, naive)
    mine = judged(frame)
    assert mine.series is None
    assert mine.test is not None
    assert mine.test.difference < 0
    assert mine.test.statistic == pytest.approx(theirs.statistic, rel=1e-10)
    assert mine.test.p == pytest.approx(theirs.pvalue, rel=1e-9)


@pytest.mark.parametrize("loss", ["absolute", "squared"])
def test_of_several_series_a_times_loss_is_the_mean_over_them(loss: str) -> None:
    frame = outcomes(series=4)
    by_time = (
        frame.with_columns(
            (abs(pl.col(f"score.{m}") - pl.col("truth")) ** (1 if loss == "absolute" else 2)).alias(
                m
            )
            for m in ("good", "naive")
        )
        .group_by("time")
        .agg(pl.col("good", "naive").mean())
        .sort("time")
    )
    theirs = diebold_mariano(by_time["good"], by_time["naive"], horizon=3, metric=loss)
    mine = judged(frame, loss=loss, horizon=3)
    assert mine.series == 4
    assert mine.test is not None
    for name in ("difference", "se", "p", "periods"):
        assert getattr(mine.test, name) == pytest.approx(getattr(theirs, name), rel=1e-10)


def test_scales_keep_great_series_from_drowning_small_ones() -> None:
    frame = outcomes(series=2).with_columns(
        scale=pl.when(pl.col("series") == "0").then(1000.0).otherwise(1.0)
    )
    big = pl.when(pl.col("series") == "0").then(1000.0).otherwise(1.0)
    frame = frame.with_columns(pl.col("truth", "score.good", "score.naive") * big)
    plain, fair = judged(frame), judged(frame, scaled=True)
    assert plain.test is not None
    assert fair.test is not None
    assert abs(plain.test.difference) > 50 * abs(fair.test.difference)
    assert fair.test.difference == pytest.approx(
        judged(outcomes(series=2)).test.difference,  # type: ignore[union-attr]
        rel=1e-9,
    )


def test_a_series_without_weight_does_not_count() -> None:
    frame = outcomes(series=3).with_columns(
        weight=pl.when(pl.col("series") == "2").then(0.0).otherwise(1.0)
    )
    some = frame.filter(pl.col("series") != "2").drop("weight")
    assert judged(frame, weighted=True).test == judged(some).test


def test_each_model_is_tested_against_each_baseline() -> None:
    frame = outcomes().with_columns(**{"score.flat": pl.lit(0.0)})
    found = forecast_tests(frame, models=["good", "naive"], baselines=["flat", "naive"])
    pairs = [(one.model, one.baseline) for one in found]
    assert pairs == [("good", "flat"), ("good", "naive"), ("naive", "flat"), ("naive", "naive")]
    assert found[-1].test is None
    assert "the same in every period" in found[-1].reason


def test_quantiles_with_a_median_have_a_loss() -> None:
    frame = outcomes()
    wide = frame.with_columns(
        **{
            "score.good": pl.struct(
                (pl.col("score.good") - 1).alias("0.1"),
                pl.col("score.good").alias("0.5"),
                (pl.col("score.good") + 1).alias("0.9"),
            )
        }
    )
    assert judged(wide) == judged(frame)
    none = wide.with_columns(
        pl.struct(pl.col("score.good").struct.field("0.1")).alias("score.good")
    )
    assert "no single prediction" in refused(lambda: judged(none)).what


def test_what_cannot_be_tested_says_why() -> None:
    frame = outcomes(series=2)
    assert "no column 'time'" in refused(lambda: judged(frame.drop("time"))).what
    assert "no column 'scale'" in refused(lambda: judged(frame, scaled=True)).what
    doubled = refused(lambda: judged(frame.drop("series")))
    assert "has two rows" in doubled.what
    assert "--series COL" in str(doubled.next)
    twice = refused(lambda: judged(pl.concat([frame, frame.head(1)])))
    assert "of the series" in twice.what
    missing = frame.with_columns(time=pl.when(pl.col("time") > 3).then("time"))
    assert "time is missing" in refused(lambda: judged(missing)).what
    with pytest.raises(BadInput, match="no loss"):
        judged(frame, loss="cubic")
    with pytest.raises(BadInput, match="horizon"):
        judged(frame, horizon=0)
    assert "too few" in judged(outcomes(times=6), horizon=4).reason
