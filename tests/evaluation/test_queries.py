"""Rankings from flat tables and TREC files: a row for each query, and every oddity said."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.plan import plan_for_outcomes
from trackrecord.evaluation.queries import is_trec_run, nest, read_trec
from trackrecord.evaluation.reading import Asked, open_outcomes
from trackrecord.evaluation.tasks.ranking import check

QRELS = """\
q1 0 d1 1
q1 0 d2 0
q1 0 d3 2
q2 0 d1 1
"""
RUN = """\
q1 Q0 d2 1 3.5 bm25
q1 Q0 d3 2 2.25 bm25
q1 Q0 d9 3 1 bm25
q2 Q0 d1 1 7.0 bm25
"""


def files(folder: Path, qrels: str | bytes, *runs: str | bytes) -> tuple[Path, dict[str, Path]]:
    paths = []
    for name, text in (("qrels.txt", qrels), *((f"{n}.run", run) for n, run in enumerate(runs))):
        path = folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return paths[0], {path.stem: path for path in paths[1:]}


def flat(**more: list[object]) -> pl.DataFrame:
    columns: dict[str, list[object]] = {
        "query": ["b", "b", "a", "a", "a"],
        "doc": ["y", "x", "k", "m", "l"],
        "truth": [1, 0, 0, 2, 0],
        "mine": [0.5, 0.25, None, 3.0, 2.0],
    }
    return pl.DataFrame({**columns, **more})


def nested(frame: pl.DataFrame, **options: object) -> tuple[pl.DataFrame, list[str]]:
    named = {"query": "query", "document": "doc", "relevance": "truth"}
    options = {**named, "scores": {"mine": "mine"}, **options}
    return nest(frame, **options)  # type: ignore[arg-type]


def refused(call: object, *parts: str) -> DataError:
    with pytest.raises(DataError) as caught:
        call()  # type: ignore[operator]
    for part in parts:
        assert part in str(caught.value)
    return caught.value


def test_a_run_and_its_judgements_are_a_row_for_each_query(tmp_path: Path) -> None:
    outcomes, said = read_trec(*files(tmp_path, QRELS, RUN))
    assert outcomes.to_dicts() == [
        {"id": "q1", "truth": [1, 0, 2, 0], "score.0": [None, 3.5, 2.25, 1]},
        {"id": "q2", "truth": [1], "score.0": [7]},
    ]
    assert said == []
    check(outcomes, ["0"])


def test_several_runs_are_several_models_of_the_same_queries(tmp_path: Path) -> None:
    other = "q1 Q0 d1 1 0.5 x\nq1 Q0 d7 2 0.25 x\nq2 Q0 d1 1 1 x\n"
    outcomes, said = read_trec(*files(tmp_path, QRELS, RUN, other))
    first = outcomes.row(0, named=True)
    # d1, d2, d3, d7, d9
    assert first["truth"] == [1, 0, 2, 0, 0]
    assert first["score.0"] == [None, 3.5, 2.25, None, 1]
    assert first["score.1"] == [0.5, None, None, 0.25, None]
    assert said == []


def test_a_query_that_a_run_does_not_answer_counts_as_zero_and_is_said(tmp_path: Path) -> None:
    run = "".join(line + "\n" for line in RUN.splitlines() if line.startswith("q1"))
    outcomes, said = read_trec(*files(tmp_path, QRELS, run))
    assert said == [
        "1 query without any document of 0.run: they count as 0 "
        "(trec_eval leaves them out, unless told -c)"
    ]
    result = evaluate_outcomes(outcomes, plan_for_outcomes(outcomes, task="ranking"))
    found = {e.metric: e.value for e in result.models[0].estimates}
    assert found["mrr"] == pytest.approx((1 / 2 + 0) / 2)


def test_queries_without_relevance_or_judgements_are_left_out_and_said(tmp_path: Path) -> None:
    qrels = QRELS + "q3 0 d1 0\nq4 0 d1 -2\n"
    run = RUN + "q3 Q0 d1 1 1 x\nq8 Q0 d1 1 1 x\nq9 Q0 d1 1 1 x\nq9 Q0 d2 2 0 x\n"
    outcomes, said = read_trec(*files(tmp_path, qrels, run))
    assert outcomes["id"].to_list() == ["q1", "q2"]
    assert said == [
        "1 document of a relevance below 0: taken as not relevant",
        "2 queries of 0.run without judgements in qrels.txt: left out",
        "2 queries without a relevant document: left out",
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(" ", "\t"),
        lambda text: text.replace(" ", "  \t "),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", " \n\n \t\n"),
        lambda text: "\n" + text.rstrip("\n"),
        lambda text: "  " + text.replace("\n", "\n  "),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: gzip.compress(text.encode(), mtime=0),
        lambda text: "".join(reversed(text.splitlines(keepends=True))),
    ],
)
def test_white_space_order_and_packing_do_not_matter(change: object, tmp_path: Path) -> None:
    wanted = read_trec(*files(tmp_path, QRELS, RUN))[0]
    found = read_trec(*files(tmp_path, change(QRELS), change(RUN)))[0]  # type: ignore[operator]
    assert found.equals(wanted)


def test_names_are_words_and_nothing_else(tmp_path: Path) -> None:
    """Quotes, commas, ``NA`` and leading zeros are part of a name."""
    qrels = 'NA 0 "d,1 1\nNA 0 nan 1\n007 0 é# 1\n'
    run = 'NA Q0 "d,1 1 1 x\nNA Q0 null 2 0 x\n007 Q0 é# 1 1e-3 x\n'
    outcomes, said = read_trec(*files(tmp_path, qrels, run))
    assert outcomes["id"].to_list() == ["007", "NA"]
    assert outcomes["score.0"].to_list() == [[0.001], [1, None, 0]]
    assert said == []


def test_judgements_may_have_beir_s_header(tmp_path: Path) -> None:
    qrels = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td3\t2\nq2\td1\t1\n"
    outcomes, _ = read_trec(*files(tmp_path, qrels, RUN))
    assert outcomes.equals(read_trec(*files(tmp_path, QRELS, RUN))[0])
    doubled = files(tmp_path, qrels + "q1\td3\t1\n", RUN)
    refused(lambda: read_trec(*doubled), "'q1'", "'d3' 2 times", "lines 3, 5")
    short = files(tmp_path, qrels + "q1\td3\n", RUN)
    refused(lambda: read_trec(*short), "line 5 of qrels.txt has 2 fields", "3 fields")


@pytest.mark.parametrize(
    ("qrels", "run", "parts"),
    [
        ("", RUN, ["qrels.txt is empty"]),
        (QRELS, " \n\n", ["0.run is empty"]),
        ("q1 d1 1\n", RUN, ["line 1 of qrels.txt has 3 fields", "query iteration document"]),
        (QRELS + "\nq2 0 d8\n", RUN, ["line 6 of qrels.txt has 3 fields", "'q2 0 d8'"]),
        (QRELS, RUN + "q2 Q0 d7 2 high x\n", ["the score in line 5 of 0.run", "high"]),
        (QRELS, RUN + "q2 Q0 d7 2 nan x\n", ["the score in line 5 of 0.run", "finite"]),
        (QRELS, RUN + "q2 Q0 d7 2 -inf x\n", ["the score in line 5 of 0.run", "finite"]),
        (QRELS, RUN + "q2 Q0 d7 2 1 x y\n", ["line 5 of 0.run has 7 fields"]),
        (QRELS, "q2 Q0 d7 2 1\n", ["line 1 of 0.run has 5 fields", "score tag"]),
        (QRELS, RUN + "q1 Q0 d9 4 0 x\n", ["'q1' has the document 'd9' 2 times", "lines 3, 5"]),
        (QRELS + "q1 0 d1 1\n", RUN, ["'q1' has the document 'd1' 2 times", "lines 1, 5"]),
        (QRELS + "q1 0 d8 yes\n", RUN, ["the relevance in line 5 of qrels.txt"]),
        ("q1 0 d1 0\n", RUN, ["no query of qrels.txt has a relevant document"]),
        (QRELS, "x Q0 d1 1 1 t\n", ["0.run has no document for any of the 2 queries"]),
        (QRELS, b"q1 Q0 \xff 1 1 t\n", ["0.run is not UTF-8", "line 1"]),
        (QRELS, b"q1\0Q0", ["0.run is no text"]),
        (QRELS, gzip.compress(RUN.encode(), mtime=0)[:-9], ["0.run is damaged"]),
        (RUN, RUN, ["line 1 of qrels.txt has 6 fields"]),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(
    qrels: str, run: str | bytes, parts: list[str], tmp_path: Path
) -> None:
    named = files(tmp_path, qrels, run)
    error = refused(lambda: read_trec(*named), *parts)
    assert error.where or error.why


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    qrels, runs = files(tmp_path, QRELS, RUN)
    refused(lambda: read_trec(tmp_path / "none", runs), "there is no file none")
    refused(lambda: read_trec(tmp_path, runs), "is a folder")
    assert not is_trec_run(tmp_path / "none")
    assert not is_trec_run(tmp_path)
    assert not is_trec_run(qrels)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (RUN.encode(), True),
        (b"\xef\xbb\xbf\r\n  q1\tQ0\td2  1 -3.5e2 some-tag\r\n", True),
        (gzip.compress(RUN.encode(), mtime=0), True),
        (gzip.compress(RUN.encode(), mtime=0)[:40], True),
        (b"", False),
        (b"id,truth,score\n1,0,0.5\n", False),
        (b"a b c d e f\n", False),
        (b"q1 Q0 d 1.5 2 t\n", False),
        (b"q1 Q0 d 1 nan t\n", False),
        (b"PAR1\x00\x01", False),
        (b"\x1f\x8bnot gzip", False),
    ],
)
def test_a_run_is_known_by_its_first_line(text: bytes, answer: bool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(text)
    assert is_trec_run(path) is answer


def test_values_are_trec_eval_s_on_the_same_files(tmp_path: Path) -> None:
    """With equal scores and documents nobody judged; every query is answered."""
    import numpy as np

    rng = np.random.default_rng(3)
    qrels, run = [], []
    for query in range(60):
        judged = rng.choice(100, 12, replace=False)
        grades = [1, *rng.integers(-1, 3, 11)]
        qrels += [f"t{query} 0 d{d} {g}" for d, g in zip(judged, grades, strict=True)]
        ranked = rng.choice(100, 40, replace=False)
        run += [f"t{query} Q0 d{d} 0 {rng.integers(20) / 4} x" for d in ranked]
    first, runs = files(tmp_path, "\n".join(qrels), "\n".join(run))
    outcomes, _ = read_trec(first, runs)
    names = {"ndcg@10": "ndcg_cut_10", "map": "map", "mrr": "recip_rank", "recall@10": "recall_10"}
    plan = plan_for_outcomes(outcomes, task="ranking", metrics=list(names))
    found = {e.metric: e.value for e in evaluate_outcomes(outcomes, plan).models[0].estimates}
    with first.open() as judged_file, runs["0"].open() as run_file:
        evaluator = pytrec_eval.RelevanceEvaluator(
            pytrec_eval.parse_qrel(judged_file), {"ndcg_cut.10", "map", "recip_rank", "recall.10"}
        )
        theirs = evaluator.evaluate(pytrec_eval.parse_run(run_file)).values()
    for ours, name in names.items():
        assert found[ours] == pytest.approx(np.mean([one[name] for one in theirs]), rel=1e-12)


def test_a_flat_table_is_a_row_for_each_query_its_documents_by_their_ids() -> None:
    outcomes, said = nested(flat())
    assert outcomes.to_dicts() == [
        {"id": "a", "truth": [0, 2], "score.mine": [2, 3]},
        {"id": "b", "truth": [0, 1], "score.mine": [0.25, 0.5]},
    ]
    assert said == []


def test_what_is_of_a_query_goes_with_it() -> None:
    frame = flat(
        user=["u", "u", None, None, None],
        w=[2.0, 2.0, 0.5, 0.5, 0.5],
        kind=["short", "short", "long", "long", "long"],
    )
    outcomes, _ = nested(frame, cluster="user", weight="w", slices={"kind": "kind"})
    assert outcomes.columns == ["id", "truth", "score.mine", "cluster", "weight", "slice.kind"]
    assert outcomes["cluster"].to_list() == [None, "u"]
    assert outcomes["weight"].to_list() == [0.5, 2]
    assert outcomes["slice.kind"].to_list() == ["long", "short"]


def test_a_query_has_one_cluster_weight_and_slice() -> None:
    frame = flat(user=["u", "v", "w", "w", "w"])
    for option in ({"cluster": "user"}, {"slices": {"who": "user"}}):
        refused(lambda o=option: nested(frame, **o), "'b' has more than one value of 'user'", "'v'")
    weights = flat(w=[1, 1, -1, -1, -1])
    refused(lambda: nested(weights, weight="w"), "the weight is negative")


def test_numbers_for_queries_and_documents_are_names() -> None:
    frame = flat(query=[10, 10, 9, 9, 9], doc=[3, 20, 1, 2, 3])
    outcomes, _ = nested(frame)
    assert outcomes["id"].to_list() == ["10", "9"]
    assert outcomes["truth"].to_list() == [[0, 1], [2, 0]]  # "20" comes before "3"


def test_documents_without_names_stand_in_the_order_of_their_rows() -> None:
    outcomes, said = nested(flat(mine=[1, 1, 1, 1, 1]), document=None)
    assert outcomes["truth"].to_list() == [[0, 2, 0], [1, 0]]
    assert said == ["documents have no names: of equal scores the later row comes first"]


def test_missing_and_negative_relevance_is_none_and_said() -> None:
    outcomes, said = nested(flat(truth=[1.0, -1.0, None, 2.0, float("nan")]))
    assert outcomes["truth"].to_list() == [[0, 2], [0, 1]]
    assert said == [
        "2 documents without a relevance: taken as not relevant",
        "1 document of a relevance below 0: taken as not relevant",
    ]


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"query": [None] * 5}, ["the query is missing in 5 rows"]),
        ({"doc": ["y", None, "k", "m", "l"]}, ["the document is missing in 1 row", "row 2"]),
        ({"doc": ["y", "y", "k", "m", "l"]}, ["'b' has the document 'y' 2 times", "rows 1, 2"]),
        ({"truth": ["a", "b", "c", "d", "e"]}, ["'truth' holds no numbers", "row 1", "'a'"]),
        ({"truth": [1.0, 0.0, float("inf"), 1.0, 1.0]}, ["'truth' is infinite in 1 row", "row 3"]),
        ({"truth": [0] * 5}, ["no query of the table has a relevant document"]),
        ({"mine": ["1", "2", "x", "4", "5"]}, ["'mine' holds no numbers", "row 3: 'x'"]),
        ({"mine": [1.0, 2.0, float("-inf"), 4.0, 5.0]}, ["'mine' is infinite in 1 row", "row 3"]),
        ({"mine": [None] * 5}, ["'mine' has no document for any of the 2 queries"]),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_row(
    columns: dict[str, list[object]], parts: list[str]
) -> None:
    refused(lambda: nested(flat(**columns)), *parts)


def test_no_rows_and_no_scores_are_refused() -> None:
    refused(lambda: nested(flat().clear()), "the table has no rows")
    refused(lambda: nested(flat(), scores={}), "the table has no scores")


@pytest.mark.parametrize(
    ("truth", "score", "part"),
    [
        ([[1.0]], [[1.0, 2.0]], "a value for each"),
        ([[1.0], None], [[1.0], None], "a value for each"),
        ([[0.0]], [[1.0]], "1 of 1 queries have no relevant document"),
        ([[1.0], []], [[1.0], []], "1 of 2 queries have no relevant document"),
        ([[1.0, -1.0]], [[1.0, 2.0]], "no relevance"),
        ([[1.0, None]], [[1.0, 2.0]], "no relevance"),
        ([[1.0, float("nan")]], [[1.0, 2.0]], "no relevance"),
        ([[1.0]], [[float("inf")]], "infinite scores"),
        ([["a"]], [[1.0]], "not of numbers"),
        ([1.0], [1.0], "no list for each query"),
    ],
)
def test_outcomes_from_elsewhere_are_checked(truth: object, score: object, part: str) -> None:
    outcomes = pl.DataFrame({"truth": truth, "score.m": score})
    refused(lambda: check(outcomes, ["m"]), part)


def test_another_run_may_be_the_baseline(tmp_path: Path) -> None:
    qrels, runs = files(tmp_path, QRELS, RUN, RUN.replace("d3 2 2.25", "d3 2 9"))
    asked = Asked(baselines=[str(runs["1"])])
    read = open_outcomes(runs["0"], asked, qrels=qrels)
    assert read.baselines == ["1"]
    assert [c for c in read.frame.columns if c.startswith("score.")] == ["score.1", "score.0"]
    for wrong in (Asked(scores=["s"]), Asked(slices=["s"])):
        with pytest.raises(BadInput, match="names a column of a table"):
            open_outcomes(runs["0"], wrong, qrels=qrels)


@given(st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=6)), max_size=4), st.booleans())
@settings(max_examples=200, deadline=None)
def test_damaged_files_are_read_or_refused(cuts: list[tuple[int, bytes]], judgements: bool) -> None:
    """Bytes put into a file at any place: an Outcomes table or a DataError, nothing else."""
    with TemporaryDirectory() as name:
        texts = [QRELS.encode(), RUN.encode()]
        hurt = texts[not judgements]
        for place, put in cuts:
            hurt = hurt[:place] + put + hurt[place + len(put) // 2 :]
        texts[not judgements] = hurt
        qrels, runs = files(Path(name), *texts)
        is_trec_run(qrels)
        try:
            outcomes, _ = read_trec(qrels, runs)
        except DataError:
            return
        check(outcomes, ["0"])
