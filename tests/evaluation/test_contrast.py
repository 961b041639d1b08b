"""Contrasts: only after the verdict, counted as looks, and open to recomputation."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.contrast import ContrastPredicate, contrast_case, measure_protocol
from trackrecord.evaluation.outcomes import read_outcomes
from trackrecord.ledger import read_evidence

from .conftest import Bench, life


def contrast(bench: Bench) -> tuple[Any, ContrastPredicate]:
    table, _ = bench.loaded()
    return contrast_case(
        bench.workspace,
        bench.case,
        table,
        tool="test",
        progress=lambda _step, _share: None,
    )


def test_a_contrast_before_the_verdict_is_refused(ran: Bench) -> None:
    ran.evaluate("validation")
    with pytest.raises(BadInput, match="not been evaluated"):
        contrast(ran)
    assert life(ran).looks == 0


def test_a_contrast_is_a_look_and_stands_beside_the_honest_numbers(ran: Bench) -> None:
    evaluated = ran.evaluate()
    entry, predicate = contrast(ran)
    assert predicate.look == 2 == life(ran).looks
    assert predicate.evaluation == evaluated.entry.evidence
    candidate = evaluated.predicate.result.models[-1]
    assert predicate.honest.estimates == candidate.estimates
    assert predicate.honest.rows == evaluated.predicate.result.rows
    (other,) = predicate.contrasts
    assert other.name == "another random split"
    assert other.what == "a random split instead of the random split"
    assert other.estimates != predicate.honest.estimates
    statement = read_evidence(ran.workspace.evidence, entry.evidence)
    assert msgspec.convert(statement.predicate, ContrastPredicate) == predicate


def test_a_stranger_gets_the_same_contrast_from_its_outcomes(ran: Bench) -> None:
    ran.evaluate()
    entry, predicate = contrast(ran)
    statement = read_evidence(ran.workspace.evidence, entry.evidence)
    named = [subject.name for subject in statement.subject]
    for told in [*predicate.contrasts, predicate.honest]:
        assert told.outcomes in named or told is predicate.honest
        outcomes = read_outcomes(ran.workspace.root / told.outcomes)
        again = measure_protocol(told.name, told.what, outcomes, predicate.plan, told.outcomes)
        assert again == told


def test_a_contrast_needs_the_outcomes_of_the_verdict(ran: Bench) -> None:
    evaluated = ran.evaluate()
    path = ran.workspace.root / evaluated.outcomes
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError, match="not what the evaluation wrote"):
        contrast(ran)
    assert life(ran).looks == 1


def test_a_case_without_a_contrast_says_how_to_write_one(ran: Bench) -> None:
    bench = ran.changed(
        '[[contrast]]\nname = "another random split"\nsplit = { kind = "random", seed = 7 }\n', ""
    )
    with pytest.raises(BadInput, match=r"no \[\[contrast\]\]"):
        contrast(bench)
