from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from trackrecord.data.finding import Finding
from trackrecord.data.leakage.detector import DETECTORS, Context, detect, detector
from trackrecord.data.leakage.single_column import auc_of, value_auc
from trackrecord.data.split import assign_parts
from trackrecord.data.table import load_case_table

from .conftest import Decode


def found(
    root: Path, decode: Decode, *changes: tuple[str, str], added: dict[str, pl.Expr] | None = None
) -> list[Finding]:
    path = root / "data/trips.csv"
    if added:
        pl.read_csv(path).with_columns(**added).write_csv(path)
    case, line_of = decode(*changes)
    table = load_case_table(case, root)
    context = Context(case, table, assign_parts(table.frame, case), "case.toml", line_of)
    return detect(context)


def codes(findings: list[Finding]) -> set[str]:
    return {finding.code for finding in findings}


def test_an_honest_case_gives_only_the_doubt_about_shared_groups(
    root: Path, decode: Decode
) -> None:
    findings = found(root, decode)
    assert codes(findings) == {"TR104"}
    assert findings[0].severity == "doubt"
    assert "% of the test rows have a 'bus'" in findings[0].what
    assert "the model sees it only in other features" in findings[0].what
    seen = found(root, decode, ('"load"]', '"load", "bus"]'))
    (finding,) = [f for f in seen if f.code == "TR104"]
    assert "only in other features" not in finding.what


@pytest.mark.parametrize(
    "leak",
    [
        pl.col("delay").fill_null(0) * 2 + 7,
        -pl.col("delay").fill_null(0),
        pl.when(pl.col("delay") > 5).then(pl.lit("x")).otherwise(pl.lit("y")),
        pl.when(pl.col("delay") > 5).then(None).otherwise(pl.lit("here")),
        pl.when(pl.col("delay") > 5).then(1.5).otherwise(None),
        pl.when(pl.col("delay") > 5).then(3).otherwise(pl.col("stop") % 2 * 5),
    ],
)
def test_a_column_that_gives_the_target_away_is_found(
    root: Path, decode: Decode, leak: pl.Expr
) -> None:
    findings = found(root, decode, ('"load"]', '"load", "leak"]'), added={"leak": leak})
    (finding,) = [f for f in findings if f.code == "TR101"]
    assert finding.severity == "error"
    assert "'leak'" in finding.what
    assert finding.line == 5


def test_a_column_unique_to_each_row_is_not_taken_for_a_giveaway(
    root: Path, decode: Decode
) -> None:
    added = {"key": pl.concat_str(pl.lit("k"), pl.col("trip"))}
    assert "TR101" not in codes(found(root, decode, ('"load"]', '"load", "key"]'), added=added))


def test_only_training_rows_are_searched_for_giveaways(root: Path, decode: Decode) -> None:
    tells = (
        pl.when(pl.col("leaves") >= "2024-04-01").then(pl.col("delay")).otherwise(pl.col("stop"))
    )
    findings = found(root, decode, ('"load"]', '"load", "leak"]'), added={"leak": tells})
    assert "TR101" not in codes(findings)


def test_auc_agrees_with_scikit_learn_on_ties() -> None:
    score = pl.Series([1, 2, 2, 3, 3, 3, 4, 0])
    truth = pl.Series([0, 1, 0, 0, 1, 1, 1, 0])
    assert auc_of(score, truth) == pytest.approx(roc_auc_score(truth, score))


def test_values_say_nothing_where_there_is_nothing_to_learn() -> None:
    truth = pl.Series([0, 1] * 500)
    assert value_auc(pl.Series(range(1000)), truth) == pytest.approx(0.5)
    assert value_auc(pl.Series(["a"] * 1000), truth) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("known_by", "severity"),
    [("at the time", "doubt"), ("23:59 the same day", "error"), ("18:00 the day before", None)],
)
def test_a_join_that_looks_ahead_is_found(
    root: Path, decode: Decode, known_by: str, severity: str | None
) -> None:
    (root / "data/rain.csv").write_text("line,at,rain\nA,2024-01-01T04:00:00,1\n")
    asof = (
        f'[[data.asof]]\ntable = "data/rain.csv"\nby = ["line"]\ntime = "at"\n'
        f'columns = ["rain"]\nknown_by = "{known_by}"\n[target]'
    )
    findings = [f for f in found(root, decode, ("[target]", asof)) if f.code == "TR103"]
    assert [f.severity for f in findings] == ([severity] if severity else [])
    if findings:
        assert findings[0].line == 24


def test_a_group_split_keeps_its_group_apart_and_says_so_by_silence(
    root: Path, decode: Decode
) -> None:
    start, end = 'kind = "time"', 'last = "2024-05-31" }'
    from .conftest import CASE

    old = CASE[CASE.index(start) : CASE.index(end) + len(end)]
    findings = found(root, decode, (old, 'kind = "group"\nby = "bus"\ntest = 0.3'))
    assert "TR104" not in codes(findings)


def test_copies_of_training_rows_in_the_test_are_counted(root: Path, decode: Decode) -> None:
    copied = {"load": pl.lit(1.0), "stop": pl.col("stop") % 2}
    (finding,) = [f for f in found(root, decode, added=copied) if f.code == "TR105"]
    assert finding.severity == "doubt"
    assert "(100 %)" in finding.what


def test_the_test_parts_truth_is_hidden_from_detectors(root: Path, decode: Decode) -> None:
    seen: list[list[str]] = []

    @detector("spy")
    def spy(context: Context):  # type: ignore[no-untyped-def]
        seen.append(context.test.columns)
        yield from ()

    try:
        found(root, decode)
    finally:
        del DETECTORS["spy"]
    assert seen
    assert not {"truth", "delay"} & set(seen[0])


def test_two_detectors_cannot_share_a_name() -> None:
    with pytest.raises(ValueError, match="two detectors"):
        detector("groups")(lambda context: iter(()))
