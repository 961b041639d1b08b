from __future__ import annotations

import pytest

from trackrecord.cases.spec import Scalar, positive_rule

from .conftest import Decode


@pytest.mark.parametrize(
    ("positive", "rule"),
    [
        ("> 15", (">", 15.0)),
        (">=-2.5", (">=", -2.5)),
        (" < 0 ", ("<", 0.0)),
        ("== 3", ("==", 3.0)),
        ("yes", ("==", "yes")),
        ("> many", ("==", "> many")),
        (1, ("==", 1)),
        (True, ("==", True)),
    ],
)
def test_what_counts_as_positive(positive: Scalar, rule: tuple[str, Scalar]) -> None:
    assert positive_rule(positive) == rule


def test_the_candidate_is_the_last_model_unless_another_is_named(decode: Decode) -> None:
    two = ("[[criterion]]", '[[model]]\nname = "mine"\n\n[[criterion]]')
    assert decode(two)[0].candidate_name() == "mine"
    named = ('task = "binary"', 'task = "binary"\ncandidate = "boosted"')
    assert decode(two, named)[0].candidate_name() == "boosted"
