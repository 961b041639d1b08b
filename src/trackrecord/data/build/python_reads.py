"""What a step in Python declares: its one public function, whose parameters name its inputs."""

from __future__ import annotations

import ast
import hashlib
from typing import NamedTuple

from trackrecord.errors import DataError


class Declared(NamedTuple):
    """The function, its inputs in order, and those of them that it takes as LazyFrames."""

    function: str
    inputs: list[str]
    lazy: list[str]


def parse_python(source: str, where: str) -> ast.Module:
    """The file's tree. DataError where it is no Python, with its line."""
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise DataError(
            f"{where} is not Python that can be read",
            where=f"{where}:{line}" if line else where,
            why=str(getattr(error, "msg", error)),
            next="mend that line",
        ) from None


def digest_of_python(tree: ast.Module) -> str:
    """SHA-256 of the tree: comments and the layout of lines do not count."""
    return hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest()


def declared(tree: ast.Module, where: str) -> Declared:
    """The inputs that the file's one public function names. The file is not run.

    Raises DataError for no such function, several, and parameters that are no plain names.
    """
    found = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_"
    ]
    if len(found) != 1:
        names = ", ".join(node.name for node in found)
        raise DataError(
            f"{where} has {'no' if not found else len(found)} public function"
            + ("s" if len(found) > 1 else ""),
            where=f"{where}:{found[1].lineno}" if found else where,
            why=f"{names}: which of them is the step?" if found else "its function is the step",
            next="begin the names of the others with _"
            if found
            else "def NAME(TABLE): …, where the parameters name the tables that it reads",
        )
    function = found[0]
    given = function.args
    odd = None
    if isinstance(function, ast.AsyncFunctionDef):
        odd = "it is async"
    elif given.vararg or given.kwarg:
        odd = "it takes any number of arguments"
    elif given.defaults or any(default is not None for default in given.kw_defaults):
        odd = "a parameter has a default; each is a table"
    elif given.posonlyargs:
        odd = "a parameter has no name that it can be given by"
    if odd:
        raise DataError(
            f"the function {function.name} in {where} is no step",
            where=f"{where}:{function.lineno}",
            why=odd,
            next="def NAME(TABLE, …): its parameters name the tables that it reads",
        )
    inputs = [*given.args, *given.kwonlyargs]
    lazy = [
        one.arg
        for one in inputs
        if one.annotation is not None and "LazyFrame" in ast.unparse(one.annotation)
    ]
    return Declared(function.name, [one.arg for one in inputs], lazy)
