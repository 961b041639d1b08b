"""Reads ``case.toml`` strictly, and knows on which line each key stands."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.cases.criteria import parse_requirement
from trackrecord.cases.explain import invalid, syntax_error
from trackrecord.cases.migrations import migrate
from trackrecord.cases.spec import Case
from trackrecord.errors import CaseError, suggest

MAX_CASE_BYTES = 1_000_000

# Beyond it a whole number is not exact in JSON as everybody reads it (RFC 8785).
_SAFE = 2**53

LineOf = Callable[[str], int | None]

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_WORD = r"""(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_WORD}(?:\s*\.\s*{_WORD})*)\s*=")


def read_case(path: Path, *, shown: str | None = None) -> tuple[Case, LineOf]:
    """The case in ``path`` and a function from a key path (``criterion.0.require``) to its line.

    Raises
    ------
    CaseError
        With file and line, for anything that is not a case this version understands.
    """
    name = shown or path.as_posix()
    return decode_case(read_case_text(path, name), name)


def read_case_text(path: Path, name: str) -> str:
    """The text of the case file, called ``name`` in what is told. Raises CaseError."""
    try:
        # Opening a pipe would wait for its writer, and a device may never end.
        if path.exists() and not path.is_file():
            raise CaseError(
                f"cannot read {name}",
                why="it is no plain file, but a folder, a pipe or a device",
                next="move it away, then: trackrecord case new NAME --from DATA",
            )
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
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{name} is not UTF-8", where=f"{name}, byte {error.start}") from None


def decode_case(text: str, name: str) -> tuple[Case, LineOf]:
    """Like :func:`read_case`, from text already in hand."""
    if not text.strip():
        raise CaseError(f"{name} is empty", next="trackrecord case new NAME --from DATA")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise syntax_error(name, text, str(error)) from None
    line_of = line_finder(text)
    document = migrate(document, name, line_of("spec"))
    try:
        case = msgspec.convert(document, Case)
    except msgspec.ValidationError as error:
        raise invalid(name, str(error), line_of) from None
    _check_names(case, name, line_of)
    _check_numbers(document, name, line_of)
    return case, line_of


def case_document(case: Case) -> dict[str, Any]:
    """The case as plain JSON values without what has its default: what a seal digests.

    So a key that is written with its default and one that is left out are the same, and a key that
    a later version adds changes no older seal.
    """
    document: dict[str, Any] = _without_defaults(case)
    return document


def _without_defaults(value: Any) -> Any:
    # msgspec's omit_defaults asks whether a value *is* the default, and a number that was read
    # never is.
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    tag = value.__struct_config__
    document = {tag.tag_field: tag.tag} if tag.tag_field else {}
    for field in msgspec.structs.fields(value):
        found = getattr(value, field.name)
        if field.required or found != field.default:
            factory = field.default_factory
            if factory is msgspec.NODEFAULT or found != factory():
                document[field.encode_name] = _without_defaults(found)
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


def line_finder(text: str) -> LineOf:
    """From a key path of a TOML text to its line, or to that of the nearest key above it."""
    lines = key_lines(text)

    def line_of(key: str) -> int | None:
        while key:
            if found := lines.get(key) or lines.get(f"{key}.0"):
                return found
            key = key.rpartition(".")[0]
        return None

    return line_of


def key_lines(text: str) -> dict[str, int]:
    """Key path to 1-based line, for the plain layouts that people write.

    A key inside an inline table or a multi-line string is found through its parent.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    closing: str | None = None
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):  # as TOML counts them
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
            path = prefix
            for word in re.findall(_WORD, key.group(1)):
                bare = word.strip("\"'")
                path = f"{path}.{bare}" if path else bare
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


def _check_names(case: Case, name: str, line_of: LineOf) -> None:
    """What types alone cannot say: names that must be distinct, and texts that must parse."""

    def wrong(key: str, what: str, why: str | None = None) -> CaseError:
        line = line_of(key)
        where = f"{name}:{line}" if line else name
        return CaseError(what, where=where, why=why, next=f"open {where} and correct it")

    if not case.model:
        raise wrong("model", "the case has no [[model]]")
    if not case.baseline:
        raise wrong("baseline", "the case has no [[baseline]]", "a number needs one to be read")
    if not case.criterion:
        raise wrong("criterion", "the case has no [[criterion]]", "say what would count as success")
    asked = case.evaluation.decision
    if asked is not None and asked.lowest >= asked.highest:
        what = f"the decision curve would go from {asked.lowest:g} to {asked.highest:g}"
        raise wrong("evaluation.decision", what, "lowest must be below highest")
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
    for index, contrast in enumerate(case.contrast):
        if contrast.name in [other.name for other in case.contrast[:index]]:
            raise wrong(f"contrast.{index}.name", f"two contrasts are called '{contrast.name}'")
        if contrast.split is None and not contrast.known_by:
            raise wrong(
                f"contrast.{index}",
                f"the contrast '{contrast.name}' does not say what is different",
                "it needs a split, or a known_by",
            )
    models = [model.name for model in case.model]
    if case.candidate and case.candidate not in models:
        near = suggest(case.candidate, models)
        raise wrong(
            "candidate",
            f"the candidate '{case.candidate}' is not one of the models",
            f"did you mean '{near}'?" if near else f"models: {', '.join(models)}",
        )


def _check_numbers(value: Any, name: str, line_of: LineOf, at: str = "") -> None:
    """Raise CaseError for a number that canonical JSON cannot hold, and a seal so cannot digest."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            _check_numbers(item, name, line_of, f"{at}.{key}" if at else str(key))
    elif isinstance(value, int | float) and not abs(value) < _SAFE and not _fits(value):
        line = line_of(at)
        raise CaseError(
            f"the number at '{at}' cannot be sealed",
            where=f"{name}:{line}" if line else name,
            why="a whole number must be below 2^53 in size, and no number may be inf or nan",
            next="write a smaller number",
        )


def _fits(value: float) -> bool:
    return isinstance(value, float) and math.isfinite(value)
