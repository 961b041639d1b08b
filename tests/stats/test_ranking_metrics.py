"""Rankings: values by a written-out form, trec_eval and scikit-learn; ties; what is absent."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from trackrecord.errors import BadInput
from trackrecord.stats.estimate import Absence, Estimate
from trackrecord.stats.estimates import difference_of, estimate_of, measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.metrics import get_metric, metric_names
from trackrecord.stats.samples import Lists

Relevance = list[list[float]]
Scores = list[list[float | None]]


def value(name: str, truth: Relevance, score: Scores) -> float:
    found = measure(get_metric(name, "ranking"), Lists.of(truth), Lists.of(score))
    assert isinstance(found, Influence), found
    return found.value


# The same written out, a query at a time, from the relevance of the list in order.


def in_order(truth: list[float], score: list[float | None]) -> list[float]:
    places = sorted(
        (at for at, one in enumerate(score) if one is not None),
        key=lambda at: (score[at], at),
        reverse=True,
    )
    return [truth[at] for at in places]


def ndcg(listed: list[float], truth: list[float], k: int, gain: Callable[[float], float]) -> float:
    def dcg(some: list[float]) -> float:
        return sum(gain(r) / math.log2(place + 1) for place, r in enumerate(some[:k], 1))

    return dcg(listed) / dcg(sorted(truth, reverse=True))


def average_precision(listed: list[float], truth: list[float], k: int) -> float:
    seen, total = 0, 0.0
    for place, relevance in enumerate(listed[:k], 1):
        if relevance > 0:
            seen += 1
            total += seen / place
    return total / relevant(truth)


def reciprocal_rank(listed: list[float], truth: list[float], k: int) -> float:
    return next((1 / place for place, r in enumerate(listed[:k], 1) if r > 0), 0.0)


def relevant(some: list[float]) -> int:
    return sum(r > 0 for r in some)


def f1(listed: list[float], truth: list[float]) -> float:
    precision, recall = relevant(listed[:3]) / 3, relevant(listed[:3]) / relevant(truth)
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def exponential(relevance: float) -> float:
    return 2.0**relevance - 1


ALL = 10**6
WRITTEN_OUT: dict[str, Callable[[list[float], list[float]], float]] = {
    "ndcg": lambda listed, truth: ndcg(listed, truth, ALL, float),
    "ndcg@3": lambda listed, truth: ndcg(listed, truth, 3, float),
    "ndcg_exp": lambda listed, truth: ndcg(listed, truth, ALL, exponential),
    "ndcg_exp@10": lambda listed, truth: ndcg(listed, truth, 10, exponential),
    "map": lambda listed, truth: average_precision(listed, truth, ALL),
    "map@3": lambda listed, truth: average_precision(listed, truth, 3),
    "mrr": lambda listed, truth: reciprocal_rank(listed, truth, ALL),
    "mrr@2": lambda listed, truth: reciprocal_rank(listed, truth, 2),
    "recall@3": lambda listed, truth: relevant(listed[:3]) / relevant(truth),
    "precision@3": lambda listed, truth: relevant(listed[:3]) / 3,
    "hit_rate@2": lambda listed, truth: float(relevant(listed[:2]) > 0),
    "r_precision": lambda listed, truth: relevant(listed[: relevant(truth)]) / relevant(truth),
    "f1@3": f1,
}


@st.composite
def rankings(draw: st.DrawFn) -> tuple[Relevance, Scores]:
    """Few queries of any length, with ties, documents not retrieved and odd relevance."""
    truth, score = [], []
    for _ in range(draw(st.integers(1, 6))):
        size = draw(st.integers(1, 20))
        of_query = draw(
            st.lists(st.sampled_from([0.0, 0.0, 0.5, 1.0, 3.0]), min_size=size, max_size=size)
        )
        of_query[draw(st.integers(0, size - 1))] = 2.0
        truth.append(of_query)
        one = st.one_of(
            st.none(),
            st.sampled_from([0.0, 1.0, -0.0, 2.5]),
            st.floats(allow_nan=False, allow_infinity=False),
        )
        score.append(draw(st.lists(one, min_size=size, max_size=size)))
    return truth, score


@given(rankings())
@settings(max_examples=100, deadline=None)
def test_values_are_those_of_the_definitions(drawn: tuple[Relevance, Scores]) -> None:
    truth, score = drawn
    listed = [in_order(r, s) for r, s in zip(truth, score, strict=True)]
    for name, written_out in WRITTEN_OUT.items():
        wanted = np.mean([written_out(one, r) for one, r in zip(listed, truth, strict=True)])
        assert value(name, truth, score) == pytest.approx(wanted, rel=1e-12, abs=1e-14), name


def test_every_metric_is_written_out_here() -> None:
    assert {name.split("@")[0] for name in WRITTEN_OUT} == set(metric_names("ranking"))


TREC = {
    "ndcg": "ndcg",
    "ndcg@10": "ndcg_cut_10",
    "map": "map",
    "map@5": "map_cut_5",
    "mrr": "recip_rank",
    "recall@5": "recall_5",
    "precision@5": "P_5",
    "hit_rate@1": "success_1",
    "r_precision": "Rprec",
}


@pytest.mark.parametrize("distinct", [2, 7, 1000])
def test_values_are_trec_eval_s_also_where_scores_are_equal(distinct: int) -> None:
    rng = np.random.default_rng(distinct)
    truth: Relevance = []
    score: Scores = []
    qrels: dict[str, dict[str, int]] = {}
    runs: dict[str, dict[str, float]] = {}
    for query in range(200):
        size = int(rng.integers(1, 60))
        of_query = rng.choice([0, 0, 0, 1, 2, 3], size)
        of_query[rng.integers(size)] = 1
        # quarters are whole in trec_eval's 32 bits, too
        scores = rng.integers(0, distinct, size) / 4
        retrieved = rng.random(size) < 0.8
        retrieved[0] = True
        documents = sorted(f"d{n}" for n in rng.choice(1000, size, replace=False))
        truth.append(of_query.astype(float).tolist())
        score.append([float(s) if r else None for s, r in zip(scores, retrieved, strict=True)])
        qrels[f"q{query}"] = {d: int(r) for d, r in zip(documents, of_query, strict=True)}
        runs[f"q{query}"] = {
            d: float(s) for d, s, r in zip(documents, scores, retrieved, strict=True) if r
        }
    asked = {re.sub(r"_(\d+)$", r".\1", name) for name in TREC.values()}
    found = pytrec_eval.RelevanceEvaluator(qrels, asked).evaluate(runs)
    for ours, theirs in TREC.items():
        wanted = np.mean([of_query[theirs] for of_query in found.values()])
        assert value(ours, truth, score) == pytest.approx(wanted, rel=1e-12), ours


def test_ndcg_is_scikit_learn_s_where_no_scores_are_equal() -> None:
    rng = np.random.default_rng(5)
    truth, score = rng.integers(0, 4, (100, 30)) + (np.arange(30) == 3), rng.normal(size=(100, 30))
    for ours, k in (("ndcg", None), ("ndcg@10", 10)):
        mine = value(ours, truth.astype(float).tolist(), score.tolist())
        assert mine == pytest.approx(ndcg_score(truth, score, k=k), rel=1e-12)
    gain = ndcg_score(2.0**truth - 1, score, k=10)
    assert value("ndcg_exp@10", truth.astype(float).tolist(), score.tolist()) == pytest.approx(gain)


def test_of_equal_scores_the_later_document_comes_first() -> None:
    assert value("mrr", [[1, 0, 0]], [[5, 5, 5]]) == 1 / 3
    assert value("mrr", [[0, 0, 1]], [[5, 5, 5]]) == 1
    assert value("mrr", [[0, 1, 0]], [[0.0, -0.0, 0.0]]) == 1 / 2


def test_what_was_not_retrieved_stands_nowhere() -> None:
    """Also where its place would be within reach."""
    assert value("hit_rate@10", [[0, 1]], [[3, None]]) == 0
    assert value("mrr", [[0, 1]], [[3, None]]) == 0
    assert value("map", [[1, 1]], [[3, None]]) == 1 / 2
    assert value("recall@1", [[1]], [[-1e300]]) == 1


def test_precision_divides_by_k_where_fewer_were_retrieved() -> None:
    assert value("precision@10", [[1, 0]], [[2, 1]]) == 1 / 10


@pytest.mark.parametrize("name", metric_names("ranking"))
def test_a_query_without_a_relevant_document_has_no_value(name: str) -> None:
    truth, score = Lists.of([[1, 0], [0, 0], []]), Lists.of([[1, 0], [1, 0], []])
    found = measure(get_metric(name, "ranking"), truth, score)
    assert isinstance(found, Absence)
    assert found.reason == "2 of 3 queries have no relevant document"


def test_a_gain_too_great_for_a_number_is_absent() -> None:
    found = measure(get_metric("ndcg_exp", "ranking"), Lists.of([[2000.0]]), Lists.of([[1.0]]))
    assert isinstance(found, Absence)
    assert "2000" in found.reason


def test_bare_names_say_what_they_are_cut_at() -> None:
    for bare, named in (("recall", "recall@10"), ("hit_rate", "hit_rate@10"), ("f1", "f1@10")):
        assert get_metric(bare, "ranking").at == get_metric(named, "ranking").at == (10.0,)
    assert get_metric("ndcg", "ranking").at == ()
    with pytest.raises(BadInput) as caught:
        get_metric("ndcg@0", "ranking")
    assert "ndcg alone is the whole list" in str(caught.value.why)
    for nonsense in ("ndcg@2.5", "ndcg@-1", "ndcg@ten", "ndcg@010", "r_precision@5", "ndcg@1e3"):
        with pytest.raises(BadInput):
            get_metric(nonsense, "ranking")


def test_lists_of_very_different_lengths_are_each_in_order() -> None:
    rng = np.random.default_rng(8)
    sizes = np.array([0, 1, 2, 3, 5000, 1, 0, 64, 65, 33, 7])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    values = np.round(rng.normal(size=starts[-1]), 1)
    values[rng.random(values.size) < 0.2] = np.nan
    order = Lists(values, starts).descending
    for first, last in pairwise(starts):
        mine = order[first:last]
        at = np.arange(first, last)
        wanted = sorted(at, key=lambda i: (not np.isnan(values[i]), values[i], i), reverse=True)
        known = ~np.isnan(values[mine])
        assert mine[known].tolist() == [i for i in wanted if not np.isnan(values[i])]
        assert sorted(mine.tolist()) == at.tolist()
        assert not known[np.count_nonzero(known) :].any()


def test_hit_rate_has_wilson_s_interval_and_others_their_influences() -> None:
    rng = np.random.default_rng(9)
    truth = [[1.0, 0.0, 0.0]] * 200
    score = Lists.of(rng.normal(size=(200, 3)).tolist())
    for name, method in (("hit_rate@1", "Wilson"), ("mrr", "influence, logit scale")):
        metric = get_metric(name, "ranking")
        found = estimate_of(metric, measure(metric, Lists.of(truth), score))
        assert isinstance(found, Estimate)
        assert found.method.startswith(method)
        assert found.lo < found.value < found.hi


def test_a_perfect_ranking_of_few_queries_is_not_sure() -> None:
    truth, score = Lists.of([[1.0, 0.0]] * 30), Lists.of([[2.0, 1.0]] * 30)
    for name in ("mrr", "ndcg@10", "map", "hit_rate@1"):
        metric = get_metric(name, "ranking")
        found = estimate_of(metric, measure(metric, truth, score))
        assert isinstance(found, Estimate)
        assert (found.value, found.hi) == (1.0, 1.0)
        assert 0.85 < found.lo < 0.95


def test_other_scores_of_the_same_ranking_make_no_difference() -> None:
    rng = np.random.default_rng(10)
    scores = rng.normal(size=(50, 8))
    truth = Lists.of((rng.random((50, 8)) + (np.arange(8) == 0) > 0.7).astype(float).tolist())
    metric = get_metric("map", "ranking")
    first, second = (
        measure(metric, truth, Lists.of(some.tolist())) for some in (scores, np.exp(scores))
    )
    gap = difference_of(metric, first, second)
    assert isinstance(gap, Estimate)
    assert (gap.value, gap.lo, gap.hi, gap.method) == (0, 0, 0, "the same ranking")


def test_scores_are_sorted_once_for_all_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    import trackrecord.stats.retrieval as retrieval

    sorts = []
    sort = retrieval.descending
    monkeypatch.setattr(retrieval, "descending", lambda *given: sorts.append(1) or sort(*given))
    truth, score = Lists.of([[1, 0], [0, 1]]), Lists.of([[1, 2], [1, 2]])
    for name in metric_names("ranking"):
        measure(get_metric(name, "ranking"), truth, score)
    assert len(sorts) == 1
