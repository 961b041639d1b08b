"""Doubt: planted noise is found, clean labels are not doubted, odd values are shown."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits

from trackrecord.data.labels.categories import inconsistent, one_slip
from trackrecord.data.labels.confident import confident_doubt
from trackrecord.data.labels.crossfitted import crossfitted
from trackrecord.data.labels.doubt import doubt_labels
from trackrecord.data.labels.outliers import outliers
from trackrecord.errors import BadInput, DataError


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "rate"), [(1, 0.1), (2, 0.2)])
def test_planted_noise_in_digits_is_found_and_counted(seed: int, rate: float) -> None:
    """cleanlab 2.9 on the same probabilities, by noise rate: 0.97 and 0.84 of a tenth."""
    features, true = load_digits(return_X_y=True)
    draw = np.random.default_rng(seed)
    wrong = draw.random(true.size) < rate
    label = np.where(wrong, (true + draw.integers(1, 10, true.size)) % 10, true)
    found = confident_doubt(label, crossfitted(features, label, 10))
    hits = np.count_nonzero(wrong[found.rows])
    assert hits / found.rows.size >= 0.93
    assert hits / wrong.sum() >= 0.8
    assert found.lo <= wrong.mean() <= found.hi
    assert (found.likely[:50] == true[found.rows[:50]]).mean() >= 0.95
    assert (np.diff(found.margin) >= 0).all()


@pytest.mark.slow
def test_few_clean_digits_are_doubted() -> None:
    features, true = load_digits(return_X_y=True)
    found = confident_doubt(true, crossfitted(features, true, 10))
    assert found.rows.size <= 0.02 * true.size


def test_thresholds_and_joint_are_those_of_the_paper_by_hand() -> None:
    label = np.array([0, 0, 0, 1, 1])
    first = np.array([0.9, 0.8, 0.1, 0.2, 0.3])
    found = confident_doubt(label, np.column_stack([first, 1 - first]))
    # thresholds 0.6 and 0.75: rows 1, 2 count as 0, row 3 as 1, row 4 as 1, row 5 as neither
    assert found.joint == pytest.approx(np.array([[2, 1], [0, 2]]) / 5)
    assert found.rows.tolist() == [2]
    assert found.likely.tolist() == [1]
    assert found.margin == pytest.approx([-0.8])
    assert found.share == pytest.approx(0.2)


def test_probabilities_that_are_none_are_refused() -> None:
    label = np.array([0, 1])
    for bad in (np.array([[0.5, np.nan], [1, 0]]), np.array([[2.0, -1], [1, 0]])):
        with pytest.raises(BadInput):
            confident_doubt(label, bad)
    with pytest.raises(BadInput, match="no row"):
        confident_doubt(np.array([0, 0]), np.full((2, 2), 0.5))


def test_one_thing_written_in_several_ways_is_shown() -> None:
    town = pl.Series("town", ["New York"] * 60 + ["new york "] * 3 + ["New-York"] + ["Bern"] * 30)
    (written,) = inconsistent(town)
    assert written.how == "spelling"
    assert written.values == ["New York", "new york ", "New-York"]
    assert written.rows == [60, 3, 1]


def test_a_rare_slip_of_a_frequent_value_is_shown_and_numbers_are_not() -> None:
    town = pl.Series("t", ["Zurich"] * 50 + ["Zurihc"] + ["Model 1001"] * 50 + ["Model 1002"] * 2)
    (written,) = inconsistent(town)
    assert (written.how, written.values) == ("slip", ["Zurich", "Zurihc"])


def test_mixed_units_are_shown() -> None:
    (written,) = inconsistent(pl.Series("weight", ["12 kg", "3.5 kg", "7 lb", "4 kg", "9 lb"]))
    assert (written.how, written.values, written.rows) == ("units", ["kg", "lb"], [3, 2])


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        ("bern", "bren", True),
        ("bern", "berne", True),
        ("bern", "brn", True),
        ("bern", "born", True),
        ("bern", "bern", False),
        ("bern", "rome", False),
        ("bern", "berlin", False),
        ("", "a", True),
    ],
)
def test_one_slip(a: str, b: str, one: bool) -> None:
    assert one_slip(a, b) is one
    assert one_slip(b, a) is one


def test_what_lies_outside_tukeys_outer_fences_is_shown() -> None:
    found = outliers(pl.Series("x", [*range(100), 10_000, None]))
    assert found is not None
    assert (found.rows, found.first, found.values) == (1, [101], [10_000])
    assert found.high == pytest.approx(75 + 3 * 50)
    assert found.lo < 1 / 101 < found.hi


def test_the_furthest_values_are_shown_first_and_what_share_lies_outside() -> None:
    found = outliers(pl.Series("x", [500, *range(100), -10_000, 900, None]))
    assert found is not None
    assert (found.first, found.values) == ([102, 103, 1], [-10_000, 900, 500])
    assert found.share == pytest.approx(3 / 103)


@pytest.mark.parametrize("values", [[1.0] * 50, [1.0, 99.0], [None] * 30, [float("inf")] * 30])
def test_where_no_fence_can_be_built_nothing_is_said(values: list[float | None]) -> None:
    assert outliers(pl.Series("x", values, dtype=pl.Float64)) is None


def table(rows: int = 300) -> pl.DataFrame:
    draw = np.random.default_rng(5)
    x = draw.normal(0, 1, rows)
    kind = np.where(x > 0, "up", "down")
    kind[:6] = np.where(x[:6] > 0, "down", "up")
    probability = 1 / (1 + np.exp(-8 * x))
    return pl.DataFrame({"x": x, "kind": kind, "p_up": probability, "p_down": 1 - probability})


def test_a_tables_labels_are_doubted_by_its_other_columns_or_by_given_probabilities() -> None:
    by_trees = doubt_labels(table(), "kind", skip=["p_up", "p_down"])
    given = doubt_labels(table(), "kind", score="p")
    single = doubt_labels(table(), "kind", score="p_up")
    assert given.doubted == single.doubted
    for found in (by_trees, given):
        clear = [row for row in range(1, 7) if abs(table()["x"][row - 1]) > 0.5]
        assert set(clear) <= {one.row for one in found.doubted}


def test_labels_that_cannot_be_doubted_are_refused() -> None:
    with pytest.raises(DataError, match="no column 'knd'"):
        doubt_labels(table(), "knd")
    with pytest.raises(DataError, match="has 0 classes"):
        doubt_labels(table(), "x")
    with pytest.raises(DataError, match="no probabilities"):
        doubt_labels(table(), "kind", score="q_")
    with pytest.raises(DataError, match="no column is left"):
        doubt_labels(table().select("kind"), "kind")
