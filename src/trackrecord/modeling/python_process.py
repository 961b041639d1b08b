"""A case's Python files in a process of their own, so that what ends it does not end the run.

The other side is ``python_child.py``. The models, their seeds and their threads are those of
:func:`trackrecord.modeling.python_file.prepare_python`, and so are the predictions, bit for bit.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from trackrecord.errors import CaseError, DataError, TrackrecordError
from trackrecord.modeling.environment import Threads
from trackrecord.modeling.learner import Fitted, Learner, SourceFile, chosen_features, settings
from trackrecord.modeling.wire import columns_of, receive, send

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import Case, Model

POLL_SECONDS = 0.2
END_SECONDS = 5.0
_ERRORS: dict[str, type[TrackrecordError]] = {"CaseError": CaseError, "DataError": DataError}
_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+) in (?P<name>.+)')

Answer = tuple[dict[str, Any], list[bytes]]


class Elsewhere(Exception):
    """The other process's traceback, for ``--debug``."""

    def __str__(self) -> str:
        return f"in the process of the Python files\n\n{self.args[0]}"


@dataclass
class Host:
    """The process, and what it said of itself: its largest size (10^6 bytes), its threads."""

    case: Case
    folder: Path
    seed: int
    process: subprocess.Popen[bytes]
    answers: queue.Queue[Answer | bytes] = field(default_factory=queue.Queue)
    listeners: list[threading.Thread] = field(default_factory=list)
    memory_mb: float | None = None
    threads: list[Threads] = field(default_factory=list)


@contextmanager
def python_host(case: Case, case_folder: Path, seed: int) -> Iterator[Host]:
    """Start the process; end it afterwards, with all that it started.

    Raises TrackrecordError where the system gives no process.
    """
    try:
        process = subprocess.Popen(
            # -P keeps files of the current folder from being imported in place of packages.
            [sys.executable, "-P", "-m", "trackrecord.modeling.python_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_SETTINGS, "PYTHONHASHSEED": _hash_seed()},
            # Ctrl-C is for the first process, which ends this one.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
    except OSError as error:
        raise TrackrecordError(
            "the process for the case's Python files could not be started",
            why=error.strerror or str(error),
            next=f"trackrecord run {case.name} --in-process",
        ) from error
    host = Host(case, case_folder, seed, process)
    for work in (_hear, _show):
        listener = threading.Thread(target=work, args=(host,), daemon=True)
        listener.start()
        host.listeners.append(listener)
    try:
        yield host
        _end(host)
    finally:
        _kill(host)


# Until BLAS is loaded, nothing else can hold it to one thread.
_SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}


def _hash_seed() -> str:
    """Sets of strings are walked through in the same order each time, unless one asks otherwise."""
    return os.environ.get("PYTHONHASHSEED") or "0"


def prepare_hosted(host: Host, model: Model) -> Learner:
    """What :func:`trackrecord.modeling.python_file.prepare_python` makes, in ``host``.

    Raises what that raises, and CaseError when the model ends the process.
    """
    _ask(
        host,
        model,
        "making it",
        {
            "order": "prepare",
            "path": sys.path,
            "spec": msgspec.msgpack.encode(model),
            "case": host.case.name,
            "features": host.case.features,
            "folder": str(host.folder),
        },
    )
    where = f"model '{model.name}' in the case '{host.case.name}'"
    features = chosen_features(model.features, host.case.features, where)
    sources: list[SourceFile] = []

    def fit(rows: pl.DataFrame, truth: NDArray[np.int8]) -> Fitted:
        blobs = [*columns_of(rows), memoryview(truth.tobytes())]
        _ask(host, model, "fit", {"order": "fit"}, blobs, len(blobs))

        def predict(asked: pl.DataFrame) -> NDArray[np.float64]:
            import numpy as np

            header, found = _ask(
                host,
                model,
                "predict_proba",
                {"order": "predict"},
                columns_of(asked),
                asked.width,
            )
            sources[:] = msgspec.convert(header["sources"], list[SourceFile])
            host.threads.append(msgspec.convert(header["threads"], Threads))
            host.memory_mb = header["peak"]
            return np.frombuffer(found[0], np.float64).reshape(header["shape"])

        return Fitted(predict=predict, parameters=settings(dict(model.parameters)))

    kind = f"python {model.python}"
    return Learner(model.name, "model", kind, features, fit, lambda: list(sources))


def _ask(
    host: Host,
    model: Model,
    doing: str,
    header: dict[str, Any],
    blobs: Iterable[bytes | memoryview] = (),
    count: int = 0,
) -> Answer:
    """Send an order and wait for its answer. Raises what it led to, however it ended."""
    assert host.process.stdin is not None
    with suppress(OSError):  # it has died; its end is told below
        named = {**header, "model": model.name, "seed": host.seed}
        send(host.process.stdin, named, blobs, count)
    answer = _next_answer(host)
    if isinstance(answer, bytes):
        raise _died(host, model, doing, answer.decode("utf-8", "replace"))
    found = answer[0]
    if "bug" in found:
        raise RuntimeError(found["bug"]) from Elsewhere(found["traceback"])
    if "error" in found:
        raise _ERRORS.get(found["error"], TrackrecordError)(
            found["what"], where=found["where"], why=found["why"], next=found["next"]
        ) from Elsewhere(found["traceback"])
    return answer


def _next_answer(host: Host) -> Answer | bytes:
    """The answer; or, once the process has ended, the last that it said."""
    while True:
        try:
            return host.answers.get(timeout=POLL_SECONDS)
        except queue.Empty:
            # Its own end closes the pipe, unless a process that the model forked still holds it.
            if host.process.poll() is not None:
                with suppress(queue.Empty):
                    return host.answers.get(timeout=POLL_SECONDS)
                return b""


def _died(host: Host, model: Model, doing: str, said: str) -> CaseError:
    """``said`` is Python's own account of a crash, with the innermost line first."""
    with suppress(subprocess.TimeoutExpired):
        host.process.wait(END_SECONDS)
    code = host.process.returncode
    file = f"cases/{host.folder.name}/{model.python.partition(':')[0]}"
    error = CaseError(
        f"the model '{model.name}' ended its process in {doing}"
        if " " not in doing
        else f"the model '{model.name}' ended its process while {doing}",
        where=_line_of(said, host.folder) or file,
        why=_end_of(code),
        next="mend it there; nothing was recorded",
    )
    error.__cause__ = Elsewhere(said) if said.strip() else None
    return error


def _end_of(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the process ended with code {code}, which no model should do: os._exit, for one"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    known = {
        "SIGKILL": "killed from outside; the system does so when memory runs out",
        "SIGSEGV": "a crash in compiled code, or a recursion too deep",
        "SIGABRT": "compiled code gave up",
    }
    return f"{name}: {known.get(name, 'the system ended it')}"


def _line_of(said: str, case_folder: Path) -> str | None:
    """The innermost line of the case's own files in Python's account of a crash."""
    folder = case_folder.resolve()
    for frame in _FRAME.finditer(said):
        file = Path(frame["file"])
        if file.is_relative_to(folder):
            shown = file.relative_to(folder).as_posix()
            return f"cases/{case_folder.name}/{shown}:{frame['line']}, in {frame['name']}"
    return None


def _hear(host: Host) -> None:
    assert host.process.stdout is not None
    while True:
        answer = receive(host.process.stdout)
        host.answers.put(answer)
        if isinstance(answer, bytes):
            return


def _show(host: Host) -> None:
    """What the models print, to this process's standard error, where a progress bar may stand."""
    import codecs

    assert host.process.stderr is not None
    stream: IO[bytes] = host.process.stderr
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while data := os.read(stream.fileno(), 1 << 16):
        with suppress(OSError, ValueError):  # nobody reads it any more
            sys.stderr.write(decoder.decode(data))
            sys.stderr.flush()


def _end(host: Host) -> None:
    """No more orders: the process ends by itself, and has time for it."""
    assert host.process.stdin is not None
    with suppress(OSError):
        host.process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        host.process.wait(END_SECONDS)


def _kill(host: Host) -> None:
    """End it if it still runs, with the processes that it started, and hear its last words."""
    process = host.process
    if process.poll() is None:
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # it leads a session of its own
            else:
                process.kill()
        process.wait()
    for listener in host.listeners:
        listener.join(POLL_SECONDS * 5)
    for stream in (process.stdin, process.stdout, process.stderr):
        # A listener that still waits – for a process that the model forked – keeps its stream.
        if stream is not None and not any(thread.is_alive() for thread in host.listeners):
            with suppress(OSError):
                stream.close()
