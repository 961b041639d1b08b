from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackrecord.cases.criteria import Requirement, parse_requirement
from trackrecord.errors import CaseError


def required(metric: str, baseline: str | None, **ends: float | bool) -> Requirement:
    open_ended = {"low": -math.inf, "high": math.inf, "low_open": False, "high_open": False}
    return Requirement(metric=metric, baseline=baseline, **{**open_ended, **ends})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("roc_auc >= 0.7", required("roc_auc", None, low=0.7)),
        ("roc_auc>0.7", required("roc_auc", None, low=0.7, low_open=True)),
        ("brier < .2", required("brier", None, high=0.2, high_open=True)),
        ("log_loss <= 1e-1", required("log_loss", None, high=0.1)),
        ("bias in [-0.02, 0.02]", required("bias", None, low=-0.02, high=0.02)),
        ("  bias   in[ -0.02 ,0.02 ]  ", required("bias", None, low=-0.02, high=0.02)),
        ("roc_auc difference > 0", required("roc_auc", "", low=0.0, low_open=True)),
        ("roc_auc difference to t > 0", required("roc_auc", "t", low=0.0, low_open=True)),
        ("brier difference to t in [-1, 0]", required("brier", "t", low=-1.0, high=0.0)),
        ("recall@0.5 > 0.1", required("recall@0.5", None, low=0.1, low_open=True)),
    ],
)
def test_a_criterion_reads_as_a_range(text: str, expected: Requirement) -> None:
    assert parse_requirement(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("", 1, "a metric's name"),
        ("7 > 0", 1, "a metric's name"),
        ("roc_auc", 8, "'>', '>=', '<', '<=', 'in' or 'difference'"),
        ("roc_auc = 0.7", 9, "'>', '>=', '<', '<=' or 'in'"),
        ("roc_auc >", 10, "a number"),
        ("roc_auc > high", 11, "a number"),
        ("roc_auc > nan", 11, "a finite number"),
        ("roc_auc > inf", 11, "a finite number"),
        ("roc_auc > 0.5 please", 15, "nothing more"),
        ("roc_auc difference", 19, "'to' or an operator"),
        ("roc_auc difference to", 22, "a baseline's name"),
        ("roc_auc difference to > 0", 23, "a baseline's name"),
        ("roc_auc difference to table", 28, "'>', '>=', '<', '<=' or 'in'"),
        ("bias in 0.1", 9, "'['"),
        ("bias in [0.1", 13, "','"),
        ("bias in [0.2, 0.1]", 6, "a range whose low end is below its high end"),
        ("bias in [0.1, 0.1]", 6, "a range whose low end is below its high end"),
    ],
)
def test_a_criterion_that_makes_no_sense_is_pointed_at(
    text: str, column: int, expected: str
) -> None:
    with pytest.raises(CaseError) as caught:
        parse_requirement(text)
    where = caught.value.where or ""
    assert where.splitlines()[0] == f"column {column}"
    assert where.splitlines()[-1].index("^") - len("       ") == column - 1
    assert caught.value.why == f"expected {expected} here"
    assert caught.value.next


WORDS = ["roc_auc", "difference", "to", "table", ">", ">=", "<", "<=", "in", "[", "]", ",", "0.5",
         "-1", "1e400", "nan", " ", "\t", "\n", "é", "_", "9" * 400]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)))
def test_any_text_is_a_requirement_or_a_case_error(text: str) -> None:
    error: CaseError | None = None
    try:
        found = parse_requirement(text)
    except CaseError as caught:
        error = caught
    if error is None:
        assert found.low < found.high
        assert math.isfinite(found.low) or math.isfinite(found.high)
    else:
        assert error.where
        assert error.why


finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True).filter(
    lambda name: name not in ("difference", "in", "to")
)


@given(names, st.none() | names, finite, finite)
def test_every_range_can_be_written_down_and_read_back(
    metric: str, baseline: str | None, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    subject = metric if baseline is None else f"{metric} difference to {baseline}"
    if low < high:
        found = parse_requirement(f"{subject} in [{low!r}, {high!r}]")
        assert found == required(metric, baseline, low=low, high=high)
    assert parse_requirement(f"{subject} >= {low!r}") == required(metric, baseline, low=low)
    assert parse_requirement(f"{subject} < {high!r}") == required(
        metric, baseline, high=high, high_open=True
    )
