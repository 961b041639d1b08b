"""Races `record` against the same bytes and the same fsyncs written by hand.

An append is three fsyncs: the evidence's file, the folder that names it, the chain. The raw run
does just these system calls – temporary file, write, fsync, rename, fsync of the folder, write to
the open chain, fsync – with no digest, no JSON, no lock and no look at the chain's end. Runs take
turns, so that both meet the same disk; the median of the runs counts.

    python benchmarks/ledger/run.py [--appends 500] [--runs 5] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import filelock
import msgspec

from trackrecord.ledger import Subject, read_chain, record
from trackrecord.version import __version__


def append(folder: Path, appends: int) -> float:
    """Seconds for ``appends`` calls of `record`."""
    evidence = folder / "evidence"
    record(evidence, kind="look", predicate={"warm": True}, subjects=[], case="flights")
    subject = Subject("runs/flights/0001/predictions.parquet", {"sha256": "ab" * 32})
    start = time.perf_counter()
    for number in range(appends):
        record(
            evidence,
            kind="evaluation",
            predicate={"look": number, "models": [{"name": "gbm", "auc": number / 7}] * 10},
            subjects=[subject],
            case="flights",
        )
    return time.perf_counter() - start


def raw(folder: Path, pieces: dict[str, bytes], lines: list[bytes]) -> float:
    """Seconds for the same writes to files of the same names, and the same fsyncs, by hand."""
    evidence = folder / "raw"
    evidence.mkdir(parents=True)
    chain = os.open(evidence / "chain.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    directory = os.open(evidence, os.O_RDONLY)
    names = [(f"{evidence}/.{name}.4711-0123abcd.new", f"{evidence}/{name}") for name in pieces]
    start = time.perf_counter()
    for (temporary, final), piece, line in zip(names, pieces.values(), lines, strict=True):
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(file, piece)
        os.fsync(file)
        os.close(file)
        os.replace(temporary, final)
        os.fsync(directory)
        os.write(chain, line)
        os.fsync(chain)
    seconds = time.perf_counter() - start
    os.close(directory)
    os.close(chain)
    return seconds


def bare(folder: Path, appends: int) -> float:
    """Seconds for three times as many fsyncs of one file that grows: no name is ever made."""
    file = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    start = time.perf_counter()
    for _ in range(3 * appends):
        os.write(file, b"x" * 370)
        os.fsync(file)
    seconds = time.perf_counter() - start
    os.close(file)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--appends", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to race on")
    options = parser.parse_args()
    count = options.appends
    taken: dict[str, list[float]] = {"record": [], "raw": [], "bare": []}
    for _ in range(options.runs):
        folder = Path(tempfile.mkdtemp(dir=options.folder))
        try:
            taken["record"].append(append(folder, count))
            evidence = folder / "evidence"
            entries = read_chain(evidence)[1:]
            names = [f"{entry.evidence}.json" for entry in entries]
            pieces = {name: (evidence / name).read_bytes() for name in names}
            lines = (evidence / "chain.jsonl").read_bytes().splitlines(keepends=True)[1:]
            taken["raw"].append(raw(folder, pieces, lines))
            taken["bare"].append(bare(folder, count))
        finally:
            shutil.rmtree(folder)
    median = {name: statistics.median(times) for name, times in taken.items()}
    print(
        f"trackrecord {__version__}, Python {platform.python_version()}, "
        f"msgspec {msgspec.__version__}, filelock {filelock.__version__}; "
        f"median of {options.runs} runs of {count} appends; "
        f"{len(pieces[names[0]]):,} bytes of evidence each.\n"
    )
    print("| what | appends/s | ms each | time against raw |")
    print("|---|---:|---:|---:|")
    for name, said in (
        ("raw", "raw: 3 fsyncs and a rename, by hand"),
        ("bare", "bare: 3 fsyncs of one growing file, no rename"),
        ("record", "`record`"),
    ):
        seconds = median[name]
        print(
            f"| {said} | {count / seconds:,.0f} | {seconds / count * 1e3:.2f} "
            f"| {seconds / median['raw']:.2f} |"
        )


if __name__ == "__main__":
    main()
