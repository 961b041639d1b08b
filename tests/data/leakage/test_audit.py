from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.data.leakage.planting import both, diabetes

from trackrecord.data.leakage.audit import Audit, audit_world, holm, load_detectors
from trackrecord.data.leakage.kinds import KINDS
from trackrecord.data.leakage.sign import SIGNS, looks_for
from trackrecord.data.leakage.world import world_of
from trackrecord.errors import DataError

DRAW = np.random.default_rng(5)


def audit(train: pl.DataFrame, test: pl.DataFrame, **roles: object) -> Audit:
    return audit_world(world_of(train, test, "worse", **roles))  # type: ignore[arg-type]


def detectors(found: Audit, *verdicts: str) -> set[str]:
    return {f.detector for f in found.findings if f.verdict in (verdicts or ("leak", "suspect"))}


@pytest.mark.parametrize("seed", range(5))
def test_honest_rows_split_at_random_are_clean(seed: int) -> None:
    found = audit(*diabetes(seed))
    assert (found.verdict, found.findings) == ("clean", [])
    assert found.tests > 40


def test_a_column_that_is_the_target_with_noise_is_found_with_its_interval() -> None:
    train, test = diabetes()
    truth = pl.concat([train, test])["worse"].to_numpy()
    found = audit(*both(train, test, later=truth + DRAW.normal(size=442) * 0.2))
    leak = next(f for f in found.findings if f.detector == "near-perfect")
    assert leak.verdict == "leak"
    assert leak.columns == ["later"]
    assert leak.lo is not None
    assert leak.lo > 0.99 <= leak.value
    assert leak.p is not None
    assert leak.p < 1e-6


def test_what_is_missing_where_the_target_is_positive_is_found() -> None:
    train, test = diabetes()
    truth = pl.concat([train, test])["worse"].to_numpy()
    gone = DRAW.random(442) < np.where(truth == 1, 0.6, 0.05)
    values = pl.Series(np.where(gone, np.nan, 1.5)).fill_nan(None)
    assert "missingness" in detectors(audit(*both(train, test, checked=values)))


def test_sorted_rows_and_numbered_ids_are_found_and_shuffled_ones_are_not() -> None:
    train, test = diabetes()
    numbered = both(train.sort("worse"), test, patient=[f"P{n:04d}" for n in range(442)])
    assert {"row-order", "ids"} <= detectors(audit(*numbered, id="patient"))
    shuffled = both(train, test, patient=[f"P{n:04d}" for n in DRAW.permutation(442)])
    assert detectors(audit(*shuffled, id="patient")) == set()


def test_copies_across_the_split_are_found_exactly_nearly_and_by_id() -> None:
    train, test = diabetes()
    copied = pl.concat([train, test[:8]])
    found = audit(copied, test)
    assert detectors(found) == {"exact-duplicates"}
    assert found.findings[0].value == pytest.approx(8 / 142)
    assert found.findings[0].rows == list(range(8))
    jittered = test[:8].with_columns(pl.col("bmi", "bp", "s1") + 1e-3)
    assert "near-duplicates" in detectors(audit(pl.concat([train, jittered]), test))
    ids = both(train, test, patient=[*range(300), *range(290, 432)])
    assert "shared-ids" in detectors(audit(*ids, id="patient"))


def test_the_same_table_twice_is_no_test_set() -> None:
    train, _ = diabetes()
    kinds = {f.kind for f in audit(train, train).findings if f.detector == "exact-duplicates"}
    assert kinds == {"L1.1"}


def test_rows_of_coarse_values_that_repeat_by_chance_are_no_copies() -> None:
    draw = np.random.default_rng(1)
    coarse = pl.DataFrame({name: draw.integers(0, 4, 900) for name in "abc"})
    coarse = coarse.with_columns(worse=pl.Series(draw.integers(0, 2, 900)))
    assert audit(coarse[:600], coarse[600:]).verdict == "clean"


def test_over_sampling_before_the_split_is_told_as_such() -> None:
    train, test = diabetes()
    table = pl.concat([train, test])
    few = table.filter(pl.col("worse") == 1)[:60]
    table = pl.concat([table.filter(pl.col("worse") == 0), *[few] * 4])
    table = table[np.random.default_rng(0).permutation(table.height)]
    found = audit(table[:300], table[300:])
    assert {"over-sampling", "exact-duplicates"} <= detectors(found)


def test_an_encoding_that_leaves_out_the_rows_own_target_is_found_for_classes_and_numbers() -> None:
    train, test = diabetes()
    table = pl.concat([train, test])
    draw = np.random.default_rng(3)
    ward = draw.integers(0, 15, 442)
    for target in ("worse", "bmi"):
        truth = table[target].to_numpy().astype(float)
        total = np.bincount(ward[:300], weights=truth[:300])[ward]
        count = np.bincount(ward[:300])[ward]
        own, learnt = np.r_[truth[:300], np.zeros(142)], np.r_[np.ones(300), np.zeros(142)]
        rate = (total - own) / (count - learnt)
        parts = both(train, test, rate=rate)
        found = audit_world(world_of(*parts, target))
        assert "leave-one-out" in detectors(found), target
        jittered = both(train, test, rate=rate + draw.normal(size=442) * 0.01)
        assert "leave-one-out" not in detectors(audit_world(world_of(*jittered, target))), target


@pytest.mark.parametrize("rounded", [False, True])
def test_rows_made_up_between_others_before_the_split_are_found_and_within_train_are_not(
    rounded: bool,
) -> None:
    """SMOTE; with ``rounded``, of measurements of one digit, which lie in line by chance too."""
    draw = np.random.default_rng(1)
    train, test = diabetes()
    if rounded:
        train, test = (part.with_columns(pl.exclude("worse").round(0)) for part in (train, test))

    def made(table: pl.DataFrame) -> pl.DataFrame:
        rows = table.filter(pl.col("worse") == 1).drop("worse").to_numpy()
        near = np.argsort(((rows[:, None] - rows[None]) ** 2).sum(2), axis=1)
        one = draw.integers(0, len(rows), 80)
        other = near[one, draw.integers(1, 6, 80)]
        new = rows[one] + draw.random((80, 1)) * (rows[other] - rows[one])
        columns = pl.DataFrame(new, schema=table.drop("worse").columns)
        more = columns.with_columns(worse=pl.lit(1, pl.Int64))
        return pl.concat([table, more])

    table = made(pl.concat([train, test]))
    table = table[draw.permutation(table.height)]
    found = audit(table[:360], table[360:])
    assert "interpolated-rows" in detectors(found)
    assert "interpolated-rows" not in detectors(audit(made(train), test))
    assert "interpolated-rows" not in detectors(audit(train, test))


def test_what_there_was_nothing_to_look_at_for_says_what_it_needs() -> None:
    ran = {one.detector: one for one in audit(*diabetes()).detectors}
    assert ran["time-order"].tests == 0
    assert "time column" in ran["time-order"].needs
    assert ran["near-perfect"].tests == 10
    assert ran["near-perfect"].needs == ""


def test_groups_and_times_on_both_sides_are_found() -> None:
    train, test = diabetes()
    parted = both(train, test, site=["a"] * 150 + ["b"] * 150 + ["c"] * 141 + ["a"])
    found = audit(*parted, group=["site"])
    assert detectors(found) == {"shared-groups"}
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2025, 3, 17), eager=True)[:442]
    ordered = both(train, test, day=days)
    assert detectors(audit(*ordered, time="day")) == set()
    turned = both(train, test, day=days.reverse())
    assert detectors(audit(*turned, time="day")) == {"time-order"}


def test_moments_after_the_rows_own_time_and_what_is_declared_so_are_found() -> None:
    train, test = diabetes()
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2025, 3, 17), eager=True)[:442]
    later = both(train, test, day=days, left=days.dt.offset_by("3d"))
    assert detectors(audit(*later, time="day")) == {"after-the-time"}
    assert "known-later" in detectors(audit(*later, time="day", known_later=["bmi"]))


def test_a_column_named_like_the_target_that_tells_it_is_found() -> None:
    train, test = diabetes()
    truth = pl.concat([train, test])["worse"].to_numpy()
    hint = truth + DRAW.normal(size=442) * 1.2
    assert "named-proxy" in detectors(audit(*both(train, test, worse_code=hint)))
    assert "named-proxy" not in detectors(audit(*both(train, test, other=hint)))


def test_a_word_of_many_and_a_coordinate_are_no_names_of_the_target() -> None:
    train, test = diabetes()
    truth = pl.concat([train, test])["worse"].to_numpy()
    hint = truth + np.random.default_rng(1).normal(size=442)
    rooms = both(train, test, kept_room_type=hint)
    renamed = [part.rename({"worse": "mean_price_per_room"}) for part in rooms]
    found = audit_world(world_of(*renamed, "mean_price_per_room"))
    assert "named-proxy" not in detectors(found)
    assert "named-proxy" in detectors(audit(*both(train, test, y=hint)))
    assert "named-proxy" not in detectors(audit(*both(train, test, y=hint, x=hint[::-1])))


def test_a_mean_that_is_on_the_grid_of_a_columns_values_by_chance_was_not_filled_in() -> None:
    train, test = diabetes()
    draw = np.random.default_rng(0)
    grid = draw.integers(0, 21, 442).astype(float)
    while (grid.sum() / 442) % 1:  # until the mean of both tables is a whole number
        grid[draw.integers(442)] = draw.integers(0, 21)
    assert "filled-together" not in detectors(audit(*both(train, test, grade=grid)))
    gone = draw.random(442) < 0.2
    filled = np.where(gone, grid[~gone].mean(), grid)
    assert "filled-together" in detectors(audit(*both(train, test, grade=filled)))


def test_missing_values_that_another_column_tells_are_a_value_like_others() -> None:
    train, test = diabetes()
    truth = pl.concat([train, test])["worse"].to_numpy()
    draw = np.random.default_rng(2)
    gone = draw.random(442) < np.where(truth == 1, 0.6, 0.05)
    cars = np.where(gone, 0, draw.integers(1, 4, 442))
    kind = pl.Series([None if one else "brick" for one in gone])
    alone = audit(*both(train, test, garage=kind))
    told = audit(*both(train, test, garage=kind, garage_cars=cars))
    assert "missingness" in detectors(alone)
    assert "missingness" in detectors(told, "note")
    assert "missingness" not in detectors(told)


def test_target_encoding_with_the_rows_own_target_is_found_and_with_folds_is_not() -> None:
    train, test = diabetes()
    table = pl.concat([train, test]).with_columns(ward=pl.Series(DRAW.integers(0, 12, 442)))
    train, test = table[:300], table[300:]
    means = train.group_by("ward").agg(
        plain=pl.col("worse").mean(), shrunk=(pl.col("worse").sum() + 5.0) / (pl.len() + 10)
    )
    for name in ("plain", "shrunk"):
        a, b = (
            part.join(means.select("ward", name), on="ward", how="left").drop("ward")
            for part in (train, test)
        )
        assert "target-encoding" in detectors(audit(a, b)), name
    from sklearn.preprocessing import TargetEncoder

    encoder = TargetEncoder()
    folded = encoder.fit_transform(train.select("ward").to_numpy(), train["worse"].to_numpy())
    a = train.with_columns(encoded=pl.Series(folded[:, 0]))
    b = test.with_columns(
        encoded=pl.Series(encoder.transform(test.select("ward").to_numpy())[:, 0])
    )
    assert "target-encoding" not in detectors(audit(a, b))


def test_scaling_filling_and_components_of_all_rows_are_found_and_of_train_are_not() -> None:
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    train, test = diabetes()
    names = [name for name in train.columns if name != "worse"]
    a, b = train.select(names).to_numpy(), test.select(names).to_numpy()
    for step, detector in ((StandardScaler(), "scaled-together"), (PCA(5), "components-together")):
        for rows, wrong in ((np.vstack([a, b]), True), (a, False)):
            step.fit(rows)
            made = [
                pl.DataFrame(step.transform(part)).with_columns(worse=table["worse"])
                for part, table in ((a, train), (b, test))
            ]
            assert (detector in detectors(audit(*made))) is wrong
    holes = pl.concat([train, test]).with_columns(
        bmi=pl.when(pl.Series(DRAW.random(442) < 0.1)).then(None).otherwise("bmi")
    )
    for mean, wrong in ((holes["bmi"].mean(), True), (holes["bmi"][:300].mean(), False)):
        filled = holes.with_columns(pl.col("bmi").fill_null(mean))
        assert ("filled-together" in detectors(audit(filled[:300], filled[300:]))) is wrong


def test_a_test_drawn_from_elsewhere_is_told_apart_and_its_column_is_named() -> None:
    train, test = diabetes()
    table = pl.concat([train, test]).sort("bmi")
    found = audit(table[:300], table[300:])
    (finding,) = [f for f in found.findings if f.detector == "adversarial"]
    assert finding.columns[0] == "bmi"
    assert finding.kind == "L3.3"


def test_a_test_that_is_not_of_the_declared_population_is_found() -> None:
    train, test = diabetes()
    parted = both(train, test, sort=["a", "b"] * 221)
    right = {"sort": {"a": 0.5, "b": 0.5}}
    assert detectors(audit(*parted, population=right)) == set()
    wrong = {"sort": {"a": 0.8, "b": 0.2}}
    assert detectors(audit(*parted, population=wrong)) == {"declared-population"}
    with pytest.raises(DataError, match="not shares of one whole"):
        audit(*parted, population={"sort": {"a": 0.9, "b": 0.9}})


def test_verdicts_stay_the_same_when_columns_change_places() -> None:
    train, test = diabetes()
    truth = pl.concat([train, test])["worse"].to_numpy()
    a, b = both(train, test, later=truth + DRAW.normal(size=442) * 0.2)
    turned = audit(a.select(reversed(a.columns)), b.select(reversed(b.columns)))
    assert detectors(turned) == detectors(audit(a, b))


@pytest.mark.parametrize(
    "target",
    [
        [0, 1] * 300,
        [0] * 599 + [1],
        ["a"] * 600,
        ["x", "y", "z"] * 200,
        [None, 1.5] * 300,
        [float(n) for n in range(600)],
        [True, False] * 300,
    ],
)
def test_any_target_and_any_kind_of_column_can_be_audited(target: list[object]) -> None:
    table = pl.DataFrame(
        {
            "number": [1.0, None, float("nan"), float("inf"), -2.0, 0.0] * 100,
            "nothing": pl.Series([None] * 600, dtype=pl.Null),
            "constant": ["c"] * 600,
            "list": [[1, 2]] * 600,
            "a b; DROP TABLE": pl.Series(["é", "", "\0", None] * 150),
            "when": pl.Series([None] * 600, dtype=pl.Datetime("us", "UTC")),
            "target": pl.Series(target, strict=False),
        }
    )
    found = audit_world(world_of(table[:400], table[400:], "target", text=["a b; DROP TABLE"]))
    alone = {"row-order", "missingness", "near-perfect", "informative-proxy"}
    assert {f.detector for f in found.findings} <= alone


def test_one_row_each_and_no_feature_are_audited_and_no_row_is_refused() -> None:
    train, test = diabetes()
    assert audit(train[:1], test[:1]).verdict == "clean"
    assert audit(train.select("worse"), test.select("worse")).features == 0
    with pytest.raises(DataError, match="no row"):
        audit(train[:0], test)
    with pytest.raises(DataError, match="no row"):
        audit(train, test[:0])
    with pytest.raises(DataError, match="'wors'"):
        world_of(train, test, "wors")


def test_holm_agrees_with_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(3).random(50) ** 4
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_every_detector_has_a_kind_and_two_cannot_share_a_name() -> None:
    load_detectors()
    assert len(SIGNS) >= 20
    assert {one.kind for one in SIGNS.values()} <= set(KINDS)

    def near_perfect(world: object) -> None:
        return None

    with pytest.raises(ValueError, match="two detectors"):
        looks_for("anything", kind="L2")(near_perfect)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no kind"):
        looks_for("anything", kind="L9")(near_perfect)  # type: ignore[arg-type]


def test_the_page_has_a_section_for_each_detector_with_its_kind() -> None:
    load_detectors()
    page = (Path(__file__).parents[3] / "docs/reference/leaks.md").read_text("utf-8")
    for one in SIGNS.values():
        section = page.partition(f"\n### `{one.name}`")[2].partition("\n### ")[0]
        assert one.kind in section, one.name
        assert "**Do:**" in section, one.name
