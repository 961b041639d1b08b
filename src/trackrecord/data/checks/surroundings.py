"""TR030-TR033: what stands around the data: licence, origin, the models' code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trackrecord.cases.spec import Case
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.sources import inside
from trackrecord.errors import DataError


def check_surroundings(case: Case, root: Path, file: str, line_of: LineOf) -> Iterator[Finding]:
    """What no column and no row can say."""
    for key, name in (("license", "licence"), ("origin", "origin")):
        if not getattr(case.data, key).strip():
            yield Finding(
                "TR030",
                "doubt",
                f"the data's {name} is not stated",
                file,
                line_of(f"data.{key}") or line_of("data"),
                f"write data.{key}: who reads the record has to know whether it may be used",
            )
    for index, model in enumerate(case.model):
        key = f"model.{index}"
        if model.estimator and model.python:
            yield Finding(
                "TR033",
                "error",
                f"the model {model.name!r} names an estimator and a Python file",
                file,
                line_of(f"{key}.python"),
                "keep one of the two",
            )
        elif not model.estimator and not model.python:
            yield Finding(
                "TR031",
                "doubt",
                f"the model {model.name!r} has no estimator and no Python file",
                file,
                line_of(key),
                "fine if another program predicts: trackrecord run --outcomes FILE; else name one",
            )
        elif model.python:
            yield from _python_file(case, root, index, file, line_of)


def _python_file(
    case: Case, root: Path, index: int, file: str, line_of: LineOf
) -> Iterator[Finding]:
    model = case.model[index]
    line = line_of(f"model.{index}.python")
    name, colon, function = model.python.rpartition(":")
    if not colon or not function.isidentifier():
        yield Finding(
            "TR032",
            "error",
            f"the model {model.name!r} has python = {model.python!r}",
            file,
            line,
            'write it as "file.py:function"',
        )
        return
    folder = f"cases/{case.name}"
    try:
        path = inside(root / folder, name)
    except DataError as error:
        yield Finding(
            "TR032", "error", f"{error.what}: {error.why}", file, line, f"put it in {folder}"
        )
        return
    if not path.is_file():
        yield Finding(
            "TR032",
            "error",
            f"the model {model.name!r} names {name!r}, which is not in {folder}",
            file,
            line,
            f"write {folder}/{name} with a function {function}(seed)",
        )
