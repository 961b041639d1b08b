"""Audits a pipeline that stands in a file, in a process of its own; see ``pipeline_child.py``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.data.leakage.dynamic import PipelineAudit
from trackrecord.data.leakage.pipeline_child import Job, Said
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

_REFERENCE = re.compile(r"(?P<file>.+\.py):(?P<name>[A-Za-z_]\w*)\Z")


def pipeline_file(reference: str, folder: Path) -> tuple[Path, str]:
    """The file and the name in ``file.py:name``. Raises BadInput where there is no such file."""
    found = _REFERENCE.match(reference)
    if found is None:
        raise BadInput(
            f"'{reference}' does not name a file and what is in it",
            next="write it like --pipeline work.py:fit",
        )
    path = (folder / found["file"]).resolve()
    if not path.is_file():
        raise BadInput(f"there is no file {found['file']}", where=str(folder))
    return path, found["name"]


def audit_pipeline_file(
    file: Path,
    name: str,
    train: pl.DataFrame,
    test: pl.DataFrame,
    truth: pl.Series,
    test_truth: pl.Series | None,
    *,
    frames: str = "polars",
    permutations: int = 10,
    seed: int = 0,
    tell: Callable[[int], None] = lambda fit: None,
) -> PipelineAudit:
    """:func:`~trackrecord.data.leakage.dynamic.audit_pipeline` of ``name`` in ``file``.

    ``frames`` is what the pipeline is given: polars, pandas or numpy. Raises BadInput for what
    that raises, and where the pipeline ends its process.
    """
    with tempfile.TemporaryDirectory(prefix="trackrecord-") as kept:
        for part, table in (("train", train), ("test", test)):
            table.write_ipc(Path(kept) / f"{part}.arrow")
        truth.to_frame().write_ipc(Path(kept) / "train_truth.arrow")
        if test_truth is not None:
            test_truth.to_frame().write_ipc(Path(kept) / "test_truth.arrow")
        job = Job(file=str(file), name=name, tables=kept, frames=frames,
                  permutations=permutations, seed=seed)  # fmt: skip
        return _done(job, tell)


# As models run: sums in one order, and no bytecode left beside the person's files.
_SETTINGS = {
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONIOENCODING": "utf-8:backslashreplace",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def _done(job: Job, tell: Callable[[int], None]) -> PipelineAudit:
    process = subprocess.Popen(
        # -P keeps files of the current folder from being imported in place of packages.
        [sys.executable, "-P", "-m", "trackrecord.data.leakage.pipeline_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **_SETTINGS, "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED") or "0"},
        start_new_session=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    fits = 0
    try:
        with suppress(OSError):
            process.stdin.write(msgspec.json.encode(job))
            process.stdin.close()
        for line in process.stdout:
            said = msgspec.json.decode(line, type=Said)
            if said.error:
                what, where, why, step = said.error
                raise BadInput(str(what), where=where, why=why, next=step)
            if said.result is not None:
                return said.result
            fits = said.fit
            tell(fits)
        code = process.wait()
        raise BadInput(
            f"the pipeline ended its process in fit {fits}" if fits else "the pipeline did not run",
            where=f"{Path(job.file).name}:{job.name}",
            why=signal.Signals(-code).name if code < 0 else f"it ended with code {code}",
            next="mend it there; nothing was recorded",
        )
    finally:
        if process.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()
        process.stdout.close()
