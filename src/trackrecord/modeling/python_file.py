"""A model of one's own: ``python = "file.py:function"`` in the case's folder.

The function takes the seed (and the case's ``parameters`` by name) and returns anything with
``fit(X, y)`` and ``predict_proba(X)``. X is a Polars frame of the features as they are, y an int8
array. What goes wrong in that file is told with that file's line.
"""

from __future__ import annotations

import hashlib
import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.errors import CaseError, suggest
from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.learner import Fitted, Learner, SourceFile, chosen_features, settings

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import Model

_REFERENCE = re.compile(r"(?P<file>[^:]+\.py):(?P<function>[A-Za-z_]\w*)\Z")


def prepare_python(
    model: Model, *, case: str, features: list[str], case_folder: Path, seed: int
) -> Learner:
    """The model that the file's function makes; the function is called here, before any training.

    ``case`` is the case's name, and ``features`` are the case's. Everything happens in this
    process: ``python_process.py`` has the same in one that may fall.

    Raises CaseError for a file or function that is not there, a syntax error, an exception in it
    (with the person's own line), or a return value that is no model.
    """
    where = f"model '{model.name}' in the case '{case}'"
    path, function_name = _locate(model.python, case_folder, where)
    shown = _shown(path, case_folder)
    with _in_folder(case_folder) as loaded:
        with _own_line(case_folder, model.name, "importing its file"):
            module = _import(path)
        function = getattr(module, function_name, None)
        if not callable(function):
            names = [n for n, v in vars(module).items() if callable(v) and n[0] != "_"]
            near = suggest(function_name, names)
            raise CaseError(
                f"{shown} has no function '{function_name}'",
                where=where,
                why=f"did you mean '{near}'?" if near else f"it has: {', '.join(names) or 'none'}",
            )
        _check_parameters(function, model, shown, where)
        with _own_line(case_folder, model.name, f"calling {function_name}(seed={seed})"):
            made = function(seed, **model.parameters)
    _check_model(made, function_name, shown, where)
    own = chosen_features(model.features, features, where)
    files = {path, *loaded}

    def fit(rows: pl.DataFrame, truth: NDArray[np.int8]) -> Fitted:
        with (
            _in_folder(case_folder) as later,
            _own_line(case_folder, model.name, "fit"),
        ):
            # Their own copy: a model may write into what it is given. In one piece, because sums
            # over pieces differ in the last digit, and their number depends on the machine's cores.
            fitted = made.fit(rows.rechunk(), truth.copy())
        files.update(later)
        # scikit-learn's fit returns the estimator; a plain class may return nothing.
        trained = fitted if hasattr(fitted, "predict_proba") else made

        def predict(asked: pl.DataFrame) -> Any:
            with (
                _in_folder(case_folder) as last,
                _own_line(case_folder, model.name, "predict_proba"),
            ):
                scores = _positive(trained, trained.predict_proba(asked.rechunk()))
            files.update(last)
            return scores

        return Fitted(predict=predict, parameters=settings(dict(model.parameters)))

    def sources() -> list[SourceFile]:
        return [
            SourceFile(path=_shown(file, case_folder), sha256=file_sha256(file))
            for file in sorted(files)
        ]

    return Learner(model.name, "model", f"python {model.python}", own, fit, sources)


def _locate(reference: str, case_folder: Path, where: str) -> tuple[Path, str]:
    found = _REFERENCE.match(reference)
    if found is None:
        raise CaseError(
            f"'{reference}' does not name a file and a function in it",
            where=where,
            next='write it like python = "model.py:build"',
        )
    folder = case_folder.resolve()
    path = (folder / found["file"]).resolve()
    if not path.is_relative_to(folder):
        raise CaseError(
            f"the file '{found['file']}' is not in the case's folder",
            where=where,
            why="a case travels with its models",
            next=f"put it into cases/{case_folder.name}/",
        )
    if not path.is_file():
        files = [p.name for p in sorted(folder.glob("*.py"))]
        near = suggest(found["file"], files)
        raise CaseError(
            f"there is no file {_shown(path, case_folder)}",
            where=where,
            why=f"did you mean '{near}'?" if near else None,
            next="a file's path is relative to the case's folder",
        )
    return path, found["function"]


def _import(path: Path) -> Any:
    name = "trackrecord_model_" + hashlib.sha256(path.as_posix().encode()).hexdigest()[:12]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:  # pragma: no cover - a .py file has a loader
        raise ImportError(path.name)
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a class's module up here
    spec.loader.exec_module(module)
    return module


@contextmanager
def _in_folder(case_folder: Path) -> Iterator[set[Path]]:
    """Let the file import its neighbours; yields a set that has their paths afterwards.

    They are forgotten again, so that another case's ``helpers.py`` is not taken for this one's.
    No bytecode is written beside them. What the file prints goes to standard error: standard
    output belongs to the command's own answer.
    """
    folder = case_folder.resolve()
    before, bytecode = set(sys.modules), sys.dont_write_bytecode
    files: set[Path] = set()
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        with redirect_stdout(sys.stderr):
            yield files
    finally:
        sys.dont_write_bytecode = bytecode
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and (found := Path(file).resolve()).is_relative_to(folder):
                files.add(found)
                del sys.modules[name]


@contextmanager
def _own_line(case_folder: Path, model: str, doing: str) -> Iterator[None]:
    """Turn whatever their code raises into a CaseError at the last line of theirs."""
    try:
        yield
    except (Exception, SystemExit) as error:
        said = (str(error).strip().splitlines() or [""])[0][:300]
        kind = type(error).__name__
        raise CaseError(
            f"the model '{model}' failed while {doing}"
            if " " in doing
            else f"the model '{model}' failed in {doing}",
            where=_line_of(error, case_folder),
            why=f"{kind}: {said}" if said else kind,
            next="mend it there; --debug shows the whole traceback",
        ) from error


def _line_of(error: BaseException, case_folder: Path) -> str | None:
    folder = case_folder.resolve()
    if isinstance(error, SyntaxError) and error.filename:
        file = Path(error.filename).resolve()
        if file.is_relative_to(folder):
            code = f": {error.text.strip()}" if error.text else ""
            return f"{_shown(file, case_folder)}:{error.lineno}:{error.offset}{code}"
    linecache.checkcache()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename).resolve()
        if file.is_relative_to(folder):
            return f"{_shown(file, case_folder)}:{frame.lineno}, in {frame.name}: {frame.line}"
    return None


def _check_parameters(function: Callable[..., Any], model: Model, shown: str, where: str) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # a callable without a signature says itself what it does not like
    try:
        signature.bind(0, **model.parameters)
    except TypeError as error:
        known = list(signature.parameters)[1:]
        unknown = [name for name in model.parameters if name not in known]
        near = suggest(unknown[0], known) if unknown else None
        raise CaseError(
            f"the function '{model.python.rpartition(':')[2]}' cannot be called with the seed"
            + (f" and {', '.join(model.parameters)}" if model.parameters else ""),
            where=f"{where}; {shown}",
            why=f"did you mean '{near}' by '{unknown[0]}'?" if near else str(error),
            next="it takes the seed first, then this model's parameters by name",
        ) from None


def _check_model(made: Any, function: str, shown: str, where: str) -> None:
    if isinstance(made, type):
        raise CaseError(
            f"the function '{function}' in {shown} returned the class {made.__name__}",
            where=where,
            why="a model is an object",
            next=f"return {made.__name__}(…) instead",
        )
    lacks = [n for n in ("fit", "predict_proba") if not callable(getattr(made, n, None))]
    if lacks:
        raise CaseError(
            f"the function '{function}' in {shown} returned {type(made).__name__}, "
            f"which has no {' and no '.join(lacks)}",
            where=where,
            next="return an object with fit(X, y) and predict_proba(X)",
        )


def _positive(model: Any, raw: Any) -> Any:
    """The probability of a positive from (rows,), (rows, 1) or (rows, 2)."""
    import numpy as np

    scores = np.asarray(raw)
    if scores.ndim == 2 and scores.shape[1] == 2:
        classes = [int(label) for label in getattr(model, "classes_", (0, 1))]
        return scores[:, classes.index(1)]
    return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores


def _shown(path: Path, case_folder: Path) -> str:
    return f"cases/{case_folder.name}/{path.relative_to(case_folder.resolve()).as_posix()}"
