"""Processes that record, and kill themselves with SIGKILL at a boundary of their system calls.

    python recorder.py FOLDER COUNT     one child for each boundary, each in its own folder
    python recorder.py EVIDENCE COUNT KILL     one process, which is this one; -1: it is not killed

Every fsync, rename, write, truncation, and creation of a file or folder is a boundary; a process
dies before the KILL-th, or, where that is a write, in a second try after half of its bytes.
`record` is asked for COUNT entries, and each that it acknowledges is printed at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trackrecord.ledger import Subject, record

CALLS = ("fsync", "replace", "write", "ftruncate", "open", "mkdir")
REAL = {name: getattr(os, name) for name in CALLS}


def watch(kill: int, half: bool) -> list[str]:
    """From here on, die at that boundary; returns the growing list of those that were passed."""
    seen: list[str] = []

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            if name == "open" and not given[1] & (os.O_CREAT | os.O_TRUNC):
                return real(*given, **named)
            if len(seen) == kill:
                if half:
                    real(given[0], bytes(given[1])[: len(given[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            seen.append(name)
            return real(*given, **named)

        return call

    for name, real in REAL.items():
        setattr(os, name, guarded(name, real))
    return seen


def record_some(evidence: Path, count: int, out: int) -> None:
    """Record ``count`` entries, and write each acknowledged digest to the descriptor ``out``."""
    for number in range(count):
        entry = record(
            evidence,
            kind="look",
            predicate={"number": number, "process": os.getpid()},
            subjects=[Subject("run", {"sha256": "00" * 32})],
            case="flights",
        )
        REAL["write"](out, f"{entry.digest}\n".encode())


def in_a_child(evidence: Path, count: int, kill: int, half: bool) -> dict[str, Any]:
    """What came of a child that was to die there: how it ended, and what it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen = watch(kill, half)
        record_some(evidence, count, writing)
        REAL["write"](writing, " ".join(seen).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        *acknowledged, seen_text = pipe.read().split("\n")
    _, status = os.waitpid(child, 0)
    return {
        "folder": str(evidence),
        "kill": kill,
        "half": half,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "acknowledged": acknowledged,
        "boundaries": seen_text.split(),
    }


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    if len(sys.argv) > 3:
        watch(int(sys.argv[3]), half=False)
        record_some(folder, count, 1)
        return
    record_some(folder / "warm" / "evidence", 1, os.open(os.devnull, os.O_WRONLY))
    alive = in_a_child(folder / "alive" / "evidence", count, -1, half=False)
    print(json.dumps(alive))
    for kill, name in enumerate(alive["boundaries"]):
        for half in (False, True) if name == "write" else (False,):
            evidence = folder / f"{kill}-{'half' if half else 'before'}" / "evidence"
            print(json.dumps(in_a_child(evidence, count, kill, half)))


if __name__ == "__main__":
    main()
