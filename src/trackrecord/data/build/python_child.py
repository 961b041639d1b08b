"""The process that runs one step in Python: tables in from Parquet, the result out as Arrow IPC.

The other side is ``run_python.py``. What it says goes into a file of its own, so that the step may
print what it likes.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import json
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any


def main() -> None:
    """Read the order from standard input, run the step, say how it went."""
    order = json.loads(sys.stdin.buffer.read())
    _die_with(order["parent"])
    _limit(order["memory"])
    with open(order["crash"], "wb", buffering=0) as crash:
        faulthandler.enable(crash)
        try:
            answer = _run(order)
        except BaseException as error:
            answer = _told(error, order["file"])
        Path(order["answer"]).write_text(json.dumps(answer), "utf-8", "backslashreplace")
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        # Threads that the step leaves behind would keep the process.
        os._exit(0)


def _run(order: dict[str, Any]) -> dict[str, Any]:
    import polars as pl

    path = Path(order["file"])
    module = ModuleType(f"step_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102 - the step
    function = getattr(module, order["function"], None)
    if not callable(function):
        return {"error": f"{order['function']} is no function once the file has run"}
    inputs = {
        name: pl.scan_parquet(file, glob=False)
        if name in order["lazy"]
        else pl.read_parquet(file, glob=False)
        for name, file in order["inputs"].items()
    }
    result = function(**inputs)
    del inputs
    gc.collect()
    return _write(result, order["out"])


def _write(result: Any, out: str) -> dict[str, Any]:
    """The result as Arrow IPC; an answer without ``rows`` says why it is no table."""
    import polars as pl

    if isinstance(result, pl.LazyFrame):
        result.sink_ipc(out, compat_level=pl.CompatLevel.oldest())
        return {"form": "ipc"}
    if isinstance(result, pl.DataFrame):
        result.write_ipc(out, compat_level=pl.CompatLevel.oldest())
        return {"form": "ipc"}
    kind = f"{type(result).__module__.partition('.')[0]}.{type(result).__name__}"
    if kind == "pandas.DataFrame":
        import pyarrow as pa

        result = pa.Table.from_pandas(result, preserve_index=False)
    if isinstance(result, pl.Series) or not hasattr(result, "__arrow_c_stream__"):
        return {"no_table": "None" if result is None else f"a {type(result).__name__}"}
    import pyarrow as pa

    try:
        reader = pa.RecordBatchReader.from_stream(result)
    except (pa.ArrowException, TypeError, ValueError):
        return {"no_table": f"a {type(result).__name__}"}
    with pa.ipc.new_file(out, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    return {"form": "ipc"}


def _told(error: BaseException, file: str) -> dict[str, Any]:
    """An exception with the innermost line of the step's own file."""
    line = None
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == file:
            line = number
    message = str(error).strip()
    kind = type(error).__name__
    return {
        "error": f"{kind}: {message}" if message else kind,
        "exit": isinstance(error, SystemExit),
        "memory": isinstance(error, MemoryError),
        "line": line,
        "traceback": "".join(traceback.format_exception(error)),
    }


def _die_with(parent: int) -> None:
    """On Linux, end when the process that started this one does, be it killed."""
    if sys.platform != "linux":
        return
    import ctypes
    import signal

    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def _limit(memory: int | None) -> None:
    """On Linux, let the process have this many bytes of memory of its own."""
    if memory is None or sys.platform != "linux":
        return
    import resource

    # Address space would be the wrong measure: allocators reserve far more than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
