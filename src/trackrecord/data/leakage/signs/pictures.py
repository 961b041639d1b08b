"""Test pictures that nearly show what a training picture shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trackrecord.data.finding import percent
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.stats.proportions import proportion

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Bits = NDArray[np.float32]

SHARE = 0.002
LEAST = 3
HASH = r"^[0-9a-f]{36}$"
# Half the size, compressed anew and brightened, 95 of 100 pictures stay within 20 bits of 143;
# of unrelated ones, no pair of 8,600 came nearer than 32.
NEAR = 20
# Pictures that are all alike, such as digits of a few pixels, are near by nature: what counts as
# near has to be this many standard deviations from the distance of any two.
APART = 6.0
MOST_TEST, MOST_TRAIN, PAIRS, BLOCK = 4_000, 40_000, 20_000, 500


class Hashes(NamedTuple):
    """Bits (n, 144) as -1 and 1, and the row of each."""

    bits: Bits
    rows: NDArray[np.int64]


@looks_for(
    "test pictures that nearly show what training pictures show",
    kind="L1.4",
    needs="a column of what pictures show, phash",
)
def near_pictures(world: World) -> Iterator[Sign]:
    """Perceptual hashes within 20 bits of a training picture's, where two of the set are far."""
    for name in world.train.columns:
        if not (name == "phash" or name.endswith("_phash")) or name not in world.test.columns:
            continue
        train, test = _hashes(world.train[name]), _hashes(world.test[name])
        if train.rows.size < 2 or test.rows.size < 2:
            continue
        generator = world.generator()
        train = _some(train, MOST_TRAIN, generator)
        test = _some(test, MOST_TEST, generator)
        limit = near_limit(np.vstack([train.bits, test.bits]), generator)
        nearest = _nearest(test.bits, train.bits)
        found = nearest <= limit
        count, n = int(found.sum()), int(found.size)
        lo, hi = proportion(count, n, 0.99)
        yield Sign(
            columns=[name],
            measure="share of test rows",
            value=count / n,
            lo=lo,
            hi=hi,
            n=n,
            large=count >= LEAST and count >= SHARE * n,
            verdict="leak",
            what=f"{count:,} of {n:,} test pictures ({percent(count / n)}) are nearly training "
            f"pictures: at most {limit} of 143 bits of what they show differ",
            fix="drop them, or keep pictures that are alike in one part: split by what was "
            "photographed, before any copy is made of a picture",
            rows=test.rows[found][:10].tolist(),
        )


def near_limit(bits: Bits, generator: np.random.Generator) -> int:
    """How many bits may differ in a near pair; 0 where the whole set is alike."""
    one, other = generator.integers(0, len(bits), (2, PAIRS))
    apart = _distance((bits[one] * bits[other]).sum(1))[one != other]
    # By quartiles, which the few pairs that are copies do not move.
    low, middle, high = np.percentile(apart, [25, 50, 75])
    return max(0, min(NEAR, int(np.floor(middle - APART * (high - low) / 1.349))))


def _hashes(column: pl.Series) -> Hashes:
    import polars as pl

    if column.dtype != pl.String:
        return Hashes(np.zeros((0, 144), np.float32), np.zeros(0, np.int64))
    rows = (column.str.contains(HASH)).fill_null(False).arg_true().to_numpy().astype(np.int64)
    data = bytes.fromhex("".join(column.gather(rows).to_list()))
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(rows.size, 144)
    return Hashes(bits.astype(np.float32) * 2 - 1, rows)


def _some(hashes: Hashes, most: int, generator: np.random.Generator) -> Hashes:
    if hashes.rows.size <= most:
        return hashes
    kept = np.sort(generator.choice(hashes.rows.size, most, replace=False))
    return Hashes(hashes.bits[kept], hashes.rows[kept])


def _distance(agreement: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bits that differ, from the sum of products of -1 and 1."""
    found: NDArray[np.float32] = (144 - agreement) / np.float32(2)
    return found


def _nearest(test: Bits, train: Bits) -> NDArray[np.float32]:
    """The least distance of each test picture to a training picture (test rows,)."""
    parts = [
        _distance((test[start : start + BLOCK] @ train.T).max(1))
        for start in range(0, len(test), BLOCK)
    ]
    return np.concatenate(parts)
