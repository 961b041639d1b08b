"""The rankings that are raced over: numpy alone, so that every peer's environment can make them."""

from __future__ import annotations

import numpy as np

QUERY, DOCUMENT = "q{:06d}", "d{:05d}"


def rankings(queries: int, documents: int) -> tuple[np.ndarray, np.ndarray]:
    """Relevance 0 to 3 and scores (queries, documents): a tenth relevant, no two scores equal.

    Scores are eighths, which are the same number in 32 bits: trec_eval keeps them so.
    """
    draw = np.random.default_rng(1)
    relevance = draw.integers(1, 4, (queries, documents))
    relevance *= draw.random((queries, documents)) < 0.1
    relevance[:, 0] = 1
    noisy = 0.7 * relevance + draw.normal(size=(queries, documents))
    return relevance, noisy.argsort(axis=1).argsort(axis=1) / 8.0
