"""Ranking by sorted keys: to the last digits what the rows' own influences give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from trackrecord.stats import counting
from trackrecord.stats.counting import Ranked, keys_of, ranked
from trackrecord.stats.influence import Undefined
from trackrecord.stats.metrics import get_metric
from trackrecord.stats.spread import spread_of

SHAPES: dict[str, Callable[[Any], Any]] = {
    "probabilities": lambda x: 1 / (1 + np.exp(-x)),
    "log odds": lambda x: 9 * x,
    "below zero": lambda x: -np.abs(x),
    "few values": lambda x: np.round(x, 1),
    "one value": np.zeros_like,
    "zeros of both signs": lambda x: np.where(np.abs(x) < 1, 0.0 * x, np.round(x, 2)),
    "all sizes": lambda x: np.sign(x) * np.exp(10 * x),
}


def ranked_rows(truth: np.ndarray, score: np.ndarray) -> Ranked:
    below, above = map(np.sort, keys_of(truth, score))
    return ranked(below, above, int(truth.sum()))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_area_and_precision_have_the_values_and_spreads_of_the_rows(shape: str, kind: Any) -> None:
    draw = np.random.default_rng(4)
    truth = (draw.random(20_000) < 0.2).astype(np.int8)
    score = SHAPES[shape](draw.normal(size=truth.size) + truth).astype(kind)
    found = ranked_rows(truth, score)
    assert found.groups == np.unique(score).size
    references = {"roc_auc": roc_auc_score, "average_precision": average_precision_score}
    for name, reference in references.items():
        value, spread = getattr(found, name)
        whole = get_metric(name).compute(truth, score.astype(np.float64))
        rows = spread_of(whole.influence, truth, None)
        assert value == pytest.approx(reference(truth, score), abs=1e-12)
        assert value == pytest.approx(whole.value, abs=1e-15)
        assert spread.se == pytest.approx(rows.se, rel=1e-12)
        assert spread.degrees == pytest.approx(rows.degrees, rel=1e-9)


def test_a_group_of_more_rows_than_a_block_is_one_group(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(5)
    truth = (draw.random(500) < 0.4).astype(np.int8)
    score = np.round(draw.random(500) + 0.2 * truth, 1)
    whole = ranked_rows(truth, score)
    for block in (2, 7, 64):
        monkeypatch.setattr(counting, "BLOCK", block)
        found = ranked_rows(truth, score)
        assert found.groups == whole.groups
        assert found.roc_auc[0] == whole.roc_auc[0]
        assert found.roc_auc[1].se == pytest.approx(whole.roc_auc[1].se, rel=1e-12)


def test_float32_scores_take_four_bytes_and_float64_scores_eight() -> None:
    for kind, width in ((np.float32, 4), (np.float64, 8)):
        below, above = keys_of(1, np.array([0.5, -0.5, 0.0], kind))
        assert (below.size, above.size) == (1, 2)
        assert below.itemsize == above.itemsize == width


def test_keys_of_each_class_are_those_of_all_rows() -> None:
    draw = np.random.default_rng(6)
    truth = (draw.random(999) < 0.4).astype(np.int8)
    score = draw.normal(size=999)
    together = keys_of(truth, score)
    apart = zip(*(keys_of(label, score[truth == label]) for label in (0, 1)), strict=True)
    for keys, parts in zip(together, apart, strict=True):
        np.testing.assert_array_equal(np.sort(keys), np.sort(np.concatenate(parts)))


def test_one_class_has_no_ranking() -> None:
    below, above = keys_of(1, np.array([0.5, 0.7]))
    with pytest.raises(Undefined, match="every row is positive"):
        ranked(below, above, 2)
    below, above = keys_of(0, np.array([0.5, 0.7]))
    with pytest.raises(Undefined, match="no row is positive"):
        ranked(below, above, 0)
