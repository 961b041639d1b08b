"""Whatever is typed or read: a result, or words. Never another error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trackrecord.cases.criteria import parse_requirement
from trackrecord.errors import BadInput, TrackrecordError
from trackrecord.evaluation.library import result_of
from trackrecord.evaluation.reading import Asked, interpret, open_outcomes


def refusal(call: Callable[[], object]) -> TrackrecordError | None:
    """What the call said, where it refused."""
    try:
        call()
    except TrackrecordError as error:
        return error
    return None


WORDS = st.sampled_from(
    ["roc_auc", "brier", "difference", "to", "in", "[", "]", ",", ">=", ">", "<", "<=", "0.7",
     "-1", "nan", "inf", "1e400", "table", "", " ", "\t", "=", "=>", "0,7", "é", "@0.5", "[0,"]
)  # fmt: skip
CRITERIA = st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=8).map(" ".join))


@settings(max_examples=400, deadline=None)
@given(CRITERIA)
def test_a_criterion_is_read_or_its_column_is_pointed_at(text: str) -> None:
    error = refusal(lambda: parse_requirement(text))
    if error is None:
        found = parse_requirement(text)
        assert found.low < found.high
        return
    assert (error.where or "").startswith("column ")
    column = int((error.where or "").split("\n")[0].removeprefix("column "))
    assert 1 <= column <= len(text) + 1


CELLS = st.sampled_from(
    ["0", "1", "0.5", "-0", "1e-300", "nan", "inf", "NA", "", "x", "0,5", '"', "true", "2020-01-01",
     "99999999999999999999", "\x00", "ü", "🙂", " 1", "1 ", "01"]
)  # fmt: skip
HEADS = st.lists(
    st.sampled_from(["id", "truth", "score", "score.a", "score.b", "cluster", "weight", "time",
                     "slice.s", "slice.", "score.", "x", "", "Truth"]), min_size=1, max_size=6,
)  # fmt: skip


@st.composite
def files(draw: st.DrawFn) -> bytes:
    head = draw(HEADS)
    mark = draw(st.sampled_from([",", ",", ",", ";", "\t"]))
    lines = [mark.join(head)]
    for _ in range(draw(st.integers(0, 5))):
        wide = draw(st.sampled_from([len(head), len(head), len(head), len(head) + 1, 1]))
        lines.append(mark.join(draw(CELLS) for _ in range(wide)))
    start = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"PAR1", b"\x1f\x8b", b"\xff"]))
    return start + draw(st.sampled_from(["\n", "\r\n"])).join(lines).encode()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
@example(b"\n0")
def test_a_file_is_measured_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory,
                                                content: bytes) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(content)
    error = refusal(lambda: result_of(open_outcomes(path), metrics=["roc_auc", "brier"]))
    assert error is None or error.what


@pytest.mark.parametrize("keep", [0, 3, 4, 100, 300, 0.5, 0.9, 0.999])
def test_parquet_that_was_cut_off_is_called_damaged(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "p.parquet"
    pl.DataFrame({"truth": [0, 1] * 200, "score": np.linspace(0, 1, 400)}).write_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep if keep > 1 or keep == 0 else keep * len(whole))])
    with pytest.raises(BadInput):
        open_outcomes(path)


ROLE = st.one_of(st.none(), st.sampled_from(["a", "b", "id", "truth", "score", "s", "", "🙂"]))


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Asked,
        target=ROLE, id=ROLE, cluster=ROLE, time=ROLE, weight=ROLE, positive=ROLE,
        scores=st.lists(st.sampled_from(["a", "b", "score", "s"]), max_size=2),
        baselines=st.lists(st.sampled_from(["a", "b", "score"]), max_size=2),
        slices=st.lists(
            st.sampled_from(["s", "s=x", "a>0.5", "a>>1", "s>1", ">", "zz"]), max_size=2
        ),
    )
)  # fmt: skip
def test_any_roles_give_a_table_or_words(asked: Asked) -> None:
    frame = pl.DataFrame(
        {
            "id": ["u", "v", "w", "x"], "truth": [0, 1, 0, 1], "a": [0.1, 0.2, 0.3, 0.4],
            "b": [1, 0, 1, 0], "score": [0.5, 0.6, 0.5, 0.7], "s": ["x", "y", None, "x"],
        }
    )  # fmt: skip
    error = refusal(lambda: result_of(interpret(frame, "p.csv", asked), metrics=["roc_auc"]))
    assert error is None or error.what
