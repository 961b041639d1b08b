"""The steps of ``pipeline/`` and the graph that their own words make.

A step is ``pipeline/NN_name.sql`` or ``pipeline/NN_name.py``; it makes ``data/built/name.parquet``.
The order comes from what each step reads. Numbers only decide between steps that do not wait for
one another.
"""

from __future__ import annotations

import heapq
import re
from pathlib import Path
from typing import Literal

import msgspec

from trackrecord.data.build.parsed import Memory, Parsed, key_of
from trackrecord.data.build.python_reads import declared, digest_of_python, parse_python
from trackrecord.data.build.sql_reads import digest_of_sql, parse, reads_of
from trackrecord.data.named import NAME, built_table, source_names, source_table
from trackrecord.errors import DataError, suggest

STEP_FILE = re.compile(r"(?P<number>\d{1,6})_(?P<name>[a-z][a-z0-9_]{0,63})\.(?P<kind>sql|py)\Z")
FOLDER = "pipeline"


class Step(msgspec.Struct, frozen=True):
    """One step.

    ``file`` is as seen from the workspace; ``reads`` the tables that it names, in order of first
    use; ``digest`` the SHA-256 of what it says, without comments and layout.
    """

    number: int
    name: str
    file: str
    kind: Literal["sql", "python"]
    reads: list[str]
    digest: str


class Pipeline(msgspec.Struct, frozen=True):
    """All steps in the order they run, and the sources of the workspace."""

    steps: list[Step]
    sources: list[str]

    def maker(self, table: str) -> Step | None:
        """The step that makes a table; None for a source."""
        return next((step for step in self.steps if step.name == table), None)

    def readers(self, table: str) -> list[Step]:
        """The steps that read a table, in running order."""
        return [step for step in self.steps if table in step.reads]

    def before(self, names: list[str]) -> list[Step]:
        """The named steps and all that they rest on, in running order."""
        wanted = set(names)
        for step in reversed(self.steps):
            if step.name in wanted:
                wanted.update(step.reads)
        return [step for step in self.steps if step.name in wanted]


def table_file(root: Path, pipeline: Pipeline, table: str) -> Path:
    """The Parquet file of a source or of a step's output."""
    if pipeline.maker(table) is not None:
        return built_table(root, table)
    return source_table(root, table)


def read_pipeline(root: Path) -> Pipeline:
    """The workspace's pipeline. Nothing of it is run.

    Raises
    ------
    DataError
        For a file that is no step, two steps of one name, a step called like a source, a table
        that nobody makes, and steps that wait for one another in a circle.
    """
    sources = source_names(root)
    memory = Memory(root)
    steps = [_read_step(path, memory) for path in _files(root)]
    memory.save()
    _check_names(steps, sources, root)
    _check_reads(steps, sources)
    return Pipeline(_in_order(steps), sources)


def step_text(path: Path) -> str:
    """A step's file as text. DataError where it is none, or says nothing."""
    where = f"{FOLDER}/{path.name}"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where} is not UTF-8",
            where=f"{where}, byte {error.start + 1:,}",
            next="save it again with the encoding UTF-8",
        ) from None
    except OSError as error:
        raise DataError(f"cannot read {where}", where=where, why=error.strerror) from None
    if "\0" in text:
        raise DataError(f"{where} is not text", where=where, why="there is a NUL byte")
    if not text.strip():
        raise DataError(
            f"{where} is empty",
            where=where,
            next="write a SELECT into it, or remove it"
            if path.suffix == ".sql"
            else "write a function into it, or remove it",
        )
    return text


def made_later(pipeline: Pipeline) -> list[tuple[Step, Step]]:
    """(step, maker) where a step reads what a step with a higher number makes."""
    found = []
    for step in pipeline.steps:
        for table in step.reads:
            maker = pipeline.maker(table)
            if maker is not None and maker.number > step.number:
                found.append((step, maker))
    return found


def _files(root: Path) -> list[Path]:
    """The files of steps, by number and name. Hidden files and those of other endings are not."""
    folder = root / FOLDER
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__")) or path.suffix.lower() not in (".sql", ".py"):
            continue
        if not STEP_FILE.match(path.name):
            raise DataError(
                f"{FOLDER}/{path.name} is no step's name",
                where=f"{FOLDER}/{path.name}",
                why="a step is NUMBER_name.sql or NUMBER_name.py, in lower-case letters, digits, _",
                next=f"call it like {FOLDER}/10_clean{path.suffix.lower()}",
            )
        if not path.is_file():
            raise DataError(f"{FOLDER}/{path.name} is no plain file", where=f"{FOLDER}/{path.name}")
        found.append(path)
    return found


def _read_step(path: Path, memory: Memory) -> Step:
    matched = STEP_FILE.match(path.name)
    assert matched is not None
    where = f"{FOLDER}/{path.name}"
    text = step_text(path)
    kind: Literal["sql", "python"] = "sql" if matched["kind"] == "sql" else "python"
    key = key_of(text, where)
    if (known := memory.find(key)) is None:
        known = _parsed(text, where, kind)
        memory.keep(key, known)
    return Step(int(matched["number"]), matched["name"], where, kind, known.reads, known.digest)


def _parsed(text: str, where: str, kind: str) -> Parsed:
    if kind == "sql":
        statements = parse(text, where)
        if not statements:
            raise DataError(
                f"{where} has comments, and no SQL", where=where, next="write a SELECT into it"
            )
        reads, digest = reads_of(statements), digest_of_sql(text)
    else:
        tree = parse_python(text, where)
        reads, digest = declared(tree, where).inputs, digest_of_python(tree)
    return Parsed(reads, digest)


def _check_names(steps: list[Step], sources: list[str], root: Path) -> None:
    seen: dict[str, Step] = {}
    for step in steps:
        if step.name in seen:
            raise DataError(
                f"two steps are called {step.name!r}",
                where=f"{seen[step.name].file} and {step.file}",
                why=f"both would make data/built/{step.name}.parquet",
                next="rename one of them",
            )
        if step.name in sources:
            raise DataError(
                f"the step {step.name!r} is called like a source",
                where=step.file,
                why=f"data/{step.name}.parquet is a table of that name already",
                next=f"call it something like {step.file.replace(step.name, step.name + '_clean')}",
            )
        if (root / "features" / f"{step.name}.toml").is_file():
            raise DataError(
                f"the step {step.name!r} is called like features",
                where=f"{step.file} and features/{step.name}.toml",
                why=f"both would make data/built/{step.name}.parquet",
                next="rename one of them",
            )
        seen[step.name] = step


def _check_reads(steps: list[Step], sources: list[str]) -> None:
    known = sorted({*sources, *(step.name for step in steps)})
    for step in steps:
        for table in step.reads:
            if table in known:
                continue
            near = suggest(table, [name for name in known if name != step.name])
            raise DataError(
                f"{step.file} reads the table {table!r}, which nobody makes",
                where=step.file,
                why=f"did you mean {near!r}?"
                if near
                else f"tables: {', '.join(known[:40]) or 'none yet'}",
                next=f"trackrecord data add FILE --name {table}"
                if NAME.match(table)
                else "a step reads tables by their names; add a file first: trackrecord data add",
            )


def _in_order(steps: list[Step]) -> list[Step]:
    """Each step after those it reads; among those that may run, the lowest number first."""
    names = {step.name for step in steps}
    waits = {step.name: {table for table in step.reads if table in names} for step in steps}
    ready = [(step.number, step.name) for step in steps if not waits[step.name]]
    heapq.heapify(ready)
    by_name = {step.name: step for step in steps}
    ordered: list[Step] = []
    while ready:
        _, name = heapq.heappop(ready)
        ordered.append(by_name[name])
        for step in steps:
            if name in waits[step.name]:
                waits[step.name].discard(name)
                if not waits[step.name]:
                    heapq.heappush(ready, (step.number, step.name))
    if len(ordered) < len(steps):
        circle = _circle(waits)
        raise DataError(
            "steps wait for one another in a circle",
            where=", ".join(by_name[name].file for name in circle[:-1]),
            why=" → ".join(circle),
            next="let one of them read an earlier table",
        )
    return ordered


def _circle(waits: dict[str, set[str]]) -> list[str]:
    """A way from a table to itself, in the order data would flow: a → b means that b reads a."""
    left = {name for name, wait in waits.items() if wait}
    path = [min(left)]
    while True:
        # Each step that is left waits for another that is left.
        following = min(waits[path[-1]] & left)
        if following in path:
            found = path[path.index(following) :]
            found = [*found, found[0]]
            found.reverse()
            start = found.index(min(found))
            body = found[:-1]
            body = body[start:] + body[:start]
            return [*body, body[0]]
        path.append(following)
