"""Outcomes from files of all shapes, and what is said of those that cannot be used."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from trackrecord.errors import DataError
from trackrecord.evaluation.outcomes import canonical_outcomes, read_outcomes, write_outcomes
from trackrecord.evaluation.plan import plan_for_outcomes
from trackrecord.evaluation.reading import interpret, open_outcomes

GOOD = {"id": ["a", "b", "c", "d"], "truth": [0, 1, 0, 1], "score": [0.1, 0.9, 0.4, 0.6]}


def table(**changes: object) -> pl.DataFrame:
    return pl.DataFrame({**GOOD, **changes})


def written(folder: Path, text: str, name: str = "predictions.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def refused(frame: pl.DataFrame) -> DataError:
    with pytest.raises(DataError) as caught:
        interpret(frame, "predictions.csv")
    return caught.value


def test_id_truth_and_score_are_an_outcomes_table() -> None:
    read = interpret(table(), "t")
    assert read.guesses == []
    assert read.frame.columns == ["id", "truth", "score.score"]
    assert read.frame["truth"].dtype == pl.Int8


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.parquet", "p.arrow"])
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    frame = table(**{"truth": [True, False, True, False], "slice.site": ["x", None, "y", "x"]})
    path = tmp_path / name
    if name.endswith(".csv"):
        frame.write_csv(path)
    elif name.endswith(".tsv"):
        frame.write_csv(path, separator="\t")
    elif name.endswith(".parquet"):
        frame.write_parquet(path)
    else:
        frame.write_ipc(path)
    found = read_outcomes(path)
    assert found["truth"].to_list() == [1, 0, 1, 0]
    assert found["slice.site"].to_list() == ["x", None, "y", "x"]
    assert found["score.score"].to_list() == GOOD["score"]


def test_several_models_each_have_a_column() -> None:
    frame = table().rename({"score": "score.mine"}).with_columns(pl.lit(0.5).alias("score.base"))
    assert interpret(frame, "t").frame.columns == ["id", "truth", "score.mine", "score.base"]


def test_the_names_of_other_programs_are_understood_and_said() -> None:
    frame = table().rename({"id": "row_id", "truth": "Y_true", "score": "y_prob"})
    read = interpret(frame, "t")
    assert read.frame.columns == ["id", "truth", "score.score"]
    said = "; ".join(read.guesses)
    assert "'y_prob' holds the scores" in said
    assert "'Y_true' holds the truth" in said
    assert "'row_id' holds the ids" in said


def test_one_column_of_probabilities_is_enough_whatever_its_name() -> None:
    read = interpret(table().rename({"score": "risk of rain"}), "t")
    assert read.frame.columns[-1] == "score.risk of rain"


def test_rows_without_ids_are_numbered_and_unused_columns_named() -> None:
    read = interpret(table(note=["p", "q", "r", "s"]).drop("id"), "t")
    assert read.frame["id"].to_list() == ["1", "2", "3", "4"]
    assert any("no id column" in guess for guess in read.guesses)
    assert any("not used: note" in guess for guess in read.guesses)


def test_ids_keep_their_leading_zeros(tmp_path: Path) -> None:
    path = written(tmp_path, "id,truth,score\n007,1,0.5\n07,0,0.5\n")
    assert read_outcomes(path)["id"].to_list() == ["007", "07"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("id,truth,score\n", "has a header but no rows"),
        ("id,truth,truth,score\na,1,1,0.5\n", "two columns called 'truth'"),
        ("id|truth|score\na|1|0.5\n", "does not separate its columns"),
        ("id,truth,score\na,1\n", "not a table"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(DataError, match=what):
        open_outcomes(written(tmp_path, text))


def test_a_misspelt_column_is_suggested() -> None:
    error = refused(table().rename({"truth": "Truht"}))
    assert "has no column 'truth'" in error.what
    assert error.why == "did you mean 'Truht'?"
    error = refused(table(score=["x"] * 4).rename({"score": "scroe"}))
    assert "did you mean 'scroe'?" in str(error)


def test_columns_that_could_all_be_scores_are_not_guessed_between() -> None:
    error = refused(table(other=[0.2, 0.3, 0.4, 0.5]).rename({"score": "mine"}))
    assert "several columns that could be scores: mine, other" in error.what


def test_doubled_ids_are_shown_with_their_rows() -> None:
    error = refused(table(id=["a", "b", "a", "b"]))
    assert error.what == "2 rows repeat an id"
    assert "'a' in rows 1, 3; 'b' in rows 2, 4" in (error.where or "")


def test_a_missing_id_is_shown_with_its_row() -> None:
    assert "row 2" in (refused(table(id=["a", None, "c", "d"])).where or "")


def test_a_missing_truth_is_shown_with_its_rows() -> None:
    error = refused(table(truth=[0, None, 1, None]))
    assert error.what == "'truth' is missing in 2 rows of 4"
    assert "rows 2, 4" in (error.where or "")


def test_a_truth_of_forty_classes_is_refused() -> None:
    frame = pl.DataFrame({"truth": range(40), "score": [0.5] * 40})
    error = refused(frame)
    assert error.what == "'truth' is not 0 or 1: it has 40 different values"
    assert error.why == "0, 1, 2, 3, 4, 5, …"


@pytest.mark.parametrize("truth", [["no", "yes"] * 2, [1, 2] * 2, [-1, 1] * 2, [0.0, 0.5] * 2])
def test_a_truth_of_two_other_values_says_what_to_write(truth: list[object]) -> None:
    assert "say which one was predicted: --positive" in (refused(table(truth=truth)).next or "")


@pytest.mark.parametrize("bad", [math.nan, None])
def test_a_missing_score_is_shown_with_its_row(bad: float | None) -> None:
    error = refused(table(score=[0.1, bad, 0.3, 0.4]))
    assert error.what == "'score' is missing or NaN in 1 row of 4"
    assert "row 2" in (error.where or "")


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
def test_an_infinite_score_is_shown_with_its_row(bad: float) -> None:
    error = refused(table(score=[0.1, 0.2, 0.3, bad]))
    assert error.what == "'score' is infinite in 1 row of 4"
    assert "row 4" in (error.where or "")


def test_infinite_and_nan_scores_in_a_csv_file_are_found(tmp_path: Path) -> None:
    for word, what in (("inf", "infinite"), ("-inf", "infinite"), ("NaN", "NaN"), ("", "NaN")):
        path = written(tmp_path, f"id,truth,score\na,1,0.5\nb,0,{word}\n")
        with pytest.raises(DataError, match=what) as caught:
            open_outcomes(path)
        assert "row 2" in str(caught.value)


def test_text_in_a_score_is_shown_with_its_row(tmp_path: Path) -> None:
    path = written(tmp_path, "id,truth,score\na,1,0.5\nb,0,high\nc,1,0.2\n")
    with pytest.raises(DataError, match="'score' holds text, not numbers") as caught:
        open_outcomes(path)
    assert "row 2: 'high'" in str(caught.value)


def test_a_score_column_without_any_value_is_missing() -> None:
    assert "missing or NaN in 4 rows of 4" in refused(table(score=[None] * 4)).what


def test_scores_beside_named_scores_are_ambiguous() -> None:
    assert "both 'score' and" in refused(table(**{"score.mine": [0.5] * 4})).what


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    frame = interpret(
        table(**{"cluster": ["x", "x", None, "y"], "slice.n": [1, 2, None, 4]}), "t"
    ).frame
    write_outcomes(frame, tmp_path / "a.parquet")
    other = pl.concat([frame[2:], frame[:2]], rechunk=False)
    write_outcomes(other.select(reversed(other.columns)), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    frame = interpret(
        table(**{"cluster": ["x", "x", None, "y"], "slice.n": [1, 2, None, 4]}), "t"
    ).frame
    frame = frame.with_columns(
        pl.Series("time", [0, 1, 2, None]).cast(pl.Datetime("us", "UTC")),
        pl.Series("slice.on", [True, False, None, True]),
        pl.Series("slice.empty", [None] * 4, dtype=pl.String),
    )
    write_outcomes(frame, tmp_path / "deep" / "a.parquet")
    assert read_outcomes(tmp_path / "deep" / "a.parquet").equals(canonical_outcomes(frame))


def test_a_truth_of_a_few_words_says_what_to_type() -> None:
    error = refused(table(truth=["yes", "no", "maybe", "no"]))
    assert "3 different values" in error.what
    assert error.next == "say which one was predicted: --positive 'yes' (or 'maybe', 'no')"
    assert "one value only" in refused(table(truth=["yes"] * 4)).what


def test_a_model_may_be_named_as_its_column_is() -> None:
    outcomes = pl.DataFrame(
        {"id": ["a", "b"], "truth": [0, 1], "score.old": [0.1, 0.2], "score.new": [0.3, 0.4]}
    )
    assert plan_for_outcomes(outcomes, candidate="score.old").candidate == "old"
