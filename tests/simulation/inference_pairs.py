"""Equivalence, ratios, and prediction-powered means: how often they err."""

from __future__ import annotations

import math

import numpy as np
from tests.simulation.inference_tables import Rate

from trackrecord.stats.equivalence import equivalence, non_inferiority
from trackrecord.stats.influence import mean_of
from trackrecord.stats.prediction_powered import Powered, powered_mean
from trackrecord.stats.ratios import Ratio, ratio_of


def rates(samples: int, seed: int) -> list[Rate]:
    many = 4 * samples
    return [
        *equivalences(many, seed),
        *ratios(many, seed),
        *powered(many, seed),
    ]


def equivalences(tried: int, seed: int) -> list[Rate]:
    found = []
    for n, sd in ((20, 0.3), (200, 1.0)):
        for truth, what, goal in (
            (0.2, "called equivalent on the margin", "at most 5"),
            (0.0, "called equivalent where equal", "high"),
        ):
            rng = np.random.default_rng(seed)
            rows = rng.normal(truth, sd, (tried, n))
            said = [
                equivalence(row.mean(), row.std(ddof=1) / math.sqrt(n), n - 1, low=-0.2, high=0.2)
                for row in rows
            ]
            yes = sum(one.conclusion == "equivalent" for one in said)
            found.append(Rate(f"{n} rows, spread {sd}, margins ± 0.2", what, yes, tried, goal))
    rng = np.random.default_rng(seed)
    rows = rng.exponential(size=(tried, 100)) - 1.2
    claims = [
        non_inferiority(r.mean(), r.std(ddof=1) / 10, 99, margin=0.2, better="higher") for r in rows
    ]
    yes = sum(one.conclusion in ("not inferior", "superior") for one in claims)
    what = "called not inferior on the margin"
    found.append(Rate("100 skewed rows, margin 0.2", what, yes, tried, "about 2.5"))
    return found


def ratios(tried: int, seed: int) -> list[Rate]:
    """Gamma losses, correlated; and a divisor that is hardly known."""
    found = []
    for n, shape, name in (
        (30, 4.0, "30 rows, losses with spread 0.5"),
        (100, 1.0, "100 rows, exponential losses"),
        (1000, 0.2, "1,000 rows, losses with spread 2.2"),
        (40, 0.0, "40 rows, divisor 4 errors from zero"),
    ):
        rng = np.random.default_rng(seed)
        held = offered = log_scale = 0
        for _ in range(tried):
            if shape:
                common = rng.gamma(shape / 2, size=n)
                a = (common + rng.gamma(shape / 2, size=n)) * 0.9 / shape
                b = (common + rng.gamma(shape / 2, size=n)) / shape
                true = 0.9
            else:
                b = rng.normal(1.0, math.sqrt(n) / 4, n)
                a, true = 0.5 * b + rng.normal(0.2, 1, n), 0.7
            one = ratio_of(mean_of(a), mean_of(b), np.zeros(n, np.int8), metric="ratio")
            if isinstance(one, Ratio):
                offered += 1
                log_scale += one.how == "log scale"
                held += one.lo <= true <= one.hi
        note = f"log scale in {100 * log_scale / max(offered, 1):.0f} %"
        if offered < tried:
            note += f", declined {100 * (1 - offered / tried):.1f} %"
        found.append(Rate(name, "ratio held", held, offered, "95", note))
    return found


def powered(tried: int, seed: int) -> list[Rate]:
    """Labels of 0 and 1, judged by one that is right as often as said, and wrongly biased."""
    found = []
    for n, many, right, power in (
        (50, 2000, 0.9, None),
        (200, 2000, 0.9, None),
        (200, 2000, 0.5, None),
        (200, 400, 0.9, None),
        (200, 2000, 0.97, None),
        (200, 2000, 0.9, 1.0),
        (200, 2000, 0.5, 1.0),
    ):
        rng = np.random.default_rng(seed)
        held = offered = 0
        worth = []
        for _ in range(tried):
            truth = (rng.random(n + many) < 0.3).astype(float)
            judge = np.where(rng.random(n + many) < right, truth, 1.0)
            one = powered_mean(truth[:n], judge[:n], judge[n:], metric="rate", power=power)
            if isinstance(one, Powered):
                offered += 1
                worth.append(one.worth)
                held += one.estimate.lo <= 0.3 <= one.estimate.hi
        note = f"worth {np.median(worth):.0f} labels"
        if offered < tried:
            note += f", declined {100 * (1 - offered / tried):.1f} %"
        design = f"{n} labels, {many:,} judged, {100 * right:.0f} % right"
        what = "mean held, power " + ("chosen" if power is None else "1")
        found.append(Rate(design, what, held, offered, "95", note))
    return found
