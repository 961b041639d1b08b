"""What `trackrecord evaluate` and `contrast` print, and with which exit code they end."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from trackrecord.cli.main import main

from .conftest import Bench
from .test_evaluate import outcomes


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(list(words))
    found = capsys.readouterr()
    return code, found.out + found.err


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = main([*words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def at(bench: Bench) -> tuple[str, str]:
    return "-C", str(bench.workspace.root)


def test_the_sealed_test_prints_look_numbers_slices_and_verdicts(
    ran: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, "evaluate", "tumours", "--part", "test", *at(ran))
    assert code == 0
    assert "test part · look 1" in text
    assert "logistic − table" in text
    assert "site: east" in text
    assert "mean_radius > 14: yes" in text
    assert "✓ accepted  ranks better than the table" in text
    assert re.search(r"next: trackrecord .*contrast tumours", text)
    code, text = said(capsys, "contrast", "tumours", *at(ran))
    assert code == 0
    assert "another random split" in text
    assert "look 2" in text


def test_a_criterion_that_fails_on_the_test_ends_in_1_and_on_validation_in_0(
    laid: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = laid.changed("bias in [-0.2, 0.2]", "bias in [0.9, 1.0]")
    bench.run(seal=None)
    code, text = said(capsys, "evaluate", "tumours", *at(bench))
    assert code == 0
    assert "a rehearsal" in text
    code, text = said(capsys, "evaluate", "tumours", "--part", "test", *at(bench))
    assert code == 1
    assert "✗ rejected  predicts the right share" in text
    assert "UNSEALED" in text


def test_json_is_the_evidence(ran: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    code, answer = answered(capsys, "evaluate", "tumours", "--part", "test", *at(ran))
    assert code == 0
    path = ran.workspace.evidence / f"{answer.pop('evidence')}.json"
    assert json.loads(path.read_text("utf-8"))["predicate"] == answer


def test_a_file_needs_no_workspace_and_says_what_was_guessed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = outcomes().select("truth", pl.col("score.good").alias("y_prob"), note=pl.lit("x"))
    frame.write_csv(tmp_path / "predictions.csv")
    code, text = said(capsys, "evaluate", "predictions.csv", "-C", str(tmp_path))
    assert code == 0
    assert "these numbers are stated, not proven (L0)" in text
    assert "taken so: the column 'y_prob' holds the scores" in text
    assert "taken so: there is no id column" in text
    assert "not used: note" in text
    assert "nothing to compare with" in text
    code, answer = answered(capsys, "evaluate", str(tmp_path / "predictions.csv"))
    assert answer["plan"]["candidate"] == "score"
    assert answer["result"]["rows"] == 600
    assert any("y_prob" in guess for guess in answer["guesses"])


def test_many_models_with_long_names_stay_within_100_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = outcomes()
    for n in range(6):
        name = f"score.model_{n}_" + "long" * n
        frame = frame.with_columns((pl.col("score.good") * (0.9 - n / 20)).alias(name))
    frame = frame.with_columns(pl.lit("a value that is very long " * 4).alias("slice.text"))
    frame.write_parquet(tmp_path / "p.parquet")
    _, text = said(capsys, "evaluate", "p.parquet", "-C", str(tmp_path))
    assert max(map(len, text.splitlines())) <= 100
    for n in range(6):
        assert f"model_{n}_" + "long" * n in text


def test_absences_are_told_with_their_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = outcomes().with_columns((pl.col("score.good") * 10 - 4).alias("score.good"))
    frame.write_parquet(tmp_path / "p.parquet")
    _, text = said(capsys, "evaluate", str(tmp_path / "p.parquet"))
    assert "outside [0, 1]" in text
    assert "good: roc_auc 0." in text


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["p.parquet", "--part", "test"], "--part is for a case"),
        (["p.parquet", "--run", "0001"], "--run is for a case"),
        (["p.parquet", "--candidate", "god"], "did you mean 'good'?"),
        (["none.csv"], "there is no file none.csv"),
        (["tumours", "--candidate", "x"], "--candidate is for a file"),
        (["tumours", "--target", "x"], "--target is for a file"),
        (["tumours", "--criterion", "roc_auc > 0"], "--criterion is for a file"),
    ],
)
def test_options_that_do_not_fit_end_in_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    outcomes().write_parquet(tmp_path / "p.parquet")
    code, text = said(capsys, "evaluate", *words, "-C", str(tmp_path))
    assert code == 2
    assert what in text


def test_one_class_ends_in_2_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.csv").write_text("id,truth,score\na,1,0.5\nb,1,0.4\n")
    code, text = said(capsys, "evaluate", str(tmp_path / "p.csv"))
    assert code == 2
    assert "one class: all 2 rows are 1" in text
    assert "Traceback" not in text
