"""The process that an audited pipeline runs in; ``elsewhere.py`` starts it.

A person's code may end its process or crash in compiled code; here that ends this one. Its file is
loaded anew for each fit, so that what it keeps in variables does not reach the next. One line of
JSON on what was standard output is a fit that begins, the last one the result; what the pipeline
prints goes to standard error.
"""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from trackrecord.data.leakage.dynamic import PipelineAudit, audit_pipeline
from trackrecord.data.leakage.rerun import arguments_of
from trackrecord.errors import BadInput, TrackrecordError, suggest


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to audit: a function or object in a file, and where the tables are."""

    file: str
    name: str
    tables: str
    frames: str
    permutations: int
    seed: int


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line: a fit that begins; the result; or the parts of an error for the person."""

    fit: int = 0
    result: PipelineAudit | None = None
    error: list[str | None] = []


def main() -> None:
    """Do the one job that comes on standard input."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr

    def say(said: Said) -> None:
        answers.write(msgspec.json.encode(said) + b"\n")

    try:
        found = _audited(job, lambda fit: say(Said(fit=fit)))
        say(Said(result=found))
    except TrackrecordError as error:
        say(Said(error=[error.what, error.where, error.why, error.next]))


def _audited(job: Job, tell: Any) -> Any:
    folder = Path(job.tables)
    train, test = (pl.read_ipc(folder / f"{part}.arrow") for part in ("train", "test"))
    truth = _truth(folder / "train_truth.arrow")
    assert truth is not None
    tested = _truth(folder / "test_truth.arrow")
    sys.path.insert(0, str(Path(job.file).parent))
    load = Loader(Path(job.file), job.name)
    return audit_pipeline(
        load.fit(job.seed),
        _frame(train, job.frames),
        _frame(test, job.frames),
        truth,
        tested,
        permutations=job.permutations,
        seed=job.seed,
        tell=tell,
    )


class Loader:
    """The person's file, each time as if for the first."""

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = file, name
        self.before = set(sys.modules)

    def load(self) -> Any:
        """The function or object of that name. Raises BadInput where there is none."""
        for name in set(sys.modules) - self.before:
            found = getattr(sys.modules[name], "__file__", None)
            if found and Path(found).resolve().is_relative_to(self.file.parent):
                del sys.modules[name]
        name = "trackrecord_pipeline_" + hashlib.sha256(str(self.file).encode()).hexdigest()[:12]
        spec = spec_from_file_location(name, self.file)
        if spec is None or spec.loader is None:
            raise BadInput(f"{self.file.name} is no Python file")
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            raise BadInput(
                f"{self.file.name} could not be loaded", why=f"{type(error).__name__}: {error}"
            ) from error
        if not hasattr(module, self.name):
            known = [one for one, value in vars(module).items() if one[0] != "_" and
                     (callable(value) or hasattr(value, "fit"))]  # fmt: skip
            near = suggest(self.name, known)
            raise BadInput(
                f"{self.file.name} has no '{self.name}'",
                why=f"did you mean '{near}'?" if near else f"it has: {', '.join(known) or 'none'}",
            )
        return getattr(module, self.name)

    def fit(self, seed: int) -> Any:
        """What ``audit_pipeline`` takes: of three or four arguments, loading the file for each fit.

        The name may be a function of the whole work, an estimator, or a function that makes one,
        without arguments or with the seed, as a case's models are made.
        """
        one = self.load()
        if hasattr(one, "fit") and not isinstance(one, type):
            return lambda rows, truth, test: _fitted(self.load(), rows, truth)
        if not callable(one):
            raise BadInput(f"'{self.name}' is neither an estimator nor a function")
        needed, most = arguments_of(one)
        # Each fit loads the file, so the function is found anew in each.
        if needed >= 4:

            def with_labels(rows: Any, truth: Any, test: Any, tested: Any) -> Any:
                return self.load()(rows, truth, test, tested)

            return with_labels
        if most >= 3 and needed >= 2:

            def without(rows: Any, truth: Any, test: Any) -> Any:
                return self.load()(rows, truth, test)

            return without
        made = one(seed) if needed == 1 else one()
        if isinstance(made, type) or not hasattr(made, "fit"):
            raise BadInput(
                f"'{self.name}' is called with {'the seed' if needed else 'nothing'} and gives no "
                "estimator",
                why=f"it gave {type(made).__name__}",
                next="write fit(train, truth, test), or a function that makes an estimator",
            )

        def fit(rows: Any, truth: Any, _test: Any) -> Any:
            make = self.load()
            return _fitted(make(seed) if needed == 1 else make(), rows, truth)

        return fit


def _fitted(estimator: Any, rows: Any, truth: Any) -> Any:
    return estimator.fit(rows, truth) or estimator


def _truth(path: Path) -> np.ndarray | None:
    return pl.read_ipc(path).to_series().to_numpy() if path.exists() else None


def _frame(table: pl.DataFrame, kind: str) -> Any:
    if kind == "polars":
        return table
    if kind == "numpy":
        return table.to_numpy()
    try:
        return table.to_pandas()
    except ModuleNotFoundError as error:
        raise BadInput(
            "pandas is not installed here", next="pip install pandas, or --frames polars"
        ) from error


if __name__ == "__main__":
    main()
