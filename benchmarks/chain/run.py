"""Races checking and reading a long chain against ``sha256sum`` over the same bytes.

Checking is: every line has exactly the form of an entry, its digest holds, it is bound to the line
before, its number and its calendar day are right. Best of five, the file warm in the page cache.

    python benchmarks/chain/run.py [--entries 100000]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from trackrecord.ledger import case_digest, check_chain, read_chain
from trackrecord.ledger.append import make_line
from trackrecord.ledger.branches import read_row
from trackrecord.ledger.index import entries_of
from trackrecord.ledger.merging import merge_heads

KINDS = ("look", "evaluation", "run", "contrast", "amendment")


def make_chain(path: Path, entries: int) -> None:
    """A chain of 50 cases."""
    cases = [case_digest(f"case-{number}") for number in range(50)]
    last = []
    with path.open("wb") as file:
        for seq in range(entries):
            evidence = hashlib.sha256(b"%d" % seq).hexdigest()
            _, line = make_line(
                kind=KINDS[seq % 5], case=cases[seq % 50], evidence=evidence, follows=last, seq=seq
            )
            row = read_row(line[:-1], 0)
            assert row is not None
            last = [row]
            file.write(line)


def best(races: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each race's best run; they take turns, so that a busy moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in races}
    for _ in range(rounds):
        for name, action in races.items():
            start = time.perf_counter()
            action()
            times[name].append(time.perf_counter() - start)
    return {name: min(taken) for name, taken in times.items()}


def command(*words: str | Path) -> Callable[[], object]:
    return lambda: subprocess.run([str(word) for word in words], check=True, capture_output=True)


def openssl_sha256(path: Path) -> str:
    """What hashlib does: it has the processor's SHA instructions, which sha256sum may lack."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entries", type=int, default=100_000)
    count = parser.parse_args().entries
    folder = Path(tempfile.mkdtemp())
    try:
        evidence = folder / "evidence"
        evidence.mkdir()
        chain, index = evidence / "chain.jsonl", folder / "index.sqlite"
        make_chain(chain, count)
        os.utime(chain, (1.7e9, 1.7e9))
        if check_chain(evidence).entries != count or check_chain(evidence).problems:
            raise SystemExit("the chain is not whole: that is a bug")
        size = chain.stat().st_size

        def cold() -> object:
            index.unlink(missing_ok=True)
            return entries_of(evidence, index)

        python = sys.executable
        program = (
            "import sys, pathlib, trackrecord.ledger as l; l.check_chain(pathlib.Path(sys.argv[1]))"
        )
        seconds = best(
            {
                "sha256sum, the program": command("sha256sum", chain),
                "OpenSSL's SHA-256 in this process": lambda: openssl_sha256(chain),
                "`check_chain`": lambda: check_chain(evidence),
                "`python -c` that only calls it": command(python, "-c", program, evidence),
                "`read_chain`: checked, as objects": lambda: read_chain(evidence),
                "`entries_of`, warm cache": lambda: entries_of(evidence, index),
            },
            rounds=7,
        )
        seconds |= best({"`entries_of`, no cache yet": cold}, rounds=3)
        merged(evidence)
        seconds |= best({"`check_chain` of a merged chain": lambda: check_chain(evidence)}, 3)
        version = subprocess.run(["sha256sum", "--version"], capture_output=True, check=True)
        print(
            f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, "
            f"{version.stdout.decode().splitlines()[0]}; {count:,} entries, {size / 1e6:.1f} MB.\n"
        )
        print("| what | seconds | entries/s | time against sha256sum |")
        print("|---|---:|---:|---:|")
        peer = seconds["sha256sum, the program"]
        for name, taken in seconds.items():
            print(f"| {name} | {taken:.3f} | {count / taken:,.0f} | {taken / peer:.2f} |")
    finally:
        shutil.rmtree(folder)


def merged(evidence: Path) -> None:
    """Give the chain a second branch from its middle, and merge it."""
    lines = (evidence / "chain.jsonl").read_bytes().splitlines()
    parent = read_row(lines[len(lines) // 2], 0)
    assert parent is not None
    _, line = make_line(
        kind="look", case=None, evidence="ab" * 32, follows=[parent], seq=parent.seq + 1
    )
    with (evidence / "chain.jsonl").open("ab") as file:
        file.write(line)
    if merge_heads(evidence) is None or check_chain(evidence).problems:
        raise SystemExit("the merged chain is not whole: that is a bug")


if __name__ == "__main__":
    main()
