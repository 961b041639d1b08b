"""Says in plain words why a document is not a case: what stands there, what may, and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import inspect

from trackrecord.cases.spec import Case
from trackrecord.errors import CaseError, suggest

_REFERENCE = "the keys are described in docs/reference/case.md"

_WORDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list in [ ]",
    "object": "a table",
    "date": "a bare date",
    "datetime": "a bare date and time",
    "time": "a bare time of day",
    "null": "nothing",
}
_PATTERNS = {
    "[a-z]": "lower-case letters, digits, - and _, at most 64, starting with a letter",
    r"\d{4}": 'a day in quotes, like "2024-01-31"',
}


def syntax_error(name: str, text: str, message: str) -> CaseError:
    """The error for text that is not TOML, from what the parser said."""
    found = re.search(r"\(at line (\d+), column (\d+)\)", message)
    where = f"{name}:{found.group(1)}:{found.group(2)}" if found else name
    if not found and "end of document" in message:
        where = f"{name}:{text.rstrip().count(chr(10)) + 1}"
    return CaseError(
        f"{name} is not valid TOML",
        where=where,
        why=re.sub(r"\s*\(at .*\)", "", message),
        next=f"open {name} at that line; strings need quotes, lists need [ ]",
    )


def invalid(name: str, message: str, line_of: Callable[[str], int | None]) -> CaseError:
    """The error for TOML that is not a case, from what msgspec said.

    Parameters
    ----------
    name:
        The file as shown to people.
    message:
        Of a msgspec.ValidationError, such as ``Expected `int`, got `str` - at `$.seed```.
    line_of:
        From a key path to its line.
    """
    found = re.search(r" - at `(?:key in )?\$\.?(.*?)`$", message)
    what = message[: found.start()] if found else message
    path = re.sub(r"\[(\d+)\]", r".\1", found.group(1)) if found else ""
    path = path.replace("[...]", "")
    what, why, path = _words(what, path)
    line = line_of(path)
    return CaseError(
        f"{name} is not a case: {what}",
        where=f"{name}:{line}" if line else name,
        why=why,
        next=_REFERENCE,
    )


def _words(what: str, path: str) -> tuple[str, str | None, str]:
    """What, why, and the key path to point at."""
    if found := re.search(r"unknown field `(.+)`", what):
        key = found.group(1)
        known = sorted(keys_at(path))
        near = suggest(key, known)
        why = f"did you mean '{near}'?" if near else f"known keys: {', '.join(known)}"
        return f"there is no key '{key}' here", why, f"{path}.{key}".lstrip(".")
    if found := re.search(r"missing required field `(.+)`", what):
        place = f"in [{path}]" if path else "at the top of the file"
        return f"the key '{found.group(1)}' is missing", f"it belongs {place}", path
    if found := re.match(r"Invalid (?:enum )?value (.+)$", what):
        given = found.group(1).strip("'")
        allowed = values_at(path)
        near = suggest(given, allowed)
        why = f"did you mean '{near}'? " if near else ""
        why += f"allowed: {', '.join(allowed)}" if allowed else ""
        return f"{path} cannot be '{given}'", why or None, path
    if found := re.match(r"Expected (.+?), got `(.+)`$", what):
        return f"{path} is {_kind(found.group(2))}", f"expected {_kinds(found.group(1))}", path
    if found := re.search(r"matching regex '(.+)'", what):
        meant = next(words for start, words in _PATTERNS.items() if start in found.group(1))
        return f"{path} is not written as it must be", f"expected {meant}", path
    if "`str` of length >= 1" in what or "`array` of length >= 1" in what:
        return f"{path} is empty", None, path
    expected = re.sub(r"`(\w+)`", lambda kind: _kind(kind.group(1)), what)
    return f"{path} is out of range", expected[0].lower() + expected[1:], path


def _kind(word: str) -> str:
    return _WORDS.get(word, word)


def _kinds(text: str) -> str:
    return " or ".join(_kind(word) for word in re.findall(r"\w+", text))


def types_at(path: str) -> list[inspect.Type]:
    """What the case format allows at a key path; several where alternatives do."""
    found: list[inspect.Type] = [inspect.type_info(Case)]
    for word in path.split(".") if path else []:
        found = [inner for kind in found for inner in _inside(kind, word)]
    return list(_alternatives(found))


def keys_at(path: str) -> set[str]:
    """The keys that may stand in the table at a key path."""
    keys = set()
    for kind in types_at(path):
        if isinstance(kind, inspect.StructType):
            keys |= {field.encode_name for field in kind.fields}
            keys |= {kind.tag_field} if kind.tag_field else set()
    return keys


def values_at(path: str) -> list[str]:
    """The words that may stand at a key path, where it is a choice."""
    allowed: list[str] = []
    parent, _, key = path.rpartition(".")
    for kind in types_at(parent):
        if isinstance(kind, inspect.StructType) and kind.tag_field == key:
            allowed.append(str(kind.tag))
    here = types_at(path)
    for kind in [*here, *(inner for outer in here for inner in _inside(outer, "any key"))]:
        if isinstance(kind, inspect.LiteralType):
            allowed += map(str, kind.values)
    return allowed


def _alternatives(kinds: list[inspect.Type]) -> Iterator[inspect.Type]:
    for kind in kinds:
        if isinstance(kind, inspect.UnionType):
            yield from _alternatives(list(kind.types))
        else:
            yield kind


def _inside(kind: inspect.Type, word: str) -> Iterator[inspect.Type]:
    """What stands under a key, or at a place of a list."""
    for one in _alternatives([kind]):
        if isinstance(one, inspect.StructType):
            yield from (field.type for field in one.fields if field.encode_name == word)
        elif isinstance(one, inspect.ListType) and word.isdigit():
            yield one.item_type
        elif isinstance(one, inspect.DictType):
            yield one.value_type
