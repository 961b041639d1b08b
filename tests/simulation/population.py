"""Populations whose true metrics are known, and samples from them.

A row has a risk L = mu + tau (sqrt(share) a + sqrt(1 - share) z), where a is its cluster's and z
its own standard normal number; it is positive with probability sigmoid(L + v), v normal with
standard deviation ``unseen`` and common to its cluster. Model k sees M = L + e, e normal with its
own deviation, and says sigmoid(alpha + beta M), perhaps rounded so that many rows tie. The true
value of each metric is that of the whole population, by sums over a fine grid of M, with
scikit-learn's and statsmodels' weighted forms: none of the code under test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

ALPHA, BETA = -0.1, 0.9
NOISE = (0.6, 1.0)
GRID = 4001
MOST = 30.0


@dataclass(frozen=True)
class Design:
    """One way to sample: rows, rate of positives, clusters (None: rows are independent), ties.

    ``share`` of a risk's variance and all of ``unseen`` are common to a cluster; ``ties`` is the
    step that log odds are rounded to.
    """

    rows: int
    rate: float
    clusters: int | None = None
    share: float = 0.3
    unseen: float = 0.55
    ties: float | None = None
    tau: float = 1.0

    def __str__(self) -> str:
        text = f"{self.rows:,} rows, {self.rate:.0%}"
        if self.clusters:
            text += f", {self.clusters} clusters"
        if self.tau > 1:
            text += ", nearly perfect"
        return text + (", heavy ties" if self.ties else "")

    @property
    def hidden(self) -> float:
        """The deviation that no model can see: none without clusters."""
        return self.unseen if self.clusters else 0.0


def centre(design: Design) -> float:
    """The mu at which the population's rate is the design's."""
    node, weight = _normal()
    spread = math.hypot(design.tau, design.hidden)
    low, high = -20.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        if float(weight @ expit(middle + spread * node)) < design.rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _normal() -> tuple[np.ndarray, np.ndarray]:
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    return node, weight / weight.sum()


def scored(design: Design, seen: np.ndarray) -> np.ndarray:
    """What a model says of rows whose risk it sees as ``seen``."""
    line = np.clip(ALPHA + BETA * seen, -MOST, MOST)
    if design.ties:
        line = np.round(line / design.ties) * design.ties
    return expit(line)


def true_values(design: Design, model: int) -> dict[str, float]:
    """Each metric of model 0 or 1 over the whole population."""
    import statsmodels.api as sm
    from sklearn import metrics as reference

    mu, noise = centre(design), NOISE[model]
    spread = math.hypot(design.tau, noise)
    seen = mu + spread * np.linspace(-7, 7, GRID)
    mass = np.exp(-0.5 * ((seen - mu) / spread) ** 2)
    mass /= mass.sum()
    pull = design.tau**2 / spread**2
    left = math.sqrt(design.tau**2 * (1 - pull) + design.hidden**2)
    node, weight = _normal()
    chance = expit((mu + pull * (seen - mu))[:, None] + left * node) @ weight
    score = np.tile(scored(design, seen), 2)
    truth = np.repeat([1, 0], GRID)
    rows = np.concatenate([mass * chance, mass * (1 - chance)])
    odds = logit(score)
    family = sm.families.Binomial()
    joint = sm.GLM(truth, np.column_stack([np.ones(odds.size), odds]), family, freq_weights=rows)
    shift = sm.GLM(truth, np.ones((odds.size, 1)), family, offset=odds, freq_weights=rows)
    cut = design.rate
    called, half = score > cut, score > 0.5
    miss, alarm = 1 - cut, cut
    known: dict[str, object] = {"sample_weight": rows}
    area = reference.roc_auc_score(truth, score, **known)
    alarms, hits, _ = reference.roc_curve(truth, score, drop_intermediate=False, **known)
    return {
        "roc_auc": area,
        "gini": 2 * area - 1,
        "partial_auc": reference.roc_auc_score(truth, score, max_fpr=0.1, **known),
        "ks": float(np.abs(hits - alarms).max()),
        "average_precision": reference.average_precision_score(truth, score, **known),
        "log_loss": reference.log_loss(truth, score, **known),
        "brier": reference.brier_score_loss(truth, score, **known),
        "accuracy": reference.accuracy_score(truth, called, **known),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, called, **known),
        "precision": reference.precision_score(truth, called, **known),
        "selection_rate": float(rows @ called),
        "npv": reference.precision_score(1 - truth, ~called, **known),
        "recall": reference.recall_score(truth, called, **known),
        "specificity": reference.recall_score(1 - truth, ~called, **known),
        "jaccard": reference.jaccard_score(truth, called, **known),
        "f1": reference.f1_score(truth, called, **known),
        "f_beta": reference.fbeta_score(truth, half, beta=2, zero_division=0, **known),
        "mcc": reference.matthews_corrcoef(truth, called, **known),
        "kappa": reference.cohen_kappa_score(truth, called, **known),
        "net_benefit": float(rows @ np.where(called, truth - (1 - truth) * cut / (1 - cut), 0)),
        "expected_cost": float(rows @ np.where(called, (1 - truth) * alarm, truth * miss)) / cut,
        "calibration_intercept": float(shift.fit(tol=1e-10).params[0]),
        "calibration_slope": float(joint.fit(tol=1e-10).params[1]),
        "bias": float(rows @ (score - truth)),
        **top_of(truth, score, rows),
        **parts_of(truth, score, rows),
        "brier_uncertainty": design.rate * (1 - design.rate),
    }


def top_of(truth: np.ndarray, score: np.ndarray, rows: np.ndarray, top: float = 0.1) -> dict:
    """What a tenth of the population holds, equal scores taken in part."""
    _, code = np.unique(-score, return_inverse=True)
    mass, hits = np.bincount(code, rows), np.bincount(code, rows * truth)
    curve = np.interp(top, np.r_[0, np.cumsum(mass)], np.r_[0, np.cumsum(hits)])
    rate = float(rows @ truth)
    return {
        "precision_top": curve / top,
        "recall_top": curve / rate,
        "lift": curve / rate / top,
    }


def parts_of(truth: np.ndarray, score: np.ndarray, rows: np.ndarray, bins: int = 10) -> dict:
    """The Brier score's parts and the calibration error, bin by bin."""
    rate = float(rows @ truth)
    reliability = resolution = 0.0
    for k in range(bins):
        mine = (np.floor(score * bins).clip(0, bins - 1) == k) * rows
        if (mass := mine.sum()) > 0:
            reliability += (mine @ score - mine @ truth) ** 2 / mass
            resolution += mass * (mine @ truth / mass - rate) ** 2
    return {
        "brier_reliability": reliability,
        "brier_resolution": resolution,
        "debiased_ece": reliability**0.5,
    }


CUT_AT_RATE = {
    "accuracy",
    "balanced_accuracy",
    "f1",
    "jaccard",
    "kappa",
    "mcc",
    "net_benefit",
    "npv",
    "selection_rate",
    "precision",
    "recall",
    "specificity",
}


def named(metric: str, design: Design) -> str:
    """The metric as a design measures it: its rate is the threshold of those that have one."""
    if metric in CUT_AT_RATE:
        return f"{metric}@{design.rate:g}"
    if metric == "expected_cost":
        return f"{metric}@{round((1 - design.rate) / design.rate, 10):g}-1"
    return metric


@dataclass(frozen=True)
class Sample:
    """Rows drawn: truth (n,), two models' scores (n,), and clusters (n,) or None."""

    truth: np.ndarray
    scores: tuple[np.ndarray, np.ndarray]
    cluster: np.ndarray | None


def draw(design: Design, mu: float, rng: np.random.Generator) -> Sample:
    """One sample of the design; clusters' sizes differ about threefold up and down."""
    n = design.rows
    own = rng.normal(size=n)
    if design.clusters is None:
        cluster, risk, unseen = None, mu + design.tau * own, 0.0
    else:
        weight = rng.lognormal(sigma=0.7, size=design.clusters)
        cluster = rng.choice(design.clusters, size=n, p=weight / weight.sum())
        common = rng.normal(size=design.clusters)[cluster]
        risk = mu + design.tau * (
            math.sqrt(design.share) * common + math.sqrt(1 - design.share) * own
        )
        unseen = design.hidden * rng.normal(size=design.clusters)[cluster]
    truth = (rng.random(n) < expit(risk + unseen)).astype(np.int8)
    first, second = (scored(design, risk + noise * rng.normal(size=n)) for noise in NOISE)
    return Sample(truth, (first, second), cluster)
