"""Bad input ends with exit code 2, leaves every file as it was, and names the next command."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from .conftest import NAME, Told, cancer, digests, edit, predictions, trackrecord

AtStage = Callable[[str], Path]
Refuse = Callable[..., Told]


@pytest.fixture
def refuse() -> Refuse:
    """Runs a command that must be refused: exit 2, no file touched, a way out."""

    def refused(*words: str | Path, at: Path, said: str) -> Told:
        before = digests(at)
        told = trackrecord(*words, at=at)
        assert told.code == 2, told.out
        assert said in " ".join(told.err.split())
        assert "next:" in told.err
        assert "Traceback" not in told.err
        assert "trackrecord itself failed" not in told.err
        assert digests(at) == before
        return told

    return refused


def rewrite(root: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change the case's data."""
    path = root / "data/cancer.csv"
    change(pl.read_csv(path)).write_csv(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b,c\n", "has a header but no rows"),
        ("a,a\n1,2\n", "two columns called 'a'"),
        ("a,,c\n1,2,3\n", "a column without a name"),
        ("a,b\n1\n", "is not a table"),
        ('a,b\n"1,2\n', "is not a table"),
        ("a,b\nx,y\nx,y\n", "could be a target"),
    ],
)
def test_a_file_that_is_no_table_drafts_no_case(
    at_stage: AtStage, tmp_path: Path, refuse: Refuse, content: str, said: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(content)
    refuse("case", "new", "other", "--from", file, at=at_stage("init"), said=said)


def test_a_file_that_is_not_there_drafts_no_case(at_stage: AtStage, refuse: Refuse) -> None:
    refuse("case", "new", "x", "--from", "no.csv", at=at_stage("init"), said="no file no.csv")


def test_another_file_of_the_same_name_is_not_overwritten(
    at_stage: AtStage, tmp_path: Path, refuse: Refuse
) -> None:
    other = tmp_path / "cancer.csv"
    other.write_text(cancer(100))
    refuse("case", "new", "b", "--from", other, at=at_stage("new"), said="is a different file")


def test_a_case_is_not_drafted_twice(at_stage: AtStage, refuse: Refuse) -> None:
    root = at_stage("new")
    data = root / "data/cancer.csv"
    refuse("case", "new", NAME, "--from", data, at=root, said="exists already")


NAMES = ["../../etc", "/etc/passwd", "a/b", "Upper", "x" * 80, "", ".", "<script>", "a\nb", "é"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused_by_every_verb(
    at_stage: AtStage, refuse: Refuse, name: str
) -> None:
    root = at_stage("check")
    above = digests(root.parent)
    said = "cannot be the name of a case"
    data = root / "data/cancer.csv"
    refuse("case", "new", name, "--from", data, at=root, said=said)
    if name:  # no name means the only case
        for verb in (["case", "check"], ["seal"], ["run"], ["claim", "draft"], ["publish"]):
            refuse(*verb, name, at=root, said=said)
        refuse("amend", name, "--reason", "a b c", at=root, said=said)
        if name != "/etc/passwd":  # a file may be evaluated anywhere
            refuse("evaluate", name, at=root, said=said)
        refuse("contrast", name, at=root, said=said)
    assert digests(root.parent) == above


CASE_FAULTS = [
    ("[target]", "[target", "not valid TOML"),
    ("features = [", 'features = ["mean_texure", ', "did you mean 'mean_texture'?"),
    ('unit = "patient"', 'unit = "pateint"', "no column 'pateint'"),
    ('unit = "patient"', 'unit = "clinic"', "doubled ids"),
    ('positive = "malignant"', 'positive = "malignent"', "no value of the target"),
    ('positive = "malignant"', 'positive = "> 5"', "no value of the target"),
    ("test = 0.4", "test = 0.00001", "the test part is empty"),
    ("test = 0.4", "test = 0.95", "leave nothing to train on"),
    ("[data]", '[data]\ntime = "clinic"', "string values, not times"),
    ("data/cancer.csv", "../cancer.csv", "is not inside the workspace"),
    ("data/cancer.csv", "data/cancel.csv", "there is no file"),
    (
        "sklearn.naive_bayes.GaussianNB",
        "sklearn.naive_bayes.GausianNB",
        "did you mean 'GaussianNB'?",
    ),
    ("spec = 1", "spec = 2", "written for a newer trackrecord"),
    (f'name = "{NAME}"', 'name = "other"', "calls itself 'other'"),
]


@pytest.mark.parametrize(("old", "new", "said"), CASE_FAULTS)
def test_a_case_with_a_fault_is_not_sealed(
    at_stage: AtStage, refuse: Refuse, old: str, new: str, said: str
) -> None:
    root = at_stage("check")
    edit(root, (old, new))
    refuse("seal", NAME, at=root, said=said)


def test_all_of_a_cases_faults_are_told_by_check_with_their_lines(at_stage: AtStage) -> None:
    root = at_stage("check")
    edit(root, ("features = [", 'features = ["mean_texure", '), ("GaussianNB", "GausianNB"))
    told = trackrecord("case", "check", NAME, at=root)
    assert told.code == 1
    text = (root / "cases/tumours/case.toml").read_text().splitlines()
    for code, start in (("TR002", "features ="), ("TR034", "estimator =")):
        number = next(i for i, line in enumerate(text, 1) if line.startswith(start))
        assert f"✗ {code} cases/tumours/case.toml:{number}" in told.out
    assert "did you mean 'mean_texture'?" in told.out
    assert "did you mean" in told.out[told.out.index("TR034") :]


DATA_FAULTS: list[tuple[str, Callable[[pl.DataFrame], pl.DataFrame]]] = [
    ("doubled ids", lambda frame: pl.concat([frame, frame.head(2)])),
    ("no column 'diagnosis'", lambda frame: frame.rename({"diagnosis": "diagnose"})),
    ("is missing in 569 of 569 rows", lambda frame: frame.with_columns(diagnosis=pl.lit(None))),
    (
        "40 different values",
        lambda frame: frame.with_columns(
            diagnosis="kind " + (pl.int_range(pl.len()) % 40).cast(pl.String)
        ),
    ),
    ("has a header but no rows", lambda frame: frame.clear()),
]


@pytest.mark.parametrize(("said", "change"), DATA_FAULTS)
def test_data_that_cannot_answer_is_not_sealed(
    at_stage: AtStage, refuse: Refuse, said: str, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    root = at_stage("check")
    rewrite(root, change)
    refuse("seal", NAME, at=root, said=said)


def test_one_class_in_the_test_is_not_sealed(at_stage: AtStage, refuse: Refuse) -> None:
    root = at_stage("check")
    listed = trackrecord("seal", NAME, at=root)
    assert listed.code == 0
    import msgspec

    from trackrecord.cases.reader import read_case
    from trackrecord.data.split import assign_parts
    from trackrecord.data.table import load_case_table

    case, _ = read_case(root / "cases/tumours/case.toml")
    table = load_case_table(case, root)
    parts = assign_parts(table.frame, case)
    assert msgspec.to_builtins(case)["split"]["kind"] == "random"
    keep = table.frame.filter((parts != "test") | (pl.Series(table.truth) == 0))
    keep.drop("id", "truth").write_csv(root / "data/cancer.csv")
    edit(root, (NAME, "other"))
    (root / "cases/tumours").rename(root / "cases/other")
    refuse("seal", "other", at=root, said="TR012: the test part has one class only")
    told = trackrecord("case", "check", "other", at=root)
    assert "TR012" in told.out
    assert "the test part has one class only" in told.out


def score(value: float) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Predictions of which one is not a probability."""
    first = pl.int_range(pl.len()) == 0
    return lambda frame: frame.with_columns(
        score=pl.when(first).then(pl.lit(value)).otherwise(pl.col("score"))
    )


PREDICTION_FAULTS: list[tuple[str, Callable[[pl.DataFrame], pl.DataFrame]]] = [
    ("score", score(float("nan"))),
    ("score", score(float("inf"))),
    ("score", score(float("-inf"))),
    ("P0000", lambda frame: pl.concat([frame, frame.head(1)])),
    ("Q0000", lambda frame: frame.with_columns(id=pl.col("id").str.replace("P0000", "Q0000"))),
    ("", lambda frame: frame.head(300)),
    ("'id'", lambda frame: frame.rename({"id": "idd"})),
    ("score", lambda frame: frame.rename({"score": "scor"})),
    ("score", lambda frame: frame.with_columns(score=pl.lit("high"))),
    ("", lambda frame: frame.clear()),
]


@pytest.fixture
def waiting(at_stage: AtStage) -> Path:
    """A sealed case with a model whose predictions another program brings."""
    root = at_stage("check")
    edit(root, ("[[model]]", '[[model]]\nname = "mine"\n\n[[model]]'))
    assert trackrecord("seal", NAME, at=root).code == 0
    return root


@pytest.mark.parametrize(("said", "change"), PREDICTION_FAULTS)
def test_predictions_with_a_fault_are_not_taken_in(
    waiting: Path,
    tmp_path: Path,
    refuse: Refuse,
    said: str,
    change: Callable[[pl.DataFrame], pl.DataFrame],
) -> None:
    file = tmp_path / "mine.parquet"
    change(predictions(waiting)).write_parquet(file)
    refuse("run", NAME, "--outcomes", file, "--model", "mine", at=waiting, said=said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("id,truth,score\n", "no rows"),
        ("id,truth\na,1\nb,0\n", "score"),
        ("id,truth,score,score\na,1,0.5,0.5\n", "score"),
        ("id,truht,score\na,1,0.5\nb,0,0.5\n", "truth"),
        ("id,truth,score\na,1,0.5\na,0,0.5\n", "'a'"),
        ("id,truth,score\na,1,NaN\nb,0,0.5\n", "score"),
        ("id,truth,score\na,1,inf\nb,0,0.5\n", "score"),
        ("id,truth,score\na,1,-inf\nb,0,0.5\n", "score"),
        ("id,truth,score\na,7,0.1\nb,0,0.5\n", "truth"),
    ],
)
def test_a_file_of_predictions_with_a_fault_is_not_evaluated(
    tmp_path: Path, refuse: Refuse, content: str, said: str
) -> None:
    (tmp_path / "p.csv").write_text(content)
    refuse("evaluate", "p.csv", at=tmp_path, said=said)


def test_a_workspace_of_a_newer_version_is_left_alone(at_stage: AtStage, refuse: Refuse) -> None:
    root = at_stage("check")
    (root / "trackrecord.toml").write_text("workspace = 2\n")
    for words in (["status"], ["seal"], ["run"], ["doctor"], ["case", "check"]):
        told = refuse(*words, at=root, said="written by a newer trackrecord")
        assert "update trackrecord" in told.err


def test_outside_a_workspace_every_verb_says_how_to_make_one(
    tmp_path: Path, refuse: Refuse
) -> None:
    for words in (["status"], ["seal"], ["doctor"], ["case", "check"], ["publish"]):
        told = refuse(*words, at=tmp_path, said="not in a trackrecord workspace")
        assert "next:  trackrecord init" in told.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seel"], "Did you mean `trackrecord seal`?"),
        (["seal", "--force"], "--force"),
        (["run", NAME, "--unseald"], "did you mean --unsealed?"),
        (["case", "check", NAME, "--bogus"], "next: trackrecord case check --help"),
        (["case", "check", NAME, "too", "many"], "trackrecord case check: unrecognized"),
        (["case"], "new|check"),
        (["case", "nwe"], "nwe"),
        (["amend", NAME], "--reason"),
        (["amend", NAME, "--reason", "typo"], "a reason that a reader can weigh"),
        (["run", NAME, "--seed", "seven"], "seven"),
        (["evaluate", NAME, "--part", "train"], "train"),
        (["seal", "tumors"], "did you mean 'tumours'?"),
        (["evaluate", NAME], "trackrecord run tumours"),
        (["publish", NAME], "next:"),
        (["claim", "draft", NAME], "next:"),
        (["contrast", NAME], "next:"),
    ],
)
def test_words_that_make_no_sense_are_answered_with_a_way_out(
    at_stage: AtStage, refuse: Refuse, words: list[str], said: str
) -> None:
    refuse(*words, at=at_stage("seal"), said=said)


@pytest.mark.parametrize("folder", ["cases", "nowhere"])
def test_what_was_not_published_cannot_be_verified(at_stage: AtStage, folder: str) -> None:
    told = trackrecord("verify", at_stage("seal") / folder)
    assert told.code == 2
    assert "next:" in told.out


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = trackrecord("status", at=tmp_path / "nowhere")
    assert told.code == 2
    assert "there is no folder" in told.err


def test_two_cases_must_be_told_apart(at_stage: AtStage, refuse: Refuse) -> None:
    root = at_stage("check")
    other = root / "cases/other"
    other.mkdir()
    (other / "case.toml").write_text("spec = 1\n")
    told = refuse("seal", at=root, said="which case?")
    assert "other, tumours" in told.err


HOSTILE = "<script>alert('x')</script>"


def test_scripts_in_columns_values_and_texts_stay_text_on_the_page(at_stage: AtStage) -> None:
    root = at_stage("check")
    rewrite(root, lambda frame: frame.rename({"clinic": HOSTILE, "mean_texture": 'a"b|`c`&amp;'}))
    path = root / "data/cancer.csv"
    path.write_text(path.read_text().replace(",A,", f',"{HOSTILE}",'))
    case = root / "cases/tumours/case.toml"
    text = case.read_text().replace('"clinic"', f'"{HOSTILE}"')
    text = text.replace('"mean_texture"', "'a\"b|`c`&amp;'")
    case.write_text(text.replace("Is this tumour", f"{HOSTILE} Is this tumour"))
    for words in (["seal"], ["run"], ["evaluate", "--part", "test"], ["claim", "draft"],
                  ["publish", "--yes"]):  # fmt: skip
        told = trackrecord(*words, at=root)
        assert told.code == 0, told.err
    folder = root / "published" / NAME
    page = (folder / "index.html").read_text("utf-8")
    assert "<script" not in page.lower()
    assert "&lt;script&gt;" in page
    _, front_matter, card = (folder / "model-card.md").read_text("utf-8").split("---\n", 2)
    assert HOSTILE in front_matter  # quoted YAML, which nobody draws
    assert "<script" not in card.lower()
    assert trackrecord("verify", folder).code == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk needs the right to mount: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


STEPS = [("init", ["case", "new", "b", "--from"]), ("check", ["seal"]), ("seal", ["run"]),
         ("run", ["evaluate"]), ("run", ["evaluate", "--part", "test"]),
         ("test", ["claim", "draft"]), ("claim", ["publish", "--yes"])]  # fmt: skip


@pytest.mark.parametrize(("stage", "words"), STEPS)
def test_a_full_disk_ends_a_step_and_leaves_whole_files(
    journey: object, small_disk: Path, tmp_path: Path, stage: str, words: list[str]
) -> None:
    root = journey.copy(stage, small_disk / "workspace")  # type: ignore[attr-defined]
    if words[-1] == "--from":
        (tmp_path / "other.csv").write_text(cancer(300))
        words = [*words, str(tmp_path / "other.csv")]
    before = digests(root)
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                os.write(file.fileno(), b"x" * 4096)
            except OSError:
                break
    told = trackrecord(*words, at=root)
    assert told.code == 2, told.out
    assert re.search("no space|No space|disk", told.err), told.err
    assert "next:" in told.err
    assert digests(root) == before
    filler.unlink()
    assert trackrecord("doctor", at=root).code == 0
    assert trackrecord(*words, at=root).code in (0, 1)


@pytest.mark.parametrize(("stage", "words"), STEPS)
def test_a_read_only_workspace_ends_a_step(
    journey: object, small_disk: Path, tmp_path: Path, stage: str, words: list[str]
) -> None:
    root = journey.copy(stage, small_disk / "workspace")  # type: ignore[attr-defined]
    if words[-1] == "--from":
        (tmp_path / "other.csv").write_text(cancer(300))
        words = [*words, str(tmp_path / "other.csv")]
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    told = trackrecord(*words, at=root)
    assert told.code == 2, told.out
    assert "read-only" in told.err.lower()
    assert "next:" in told.err
    assert "trackrecord itself failed" not in told.err
    assert trackrecord("status", at=root).code == 0  # reading still works
