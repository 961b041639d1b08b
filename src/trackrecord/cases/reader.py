"""Reads ``case.toml`` strictly, and knows on which line each key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.migrations import migrate
from trackrecord.cases.spec import Case, positive_rule
from trackrecord.errors import CaseError, suggest

MAX_CASE_BYTES = 1_000_000

LineOf = Callable[[str], int | None]

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*=""")


def read_case(path: Path, *, shown: str | None = None) -> tuple[Case, LineOf]:
    """The case in ``path`` and a function from a key path (``criterion.0.require``) to its line.

    Raises
    ------
    CaseError
        With file and line, for anything that is not a case this version understands.
    """
    name = shown or path.as_posix()
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CaseError(
            f"there is no case file {name}", next="trackrecord case new NAME --from DATA"
        ) from None
    except OSError as error:
        raise CaseError(f"cannot read {name}", why=error.strerror) from error
    if len(raw) > MAX_CASE_BYTES:
        raise CaseError(f"{name} is larger than 1 MB", why="a case is a page of text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{name} is not UTF-8", where=f"{name}, byte {error.start}") from None
    return decode_case(text, name)


def decode_case(text: str, name: str) -> tuple[Case, LineOf]:
    """Like :func:`read_case`, from text already in hand."""
    if not text.strip():
        raise CaseError(f"{name} is empty", next="trackrecord case new NAME --from DATA")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _syntax_error(name, str(error)) from None
    lines = key_lines(text)

    def line_of(key: str) -> int | None:
        while key:
            if key in lines:
                return lines[key]
            key = key.rpartition(".")[0]
        return None

    document = migrate(document, name)
    try:
        case = msgspec.convert(document, Case)
    except msgspec.ValidationError as error:
        raise _invalid(name, document, str(error), line_of) from None
    _check_names(case, name, line_of)
    return case, line_of


def case_document(case: Case) -> dict[str, Any]:
    """The case as plain JSON values with every default written out: what a seal digests."""
    document: dict[str, Any] = msgspec.to_builtins(case)
    return document


def changed_keys(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Key paths whose values differ between two case documents."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from changed_keys(before.get(key), after.get(key), f"{at}.{key}" if at else key)
    elif (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and any(isinstance(item, dict) for item in before)
    ):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from changed_keys(old, new, f"{at}.{index}")
    elif before != after:
        yield at


def key_lines(text: str) -> dict[str, int]:
    """Key path to 1-based line, for the plain layouts that people write.

    A key inside an inline table or a multi-line string is found through its parent.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    closing: str | None = None
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        if closing is not None:
            if closing in line:
                closing = None
            continue
        if depth > 0:
            depth += _brackets(line)
            continue
        if table := _TABLE.match(line):
            prefix = _resolve(table.group(2), counts)
            if table.group(1) == "[[":
                index = counts.get(prefix, 0)
                counts[prefix] = index + 1
                prefix = f"{prefix}.{index}"
            lines.setdefault(prefix, number)
        elif key := _KEY.match(line):
            word = key.group(1).strip("\"'")
            path = f"{prefix}.{word}" if prefix else word
            lines.setdefault(path, number)
            value = line[key.end() :]
            for quote in ('"""', "'''"):
                if value.count(quote) == 1:
                    closing = quote
            if closing is None:
                depth = max(0, _brackets(value))
    return lines


def _resolve(header: str, counts: dict[str, int]) -> str:
    """``a.b`` where ``a`` is an array of tables means ``a.<last index>.b``."""
    path = ""
    words = [word.strip().strip("\"'") for word in header.split(".")]
    for position, word in enumerate(words):
        path = f"{path}.{word}" if path else word
        if position < len(words) - 1 and path in counts:
            path = f"{path}.{counts[path] - 1}"
    return path


def _brackets(line: str) -> int:
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\'[^\']*\'', "", line).partition("#")[0]
    return bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}")


def _syntax_error(name: str, message: str) -> CaseError:
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    where = f"{name}:{found.group(1)}:{found.group(2)}" if found else name
    return CaseError(
        f"{name} is not valid TOML",
        where=where,
        why=re.sub(r"\s*\(at .*\)", "", message),
        next=f"open {where.split(':')[0]} at that line; strings need quotes, lists need [ ]",
    )


def _invalid(name: str, document: dict[str, Any], message: str, line_of: LineOf) -> CaseError:
    found = re.search(r" - at `\$\.?(.*?)`$", message)
    path = re.sub(r"\[(\d+)\]", r".\1", found.group(1)) if found else ""
    what = message[: found.start()] if found else message
    why = None
    unknown = re.search(r"unknown field `(.+)`", what)
    missing = re.search(r"missing required field `(.+)`", what)
    if unknown:
        key = unknown.group(1)
        path = f"{path}.{key}" if path else key
        known = _fields_at(path)
        near = suggest(key, known)
        what = f"there is no key '{key}' here"
        why = f"did you mean '{near}'?" if near else f"known keys: {', '.join(known)}"
    elif missing:
        what = f"the key '{missing.group(1)}' is missing"
        why = f"it belongs in [{path}]" if path else "it belongs at the top of the file"
    line = line_of(path)
    return CaseError(
        f"{name} is not a case: {what[0].lower() + what[1:]}",
        where=f"{name}:{line}" if line else name,
        why=why or (f"at the key '{path}'" if path else None),
        next="the keys are described in docs/reference/case.md",
    )


def _fields_at(path: str) -> list[str]:
    """The keys allowed beside the last word of a key path."""
    from trackrecord.cases import spec

    tables: dict[str, list[type]] = {
        "": [spec.Case],
        "data": [spec.Data],
        "data.asof": [spec.AsOf],
        "target": [spec.Target],
        "split": [spec.TimeSplit, spec.RandomSplit, spec.GroupSplit],
        "split.train": [spec.Part],
        "split.validation": [spec.Part],
        "split.test": [spec.Part],
        "evaluation": [spec.Evaluation],
        "baseline": [spec.BaseRate, spec.RateTable, spec.Logistic],
        "model": [spec.Model],
        "criterion": [spec.Criterion],
        "contrast": [spec.Contrast],
    }
    parent = ".".join(word for word in path.split(".")[:-1] if not word.isdigit())
    return sorted({f for t in tables.get(parent, []) for f in t.__struct_fields__})  # type: ignore[attr-defined]


def _check_names(case: Case, name: str, line_of: LineOf) -> None:
    """What types alone cannot say: names that must be distinct, and texts that must parse."""

    def wrong(key: str, what: str, why: str | None = None) -> CaseError:
        line = line_of(key)
        return CaseError(what, where=f"{name}:{line}" if line else name, why=why)

    if not case.model:
        raise wrong("model", "the case has no [[model]]")
    if not case.baseline:
        raise wrong("baseline", "the case has no [[baseline]]", "a number needs one to be read")
    if not case.criterion:
        raise wrong("criterion", "the case has no [[criterion]]", "say what would count as success")
    seen: set[str] = set()
    for kind, items in (("baseline", case.baseline), ("model", case.model)):
        for index, item in enumerate(items):
            if item.name in seen:
                raise wrong(f"{kind}.{index}.name", f"the name '{item.name}' is used twice")
            seen.add(item.name)
    names = [criterion.name for criterion in case.criterion]
    for index, criterion in enumerate(case.criterion):
        if names.index(criterion.name) != index:
            raise wrong(f"criterion.{index}.name", f"two criteria are called '{criterion.name}'")
        try:
            parse_requirement(criterion.require)
        except CaseError as error:
            line = line_of(f"criterion.{index}.require")
            error.where = f"{name}:{line}, {error.where}"
            raise
    models = [model.name for model in case.model]
    if case.candidate and case.candidate not in models:
        near = suggest(case.candidate, models)
        raise wrong(
            "candidate",
            f"the candidate '{case.candidate}' is not one of the models",
            f"did you mean '{near}'?" if near else f"models: {', '.join(models)}",
        )
    positive_rule(case.target.positive)
