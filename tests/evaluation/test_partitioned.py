"""Rows in many Parquet parts are measured as if they were in one table in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import asdict

import trackrecord as tr
from trackrecord.cli.main import main
from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation import partitioned_parts, room
from trackrecord.evaluation.partitioned import evaluate_parts
from trackrecord.evaluation.reading import Asked
from trackrecord.stats.estimate import Estimate

ROWS, SIZES = 3000, (700, 1, 1299, 1000)
MERGED = 19  # of the binary metrics, with their defaults


def outcomes(kind: Any = pl.Float64) -> pl.DataFrame:
    draw = np.random.default_rng(8)
    truth = (draw.random(ROWS) < 0.3).astype(np.int8)
    model = np.round(np.clip(0.6 * draw.random(ROWS) + 0.3 * truth, 0, 1), 3)
    base = np.clip(0.7 * draw.random(ROWS) + 0.2 * truth, 0, 1)
    frame = pl.DataFrame({"id": np.arange(ROWS), "truth": truth, "base": base, "model": model})
    return frame.rename({"base": "score.base", "model": "score.model"}).cast(
        {"score.base": kind, "score.model": kind}
    )


def write_parts(folder: Path, frame: pl.DataFrame, sizes: tuple[int, ...] = SIZES) -> Path:
    folder.mkdir(exist_ok=True)
    start = 0
    for number, size in enumerate(sizes):
        frame[start : start + size].write_parquet(folder / f"part-{number}.parquet")
        start += size
    return folder


def same(found: Estimate, whole: Estimate) -> None:
    for name, value in asdict(whole).items():
        mine = getattr(found, name)
        if not isinstance(value, float):
            assert mine == value, (whole.metric, name)
        elif name == "value":
            assert mine == pytest.approx(value, abs=1e-12), whole.metric
        else:
            assert mine == pytest.approx(value, rel=1e-9, abs=1e-12), (whole.metric, name)


@pytest.mark.parametrize("kind", [pl.Float64, pl.Float32])
def test_parts_give_what_the_whole_table_gives(tmp_path: Path, kind: Any) -> None:
    frame = outcomes(kind)
    parts = tr.evaluate(write_parts(tmp_path / "parts", frame), metrics=["all"])
    whole = tr.evaluate(frame, metrics=["all"])
    assert len(parts.candidate.estimates) == MERGED
    for estimate in parts.candidate.estimates:
        same(estimate, whole[estimate.metric])
    assert parts.differences[0].estimates
    for gap in parts.differences[0].estimates:
        same(gap, whole.difference(gap.metric))
    for absence in [*parts.candidate.absent, *parts.differences[0].absent]:
        assert "all rows at once" in absence.reason


@pytest.mark.parametrize("kind", [pl.Float64, pl.Float32])
def test_log_odds_of_both_signs_rank_the_same_and_are_no_probabilities(
    tmp_path: Path, kind: Any
) -> None:
    frame = outcomes(kind).with_columns((pl.col("score.model") * 30 - 12).round(0))
    assert frame["score.model"].is_between(-12, -2).any()
    assert frame["score.model"].is_between(2, 18).any()
    found = tr.evaluate(write_parts(tmp_path / "parts", frame))
    whole = tr.evaluate(frame)
    for metric in ("roc_auc", "average_precision"):
        same(found[metric], whole[metric])
    assert {a.reason for a in found.candidate.absent if a.metric == "brier"} == {
        a.reason for a in whole.candidate.absent if a.metric == "brier"
    }


def test_a_pattern_a_folder_and_one_file_by_its_row_groups_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = outcomes()
    folder = write_parts(tmp_path / "parts", frame)
    (folder / "_SUCCESS").touch()
    (folder / ".part-9.parquet").write_bytes(b"half a file")
    pq.write_table(frame.to_arrow(), tmp_path / "one.parquet", row_group_size=500)
    by_folder = tr.evaluate(str(folder) + "/")
    by_pattern = tr.evaluate(f"{folder}/part-*.parquet")
    assert by_folder.evaluation == by_pattern.evaluation
    monkeypatch.setattr(room, "free_memory", lambda: 100_000)
    monkeypatch.setattr(partitioned_parts, "AT_ONCE", 1000)
    one = tr.evaluate(tmp_path / "one.parquet")
    assert "one file, read in 3 parts" in one.guesses[-1]
    for estimate in one.candidate.estimates:
        same(estimate, by_folder[estimate.metric])


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    alone = evaluate_parts(folder, jobs=1)
    assert evaluate_parts(folder, jobs=3) == alone
    assert tr.evaluate(folder) == alone


@pytest.mark.slow
def test_other_processes_give_the_same(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert tr.evaluate(folder) == evaluate_parts(folder, jobs=1)


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same(tmp_path: Path) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed: pip install 'trackrecord[dask]'"
    )
    folder = write_parts(tmp_path / "parts", outcomes())
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as near,
        distributed.Client(near),
        joblib.parallel_config(backend="dask"),
    ):
        assert tr.evaluate(folder) == evaluate_parts(folder, jobs=1)


@pytest.mark.parametrize("groups", [3, 40, 1500])
def test_clusters_that_lie_in_several_parts_are_whole(tmp_path: Path, groups: int) -> None:
    draw = np.random.default_rng(9)
    user = [f"user {code}" for code in draw.geometric(1 / groups, ROWS)]
    frame = outcomes().with_columns(pl.Series("user", user))
    found = tr.evaluate(write_parts(tmp_path / "parts", frame), cluster="user")
    whole = tr.evaluate(frame, cluster="user")
    assert found.evaluation.clusters == whole.evaluation.clusters == len(set(user))
    assert [e.metric for e in found.candidate.estimates] == ["log_loss", "brier", "bias"]
    for estimate in found.candidate.estimates:
        same(estimate, whole[estimate.metric])
    for gap in found.differences[0].estimates:
        same(gap, whole.difference(gap.metric))
    assert {a.reason for a in found.candidate.absent} == {
        "in clusters, only means of rows are measured of a table in parts"
    }


def test_clusters_of_whole_numbers_and_of_one_name(tmp_path: Path) -> None:
    frame = outcomes().with_columns((pl.col("id") // 7).alias("cluster"))
    found = tr.evaluate(write_parts(tmp_path / "parts", frame), metrics=["brier"])
    same(found["brier"], tr.evaluate(frame, metrics=["brier"])["brier"])
    with pytest.raises(DataError, match="one cluster"):
        tr.evaluate(write_parts(tmp_path / "one", frame.with_columns(pl.lit("a").alias("cluster"))))
    lost = frame.with_columns(pl.when(pl.col("id") != 3).then("cluster").alias("cluster"))
    with pytest.raises(DataError, match="cluster is missing in 1 row") as caught:
        tr.evaluate(write_parts(tmp_path / "lost", lost))
    assert caught.value.where == "part-0.parquet, row 4"


def test_verdicts_come_from_the_merged_intervals(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    found = tr.evaluate(
        folder, criteria=["roc_auc >= 0.7", "brier difference >= 0"], baseline="base"
    )
    assert [verdict.verdict for verdict in found.verdicts] == ["accepted", "rejected"]


def test_the_command_prints_the_table_and_what_was_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    assert main(["evaluate", f"{folder}/", "--metric", "roc_auc", "--metric", "ks"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "4 files, read in 4 parts; ids are not compared across them" in said
    assert "ks of model: it takes all rows at once" in said
    assert main(["evaluate", f"{folder}/*.parquet", "--json", "--metric", "brier"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["result"]["rows"] == ROWS


def damaged(folder: Path) -> Path:
    part = folder / "part-2.parquet"
    part.write_bytes(part.read_bytes()[:-200])
    return part


def test_a_truncated_part_is_named(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    damaged(folder)
    with pytest.raises(DataError, match=r"part-2\.parquet is damaged"):
        tr.evaluate(folder)


def test_a_part_with_torn_pages_is_named(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    part = folder / "part-2.parquet"
    held = bytearray(part.read_bytes())
    held[4 : len(held) // 2] = bytes(len(held) // 2 - 4)
    part.write_bytes(held)
    with pytest.raises(DataError, match=r"part-2\.parquet is damaged"):
        tr.evaluate(folder)


def test_a_part_of_no_bytes_was_not_finished(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    (folder / "part-7.parquet").touch()
    with pytest.raises(DataError, match="0 bytes"):
        tr.evaluate(folder)


def test_a_part_of_no_rows_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    frame = outcomes()
    whole = tr.evaluate(write_parts(tmp_path / "parts", frame))
    frame.clear().write_parquet(tmp_path / "parts" / "part-1a.parquet")
    assert tr.evaluate(tmp_path / "parts").evaluation == whole.evaluation
    frame.clear().write_parquet(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="has a row"):
        evaluate_parts(tmp_path / "none.parquet")


def test_a_part_with_other_columns_is_named(tmp_path: Path) -> None:
    frame = outcomes()
    folder = write_parts(tmp_path / "parts", frame)
    frame.rename({"score.model": "score.modle"}).write_parquet(folder / "part-4.parquet")
    with pytest.raises(DataError, match=r"part-4\.parquet does not have the columns") as caught:
        tr.evaluate(folder)
    assert caught.value.next == "rename 'score.modle' to 'score.model' in it"


def test_parts_may_keep_scores_in_different_numbers(tmp_path: Path) -> None:
    """One part of 32-bit scores, one of 64 bits, one of whole numbers, columns in other orders."""
    frame = outcomes().with_columns(pl.col("score.model").round(0), pl.col("score.base").round(1))
    folder = write_parts(tmp_path / "parts", frame, (1000, 1000))
    kinds = [pl.Float32, pl.Float64]
    for part, kind in zip(sorted(folder.iterdir()), kinds, strict=True):
        pl.read_parquet(part).with_columns(pl.col("score.model").cast(kind)).write_parquet(part)
    last = frame[2000:].select("score.model", "id", "score.base", "truth")
    last.with_columns(pl.col("score.model").cast(pl.Int32)).write_parquet(folder / "z.parquet")
    same(tr.evaluate(folder)["roc_auc"], tr.evaluate(frame)["roc_auc"])


@pytest.mark.parametrize("lost", [None, float("nan"), float("inf")])
def test_a_score_that_is_none_is_named_by_part_and_row(tmp_path: Path, lost: float | None) -> None:
    frame = outcomes()
    folder = write_parts(tmp_path / "parts", frame)
    part = folder / "part-2.parquet"
    held = pl.read_parquet(part)
    held[16, "score.model"] = lost
    held.write_parquet(part)
    with pytest.raises(DataError, match=r"missing or NaN|infinite") as caught:
        tr.evaluate(folder)
    assert caught.value.where == "part-2.parquet, row 17"


def test_a_truth_that_is_none_is_named_by_part_and_row(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    part = folder / "part-3.parquet"
    held = pl.read_parquet(part)
    held[5, "truth"] = None
    held.write_parquet(part)
    with pytest.raises(DataError) as caught:
        tr.evaluate(folder)
    assert caught.value.where == "part-3.parquet, row 6"


def test_a_truth_in_words_is_read_with_its_positive_value(tmp_path: Path) -> None:
    frame = outcomes()
    worded = frame.with_columns(pl.col("truth").replace_strict({0: "no", 1: "yes"}))
    folder = write_parts(tmp_path / "parts", worded, (1000, 2000))
    found = evaluate_parts(folder, Asked(positive="yes"))
    same(found["roc_auc"], tr.evaluate(frame)["roc_auc"])


def test_an_empty_folder_and_one_of_other_files_say_what_parts_are(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no Parquet part"):
        tr.evaluate(tmp_path)
    (tmp_path / "a.csv").write_text("truth,score\n1,0.5\n")
    with pytest.raises(DataError, match="no Parquet part") as caught:
        tr.evaluate(f"{tmp_path}/*.csv")
    assert "a.csv" in str(caught.value)


def test_rows_of_one_class_are_refused(tmp_path: Path) -> None:
    frame = outcomes().with_columns(pl.lit(0, pl.Int8).alias("truth"))
    with pytest.raises(DataError, match="one class"):
        tr.evaluate(write_parts(tmp_path / "parts", frame))


def test_what_takes_all_rows_is_refused_in_words(tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    with pytest.raises(BadInput, match="parts"):
        tr.evaluate(folder, slices=["id"])
    with pytest.raises(BadInput, match="parts"):
        tr.evaluate(folder, weight="score.base")


@pytest.mark.parametrize(
    "option", [["--out", "r.html"], ["--time", "id"], ["--qrels", "q"], ["--task", "regression"]]
)
def test_the_command_refuses_what_parts_cannot_give(
    tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    assert main(["evaluate", f"{folder}/", *option]) == 2
    assert "parts" in " ".join(capsys.readouterr())


def test_a_ranking_that_has_no_room_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_parts(tmp_path / "parts", outcomes())
    monkeypatch.setattr(room, "free_memory", lambda: 1000)
    with pytest.raises(DataError, match="a ranking of 3,000 rows does not fit"):
        tr.evaluate(folder)
    assert tr.evaluate(folder, metrics=["brier"])["brier"].n == ROWS


def test_arrow_kinds_that_other_programs_write_are_read(tmp_path: Path) -> None:
    """Dictionary-coded scores' columns, large strings, no statistics, an old format version."""
    frame = outcomes()
    table = frame.to_arrow().append_column("note", pa.array(["x"] * ROWS, pa.large_string()))
    folder = tmp_path / "parts"
    folder.mkdir()
    pq.write_table(
        table, folder / "a.parquet", version="1.0", write_statistics=False, compression="snappy"
    )
    same(tr.evaluate(folder)["brier"], tr.evaluate(frame)["brier"])
