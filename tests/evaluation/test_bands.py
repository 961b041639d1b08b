"""Slices whose bands hold together, weights, and a plan of before that gives what it gave."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

import trackrecord as tr
from trackrecord.errors import DataError
from trackrecord.evaluation.evaluate import evaluate_outcomes
from trackrecord.evaluation.result import Evaluation

from .test_evaluate import outcomes, plan


def banded(frame: pl.DataFrame | None = None, **changes: Any) -> Evaluation:
    table = outcomes() if frame is None else frame
    return evaluate_outcomes(table, plan(simultaneous=True, **changes))


def test_a_band_is_wider_than_the_slice_s_own_interval_and_holds_it() -> None:
    for part in banded().slices:
        for own, band in zip(part.estimates, part.bands, strict=True):
            assert band.metric == own.metric
            assert band.lo < own.lo < own.hi < band.hi
            assert 0.95 < band.each < 0.95 ** (1 / 4)
        assert [b.metric for b in part.difference_bands] == [e.metric for e in part.differences]


def test_one_slice_alone_has_its_own_interval_as_band() -> None:
    frame = outcomes().with_columns(pl.lit("all").alias("slice.site"))
    (part,) = banded(frame, slices=["site"]).slices
    assert (part.bands[0].lo, part.bands[0].hi) == (part.estimates[0].lo, part.estimates[0].hi)


def test_the_same_slice_twice_costs_less_than_another_one() -> None:
    frame = outcomes().with_columns(pl.col("slice.site").alias("slice.again"))
    twice = banded(frame, slices=["site", "again"]).slices[0].bands[0]
    assert twice.each < 0.95 ** (1 / 4) - 0.005


def test_without_being_asked_there_are_no_bands_and_all_else_is_the_same() -> None:
    plain = evaluate_outcomes(outcomes(), plan())
    assert all(part.bands == part.difference_bands == [] for part in plain.slices)
    stripped = [
        msgspec.structs.replace(part, bands=[], difference_bands=[]) for part in banded().slices
    ]
    assert stripped == plain.slices


def test_a_slice_that_cannot_be_measured_has_no_band() -> None:
    frame = outcomes().with_columns(
        pl.when(pl.int_range(pl.len()) < 10).then(pl.lit("few")).otherwise("slice.site")
        .alias("slice.site")
    )  # fmt: skip
    few = next(part for part in banded(frame).slices if part.value == "few")
    assert few.bands == []
    assert few.absent


def test_an_evaluation_without_the_new_fields_is_read_as_before() -> None:
    old = msgspec.to_builtins(evaluate_outcomes(outcomes(), plan()))
    for part in old["slices"]:
        del part["bands"], part["difference_bands"]
    assert msgspec.convert(old, Evaluation) == evaluate_outcomes(outcomes(), plan())


def test_weights_are_those_of_an_independent_implementation() -> None:
    draw = np.random.default_rng(8)
    score = draw.random(500)
    truth = (draw.random(500) < score).astype(int)
    weight = draw.integers(0, 4, 500)
    found = tr.evaluate(truth, score, weight=weight)
    assert found["roc_auc"].value == pytest.approx(
        roc_auc_score(truth, score, sample_weight=weight), abs=1e-12
    )
    assert found["brier"].value == pytest.approx(
        brier_score_loss(truth, score, sample_weight=weight), abs=1e-12
    )
    curve = found.evaluation.calibration[0]
    total = sum(weight[(score >= b.low) & (score <= b.high)].sum() * b.rate for b in curve.bins)
    assert total == pytest.approx((weight * truth).sum())


def test_equal_weights_change_nothing() -> None:
    draw = np.random.default_rng(8)
    score = draw.random(300)
    truth = (draw.random(300) < score).astype(int)
    even = tr.evaluate(truth, score, weight=np.full(300, 7.0))
    assert even.candidate == tr.evaluate(truth, score).candidate


def test_weighted_and_unweighted_slices_differ() -> None:
    frame = outcomes().with_columns(weight=1.0 + pl.int_range(pl.len()) % 5)
    weighted = evaluate_outcomes(frame, plan(weighted=True))
    assert (
        weighted.slices[0].estimates[0] != evaluate_outcomes(frame, plan()).slices[0].estimates[0]
    )
    with pytest.raises(DataError, match="no column 'weight'"):
        evaluate_outcomes(outcomes(), plan(weighted=True))
