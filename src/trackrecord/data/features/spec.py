"""``features/NAME.toml``: structs, and a strict reader that knows the line of every key."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from trackrecord.cases.explain import syntax_error
from trackrecord.cases.reader import line_finder
from trackrecord.data.asof import parse_known_by
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.features.durations import duration, lag
from trackrecord.data.features.plan import HOW, Plan, Take, ViewPlan
from trackrecord.data.named import NAME
from trackrecord.data.sources import check_timezone
from trackrecord.errors import DataError, TrackrecordError, suggest

FORMAT = 1
MOST_BYTES = 1_000_000
ALWAYS = "always"
LineOf = Callable[[str], int | None]
Default = bool | int | float | str
Read = TypeVar("Read")
_WORDS = {
    "str": "text in quotes",
    "array": "a list in [ ]",
    "object": "a table",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_REFERENCE = "the keys are described in docs/reference/features.md"


class Feature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One feature: exactly one of the ways to take it, with the column it is taken of.

    ``count`` and ``hours_since`` may be of ``"*"``, any event. Without a ``window`` all that was
    known counts. ``default`` stands where the feature would be missing.
    """

    latest: str | None = None
    last: str | None = None
    count: str | None = None
    distinct: str | None = None
    sum: str | None = None
    mean: str | None = None
    std: str | None = None
    min: str | None = None
    max: str | None = None
    share: str | None = None
    hours_since: str | None = None
    window: str | None = None
    default: Default | None = None


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Events of entities: a ``table`` or the answer of ``sql``, and what is taken of them.

    ``reads`` has each table that the SQL reads, and when a row of it was known: its time column,
    ``"1 day after COLUMN"``, or ``"always"``.
    """

    by: list[str]
    time: str
    table: str | None = None
    sql: str | None = None
    reads: dict[str, str] = {}
    available: str | None = None
    max_age: str | None = None
    latest: list[str] = []
    prefix: str = ""
    features: dict[str, Feature] = {}


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rows that get features: their table, their time, and by when something must be known."""

    table: str
    time: str
    known_by: str = "at the time"
    timezone: str = "UTC"
    key: list[str] = []
    keep: list[str] | None = None


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A set of features."""

    features: int
    name: str
    rows: Rows
    view: dict[str, View]
    description: str | None = None


class Written(NamedTuple):
    """A definition, what it asks for, and where it is written."""

    definition: Definition
    plan: Plan
    shown: str
    line_of: LineOf

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Errors of the block that know the key behind them get its file and line."""
        try:
            yield
        except KeyedDataError as error:
            line = self.line_of(error.key)
            place = f"{self.shown}:{line}" if line else self.shown
            error.where = f"{place}; {error.where}" if error.where else place
            raise


def definition_file(root: Path, name: str) -> Path:
    """Where a definition stands. Raises DataError for what cannot be its name."""
    if not NAME.match(name):
        raise DataError(
            f"{name!r} cannot be the name of features",
            why="a name has lower-case letters, digits and _, and starts with a letter",
            next="choose a name like evening",
        )
    return root / "features" / f"{name}.toml"


def read_definition(root: Path, name: str) -> Written:
    """The definition ``features/NAME.toml``.

    Raises DataError, with file and line, for what is none.
    """
    path = definition_file(root, name)
    shown = f"features/{name}.toml"
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"cannot read {shown}", why="it is no plain file")
        raw = path.read_bytes()
    except FileNotFoundError:
        names = sorted(one.stem for one in path.parent.glob("*.toml"))
        near = suggest(name, names)
        raise DataError(
            f"there is no {shown}",
            why=f"did you mean {near!r}?" if near else f"features: {', '.join(names) or 'none'}",
            next="write one: docs/how-to/make-features-that-respect-time.md",
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {shown}", why=error.strerror) from None
    if len(raw) > MOST_BYTES:
        raise DataError(f"{shown} is larger than 1 MB", why="a definition is a page of text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{shown} is not UTF-8", where=f"{shown}, byte {error.start}") from None
    written = decode_definition(text, shown)
    definition = written.definition
    if definition.name != name:
        raise DataError(
            f"{shown} calls itself {definition.name!r}",
            where=shown,
            next=f'write name = "{name}", or rename the file',
        )
    return written


def decode_definition(text: str, shown: str) -> Written:
    """Like :func:`read_definition`, from text already in hand."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        told = syntax_error(shown, text, str(error))
        raise DataError(told.what, where=told.where, why=told.why, next=told.next) from None
    line_of = line_finder(text)
    at = _Place(shown, line_of)
    version = document.get("features")
    if isinstance(version, int) and not isinstance(version, bool) and version > FORMAT:
        raise at.wrong(
            "features", f"{shown} was written for a newer trackrecord", f"format {version}"
        )
    definition = _converted(document, at)
    return Written(definition, _plan(definition, at), shown, line_of)


class _Place:
    """A file, and errors that name a line in it."""

    def __init__(self, shown: str, line_of: LineOf) -> None:
        self.shown, self.line_of = shown, line_of

    def wrong(self, key: str, what: str, why: str | None = None) -> DataError:
        line = self.line_of(key)
        where = f"{self.shown}:{line}" if line else self.shown
        return DataError(what, where=where, why=why, next=_REFERENCE)


def _converted(document: dict[str, Any], at: _Place) -> Definition:
    """Plain values as a definition, the innermost first, so that each error knows its place."""
    views = document.get("view")
    for name, view in views.items() if isinstance(views, dict) else ():
        features = view.get("features") if isinstance(view, dict) else None
        for given, feature in features.items() if isinstance(features, dict) else ():
            _convert(feature, Feature, f"view.{name}.features.{given}", at)
        _convert(view, View, f"view.{name}", at)
    if isinstance(document.get("rows"), dict):
        _convert(document["rows"], Rows, "rows", at)
    return _convert(document, Definition, "", at)


def _convert(value: Any, struct: type[Read], path: str, at: _Place) -> Read:
    try:
        return msgspec.convert(value, struct)
    except msgspec.ValidationError as error:
        message = str(error)
    found = re.search(r" - at `\$\.?(.*?)`$", message)
    what = message[: found.start()] if found else message
    inner = found.group(1).partition("[")[0] if found else ""
    key = f"{path}.{inner}".strip(".")
    if unknown := re.search(r"unknown field `(.+)`", what):
        word = unknown.group(1)
        known = [field.encode_name for field in msgspec.structs.fields(struct)]  # type: ignore[arg-type]
        near = suggest(word, known)
        place = f" in [{path}]" if path else ""
        raise at.wrong(
            f"{key}.{word}".strip("."),
            f"there is no key {word!r}{place}",
            f"did you mean {near!r}?" if near else f"known keys: {', '.join(known)}",
        )
    if missing := re.search(r"missing required field `(.+)`", what):
        place = f"in [{key}]" if key else "at the top of the file"
        raise at.wrong(key, f"the key {missing.group(1)!r} is missing", f"it belongs {place}")
    for word, plain in _WORDS.items():
        what = what.replace(f"`{word}`", plain)
    raise at.wrong(key, f"{key or at.shown} is not written as it must be", what)


def _plan(definition: Definition, at: _Place) -> Plan:
    """What types alone cannot say, and the spans as microseconds."""
    if not NAME.match(definition.name):
        raise at.wrong("name", f"{definition.name!r} cannot be a name", "write one like evening")
    if not definition.view:
        raise at.wrong("view", "there is no [view.NAME]", "features are taken of a view's events")
    rows = definition.rows
    try:
        known_by = parse_known_by(rows.known_by)
        check_timezone(rows.timezone)
    except TrackrecordError as error:
        key = "rows.known_by" if "known_by" in error.what else "rows.timezone"
        raise at.wrong(key, error.what, error.why or error.next) from None
    taken: dict[str, str] = {}
    views = []
    for name, view in definition.view.items():
        plan = _view(name, view, at)
        for take in plan.takes:
            if take.name in taken:
                raise at.wrong(
                    f"view.{name}.features.{take.name}",
                    f"two features are called {take.name!r}",
                    f"the other is in [view.{taken[take.name]}]; give one view a prefix",
                )
            taken[take.name] = name
        views.append(plan)
    return Plan(definition.name, known_by, rows.timezone, rows.time, tuple(views))


def _view(name: str, view: View, at: _Place) -> ViewPlan:
    key = f"view.{name}"
    if (view.table is None) == (view.sql is None):
        both = "both a table and sql" if view.table else "neither a table nor sql"
        raise at.wrong(key, f"the view {name!r} has {both}", "its events come from one of them")
    if view.sql is not None and not view.reads:
        raise at.wrong(
            f"{key}.sql",
            f"the view {name!r} does not say what its SQL reads",
            'write reads = { TABLE = "TIME COLUMN" }: a check takes away what was not known yet',
        )
    if view.table is not None and view.reads:
        raise at.wrong(f"{key}.reads", "reads belongs to a view with sql", "remove it")
    if len(set(view.by)) != len(view.by):
        raise at.wrong(f"{key}.by", f"the view {name!r} names a column twice in by")
    delay, column = 0, None
    if view.available is not None:
        delay, named = _span(lag, view.available, f"{key}.available", at)
        column = named or None
        if delay and column is not None:
            raise at.wrong(
                f"{key}.available", f"{view.available!r} names a span and a column",
                'write "6 hours after" (the event), or the column that has the moment',
            )  # fmt: skip
    max_age = None
    if view.max_age is not None:
        max_age = _span(duration, view.max_age, f"{key}.max_age", at)
    takes = [Take(view.prefix + column, "latest", column) for column in view.latest]
    for given, feature in view.features.items():
        takes.append(_take(given, feature, f"{key}.features.{given}", at))
    if not takes:
        raise at.wrong(
            key, f"the view {name!r} has no feature",
            'write latest = ["COLUMN"], or NAME = { mean = "COLUMN", window = "7 days" } '
            f"in [{key}.features]",
        )  # fmt: skip
    names = [take.name for take in takes]
    if doubled := next((one for one in names if names.count(one) > 1), None):
        raise at.wrong(f"{key}.features.{doubled}", f"two features are called {doubled!r}")
    if max_age is not None and all(take.how != "latest" for take in takes):
        raise at.wrong(
            f"{key}.max_age", "max_age is of latest values, and this view has none",
            "give the feature a window",
        )  # fmt: skip
    return ViewPlan(name, tuple(view.by), view.time, column, delay, max_age, tuple(takes))


def _take(name: str, feature: Feature, key: str, at: _Place) -> Take:
    ways = [how for how in HOW if getattr(feature, how) is not None]
    if len(ways) != 1:
        what = f"is taken in {len(ways)} ways" if ways else "does not say how it is taken"
        raise at.wrong(key, f"the feature {name!r} {what}", f"one of: {', '.join(HOW)}")
    how, column = ways[0], getattr(feature, ways[0])
    if not name or not column:
        raise at.wrong(key, f"the feature {name!r} has an empty name or column")
    if column == "*" and how not in ("count", "hours_since"):
        raise at.wrong(key, f"{how} is of a column", '"*" is for count and hours_since')
    window = None
    if feature.window is not None:
        if how == "latest":
            raise at.wrong(
                f"{key}.window", "latest has no window",
                "it is the newest event's value; limit it by max_age, or take last",
            )  # fmt: skip
        window = _span(duration, feature.window, f"{key}.window", at)
    return Take(name, how, column, window, feature.default)


def _span(read: Callable[[str], Read], text: str, key: str, at: _Place) -> Read:
    try:
        return read(text)
    except DataError as error:
        raise at.wrong(key, error.what, error.why) from None
