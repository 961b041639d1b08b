"""Texts as sets of hashed word runs (shingles; Broder 1997), in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

RUN = 3
HALF = 0.5
FEWEST_WORDS = 5
_MIX = np.uint64(0x9E3779B97F4A7C15)


def shingled(texts: pl.Series, run: int) -> tuple[Hashes, NDArray[np.int64]]:
    """All runs of ``run`` words, hashed, one text below the other, and each one's text number.

    A text of fewer words is one run. Case and signs do not count.
    """
    import polars as pl

    lists = texts.fill_null("").cast(pl.String).str.to_lowercase().str.extract_all(r"\w+")
    words = lists.list.len().to_numpy()
    owner = np.repeat(np.arange(len(texts)), words)
    hashed: Hashes = lists.explode().drop_nulls().hash(1).to_numpy()
    if hashed.size == 0:
        return hashed, owner
    with np.errstate(over="ignore"):
        runs = hashed.copy()
        valid = np.ones(hashed.size, dtype=bool)
        for step in range(1, run):
            later = np.zeros_like(hashed)
            later[:-step] = hashed[step:]
            same = np.zeros(hashed.size, dtype=bool)
            same[:-step] = owner[step:] == owner[:-step]
            # A text shorter than a run is kept whole: what follows it does not count.
            runs = np.where(same, mixed(runs * np.uint64(31) + later), runs)
            valid &= same
    first = np.r_[True, owner[1:] != owner[:-1]]
    long = np.zeros(int(owner.max()) + 1, dtype=bool)
    long[owner[valid]] = True
    kept = valid | (first & ~long[owner])
    return runs[kept], owner[kept]


def mixed(values: Hashes) -> Hashes:
    """Each number as another whose bits depend on all of its."""
    values = (values ^ (values >> np.uint64(31))) * _MIX
    return values ^ (values >> np.uint64(29))


def contained(train: pl.Series, test: pl.Series, gram: int) -> NDArray[np.bool_]:
    """Which test texts (n,) have at least half of their runs of ``gram`` words in the training.

    Texts of fewer than ``gram`` words are not judged.
    """
    known = np.unique(shingled(train, gram)[0])
    runs, owner = shingled(test, gram)
    found = np.zeros(len(test), dtype=bool)
    if known.size == 0 or runs.size == 0:
        return found
    place = np.minimum(np.searchsorted(known, runs), known.size - 1)
    hits = np.bincount(owner, weights=known[place] == runs, minlength=len(test))
    total = np.bincount(owner, minlength=len(test))
    found = long_texts(test, gram) & (hits >= HALF * np.maximum(1, total))
    return found


def long_texts(texts: pl.Series, words: int) -> NDArray[np.bool_]:
    """Which texts (n,) have at least so many words."""
    import polars as pl

    counted = texts.fill_null("").cast(pl.String).str.count_matches(r"\w+")
    long: NDArray[np.bool_] = (counted >= words).to_numpy()
    return long
