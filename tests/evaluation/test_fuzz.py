"""Whatever is typed or read: a result, or words. Never another error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trackrecord.cases.criteria import parse_requirement
from trackrecord.errors import BadInput, TrackrecordError
from trackrecord.evaluation.library import evaluate, result_of
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


TASKS = st.sampled_from(
    [None, None, None, "binary", "multiclass", "multilabel", "regression", "ranking"]
)
KINDS = ["ant", "bee", "cat"]
CELLS_OF_TASKS = st.sampled_from(
    ["ant", "Ant ", "dog", "0", "1", "2", "0.25", "-1.5", "1e-320", "17", "nan", "inf", "", "a",
     "2024-01-01", "true", "ü", "9e307"]
)  # fmt: skip
HEADS_OF_TASKS = st.sampled_from(
    ["truth", "score", "id", "cluster", "weight", "time", "series", "query", "q0.9", "lo", "x",
     "truth.z", "score.rf.dog", "score.rf.Ant ", "p_ant", "predicted", "score.", "slice.s"]
)  # fmt: skip


def whole_tables(rows: int, seed: int) -> dict[str, dict[str, list[object]]]:
    """A table of each task that can be measured."""
    draw = np.random.default_rng(seed)
    share = draw.dirichlet([1, 1, 1], rows)
    number = draw.normal(10, 4, rows)
    group = [f"g{n // 4}" for n in range(rows)]
    return {
        "classes": {
            "truth": [KINDS[k] for k in draw.integers(0, 3, rows)],
            **{f"score.rf.{name}": list(share[:, k]) for k, name in enumerate(KINDS)},
            "score.rule": [KINDS[k] for k in draw.integers(0, 3, rows)], "slice.s": group,
        },
        "few classes": {
            "truth": list(draw.integers(0, 3, rows)),
            **{f"p_{k}": list(share[:, k]) for k in range(3)}, "cluster": group,
        },
        "labels": {
            **{f"truth.{k}": list(draw.integers(0, 2, rows)) for k in "ab"},
            **{f"score.m.{k}": list(draw.random(rows)) for k in "ab"}, "weight": list(number),
        },
        "numbers": {
            "truth": list(number), "score.rf": list(number + draw.normal(0, 1, rows)),
            "score.rf.q0.1": list(number - 2), "score.rf.q0.9": list(number + 2),
            "score.old": list(draw.normal(10, 4, rows)), "weight": list(draw.random(rows)),
        },
        "forecasts": {
            "series": group, "time": [n % 4 for n in range(rows)], "truth": list(number),
            "prediction": list(number + 1), "q0.5": list(number), "slice.s": group,
        },
        "ranking": {
            "query": group, "document": [f"d{n % 4}" for n in range(rows)],
            "truth": list(draw.integers(0, 3, rows)), "score.a": list(draw.random(rows)),
            "score.b": [None if n % 3 else 1.0 for n in range(rows)],
        },
    }  # fmt: skip


@st.composite
def spoilt_tables(draw: st.DrawFn) -> pl.DataFrame:
    """A table that could be measured, after up to three mishaps."""
    from trackrecord.data.kinds import Place, infer

    rows = draw(st.sampled_from([1, 2, 5, 24, 60]))
    kind = draw(st.sampled_from(sorted(whole_tables(1, 0))))
    table = whole_tables(rows, draw(st.integers(0, 9)))[kind]
    text = {c: ["" if v is None else str(v) for v in values] for c, values in table.items()}
    for _ in range(draw(st.integers(0, 3))):
        column = draw(st.sampled_from(sorted(text)))
        match draw(st.sampled_from(["cell", "cell", "drop", "rename", "same", "more", "doubled"])):
            case "cell":
                text[column][draw(st.integers(0, rows - 1))] = draw(CELLS_OF_TASKS)
            case "drop" if len(text) > 1:
                del text[column]
            case "rename":
                text[draw(HEADS_OF_TASKS)] = text.pop(column)
            case "same":
                text[column] = [draw(CELLS_OF_TASKS)] * rows
            case "more":
                text[draw(HEADS_OF_TASKS)] = [draw(CELLS_OF_TASKS) for _ in range(rows)]
            case "doubled":
                text[draw(HEADS_OF_TASKS)] = list(text[column])
    place = Place("fuzz.csv")
    return pl.DataFrame([infer(pl.Series(c, cells), "UTC", place) for c, cells in text.items()])


WORDS_ASKED = st.sampled_from(["rf", "score", "p_", "m", "old", "rule", "a", "prediction", "zz"])


@pytest.mark.slow
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    spoilt_tables(),
    st.just(Asked()) | st.builds(
        Asked,
        task=TASKS, target=st.sampled_from([None, None, None, "truth", "truth.", "x"]),
        scores=st.lists(WORDS_ASKED, max_size=1), baselines=st.lists(WORDS_ASKED, max_size=1),
        series=st.sampled_from([None, None, None, "series"]),
        cluster=st.sampled_from([None, None, "series", "query"]),
        slices=st.sampled_from([[], [], ["s"], ["horizon"], ["horizon > 1"]]),
    ),
    st.booleans(),
)  # fmt: skip
def test_a_table_of_any_task_is_measured_or_refused_in_words(
    frame: pl.DataFrame, asked: Asked, every: bool
) -> None:
    def measured() -> bytes:
        found = result_of(interpret(frame, "p.csv", asked), metrics=["all"] if every else [])
        assert str(found)
        return msgspec.json.encode(found)

    error = refusal(measured)
    assert error is None or error.what


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, object]:
    """Truth, scores and a baseline of one task or of several, of one length or nearly."""
    rows = draw(st.sampled_from([0, 1, 2, 5, 40]))
    make = np.random.default_rng(draw(st.integers(0, 9)))

    def column(n: int) -> object:
        match draw(st.sampled_from(
            ["yes", "codes", "words", "number", "shares", "chances", "labels", "lists", "same",
             "spread", "frame", "odd", "none"]
        )):  # fmt: skip
            case "yes":
                return make.integers(0, 2, n)
            case "codes":
                return make.integers(0, 3, n)
            case "words":
                return [KINDS[k] for k in make.integers(0, 3, n)]
            case "number":
                return make.normal(0, 5, n)
            case "shares":
                return make.random(n)
            case "chances":
                return make.dirichlet([1] * draw(st.sampled_from([2, 3, 4])), n)
            case "labels":
                return make.integers(0, 2, (n, 3))
            case "lists":
                return [list(make.random(k + 1)) for k in make.integers(0, 3, n)]
            case "same":
                return np.full(n, draw(st.sampled_from([0.5, np.nan, np.inf, 0, -7])))
            case "spread":
                return {"m": {"point": make.random(n), "q0.1": make.random(n), "q0.9": [9.0] * n}}
            case "frame":
                return pl.DataFrame({name: make.random(n) for name in KINDS})
            case "odd":
                odd = [np.zeros((n, 2, 2)), [[]] * n, [None] * n, "x", 3, {"a": None}, [{}] * n]
                return draw(st.sampled_from([*odd, np.array(["x"] * n)]))
        return None

    return {
        "data": column(rows),
        "score": column(rows),
        "baseline": column(draw(st.sampled_from([rows, rows, rows + 1]))),
        "task": draw(TASKS),
        "classes": draw(st.sampled_from([None, None, None, KINDS, [0, 1, 2], "xy", []])),
        "cluster": draw(st.sampled_from([None, None, None, np.arange(rows) // 4])),
    }


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(arrays())
def test_arrays_of_any_shape_are_measured_or_refused_in_words(given: dict[str, object]) -> None:
    error = refusal(lambda: msgspec.json.encode(evaluate(**given)))  # type: ignore[arg-type]
    assert error is None or error.what
