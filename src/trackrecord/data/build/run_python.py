"""Runs a step in Python in a process of its own, with limits in time and memory.

Nothing is claimed about what the process may touch: it can read files and reach the network like
any program that a person starts. The limits are there for what goes wrong by accident.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from trackrecord.data.build.python_reads import Declared
from trackrecord.data.build.run_sql import Ran
from trackrecord.data.build.writing import FULL, is_full, write_table
from trackrecord.data.ingest.store import temporary
from trackrecord.errors import BadInput, DataError

POLL_SECONDS = 0.1
MOST_PRINTED = 1 << 14
# Sets of strings are walked through in one order, and numbers are summed in one, each time.
_SETTINGS = {
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}


class Elsewhere(Exception):
    """The other process's traceback, for ``--debug``."""

    def __str__(self) -> str:
        return f"in the process of the step\n\n{self.args[0]}"


def engine() -> str:
    """What runs Python here."""
    python = ".".join(map(str, sys.version_info[:3]))
    return f"Python {python}, polars {version('polars')}"


def run_python(
    file: Path,
    where: str,
    step_is: Declared,
    tables: Mapping[str, Path],
    out: Path,
    *,
    seconds: float,
    memory: int | None,
    step: Callable[[float], None] = lambda share: None,
) -> Ran:
    """Run the step in ``file`` on ``tables`` and write the table that it returns to ``out``.

    Raises
    ------
    DataError
        For a step that raises, exits, returns no table, or is over its time or its memory; with the
        line of its file.
    """
    with (
        tempfile.TemporaryDirectory(prefix="trackrecord-step-") as folder,
        temporary(out.with_suffix(".arrow")) as arrow,
    ):
        crash, answer = Path(folder, "crash"), Path(folder, "answer")
        order = {
            "parent": os.getpid(),
            "file": str(file),
            "function": step_is.function,
            "lazy": step_is.lazy,
            "inputs": {name: str(path) for name, path in tables.items()},
            "out": str(arrow),
            "crash": str(crash),
            "answer": str(answer),
            "memory": memory or _most(),
        }
        printed, code = _wait(order, where, seconds)
        if not answer.exists():
            raise _died(code, where, file, crash)
        _check(json.loads(answer.read_text("utf-8")), where, memory or _most())
        step(0.8)
        import pyarrow as pa

        with pa.memory_map(str(arrow)) as source:
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(n) for n in range(reader.num_record_batches))
            written = write_table(batches, reader.schema, out, where)
        return Ran(written, [], printed)


def _wait(order: dict[str, Any], where: str, seconds: float) -> tuple[str, int]:
    """Run the process to its end: what it printed, and its exit code."""
    with _process() as process:
        said: list[bytes] = []
        assert process.stdout is not None
        listener = threading.Thread(target=_listen, args=(process.stdout, said), daemon=True)
        listener.start()
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # it has died; its end is told by its code
            process.stdin.write(json.dumps(order).encode())
            process.stdin.close()
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise DataError(
                f"{where} did not come to an end",
                where=where,
                why=f"it was stopped after {_minutes(seconds)}",
                next="mend it, or give it more time: trackrecord data build --minutes 60",
            ) from None
        # A process that the step started may still hold the pipe.
        listener.join(1.0)
        text = b"".join(said[:1]).decode("utf-8", "replace").rstrip()
        return text, code


@contextlib.contextmanager
def _process() -> Iterator[subprocess.Popen[bytes]]:
    """The process; ended afterwards with all that it started, if it still runs."""
    try:
        process = subprocess.Popen(
            # -P keeps files of the current folder from being imported in place of packages.
            [sys.executable, "-P", "-m", "trackrecord.data.build.python_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **_SETTINGS},
            # Ctrl-C is for the first process, which ends this one.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        raise BadInput(
            "the process for the step could not be started",
            why=error.strerror or str(error),
            next="close some programs, then type the same command again",
        ) from error
    try:
        yield process
    finally:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
            else:
                process.kill()
        process.wait()


def _listen(stream: IO[bytes], said: list[bytes]) -> None:
    """Keep the first of what is printed, and let the rest go: a step may print for ever."""
    kept = b""
    with contextlib.suppress(OSError, ValueError):
        while data := os.read(stream.fileno(), 1 << 16):
            if len(kept) < MOST_PRINTED:
                kept = (kept + data)[:MOST_PRINTED]
                said[:] = [kept]


def _most() -> int | None:
    """Three quarters of the machine's memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4
    except (AttributeError, ValueError, OSError):
        return None


def _check(answer: dict[str, Any], where: str, memory: int | None) -> None:
    """Raise DataError unless the step gave a table."""
    if answer.get("form"):
        return
    if kind := answer.get("no_table"):
        raise DataError(
            f"{where} returned {kind}, which is no table",
            where=where,
            why="a step returns a polars DataFrame or LazyFrame, or a pandas or pyarrow table",
            next="return the table at the end of the function",
        )
    line = answer.get("line")
    why = str(answer["error"])[:500]
    advice = "mend that line, then: trackrecord data build"
    if answer.get("exit"):
        why = "it called exit(), which no step needs: what it returns is its result"
    if answer.get("memory") and memory is not None:
        why = f"it needs more than {memory / 1e9:.1f} GB of memory"
        advice = "take its inputs as LazyFrames, or: trackrecord data build --memory GB"
    if is_full(why):
        advice = FULL
    error = DataError(
        f"{where} failed", where=f"{where}:{line}" if line else where, why=why, next=advice
    )
    if answer.get("traceback"):
        error.__cause__ = Elsewhere(answer["traceback"])
    raise error


def _died(code: int, where: str, file: Path, crash: Path) -> DataError:
    """The error for a process that ended without a word of its own."""
    told = crash.read_text("utf-8", "replace") if crash.exists() else ""
    line = next(
        (
            text.rpartition("line ")[2].partition(" ")[0]
            for text in told.splitlines()
            if f'"{file}", line' in text
        ),
        None,
    )
    why = f"it ended its process with code {code}, which no step should do: os._exit, for one"
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        known = {
            "SIGKILL": "killed from outside; the system does so when memory runs out",
            "SIGSEGV": "a crash in compiled code, or a recursion too deep",
            "SIGABRT": "compiled code gave up, as it does when memory runs out",
        }
        why = f"{name}: {known.get(name, 'the system ended it')}"
    error = DataError(
        f"{where} ended its process",
        where=f"{where}:{line}" if line else where,
        why=why,
        next="mend it there; its table was not made",
    )
    if told.strip():
        error.__cause__ = Elsewhere(told)
    return error


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
