"""The process that a case's Python files run in: ``python -m trackrecord.modeling.python_child``.

A person's model may end its process, crash in compiled code or ask for more memory than there is.
Here that ends this process, and the one that keeps the record tells what happened. Orders come on
standard input and answers go to what was standard output (see ``wire.py``); what the model prints
goes to standard error. When the first process dies, its orders end, and this one with them.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Model
from trackrecord.errors import CaseError, TrackrecordError
from trackrecord.modeling.environment import peak_memory_mb, thread_counts
from trackrecord.modeling.learner import Fitted, Learner, float_scores, seed_generators
from trackrecord.modeling.python_file import prepare_python
from trackrecord.modeling.wire import frame_of, receive, send

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Order = tuple[dict[str, Any], list[bytes]]


def main() -> None:
    """Serve orders until there are no more."""
    orders, answers = _own_channels()
    faulthandler.enable(answers, all_threads=False)
    if hasattr(os, "register_at_fork"):
        # A crash of a process that the model forks is not this one's.
        os.register_at_fork(after_in_child=faulthandler.disable)
    if sys.platform == "linux":
        # Short of memory, the system ends this process before the one that keeps the record.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500", "ascii")
    busy = threading.Event()
    inbox: queue.Queue[Order | None] = queue.Queue()
    threading.Thread(target=_read, args=(orders, inbox, busy), daemon=True).start()
    # Beside what the first process loads meanwhile.
    import numpy  # noqa: F401
    import polars  # noqa: F401

    serve = _server()
    while (order := inbox.get()) is not None:
        header, blobs = _answer(serve, order)
        busy.clear()
        with suppress(OSError, ValueError):
            sys.stderr.flush()  # the answer may be the last that it is let do
        with suppress(OSError):
            send(answers, header, blobs, len(blobs))


def _own_channels() -> tuple[IO[bytes], IO[bytes]]:
    """The two pipes, out of reach of what the model reads and prints, also from compiled code."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return orders, answers


def _read(orders: IO[bytes], inbox: queue.Queue[Order | None], busy: threading.Event) -> None:
    while isinstance(order := receive(orders), tuple):
        busy.set()
        inbox.put(order)
    inbox.put(None)
    if busy.is_set():
        os._exit(1)  # nobody waits for the answer any more


def _answer(serve: Callable[[Order], Order], order: Order) -> Order:
    """What an order led to, or the error that it ended in."""
    try:
        return serve(order)
    except TrackrecordError as error:
        told = error
    except Exception as error:
        return {"bug": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}, []
    except BaseException as error:
        # There is no Ctrl-C here: whatever this is, the model raised it.
        told = CaseError(
            f"the model '{order[0]['model']}' failed",
            why=f"{type(error).__name__}: {error}",
            next="mend it there; --debug shows the whole traceback",
        )
    parts = {"what": told.what, "where": told.where, "why": told.why, "next": told.next}
    said = traceback.format_exc()
    return {"error": type(told).__name__, **parts, "traceback": said}, []


def _server() -> Callable[[Order], Order]:
    """One function for all orders; it remembers the models between them."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    learners: dict[str, Learner] = {}
    fitted: dict[str, Fitted] = {}

    def serve(order: Order) -> Order:
        header, blobs = order
        name, seed = header["model"], header["seed"]
        if header["order"] == "prepare":
            if not learners:
                sys.path[:] = header["path"]
                seed_generators(seed)
            learners[name] = prepare_python(
                msgspec.msgpack.decode(header["spec"], type=Model),
                case=header["case"],
                features=header["features"],
                case_folder=Path(header["folder"]),
                seed=seed,
            )
            return {}, []
        with threadpool_limits(limits=1, user_api="blas"):
            threads = thread_counts()
            if header["order"] == "fit":
                seed_generators(seed)
                truth = _truth(blobs.pop())
                fitted[name] = learners[name].fit(frame_of(blobs), truth)
                return {}, []
            scores = float_scores(fitted[name].predict(frame_of(blobs)), f"the model '{name}'")
        facts = {
            "shape": scores.shape,
            "sources": learners[name].sources(),
            "threads": threads,
            "peak": peak_memory_mb(),
        }
        return facts, [scores.tobytes()]

    return serve


def _truth(blob: bytes) -> NDArray[np.int8]:
    import numpy as np

    return np.frombuffer(blob, np.int8).copy()


if __name__ == "__main__":
    main()
