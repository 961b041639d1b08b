"""The door of ``trackrecord audit``: what it says, and pipelines in files of their own."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import CASE, trips
from tests.data.leakage.planting import diabetes

from trackrecord.cli.main import main

WORK = '''
import os, signal, sys
import numpy as np
from neighbour import C
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

kept = {}

def leaks(train, truth, test):
    print("said by the pipeline")
    scaler = StandardScaler().fit(np.vstack([train, test]))
    return make_pipeline(scaler, LogisticRegression(C=C).fit(scaler.transform(train), truth))

def leaks_once(train, truth, test):
    """Kept in a variable, the leak of the first fit would hide itself in the next."""
    if not kept:
        kept["scaler"] = StandardScaler().fit(np.vstack([train, test]))
    scaler = kept["scaler"]
    return make_pipeline(scaler, LogisticRegression(C=C).fit(scaler.transform(train), truth))

def build(seed=0):
    return make_pipeline(StandardScaler(), LogisticRegression())

estimator = build()
number = 3

def of_pandas(train, truth, test):
    assert type(train).__module__.startswith("pandas")
    return build().fit(train, truth)

def fails(train, truth, test):
    raise RuntimeError("no luck")

def ends(train, truth, test):
    os._exit(3)

def crashes(train, truth, test):
    os.kill(os.getpid(), signal.SIGSEGV)

def no_estimator():
    return 3
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    train, test = diabetes()
    train.write_parquet(tmp_path / "a.parquet")
    test.write_parquet(tmp_path / "b.parquet")
    (tmp_path / "work.py").write_text(WORK)
    (tmp_path / "neighbour.py").write_text("C = 0.01\n")
    return tmp_path


def words(folder: Path, name: str | None = None, *more: str) -> list[str]:
    named = [] if name is None else ["--pipeline", f"work.py:{name}", "--permutations", "5"]
    tables = ["--train", "a.parquet", "--test", "b.parquet", "--target", "worse"]
    return ["audit", *tables, *named, *more, "-C", str(folder)]


def run(capfd: pytest.CaptureFixture[str], folder: Path, name: str, *more: str) -> tuple[int, dict]:  # type: ignore[type-arg]
    capfd.readouterr()
    code = main([*words(folder, name, *more), "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_a_clean_audit_says_what_was_looked_for_and_what_could_not_be(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder)) == 0
    said = capsys.readouterr().out
    assert "✓ no leak was found" in said
    looked, _, not_looked = said.partition("not looked for, without")
    assert "columns scaled with the test rows" in looked
    assert "a time column that parts the tables: training rows that are later" in not_looked
    assert "the work itself (--pipeline)" in not_looked
    assert "scaled" not in not_looked


def test_what_was_found_is_not_among_what_was_not(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pl.read_parquet(folder / "a.parquet")
    pl.concat([table, pl.read_parquet(folder / "b.parquet")[:9]]).write_parquet(
        folder / "a.parquet"
    )
    assert main(words(folder)) == 1
    said = capsys.readouterr().out
    found, _, rest = said.partition("looked for, and not found:")
    assert "9 of 142 test rows (6 %) are exact copies of training rows" in found
    assert "exact copies" not in rest


@pytest.mark.parametrize("name", ["leaks_once", pytest.param("leaks", marks=pytest.mark.slow)])
def test_a_pipeline_in_a_file_that_saw_the_test_rows_is_proved(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capfd, folder, name)
    assert (code, said["verdict"], said["pipeline"]["verdict"]) == (1, "clean", "leak")
    assert said["pipeline"]["findings"][0]["detector"] == "test-rows-changed"
    assert not list(folder.glob("__pycache__"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "more"),
    [("build", []), ("estimator", []), ("build", ["--frames", "numpy"]),
     ("of_pandas", ["--frames", "pandas"])],
)  # fmt: skip
def test_an_estimator_or_what_makes_one_is_audited_as_it_is(
    name: str, more: list[str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capfd, folder, name, *more)
    assert (code, said["pipeline"]["verdict"], said["pipeline"]["moved"]) == (0, "clean", 0)


@pytest.mark.slow
def test_the_words_for_a_pipeline_name_the_runs_and_chance(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words(folder, "build")) == 0
    said = capfd.readouterr().out
    assert "✓ the pipeline learnt nothing of the test" in said
    assert "where 0.5 is chance" in said
    assert "the work itself" not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("fails", "failed on the rows as they are"),
        ("ends", "ended its process in fit 1"),
        ("crashes", "ended its process in fit 1"),
        ("no_estimator", "gives no estimator"),
        ("number", "neither an estimator nor a function"),
        ("bild", "work.py has no 'bild'"),
    ],
)
def test_a_pipeline_that_cannot_be_run_is_bad_input_and_says_why(
    name: str, what: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capfd, folder, name)
    assert code == 2
    assert what in said["error"]["what"]
    assert said["error"]["why"] or name == "number"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (["--pipeline", "work.fit"], "does not name a file"),
        (["--pipeline", "none.py:fit"], "there is no file none.py"),
        (["--pipeline", "work.py:build", "--permutations", "3"], "gives no interval"),
    ],
)
def test_a_pipeline_that_is_not_there_is_told_before_anything_runs(
    more: list[str], what: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([*words(folder), *more, "--json"]) == 2
    assert what in json.loads(capfd.readouterr().out)["error"]["what"]


def test_the_pipeline_of_a_case_is_kept_with_the_digest_of_its_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path)]) == 0
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data/trips.csv").write_text(trips())
    (tmp_path / "cases/trips").mkdir(parents=True)
    (tmp_path / "cases/trips/case.toml").write_text(CASE)
    (tmp_path / "work.py").write_text(
        "import numpy as np\n"
        "def fit(train, truth, test):\n"
        "    share = float(np.mean(truth))\n"
        "    return lambda rows: np.full(len(rows), share) + len(train) / 1e6\n"
    )
    capfd.readouterr()
    code = main(["audit", "trips", "--pipeline", "work.py:fit", "-C", str(tmp_path), "--json"])
    said = json.loads(capfd.readouterr().out)
    assert said["pipeline"]["verdict"] == "undecided"
    assert code == 1
    last = json.loads((tmp_path / "evidence/chain.jsonl").read_text().splitlines()[-1])
    predicate = json.loads((tmp_path / f"evidence/{last['evidence']}.json").read_text())[
        "predicate"
    ]
    assert predicate["pipeline_name"] == "work.py:fit"
    assert len(predicate["pipeline_sha256"]) == 64
    assert predicate["pipeline"]["permuted"] == []
