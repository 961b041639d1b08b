"""Which column is what: every guess can be overridden, and what cannot be is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.errors import DataError
from trackrecord.evaluation.reading import Asked, ReadOutcomes, interpret, open_outcomes
from trackrecord.evaluation.room import free_memory, needed_for


def flights() -> pl.DataFrame:
    """Columns with names of their own, none of which could be guessed all together."""
    return pl.DataFrame(
        {
            "flight": ["a", "b", "c", "d"],
            "late": ["no", "yes", "no", "yes"],
            "p_late": [0.1, 0.9, 0.4, 0.6],
            "p_seasonal": [0.2, 0.2, 0.3, 0.3],
            "plane": [1, 1, 2, None],
            "w": [1, 2, 0, 1],
            "hour": [9, 18, 19, 20],
            "carrier": ["AA", "UA", "AA", None],
        }
    )


def read(frame: pl.DataFrame | None = None, **asked: Any) -> ReadOutcomes:
    named: dict[str, Any] = {"target": "late", "positive": "yes", "scores": ["p_late"]}
    return interpret(flights() if frame is None else frame, "p.csv", Asked(**named | asked))


def refused(frame: pl.DataFrame | None = None, **asked: Any) -> DataError:
    with pytest.raises(DataError) as caught:
        read(frame, **asked)
    return caught.value


def test_every_role_can_be_named() -> None:
    found = read(
        id="flight", cluster="plane", weight="w", baselines=["p_seasonal"], time="hour",
        slices=["carrier", "hour>=18"],
    )  # fmt: skip
    assert found.frame.columns == [
        "id", "truth", "score.p_seasonal", "score.p_late", "cluster", "time", "weight",
        "slice.carrier", "slice.hour",
    ]  # fmt: skip
    assert found.frame["truth"].to_list() == [0, 1, 0, 1]
    assert found.frame["cluster"].to_list() == ["1", "1", "2", None]
    assert found.frame["weight"].to_list() == [1.0, 2.0, 0.0, 1.0]
    assert found.baselines == ["p_seasonal"]
    assert found.slices == ["carrier", "hour >= 18"]
    assert found.guesses == []


def test_what_is_named_is_not_guessed_as_something_else() -> None:
    frame = flights().rename({"plane": "id"})
    found = read(frame, cluster="id")
    assert found.frame["id"].to_list() == ["1", "2", "3", "4"]
    assert "there is no id column, so rows are named by their number" in found.guesses


def test_a_model_may_be_named_without_its_prefix() -> None:
    frame = flights().rename({"p_late": "score.mine", "p_seasonal": "score.old"})
    found = read(frame, scores=["mine"])
    assert [c for c in found.frame.columns if c.startswith("score.")] == ["score.mine"]
    assert any("not used: flight" in said and "score.old" in said for said in found.guesses)


def test_with_a_baseline_alone_the_other_scores_are_the_models() -> None:
    frame = flights().rename({"p_late": "score.mine", "p_seasonal": "score.old"})
    found = read(frame, scores=[], baselines=["old"])
    assert found.frame.columns[2:4] == ["score.old", "score.mine"]
    assert found.baselines == ["old"]


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("hour>=18", "hour >= 18"),
        ("hour >= 18", "hour >= 18"),
        ("hour=18", "hour == 18"),
        ("carrier!='AA'", "carrier != AA"),
        (" carrier ", "carrier"),
    ],
)
def test_a_condition_may_be_written_without_spaces(text: str, plan: str) -> None:
    assert read(slices=[text]).slices == [plan]


def test_a_column_whose_name_has_an_operator_is_that_column() -> None:
    frame = flights().rename({"carrier": "a>=b"})
    assert read(frame, slices=["a>=b"]).slices == ["a>=b"]


@pytest.mark.parametrize(
    ("asked", "what", "why"),
    [
        ({"target": "lat"}, "p.csv has no column 'lat'", "did you mean 'late'?"),
        ({"cluster": "plain"}, "p.csv has no column 'plain'", "did you mean 'plane'?"),
        ({"scores": ["p_lte"]}, "p.csv has no column 'p_lte'", "did you mean 'p_late'?"),
        ({"baselines": ["zzz"]}, "p.csv has no column 'zzz'", "columns: flight, late"),
        ({"positive": "yess"}, "no 'late' is 'yess'", "did you mean 'yes'?"),
        ({"slices": ["hours>=18"]}, "the slice 'hours>=18' names 'hours'", "did you mean 'hour'?"),
        ({"weight": "late"}, "cannot be both the target and the weight", ""),
        ({"scores": ["late"]}, "cannot be both the target and a score", ""),
        ({"baselines": ["p_late"]}, "the scores of 'p_late' are named twice", "its own baseline"),
    ],
)
def test_a_name_that_does_not_fit_is_an_error(asked: Any, what: str, why: str) -> None:
    error = refused(**asked)
    assert what in error.what
    assert why in (error.why or "")


@pytest.mark.parametrize(
    ("weights", "what"),
    [
        ([1.0, -2.0, 1.0, 1.0], "the weight is negative in 1 row"),
        ([0, 0, 0, 0], "every weight is 0"),
        ([1.0, None, 1.0, 1.0], "the weight is missing or not finite in 1 row"),
        ([1.0, float("inf"), 1.0, 1.0], "the weight is missing or not finite in 1 row"),
        (["1", "x", "1", "1"], "the weights hold text, not numbers"),
        (
            [1e-320, 2.0, 1.0, 1.0],
            "the weight is above 0 but less than 1e-100 of the greatest in 1 row",
        ),
    ],
)
def test_weights_that_cannot_be_used_are_named(weights: list[Any], what: str) -> None:
    error = refused(flights().with_columns(pl.Series("w", weights, strict=False)), weight="w")
    assert error.what == what
    assert "row" in (error.where or "") or what == "every weight is 0"


def test_decimal_commas_are_read_as_points_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id;truth;score;w;cluster\n1,5;1;0,7;2,5e1;1,5\n2,5;0;0;3;2,5\n")
    read = open_outcomes(path, Asked(weight="w"))
    assert read.frame["score.score"].to_list() == [0.7, 0.0]
    assert read.frame["weight"].to_list() == [25.0, 3.0]
    assert read.frame["id"].to_list() == read.frame["cluster"].to_list() == ["1,5", "2,5"]
    assert read.guesses[0] == "score, w: a comma is a decimal point"


@pytest.mark.parametrize("score", ["1,234", "1,234,5", "0,2x", ","])
def test_what_may_be_thousands_or_text_is_not_read_as_a_number(tmp_path: Path, score: str) -> None:
    path = tmp_path / "p.tsv"
    path.write_text(f"id\ttruth\tscore\na\t1\t7\nb\t0\t{score}\n")
    with pytest.raises(DataError, match="not numbers"):
        open_outcomes(path)


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(b"\xef\xbb\xbfid,truth,score\na,1,0.7\nb,0,0.2\n")
    assert open_outcomes(path).frame["id"].to_list() == ["a", "b"]


def test_a_file_that_memory_cannot_hold_says_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.write(b"id,truth,score\n")
        file.truncate(1 << 42)  # sparse: takes no room
    with pytest.raises(DataError) as caught:
        open_outcomes(path)
    assert "does not fit into this machine's memory" in caught.value.what
    assert "needs about 26,388.3 GB" in (caught.value.why or "")


def test_what_parquet_needs_is_reckoned_from_its_rows_not_its_size(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pl.DataFrame({"truth": [1] * 100_000, "score": [0.5] * 100_000}).write_parquet(path)
    assert path.stat().st_size < 100_000 < needed_for(path)
    assert needed_for(path) < (free_memory() or 0)
