from __future__ import annotations

import hashlib
from collections.abc import Callable

import polars as pl
import pytest

from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.outcomes import Given, read_given

from .conftest import ELSEWHERE, Load, Loaded, model

TWO = model('[[model]]\nname = "mine"\n[[model]]\nname = "yours"\n')


def asked(loaded: Loaded) -> pl.DataFrame:
    """What a diligent program would bring."""
    ids = loaded.table.frame["id"].filter(loaded.parts.is_in(["validation", "test"]))
    return pl.DataFrame({"id": ids, "score": [0.25 + 0.5 * (i % 2) for i in range(len(ids))]})


def read(loaded: Loaded, frame: pl.DataFrame, *, model: str | None = None) -> Given:
    path = loaded.root / "given.parquet"
    frame.write_parquet(path)
    return read_given(path, loaded.case, loaded.table, loaded.parts, model=model)


@pytest.mark.parametrize("name", ["given.csv", "given.parquet", "given.tsv", "given.arrow"])
def test_predictions_come_in_from_any_table(load: Load, name: str) -> None:
    loaded = load(ELSEWHERE)
    frame, path = asked(loaded), loaded.root / name
    if name.endswith("csv"):
        frame.write_csv(path)
    elif name.endswith("tsv"):
        frame.write_csv(path, separator="\t")
    elif name.endswith("arrow"):
        frame.write_ipc(path, compat_level=pl.CompatLevel.oldest())
    else:
        frame.write_parquet(path)
    given = read_given(path, loaded.case, loaded.table, loaded.parts)
    assert given.scores.rename({"score.mine": "score"}).equals(frame)
    assert given.file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (given.file.name, given.file.rows) == (name, frame.height)


def test_they_stand_beside_baselines_that_are_trained_as_usual(load: Load) -> None:
    loaded = load(ELSEWHERE)
    trained = loaded.train(given=read(loaded, asked(loaded)).scores)
    usual = load().train()
    assert trained.predictions["score.mine"].equals(asked(loaded)["score"].alias("score.mine"))
    for name in ("score.base_rate", "score.table", "score.logistic"):
        assert trained.predictions[name].equals(usual.predictions[name])
    mine = trained.models[-1]
    assert (mine.name, mine.kind, mine.seconds) == ("mine", "outcomes", None)


def test_the_order_of_their_rows_does_not_matter(load: Load) -> None:
    loaded = load(ELSEWHERE)
    straight, mixed = asked(loaded), asked(loaded).sample(fraction=1, shuffle=True, seed=3)
    assert read(loaded, straight).scores.equals(read(loaded, mixed).scores)


def test_the_units_own_column_serves_as_id_and_training_rows_are_passed_over(load: Load) -> None:
    loaded = load(ELSEWHERE)
    everyone = loaded.table.frame.select(patient="id", score=pl.lit(0.5))
    assert read(loaded, everyone).scores["id"].equals(asked(loaded)["id"])


def test_two_models_come_in_one_file_in_the_cases_order(load: Load) -> None:
    loaded = load(TWO)
    frame = asked(loaded).select("id", pl.col("score").alias("score.yours"), **{"score.mine": 0.5})
    trained = loaded.train(given=read(loaded, frame).scores)
    assert trained.predictions.columns[-2:] == ["score.mine", "score.yours"]


def test_text_ids_stay_text(load: Load) -> None:
    """Where the case's ids are text such as 007, a CSV's ids are not numbers."""
    loaded = load(ELSEWHERE)
    frame = loaded.table.frame.with_columns(
        id=pl.col("id").str.strip_prefix("P"), patient=pl.col("id").str.strip_prefix("P")
    )
    loaded = Loaded(
        loaded.root, loaded.case, type(loaded.table)(frame, {}, []), loaded.parts, loaded.folder
    )
    path = loaded.root / "given.csv"
    asked(loaded).filter(pl.col("id") > "0100").write_csv(path)
    with pytest.raises(DataError, match="has no score for"):
        read_given(path, loaded.case, loaded.table, loaded.parts)
    asked(loaded).write_csv(path)
    given = read_given(path, loaded.case, loaded.table, loaded.parts)
    assert given.scores["id"].str.len_chars().unique().to_list() == [4]


Change = Callable[[pl.DataFrame], pl.DataFrame]


def at_row(row: int, column: str, value: float | None) -> Change:
    number = pl.int_range(pl.len())
    return lambda frame: frame.with_columns(
        pl.when(number == row).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (at_row(4, "score", float("nan")), ["'score' is missing or NaN in 1 of", "row 5"]),
        (at_row(4, "score", None), ["'score' is missing or NaN in 1 of", "row 5"]),
        (at_row(0, "score", float("inf")), ["outside [0, 1] in 1 of", "row 1, such as inf"]),
        (at_row(2, "score", -0.01), ["outside [0, 1] in 1 of", "row 3, such as -0.01"]),
        (at_row(2, "score", 1.0001), ["outside [0, 1]", "log odds"]),
        (
            lambda f: f.with_columns(score=pl.lit("high")),
            ["'score' holds strings, not numbers", "row 1: 'high'"],
        ),
        (
            lambda f: f.with_columns(score=pl.col("score") > 0.5),
            ["'score' holds booleans, not numbers"],
        ),
        (lambda f: f.rename({"score": "scor"}), ["no column 'score'", "did you mean 'scor'?"]),
        (lambda f: f.rename({"score": "Score"}), ["no column 'score'", "did you mean 'Score'?"]),
        (lambda f: f.rename({"score": "p"}), ["no column 'score'", "columns: id, p"]),
        (lambda f: f.rename({"id": "ID"}), ["no column 'id' or 'patient'", "did you mean 'ID'?"]),
        (lambda f: f.rename({"id": "patent"}), ["no column 'id'", "did you mean 'patent'?"]),
        (lambda f: f.drop("id"), ["no column 'id' or 'patient'"]),
        (lambda f: f.vstack(f.head(2)), ["2 rows repeat an id", "in rows 1, "]),
        (lambda f: f.head(0), ["has no rows"]),
        (lambda f: f.tail(-3), ["has no score for 3 units", "for example 'P"]),
        (
            lambda f: f.vstack(pl.DataFrame({"id": ["Q1", "Q2"], "score": [0.5, 0.5]})),
            ["2 of", "are not in the case's data", "'Q1', 'Q2'"],
        ),
        (
            lambda f: f.with_columns(id=pl.when(pl.int_range(pl.len()) != 4).then("id")),
            ["1 rows have no id", "row 5"],
        ),
        (
            lambda f: f.rename({"score": "score.mien"}),
            ["scores of 'mien', which is not a model", "did you mean 'mine'?"],
        ),
        (
            lambda f: f.with_columns(pl.col("score").alias("score.mine")),
            ["has both 'score' and 'score.mine'"],
        ),
        (
            lambda f: f.rename({"score": "score.table"}),
            ["scores of 'table', which is not a model of the case"],
        ),
    ],
)
def test_bad_predictions_are_told_exactly(load: Load, change: Change, told: list[str]) -> None:
    loaded = load(ELSEWHERE)
    frame = asked(loaded)
    with pytest.raises(DataError) as caught:
        read(loaded, change(frame))
    for words in told:
        assert words in str(caught.value)


@pytest.mark.parametrize(("only", "lost"), [("test", "validation"), ("validation", "test")])
def test_both_parts_are_needed(load: Load, only: str, lost: str) -> None:
    loaded = load(ELSEWHERE)
    ids = loaded.table.frame["id"].filter(loaded.parts == only)
    count = int((loaded.parts == lost).sum())
    with pytest.raises(DataError, match=f"{count} of {count} in {lost}") as caught:
        read(loaded, asked(loaded).filter(pl.col("id").is_in(ids.to_list())))
    assert "a run predicts both parts" in str(caught.value)


def test_an_empty_file_is_told_so(load: Load) -> None:
    loaded = load(ELSEWHERE)
    path = loaded.root / "given.csv"
    for text, told in (("", "is empty"), ("id,score\n", "has a header but no rows")):
        path.write_text(text)
        with pytest.raises(DataError, match=told):
            read_given(path, loaded.case, loaded.table, loaded.parts)
    with pytest.raises(DataError, match="there is no file"):
        read_given(loaded.root / "gone.csv", loaded.case, loaded.table, loaded.parts)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("mien", "did you mean 'mine'?"),
        ("table", "'table' is a baseline"),
        ("nobody", "models: mine, yours"),
    ],
)
def test_a_model_that_the_case_does_not_have_is_refused(load: Load, named: str, told: str) -> None:
    loaded = load(TWO)
    with pytest.raises(CaseError) as caught:
        read(loaded, asked(loaded), model=named)
    assert told in str(caught.value)


def test_one_score_column_for_two_models_needs_a_name(load: Load) -> None:
    loaded = load(TWO)
    with pytest.raises(DataError, match="whose scores are in"):
        read(loaded, asked(loaded))
    with pytest.raises(DataError, match="has no scores of 'yours'"):
        read(loaded, asked(loaded), model="mine")


def test_predictions_do_not_take_the_place_of_a_model_that_is_trained_here(load: Load) -> None:
    loaded = load()
    for named in (None, "boosted"):
        with pytest.raises(CaseError, match="is trained here"):
            read(loaded, asked(loaded), model=named)
