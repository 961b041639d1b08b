"""Texts as sets of hashed word runs; MinHash with locality-sensitive hashing, in numpy.

Broder (1997) for the minimum of a random order as an estimate of the Jaccard share; Leskovec,
Rajaraman & Ullman (2020, section 3.4) for bands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

RUN = 3
BANDS, ROWS = 16, 4
ALIKE = 0.6
HALF = 0.5
FEWEST_WORDS = 5
_MIX = np.uint64(0x9E3779B97F4A7C15)


def shingled(texts: pl.Series, run: int) -> tuple[Hashes, NDArray[np.int64]]:
    """All runs of ``run`` words, hashed, one text below the other, and each one's text number.

    A text of fewer words is one run. Case and signs do not count.
    """
    import polars as pl

    words = texts.fill_null("").cast(pl.String).str.to_lowercase().str.extract_all(r"\w+")
    frame = words.alias("word").to_frame().with_row_index("text").explode("word").drop_nulls("word")
    owner = frame["text"].to_numpy().astype(np.int64)
    hashed: Hashes = frame["word"].hash(1).to_numpy()
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
            runs = np.where(same, _mixed(runs * np.uint64(31) + later), runs)
            valid &= same
    first = np.r_[True, owner[1:] != owner[:-1]]
    long = np.zeros(int(owner.max()) + 1, dtype=bool)
    long[owner[valid]] = True
    kept = valid | (first & ~long[owner])
    return runs[kept], owner[kept]


def _mixed(values: Hashes) -> Hashes:
    values = (values ^ (values >> np.uint64(31))) * _MIX
    return values ^ (values >> np.uint64(29))


def signatures(runs: Hashes, owner: NDArray[np.int64], texts: int) -> NDArray[np.uint64]:
    """(texts, 64) minima over each text's runs under 64 orders; the largest number where none."""
    empty = np.iinfo(np.uint64).max
    out = np.full((texts, BANDS * ROWS), empty, dtype=np.uint64)
    if runs.size == 0:
        return out
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    draw = np.random.default_rng(7)
    factors = draw.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
    with np.errstate(over="ignore"):
        for column, factor in enumerate(factors):
            mixed = runs * factor
            mixed ^= mixed >> np.uint64(32)
            mixed *= _MIX
            out[owner[starts], column] = np.minimum.reduceat(mixed, starts)
    return out


def near_texts(train: pl.Series, test: pl.Series) -> NDArray[np.bool_]:
    """Which test texts (n,) have a training text alike by an estimated Jaccard share of 0.6.

    Texts of fewer than 5 words are not judged: they repeat by chance.
    """
    a = signatures(*shingled(train, RUN), len(train))
    b = signatures(*shingled(test, RUN), len(test))
    found = np.zeros(len(test), dtype=bool)
    there = _long(test, FEWEST_WORDS)
    with np.errstate(over="ignore"):
        for band in range(BANDS):
            part = slice(band * ROWS, (band + 1) * ROWS)
            keys, asked = _banded(a[:, part]), _banded(b[:, part])
            order = np.argsort(keys, kind="stable")
            place = np.minimum(np.searchsorted(keys[order], asked), keys.size - 1)
            near = order[place]
            alike = (a[near] == b).mean(1) >= ALIKE
            found |= there & (keys[near] == asked) & alike
    return found


def _banded(rows: Hashes) -> Hashes:
    key = rows[:, 0].copy()
    for column in range(1, rows.shape[1]):
        key = _mixed(key * np.uint64(31) + rows[:, column])
    return key


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
    found = _long(test, gram) & (hits >= HALF * np.maximum(1, total))
    return found


def _long(texts: pl.Series, words: int) -> NDArray[np.bool_]:
    import polars as pl

    counted = texts.fill_null("").cast(pl.String).str.count_matches(r"\w+")
    long: NDArray[np.bool_] = (counted >= words).to_numpy()
    return long
