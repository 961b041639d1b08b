"""Probabilities for each row from a model that has not seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.drift.classifier import folds_of
from trackrecord.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TREES = 100


def crossfitted(
    features: NDArray[np.float64], label: NDArray[np.int64], kinds: int, seed: int = 0
) -> NDArray[np.float64]:
    """(n, kinds): extremely randomised trees (Geurts et al. 2006), fitted on four fifths at a time.

    Rows that say the same are never on both sides. Missing numbers are NaN. Raises DataError where
    there is no feature.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    if features.shape[1] == 0:
        raise DataError("no column is left to judge labels by", why="all are names, text or times")
    draw = np.random.default_rng(seed)
    fold = folds_of(features, draw)
    found = np.full((label.size, kinds), 1 / kinds)
    for number in np.unique(fold):
        held, fit = fold == number, fold != number
        if np.unique(label[fit]).size < 2:
            continue
        model = ExtraTreesClassifier(TREES, min_samples_leaf=2, random_state=seed)
        model.fit(features[fit], label[fit])
        told = np.zeros((int(held.sum()), kinds))
        told[:, model.classes_] = model.predict_proba(features[held])
        found[held] = told
    return found
