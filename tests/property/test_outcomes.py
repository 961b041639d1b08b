"""Properties of every evaluation: row order, models apart or together, verdicts, JSON."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import polars as pl
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trackrecord.cases.criteria import Requirement
from trackrecord.errors import DataError
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.outcomes import canonical_outcomes, read_outcomes
from trackrecord.evaluation.outcomes import write_outcomes as write
from trackrecord.evaluation.plan import Plan, plan_for_outcomes
from trackrecord.evaluation.reading import interpret
from trackrecord.evaluation.result import Evaluation
from trackrecord.evaluation.verdict import verdict_of

SCORES = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(-3, 3, allow_nan=False)
)
SITES = st.sampled_from(["a", "b", "missing", "ü", None])


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Outcomes of 2 to 40 rows with both classes, two models, clusters and slices."""
    rows = draw(st.integers(2, 40))

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    truth = column(st.integers(0, 1))
    truth[:2] = [0, 1]
    frame = pl.DataFrame(
        {
            "id": draw(st.lists(st.text(min_size=1), min_size=rows, max_size=rows, unique=True)),
            "truth": pl.Series(truth, dtype=pl.Int8),
            "score.base": pl.Series(column(SCORES), dtype=pl.Float64),
            "score.mine": pl.Series(column(SCORES), dtype=pl.Float64),
            "slice.site": pl.Series(column(SITES), dtype=pl.String),
            "slice.size": pl.Series(column(st.one_of(st.none(), st.integers(0, 9)))),
        }
    )
    if draw(st.booleans()):
        clusters = pl.Series("cluster", column(SITES), dtype=pl.String)
        frame = frame.with_columns(clusters)
    return frame


def plan_of(frame: pl.DataFrame) -> Plan:
    return msgspec.structs.replace(
        plan_for_outcomes(frame), slice_rows=2, slice_values=3, slices=["site", "size", "size > 4"]
    )


@settings(max_examples=40, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame: pl.DataFrame, order: object) -> None:
    rows = list(range(frame.height))
    order.shuffle(rows)  # type: ignore[attr-defined]
    plan = plan_of(frame)
    one, other = evaluate_outcomes(frame, plan), evaluate_outcomes(frame[rows], plan)
    assert msgspec.json.encode(one) == msgspec.json.encode(other)


@settings(max_examples=25, deadline=None)
@given(tables())
def test_a_model_measures_the_same_alone_as_beside_others(frame: pl.DataFrame) -> None:
    plan = plan_of(frame)
    both = evaluate_outcomes(frame, plan)
    bare = msgspec.structs.replace(plan, baselines=[], reference=None)
    alone = evaluate_outcomes(frame.drop("score.base"), bare)
    assert alone.models == [model for model in both.models if model.name == "mine"]
    assert [(s.estimates, s.absent) for s in alone.slices] == [
        (s.estimates, s.absent) for s in both.slices
    ]


@settings(max_examples=25, deadline=None)
@given(tables())
def test_a_result_survives_json(frame: pl.DataFrame) -> None:
    result = evaluate_outcomes(frame, plan_of(frame))
    assert msgspec.json.decode(msgspec.json.encode(result), type=Evaluation) == result


@settings(max_examples=40, deadline=None)
@given(tables())
def test_every_metric_is_an_estimate_or_an_absence_and_every_interval_is_finite(
    frame: pl.DataFrame,
) -> None:
    plan = plan_of(frame)
    result = evaluate_outcomes(frame, plan)
    places = [*result.models, *result.differences, *result.slices]
    for place in places:
        metrics = [item.metric for item in (*place.estimates, *place.absent)]
        assert sorted(metrics) == sorted(plan.metrics)
        for estimate in place.estimates:
            assert estimate.lo <= estimate.value <= estimate.hi
            assert all(math.isfinite(x) for x in (estimate.lo, estimate.hi, estimate.se))
    for text in ("site", "size", "size > 4"):
        parts = [part for part in result.slices if part.slice == text]
        assert sum(part.rows for part in parts) == result.rows
        assert sum(part.positives for part in parts) == result.positives


@settings(max_examples=30, deadline=None)
@given(tables())
def test_written_outcomes_are_read_back_and_evaluate_the_same(frame: pl.DataFrame) -> None:
    plan = plan_of(frame)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "outcomes.parquet"
        write(frame, path)
        again = read_outcomes(path)
        assert again.equals(canonical_outcomes(frame))
        first = path.read_bytes()
        write(again, path)
        assert path.read_bytes() == first
    assert evaluate_outcomes(again, plan) == evaluate_outcomes(frame, plan)


ENDS = st.sampled_from([-math.inf, -1.0, 0.0, 0.5, 1.0, math.inf])
POINTS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0])


@settings(max_examples=400)
@given(ENDS, ENDS, st.booleans(), st.booleans(), POINTS, POINTS)
def test_a_verdict_says_whether_every_some_or_no_point_of_the_interval_is_allowed(
    low: float, high: float, low_open: bool, high_open: bool, one: float, other: float
) -> None:
    low, high = min(low, high), max(low, high)
    assume(low < high)
    lo, hi = min(one, other), max(one, other)
    required = Requirement(
        metric="m", baseline=None, low=low, high=high, low_open=low_open, high_open=high_open
    )

    def allowed(x: float) -> bool:
        above = x > low if low_open else x >= low
        return above and (x < high if high_open else x <= high)

    # A grid of eighths has every end that is drawn, and a point between any two of them.
    inside = [allowed(x) for x in (k / 8 for k in range(-24, 25)) if lo <= x <= hi]
    expected = "accepted" if all(inside) else "undecided" if any(inside) else "rejected"
    assert verdict_of(required, lo, hi) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "truth", "score", "score.a", "y", "p", "slice.x", "cluster", "?"]),
        st.lists(
            st.one_of(st.none(), st.text(max_size=3), st.integers(-1, 2).map(str)),
            min_size=3,
            max_size=3,
        ),
        min_size=1,
    )
)
def test_no_table_gives_anything_but_outcomes_or_an_error_in_words(
    columns: dict[str, list[str | None]],
) -> None:
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    for table in (frame, frame.cast(pl.Float64, strict=False)):
        with contextlib.suppress(DataError):
            found = interpret(table, "t")
            assert found.task != "binary" or set(found.frame["truth"]) <= {0, 1}
