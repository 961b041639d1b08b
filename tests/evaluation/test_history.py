"""The scale of a series from its past, and what is refused as a past."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from trackrecord.errors import BadInput, DataError, TrackrecordError
from trackrecord.evaluation.history import scales_of, with_scales
from trackrecord.evaluation.tasks import task_columns
from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric

# in no order: a is 2, 5, 4, 8; b is 10, 12; c never changes; d has one value
PAST = pl.DataFrame(
    {
        "shop": ["b", "a", "a", "c", "a", "c", "b", "a", "d"],
        "day": [1, 4, 2, 1, 1, 2, 2, 3, 1],
        "sold": [10, 8, 5, 7, 2, 7, 12, 4, 1],
    }
)


def scales(past: pl.DataFrame = PAST, season: int = 1) -> pl.DataFrame:
    return scales_of(past, series="shop", time="day", value="sold", season=season)


def forecasts(*series: str, start: int = 5) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": [str(i) for i in range(len(series))],
            "series": list(series),
            "time": [start + i for i in range(len(series))],
        }
    )


def refused(act: Callable[[], object]) -> TrackrecordError:
    with pytest.raises(TrackrecordError) as caught:
        act()
    return caught.value


def test_a_scale_is_the_mean_change_from_step_to_step_in_order_of_time() -> None:
    assert scales().filter(pl.col("series") < "c").rows() == [
        ("a", 8 / 3, 26 / 3, 3, 4),
        ("b", 2.0, 4.0, 1, 2),
    ]


def test_a_season_compares_with_the_same_step_of_the_season_before() -> None:
    found = scales(season=2)
    assert found.row(0) == ("a", 2.5, (4 + 9) / 2, 2, 4)
    assert found["changes"].to_list() == [2, 0, 0, 0]
    assert found["scale"].to_list()[1:] == [None, None, None]


def test_without_times_rows_are_taken_as_they_come() -> None:
    found = scales_of(PAST, series="shop", time=None, value="sold", season=1)
    assert found.row(0)[:2] == ("a", (3 + 3 + 2) / 3)
    assert with_scales(forecasts("a", "b"), found)["scale"].to_list() == [8 / 3, 2.0]


def test_scales_are_joined_in_the_order_of_the_outcomes() -> None:
    found = with_scales(forecasts("b", "a", "a"), scales())
    assert found.columns == ["id", "series", "time", "scale", "scale_squared"]
    assert found["scale"].to_list() == [2.0, 8 / 3, 8 / 3]
    assert found["scale_squared"].to_list() == [4.0, 26 / 3, 26 / 3]


def test_numbers_as_names_of_series_meet_their_text() -> None:
    past = PAST.with_columns(shop=pl.col("shop").replace_strict({"a": 1, "b": 2, "c": 3, "d": 4}))
    assert with_scales(forecasts("1"), scales(past))["scale"].to_list() == [8 / 3]


def test_a_history_gives_mase() -> None:
    outcomes = with_scales(forecasts("a", "a", "b", "b", "b"), scales()).with_columns(
        truth=pl.Series([9.0, 9.0, 12.0, 13.0, 14.0]),
        **{"score.m": pl.Series([11.0, 5.0, 13.0, 14.0, 18.0])},
    )
    columns = task_columns("regression")
    columns.check(outcomes, ["m"])
    truth, predicted = columns.arrays(outcomes, ["m"])
    found = measure(get_metric("mase", "regression"), truth, predicted["m"])
    assert isinstance(found, Influence)
    assert found.value == pytest.approx(17 / 16, rel=1e-12)


def test_a_series_without_past_is_named() -> None:
    error = refused(lambda: with_scales(forecasts("a", "x", "y", "z", "q"), scales()))
    assert isinstance(error, DataError)
    assert error.what == "4 series ('x', 'y', 'z', …) have no past in the history"
    assert "4 series ('a', 'b', 'c', …)" in str(error.why)


def test_too_short_a_past_is_named() -> None:
    error = refused(lambda: with_scales(forecasts("a", "b"), scales(season=2)))
    assert error.what.startswith("the series 'b' has too short a past")
    assert "shorter season" in str(error.next)


def test_a_past_that_never_changes_is_named() -> None:
    error = refused(lambda: with_scales(forecasts("a", "c"), scales()))
    assert error.what == "the series 'c' has a past that never changes"
    # what is not forecast may be as it likes
    assert with_scales(forecasts("a"), scales()).height == 1


def test_a_past_that_reaches_into_the_forecasts_is_named() -> None:
    error = refused(lambda: with_scales(forecasts("a", "b", start=4), scales()))
    assert error.what == "the past of the series 'a' reaches into the forecasts' times"
    assert "the past ends 4, its forecasts begin 4" in str(error.where)


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_dates_and_times_are_compared_as_times(zone: str | None) -> None:
    past = PAST.with_columns(day=pl.date(2026, 1, pl.col("day")))
    times = pl.Series([datetime(2026, 1, 4, 12), datetime(2026, 1, 6)]).dt.replace_time_zone(zone)
    ahead = forecasts("a", "a").with_columns(time=times)
    assert with_scales(ahead, scales(past)).height == 2
    late = forecasts("a", "a").with_columns(time=pl.Series([date(2026, 1, 4), date(2026, 1, 5)]))
    assert "reaches into" in refused(lambda: with_scales(late, scales(past))).what


def test_times_of_two_kinds_cannot_show_what_was_past() -> None:
    past = PAST.with_columns(day=pl.date(2026, 1, pl.col("day")))
    assert "not of one kind" in refused(lambda: with_scales(forecasts("a"), scales(past))).what
    text = forecasts("a").with_columns(time=pl.lit("soon"))
    assert "put in order" in refused(lambda: with_scales(text, scales())).what


def test_two_values_at_one_time_are_named() -> None:
    error = refused(lambda: scales(pl.concat([PAST, PAST.head(1)])))
    assert error.what == "the past of the series 'b' has two values at one time"
    assert "rows 1, 10" in str(error.where)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_gap_in_the_past_is_named(value: float | None) -> None:
    sold = [*PAST["sold"].cast(pl.Float64).to_list()[:-1], value]
    error = refused(lambda: scales(PAST.with_columns(sold=pl.Series(sold))))
    assert error.what == "'sold' is missing or not finite in 1 row"
    assert "row 9" in str(error.where)


@pytest.mark.parametrize(
    ("column", "what"), [("shop", "missing in 9 rows"), ("day", "missing in 9 rows")]
)
def test_a_row_without_series_or_time_is_refused(column: str, what: str) -> None:
    past = PAST.with_columns(pl.lit(None, dtype=pl.String).alias(column))
    assert what in refused(lambda: scales(past)).what


def test_columns_and_seasons_that_are_none_are_refused() -> None:
    error = refused(lambda: scales_of(PAST, series="shp", time=None, value="sold", season=1))
    assert "no column 'shp'" in error.what
    assert "'shop'" in str(error.why)
    for season in (0, -1, 1.5, True):
        with pytest.raises(BadInput, match="a season is a whole number"):
            scales(season=season)  # type: ignore[arg-type]
    assert "not numbers" in refused(lambda: scales(PAST.cast({"sold": pl.String}))).what
    assert "no rows" in refused(lambda: scales(PAST.head(0))).what
    huge = PAST.with_columns(sold=pl.Series([1e300, *([0.0] * 8)]))
    assert "too great" in refused(lambda: scales(huge)).what


def test_a_table_with_scales_of_its_own_takes_no_others() -> None:
    once = with_scales(forecasts("a"), scales())
    assert "already have the column 'scale'" in refused(lambda: with_scales(once, scales())).what
    assert (
        "no column 'series'"
        in refused(lambda: with_scales(forecasts("a").drop("series"), scales())).what
    )


def test_scales_that_differ_within_a_series_are_refused() -> None:
    outcomes = with_scales(forecasts("a", "a"), scales()).with_columns(
        truth=pl.lit(1.0), scale=pl.Series([1.0, 2.0]), **{"score.m": pl.lit(2.0)}
    )
    error = refused(lambda: task_columns("regression").check(outcomes, ["m"]))
    assert error.what == "'scale' differs within the series 'a'"
    below = outcomes.with_columns(scale=pl.lit(-1.0))
    error = refused(lambda: task_columns("regression").check(below, ["m"]))
    assert error.what == "'scale' is negative in 2 rows"


def test_many_series_take_no_longer_than_their_rows() -> None:
    rng = np.random.default_rng(1)
    past = pl.DataFrame(
        {
            "shop": np.repeat(np.arange(20_000), 10),
            "day": np.tile(np.arange(10), 20_000),
            "sold": rng.normal(size=200_000),
        }
    ).sample(fraction=1, shuffle=True, seed=1)
    found = scales(past)
    assert found.height == 20_000
    one = past.filter(pl.col("shop") == 17).sort("day")["sold"].to_numpy()
    mine = found.filter(pl.col("series") == "17").row(0, named=True)
    assert mine["scale"] == pytest.approx(abs(np.diff(one)).mean(), rel=1e-12)
