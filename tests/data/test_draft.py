from __future__ import annotations

import random
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.cases.reader import decode_case
from trackrecord.cases.spec import Case, RandomSplit, TimeSplit
from trackrecord.data.draft import draft_case, toml_string
from trackrecord.data.split import assign_parts
from trackrecord.data.table import load_case_table
from trackrecord.errors import BadInput, DataError


def draft(root: Path, frame: pl.DataFrame) -> tuple[Case, str]:
    (root / "data").mkdir(exist_ok=True)
    frame.write_csv(root / "data/t.csv")
    text = draft_case(root / "data/t.csv", "drafted", "data/t.csv")
    return decode_case(text, "case.toml")[0], text


def people(n: int = 400) -> pl.DataFrame:
    draw = random.Random(1)
    return pl.DataFrame(
        {
            "customer_id": [f"C{i:05d}" for i in range(n)],
            "signed_up": [f"2024-{1 + i // 34:02d}-{1 + i % 28:02d}" for i in range(n)],
            "plan": [draw.choice(["basic", "pro"]) for _ in range(n)],
            "country": [draw.choice("ABCDE") for _ in range(n)],
            "spend": [round(draw.random() * 100, 2) for _ in range(n)],
            "note": [f"note {draw.random()}" for _ in range(n)],
            "final_bill": [draw.random() for _ in range(n)],
            "churned": [draw.choice(["yes", "no", "no"]) for _ in range(n)],
        }
    )


def test_a_draft_guesses_every_role_and_can_be_used_at_once(tmp_path: Path) -> None:
    case, text = draft(tmp_path, people())
    assert case.data.unit == "customer_id"
    assert case.data.time == "signed_up"
    assert (case.target.column, case.target.positive) == ("churned", "yes")
    assert case.features == ["plan", "country", "spend"]
    assert case.data.known_later == []
    assert '#   "final_bill": its name sounds like' in text
    assert '#   "note": text with' in text
    assert isinstance(case.split, TimeSplit)
    assert text.count("# decide:") >= 8
    assert "TODO" not in text
    table = load_case_table(case, tmp_path)
    shares = assign_parts(table.frame, case).value_counts(normalize=True)
    share = dict(zip(shares["part"], shares["proportion"], strict=True))
    assert share["train"] == pytest.approx(0.7, abs=0.05)
    assert share["test"] == pytest.approx(0.2, abs=0.05)


def test_without_a_time_the_draft_splits_at_random(tmp_path: Path) -> None:
    case, _ = draft(tmp_path, people().drop("signed_up"))
    assert isinstance(case.split, RandomSplit)
    assert case.data.time is None


def test_a_column_that_ranks_the_target_is_not_drafted_as_a_feature(tmp_path: Path) -> None:
    leak = pl.when(pl.col("churned") == "yes").then(1).otherwise(0) + pl.col("spend") / 1000
    case, text = draft(tmp_path, people().with_columns(refund=leak))
    assert "refund" not in case.features
    assert '#   "refund": alone it ranks the target' in text


def test_columns_missing_with_the_target_or_named_like_it_are_suspicious(tmp_path: Path) -> None:
    draw = random.Random(2)
    gone = [draw.random() < 0.1 for _ in range(400)]
    frame = (
        people()
        .drop("churned")
        .with_columns(
            arr_delay=pl.Series([None if g else draw.randint(-9, 40) for g in gone]),
            air_time=pl.Series([None if g else draw.randint(50, 90) for g in gone]),
            dep_delay=pl.Series([draw.randint(-9, 40) for _ in gone]),
            plan=pl.col("country"),
        )
    )
    case, text = draft(tmp_path, frame.select(pl.exclude("arr_delay"), "arr_delay"))
    assert case.target.column == "arr_delay"
    assert str(case.target.positive).startswith("> ")
    assert '"air_time": it is missing mostly where the target is' in text
    assert """"dep_delay": its name shares 'delay' with the target's""" in text


def test_a_missing_target_is_put_to_the_person(tmp_path: Path) -> None:
    frame = people().with_columns(
        churned=pl.when(pl.col("country") == "A").then(None).otherwise(pl.col("churned"))
    )
    case, text = draft(tmp_path, frame)
    assert case.target.missing == "exclude"
    assert "# decide: the target is missing in" in text


def test_a_table_without_a_unique_column_gets_advice(tmp_path: Path) -> None:
    _, text = draft(tmp_path, people().drop("customer_id", "note", "final_bill"))
    assert "# decide: no column is unique" in text


def test_a_table_without_a_possible_target_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could be a target"):
        draft(tmp_path, pl.DataFrame({"a": ["x", "y", "z"], "b": ["1x", "2x", "3x"]}))


def test_a_case_name_that_is_a_path_is_refused(tmp_path: Path) -> None:
    people().write_csv(tmp_path / "t.csv")
    with pytest.raises(BadInput, match="cannot be the name of a case"):
        draft_case(tmp_path / "t.csv", "../../etc", "t.csv")


@settings(max_examples=200)
@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_any_text_survives_as_a_toml_string_on_one_line(text: str) -> None:
    written = toml_string(text)
    assert tomllib.loads(f"a = {written}") == {"a": text}
    assert tomllib.loads(f"# {written}\na = 1") == {"a": 1}
    assert len(written.splitlines()) == 1


HOSTILE = [
    '"',
    "'",
    "\n[split]\n",
    "]]",
    "<script>alert(1)</script>",
    "a\tb",
    "\\",
    "# x",
    "é\u2028",
    "x" * 300,
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("role", ["plan", "customer_id", "churned", "note", "final_bill"])
def test_hostile_column_names_stay_names(tmp_path: Path, name: str, role: str) -> None:
    case, _ = draft(tmp_path, people().rename({role: name}))
    assert case.name == "drafted"
    if role == "plan" and len(name) <= 200:
        assert name in case.features
    if role == "customer_id" and len(name) <= 200:
        assert case.data.unit == name


def test_a_file_name_with_quotes_stays_a_file_name(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / 'a"\n<b>.csv'
    people().write_csv(path)
    case, _ = decode_case(draft_case(path, "x", tmp_path), "c")
    assert case.data.path == 'data/a"\n<b>.csv'
