"""A real case evaluated: looks, amendments, seals, and predictions that are not what they were."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import polars as pl
import pytest

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.case import EvaluationPredicate, LookPredicate, plan_of
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.outcomes import read_outcomes
from trackrecord.ledger import read_chain, read_evidence

from .conftest import Bench, life

EVALUATE = """
import os, signal, sys
from pathlib import Path
from trackrecord.cases.reader import read_case
from trackrecord.data.split import assign_parts
from trackrecord.data.table import load_case_table
from trackrecord.evaluation import case as room
from trackrecord.workspace import find_workspace

root = Path(sys.argv[1])
case, _ = read_case(root / "cases/tumours/case.toml")
table = load_case_table(case, root)
parts = assign_parts(table.frame, case)
if sys.argv[2] == "killed":
    # The moment at which truth and predictions would meet.
    room.join_outcomes = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
found = room.evaluate_run(
    find_workspace(root), case, table, parts, part="test", run=None, tool="test"
)
print(found.predicate.look)
"""


def child(root: Path, what: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", EVALUATE, str(root), what]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_evaluating_the_test_leaves_a_look_then_an_evaluation(ran: Bench) -> None:
    found = ran.evaluate()
    kinds = [entry.kind for entry in read_chain(ran.workspace.evidence)]
    assert kinds == ["seal", "run", "look", "evaluation"]
    predicate = found.predicate
    assert (predicate.look, predicate.sealed, predicate.amendments) == (1, True, 0)
    look = read_evidence(ran.workspace.evidence, predicate.look_evidence or "")
    said = msgspec.convert(look.predicate, LookPredicate)
    assert (said.case, said.part, said.run) == ("tumours", "test", predicate.run)
    assert [verdict.verdict for verdict in predicate.result.verdicts] == ["accepted", "accepted"]


def test_the_evidence_says_what_the_function_returned(ran: Bench) -> None:
    found = ran.evaluate()
    statement = read_evidence(ran.workspace.evidence, found.entry.evidence or "")
    assert msgspec.convert(statement.predicate, EvaluationPredicate) == found.predicate
    assert statement.subject[0].name == found.outcomes == "runs/tumours/0001/outcomes-test.parquet"


def test_a_stranger_gets_the_same_result_from_the_written_outcomes(ran: Bench) -> None:
    found = ran.evaluate()
    outcomes = read_outcomes(ran.workspace.root / found.outcomes)
    assert evaluate_outcomes(outcomes, found.predicate.plan) == found.predicate.result


def test_validation_costs_no_look(ran: Bench) -> None:
    assert ran.evaluate("validation").predicate.look_evidence is None
    assert ran.evaluate("validation").predicate.look == 0
    assert life(ran).looks == 0


def test_every_look_is_counted_and_is_evidence_of_its_own(ran: Bench) -> None:
    found = [ran.evaluate().predicate for _ in range(3)]
    assert [predicate.look for predicate in found] == [1, 2, 3]
    assert len({predicate.look_evidence for predicate in found}) == 3
    assert found[0].result == found[2].result


def test_two_evaluations_at_once_are_two_looks(ran: Bench) -> None:
    children = [child(ran.workspace.root, "whole") for _ in range(2)]
    said = sorted(process.communicate()[0].strip() for process in children)
    assert said == ["1", "2"]
    assert life(ran).looks == 2


def test_an_evaluation_killed_before_truth_met_predictions_has_looked(ran: Bench) -> None:
    process = child(ran.workspace.root, "killed")
    process.communicate()
    assert process.returncode == -9
    assert (life(ran).looks, life(ran).evaluations) == (1, [])
    assert ran.evaluate().predicate.look == 2


def test_an_amendment_after_a_look_goes_with_every_later_number(ran: Bench) -> None:
    ran.evaluate()
    amended = ran.changed('positive = "malignant"', 'positive = "benign"')
    with pytest.raises(BadInput, match="is not as it was sealed"):
        amended.evaluate()
    amended.amend("the question was the wrong way round")
    with pytest.raises(BadInput, match="before the case was amended"):
        amended.evaluate()
    assert life(ran).looks == 1, "a refusal is no look"
    amended.run(seal=life(ran).seal)
    for part in ("validation", "test"):
        predicate = amended.evaluate(part).predicate
        assert (predicate.amendments, predicate.looks_before_amendment) == (1, 1)
    assert predicate.look == 2


def test_an_unsealed_run_says_so(laid: Bench) -> None:
    laid.run(seal=None)
    predicate = laid.evaluate().predicate
    assert (predicate.sealed, predicate.seal, predicate.look) == (False, None, 1)


def test_data_changed_after_the_seal_are_refused_without_a_look(ran: Bench) -> None:
    path = ran.workspace.root / "data" / "tumours.csv"
    path.write_text(path.read_text().replace("malignant", "benign", 1))
    with pytest.raises(BadInput, match="is not as it was sealed") as caught:
        ran.evaluate()
    assert "data/tumours.csv" in str(caught.value)
    assert life(ran).looks == 0


def test_changed_predictions_are_refused_without_a_look(ran: Bench) -> None:
    path = ran.workspace.root / "runs/tumours/0001/predictions.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(pl.col("score.logistic") * 0.5).write_parquet(path)
    with pytest.raises(DataError, match="not what the run wrote"):
        ran.evaluate()
    path.unlink()
    with pytest.raises(DataError, match="predictions are gone"):
        ran.evaluate()
    assert life(ran).looks == 0


def test_a_run_that_is_not_there_is_named(ran: Bench, laid: Bench) -> None:
    with pytest.raises(BadInput, match="no run 0009") as caught:
        ran.evaluate(run="0009")
    assert "runs: 0001" in str(caught.value)
    with pytest.raises(BadInput, match="no run yet"):
        laid.evaluate()


def test_predictions_of_another_program_are_evaluated_like_any_other(
    laid: Bench, tmp_path: Path
) -> None:
    bench = laid.changed(
        'name = "logistic"\nestimator = "sklearn.linear_model.LogisticRegression"\n',
        'name = "mine"\n',
    )
    table, parts = bench.loaded()
    asked = table.frame.filter(parts != "train")
    scores = asked.select("id", (pl.col("mean_radius") / 30).alias("score"))
    scores.reverse().write_csv(tmp_path / "mine.csv")
    bench.seal()
    bench.run(seal=life(bench).seal, outcomes=tmp_path / "mine.csv", outcomes_model="mine")
    predicate = bench.evaluate().predicate
    assert [m.name for m in predicate.result.models] == ["base_rate", "table", "mine"]
    assert predicate.result.verdicts[0].verdict == "accepted"


def test_slices_are_compared_with_the_baseline_that_a_criterion_names_first(ran: Bench) -> None:
    models = ["base_rate", "table", "logistic"]
    assert plan_of(ran.case, models).reference == "table"
    other = ran.changed("difference to table > 0", "difference to base_rate > 0")
    assert plan_of(other.case, models).reference == "base_rate"
    none = other.changed("roc_auc difference to base_rate > 0", "roc_auc > 0.5")
    assert plan_of(none.case, models).reference == "table"
    assert plan_of(none.case, ["logistic"]).reference is None


def test_what_criteria_judge_is_measured(ran: Bench) -> None:
    assert plan_of(ran.case, ["logistic"]).metrics == ["roc_auc", "brier", "bias"]
