"""Looking after every answer finds a worse challenger, and none that is as good."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from trackrecord.serving.rollout.judge import Judged, judge
from trackrecord.serving.rollout.plan import planned_units
from trackrecord.serving.rollout.state import Guard, Mode, Rollout, in_share

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def rollout(mode: Mode = "ab", share: float = 0.5, **guard: float) -> Rollout:
    return Rollout(
        case="churn",
        mode=mode,
        champion=1,
        challenger=2,
        share=0.0 if mode == "shadow" else share,
        salt="salt",
        started="2026-01-01T00:00:00Z",
        guard=Guard(**guard),
    )


def answers(
    rng: np.random.Generator,
    n: int,
    *,
    worse: float = 0.0,
    shadow: bool = False,
    share: float = 0.5,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """n units; the challenger's log-odds are ``worse`` off, and each unit's truth is known."""
    log_odds = rng.normal(-1, 1.2, n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(np.int8)
    units = [f"u{number}" for number in range(n)]
    new = np.array([in_share(unit, "salt", share) for unit in units])
    frames = []
    for version, chosen in ((1, ~new), (2, new)):
        kept = np.ones(n, bool) if shadow else chosen
        off = worse if version == 2 else 0.0
        frames.append(
            pl.DataFrame(
                {
                    "unit": np.array(units)[kept],
                    "time": np.flatnonzero(kept),
                    "version": [version] * int(kept.sum()),
                    "role": ["shadow" if shadow and version == 2 else "answer"] * int(kept.sum()),
                    "seconds": [0.002] * int(kept.sum()),
                    "probability": 1 / (1 + np.exp(-(log_odds[kept] + off))),
                }
            )
        )
    known = pl.DataFrame({"unit": units, "truth": truth, "added": [START] * n})
    return pl.concat(frames).sort("time"), known


def judged(seed: int, n: int, asked: Rollout, **options: float) -> Judged:
    told, truth = answers(
        np.random.default_rng(seed), n, shadow=asked.mode == "shadow", share=asked.share or 0.5,
        **options,
    )  # fmt: skip
    return judge(asked, told, truth, threshold=0.5)


def test_a_challenger_that_is_as_good_is_waited_for() -> None:
    found = judged(1, 4000, rollout())
    assert found.decision == "wait"
    assert found.gain.lo < 0 < found.gain.hi
    assert found.ratio is not None
    assert found.ratio < 10


@pytest.mark.parametrize("mode", ["shadow", "ab"])
def test_a_challenger_that_is_worse_is_stopped(mode: Mode) -> None:
    found = judged(2, 6000, rollout(mode), worse=2.5)
    assert found.decision == "stop"
    assert "mean squared error" in found.why


@pytest.mark.parametrize("mode", ["shadow", "ab"])
def test_a_challenger_that_is_better_may_be_promoted(mode: Mode) -> None:
    told, truth = answers(np.random.default_rng(3), 6000, worse=2.5, shadow=mode == "shadow")
    swapped = told.with_columns(version=3 - pl.col("version"))
    if mode == "shadow":
        swapped = swapped.with_columns(
            role=pl.when(pl.col("version") == 2).then(pl.lit("shadow")).otherwise(pl.lit("answer"))
        )
    assert judge(rollout(mode), swapped, truth, threshold=0.5).decision == "promote"


def test_a_shadow_needs_fewer_units_than_two_arms() -> None:
    alone = judged(4, 3000, rollout("shadow"), worse=0.5).gain
    arms = judged(4, 3000, rollout("ab"), worse=0.5).gain
    assert alone.hi - alone.lo < arms.hi - arms.lo
    assert planned_units("shadow", 0.0, 0.01) < planned_units("ab", 0.5, 0.01)
    assert planned_units("ab", 0.5, 0.01) < planned_units("canary", 0.05, 0.01)


def test_rows_without_an_answer_stop_it_without_any_truth() -> None:
    told, truth = answers(np.random.default_rng(5), 4000)
    broken = (pl.col("version") == 2) & (pl.col("time") % 5 == 0)
    told = told.with_columns(probability=pl.when(broken).then(None).otherwise("probability"))
    found = judge(rollout(), told, truth.head(0), threshold=0.5)
    assert found.decision == "stop"
    assert "rows without an answer" in found.why


def test_slow_answers_stop_it() -> None:
    told, truth = answers(np.random.default_rng(6), 3000)
    slow = pl.when(pl.col("version") == 2).then(0.9).otherwise("seconds")
    assert (
        judge(rollout(), told.with_columns(seconds=slow), truth, threshold=0.5).decision == "stop"
    )


def test_decisions_that_differ_are_counted_in_shadow() -> None:
    found = judged(7, 3000, rollout("shadow", disagreement=0.02, loss=1.0), worse=1.0)
    assert found.decision == "stop"
    assert "decisions that differ" in found.why


def test_units_that_came_in_other_shares_stop_everything() -> None:
    told, truth = answers(np.random.default_rng(8), 4000, share=0.4)
    found = judge(rollout(), told, truth, threshold=0.5)
    assert found.decision == "stop"
    assert "shares" in found.why


def test_nothing_answered_yet_is_waited_for() -> None:
    told, truth = answers(np.random.default_rng(9), 10)
    for mode in ("shadow", "ab"):
        found = judge(rollout(mode), told.head(0), truth, threshold=0.5)  # type: ignore[arg-type]
        assert (found.decision, found.gain.difference) == ("wait", None)


@pytest.mark.slow
def test_a_look_after_every_few_answers_seldom_decides_wrongly() -> None:
    """Type I error with 40 looks: of 200 challengers that are the champion, at most 5 in 100."""
    wrong = 0
    for seed in range(200):
        told, truth = answers(np.random.default_rng(1000 + seed), 2000)
        asked = rollout()
        for look in range(50, 2001, 50):
            seen = told.filter(pl.col("time") < look)
            if judge(asked, seen, truth, threshold=0.5).decision != "wait":
                wrong += 1
                break
    assert wrong / 200 <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5


def test_a_unit_is_always_in_the_same_arm_and_arms_have_their_share() -> None:
    units = [f"unit {number}" for number in range(20_000)]
    first = [in_share(unit, "a", 0.3) for unit in units]
    assert first == [in_share(unit, "a", 0.3) for unit in units]
    assert abs(np.mean(first) - 0.3) < 0.012
    other = [in_share(unit, "b", 0.3) for unit in units]
    both = np.mean(np.array(first) & np.array(other))
    assert abs(both - 0.09) < 0.01
