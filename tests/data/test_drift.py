"""Two tables compared: values against scipy, intervals and alarms against simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp, norm, wasserstein_distance

from trackrecord.data.drift.compare import compare_tables
from trackrecord.data.drift.distances import cramer_v, distance, jensen_shannon, psi
from trackrecord.data.drift.result import Drift, Measured
from trackrecord.errors import DataError
from trackrecord.stats.estimate import Absence, Estimate

numbers = arrays(np.float64, st.integers(1, 60), elements=st.integers(-20, 20).map(float))
counts = arrays(np.int64, 6, elements=st.integers(0, 50)).filter(lambda c: c.sum() > 0)


def values(drift: Drift, name: str) -> Measured:
    (found,) = [column.values for column in drift.columns if column.name == name]
    assert found is not None
    return found


@settings(max_examples=40, deadline=None)
@given(numbers, numbers)
def test_distances_of_numbers_are_scipys(a: np.ndarray, b: np.ndarray) -> None:
    found = distance(np.sort(a), np.sort(b))
    assert found.ks == pytest.approx(ks_2samp(a, b, method="asymp").statistic, abs=1e-12)
    assert found.wasserstein == pytest.approx(wasserstein_distance(a, b), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(counts, counts)
def test_distances_of_categories_are_scipys(a: np.ndarray, b: np.ndarray) -> None:
    some = (a + b) > 0
    chi2, v, degrees = cramer_v(a, b)
    if some.sum() > 1:
        reference = chi2_contingency([a[some], b[some]], correction=False)
        assert chi2 == pytest.approx(reference.statistic)
        assert degrees == reference.dof
    assert 0 <= v <= 1 + 1e-12
    assert jensen_shannon(a, b) == pytest.approx(jensenshannon(a, b, base=2), abs=1e-7)
    assert psi(a, b) >= 0
    assert psi(a, a) == 0


def test_a_stability_index_is_the_one_that_is_reckoned_by_hand() -> None:
    a, b = np.array([50, 50]), np.array([25, 75])
    assert psi(a, b) == pytest.approx(-0.25 * np.log(0.5) + 0.25 * np.log(1.5))


def table(draw: np.random.Generator, rows: int, shift: float = 0.0) -> pl.DataFrame:
    gone = draw.random(rows) < 0.2
    return pl.DataFrame(
        {
            "x": draw.normal(shift, 1, rows),
            "y": draw.exponential(1, rows),
            "count": draw.poisson(2, rows),
            "town": draw.choice(["Bern", "Rome", "Oslo", "Nice"], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "flag": draw.random(rows) < 0.3,
        }
    ).with_columns(pl.when(pl.Series(gone)).then(None).otherwise("y").alias("y"))


@pytest.mark.slow
def test_two_samples_of_one_population_rarely_raise_any_alarm() -> None:
    """BH over all distances: at most 5 % of pairs have any adjusted p of at most 0.05."""
    draw = np.random.default_rng(1)
    pairs, told, alarms = 200, 0, 0
    for _ in range(pairs):
        found = compare_tables(table(draw, 300), table(draw, 200), classifier=False)
        every = [m for c in found.columns for m in (c.values, c.missing) if m is not None]
        told += min(m.adjusted for m in every) <= 0.05
        alarms += found.severity != "none"
    assert told <= 0.05 * pairs + 2 * (0.05 * 0.95 * pairs) ** 0.5
    assert alarms <= 0.05 * pairs


def test_the_interval_holds_the_true_distance() -> None:
    draw = np.random.default_rng(2)
    truth = 2 * norm.cdf(0.25) - 1
    shares = np.array([0.5, 0.3, 0.15, 0.05]), np.array([0.4, 0.4, 0.15, 0.05])
    inside = np.zeros(2)
    for _ in range(200):
        sides = [
            pl.DataFrame(
                {"x": draw.normal(shift, 1, 400), "c": draw.choice(list("abcd"), 400, p=share)}
            )
            for shift, share in zip((0, 0.5), shares, strict=True)
        ]
        found = compare_tables(*sides, classifier=False)
        for index, (name, true) in enumerate((("x", truth), ("c", 0.1))):
            inside[index] += values(found, name).lo <= true <= values(found, name).hi
    assert (inside >= 0.93 * 200).all()


def clustered(draw: np.random.Generator, days: int, rows: int, first: int) -> pl.DataFrame:
    """Each day has a level and a habit of its own."""
    level, habit = draw.normal(0, 1, days), draw.beta(1, 1, days)
    day = np.repeat(np.arange(days), rows)
    return pl.DataFrame(
        {
            "x": level[day] + draw.normal(0, 1, day.size),
            "c": np.where(draw.random(day.size) < habit[day], "yes", "no"),
            "day": day + first,
        }
    )


@pytest.mark.slow
def test_days_that_differ_are_no_drift_once_they_are_named() -> None:
    draw = np.random.default_rng(3)
    alarms = {"named": 0, "unnamed": 0}
    for _ in range(40):
        a, b = clustered(draw, 30, 20, 0), clustered(draw, 20, 20, 100)
        named = compare_tables(a, b, cluster="day", classifier=False)
        unnamed = compare_tables(a.drop("day"), b.drop("day"), classifier=False)
        for key, found in (("named", named), ("unnamed", unnamed)):
            every = [c.values.adjusted for c in found.columns if c.values is not None]
            alarms[key] += min(every) <= 0.05
    assert alarms["named"] <= 2 + 2 * 1.9**0.5
    assert alarms["unnamed"] > 20


def test_drift_that_is_there_is_found_and_the_rest_is_not() -> None:
    draw = np.random.default_rng(4)
    a, b = table(draw, 1500), table(draw, 1500, shift=0.8)
    b = b.with_columns(pl.col("town").replace("Nice", "Paris"))
    found = compare_tables(a, b)
    graded = {column.name: column.severity for column in found.columns}
    assert graded["x"] == "severe"
    assert graded["count"] == graded["flag"] == "none"
    assert found.columns[0].name == "x"
    (town,) = [column for column in found.columns if column.name == "town"]
    assert (town.new, town.vanished) == (["Paris"], ["Nice"])
    assert town.new_share == pytest.approx(0.05, abs=0.02)
    assert isinstance(found.classifier, Estimate)
    assert found.classifier.lo > 0.65
    assert found.classifier_severity == "severe"
    assert [one.name for one in found.told_by][:2] == ["x", "town"]
    assert found.told_by[0].lost > 0.1


def test_a_large_sample_makes_no_small_drift_severe() -> None:
    draw = np.random.default_rng(5)
    a, b = (pl.DataFrame({"x": draw.normal(shift, 1, 200_000)}) for shift in (0, 0.05))
    found = compare_tables(a, b, classifier=False)
    assert values(found, "x").p < 1e-6
    assert found.severity == "none"


def test_a_model_cannot_tell_two_samples_of_one_population_apart() -> None:
    draw = np.random.default_rng(6)
    found = compare_tables(table(draw, 500), table(draw, 500))
    assert isinstance(found.classifier, Estimate)
    assert found.classifier.lo <= 0.5 <= found.classifier.hi + 0.01
    assert found.severity == "none"


def test_a_table_and_its_copy_are_alike_to_a_model() -> None:
    a = table(np.random.default_rng(8), 500)
    found = compare_tables(a, a).classifier
    assert isinstance(found, Absence)
    assert found.reason.startswith("all scores are equal")


def test_a_model_sees_what_no_column_shows_alone() -> None:
    draw = np.random.default_rng(7)
    both = draw.normal(0, 1, (1500, 2))
    a = pl.DataFrame({"x": both[:, 0], "y": both[:, 0] * 0.8 + both[:, 1] * 0.6})
    b = pl.DataFrame({"x": draw.normal(0, 1, 1500), "y": draw.normal(0, 1, 1500)})
    found = compare_tables(a, b)
    assert all(column.severity == "none" for column in found.columns)
    assert found.classifier_severity == "severe"


def test_a_share_that_goes_missing_is_drift() -> None:
    a = pl.DataFrame({"x": [1.0, 2.0] * 200})
    b = a.with_columns(pl.when(pl.int_range(pl.len()) % 3 > 0).then("x").alias("x"))
    (column,) = compare_tables(a, b, classifier=False).columns
    assert column.missing is not None
    assert column.missing.effect == pytest.approx(1 / 3, abs=0.01)
    assert column.missing.severity == "severe"


def test_what_cannot_be_compared_says_why() -> None:
    rows = 100
    a = pl.DataFrame(
        {
            "name": [f"n{i}" for i in range(rows)],
            "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 9), eager=True),
            "empty": pl.Series([None] * rows, dtype=pl.String),
            "wild": [float("inf"), *range(rows - 1)],
            "kind": [1.0] * rows,
            "first": 1,
        }
    )
    b = a.with_columns(pl.lit("one").alias("kind")).drop("first")
    found = compare_tables(a, b)
    why = {column.name: column.why for column in found.columns}
    assert set(why) == {"name", "day", "empty", "wild"}
    assert all(why.values())
    assert (found.other_kind, found.only_a) == (["kind"], ["first"])
    assert found.severity == "severe"


def test_values_that_are_all_new_are_far_however_rare_each_is() -> None:
    """Pooled with all rare values they would look the same; names that never recur are no news."""
    hours = pl.DataFrame(
        {"hour": [f"h{i // 4}" for i in range(1200)], "day": [i // 40 for i in range(1200)]}
    )
    later = hours.with_columns(pl.format("later {}", "hour").alias("hour"), pl.col("day") + 100)
    (found,) = compare_tables(hours.drop("day"), later.drop("day"), classifier=False).columns
    assert found.severity == "severe"
    assert found.values is not None
    assert found.values.effect == 1
    (same,) = compare_tables(hours.drop("day"), hours.drop("day"), classifier=False).columns
    assert same.severity == "none"
    # each hour is of one day, so that other days have other hours by themselves
    (by_day,) = compare_tables(hours, later, cluster="day", classifier=False).columns
    assert by_day.severity == "none"


@pytest.mark.slow
def test_rare_values_that_differ_by_chance_raise_no_alarm() -> None:
    draw = np.random.default_rng(9)
    alarms = 0
    for _ in range(150):
        sides = [
            pl.DataFrame({"c": (400 * draw.random(n) ** 2).astype(int).astype(str)})
            for n in (500, 700)
        ]
        (found,) = compare_tables(*sides, classifier=False).columns
        assert found.new
        alarms += found.values is not None and found.values.adjusted <= 0.05
    assert alarms <= 0.05 * 150 + 2 * (0.05 * 0.95 * 150) ** 0.5


def test_a_value_that_takes_up_a_column_has_a_bin_of_its_own() -> None:
    a = pl.DataFrame({"month": [1] * 300})
    (found,) = compare_tables(a, a + 1, classifier=False).columns
    assert found.psi is not None
    assert found.psi > 5
    assert found.jensen_shannon == 1
    (found,) = compare_tables(a, a, classifier=False).columns
    assert found.psi == 0


def test_no_distance_has_no_small_p_however_it_is_rounded() -> None:
    a = pl.DataFrame({"year": [2013] * 90, "day": [0, 1, 2] * 30})
    b = pl.DataFrame({"year": [2013] * 70, "day": [4, 5] * 35})
    assert values(compare_tables(a, b, cluster="day", classifier=False), "year").p == 1


def test_one_cluster_is_no_sample_of_clusters() -> None:
    a = pl.DataFrame({"x": [1.0, 2.0, 3.0], "day": [1, 2, 3]})
    b = pl.DataFrame({"x": [1.0, 2.0], "day": [4, 4]})
    found = compare_tables(a, b, cluster="day")
    assert found.columns[0].values is None
    assert "two clusters" in str(found.columns[0].why)
    assert isinstance(found.classifier, Absence)


def test_tables_that_share_nothing_are_refused() -> None:
    a = pl.DataFrame({"x": [1.0]})
    with pytest.raises(DataError, match="no column in common"):
        compare_tables(a, pl.DataFrame({"y": [1.0]}))
    with pytest.raises(DataError, match="no rows"):
        compare_tables(a, a.head(0))
    with pytest.raises(DataError, match="no column 'dya'"):
        compare_tables(a, a, cluster="dya")
    assert compare_tables(a, a).severity == "none"
