"""Raw bytes, sources, files, steps and what they built, as nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from trackrecord.data.build import run_python, run_sql
from trackrecord.data.build.python_reads import declared, digest_of_python, parse_python
from trackrecord.data.build.sql_reads import digest_of_sql, parse, reads_of
from trackrecord.data.build.stale import inputs_of, reasons
from trackrecord.data.build.state import BuiltFile, read_built
from trackrecord.data.build.steps import (
    FOLDER,
    STEP_FILE,
    Pipeline,
    Step,
    read_pipeline,
    step_text,
    table_file,
)
from trackrecord.data.ingest.record import SourceFile, described, read_source
from trackrecord.data.ingest.store import raw_file
from trackrecord.data.lineage.graph import UNSAID, Field, Node, State
from trackrecord.data.lineage.known import Known, Said, fields_of
from trackrecord.data.named import built_table, source_names, source_table
from trackrecord.data.sources import inside
from trackrecord.errors import DataError
from trackrecord.version import __version__

# Beyond so many parts of its SQL a step's own file says it better.
MOST_EFFECTS = 8


def add_sources(known: Known) -> None:
    """Each source, and the bytes that it was made of."""
    for name in sorted({*described(known.root), *source_names(known.root)}):
        path = source_table(known.root, name)
        shown = f"data/{name}.parquet"
        try:
            source = read_source(known.root, name)
        except DataError as error:
            why = known.problem(error)
            known.add(_table(known, "source", name, path, state="damaged", why=why))
            continue
        if source is None:
            why = f"nothing says where it is from: there is no data/{name}.source.toml"
            known.add(_table(known, "source", name, path, state="unknown", why=why))
            continue
        _add_source(known, source, path, shown)


def _add_source(known: Known, source: SourceFile, path: Path, shown: str) -> None:
    raw, kept = f"raw:{source.raw}", raw_file(known.root, source.raw)
    there = kept.is_file()
    known.add(
        Node(
            id=raw,
            kind="raw",
            name=source.file,
            file=f"data/raw/{source.raw}",
            digest=source.raw,
            made=source.added,
            state="fresh" if there else "missing",
            why="" if there else f"the bytes are not in data/raw; {source.name} is still there",
            facts={
                "origin": source.origin or UNSAID,
                "licence": source.license or UNSAID,
                "bytes": f"{source.bytes:,}"
                + (f" in {source.files:,} files" if source.files > 1 else ""),
            },
        )
    )
    state, why = _same(known, path, shown, source.parquet, f"`data add` made {source.name} of it")
    ingest = known.last("ingest", "parquet", source.parquet)
    lost = sum(note.lost for note in source.note)
    facts = {"read as": source.read.format}
    if lost:
        facts["lost on reading"] = f"{lost} kinds of values; see data/{source.name}.source.toml"
    facts.update(contract_facts(known, shown))
    known.add(
        Node(
            id=f"source:{source.name}",
            kind="source",
            name=source.name,
            file=shown,
            digest=source.parquet,
            made=ingest.entry.time if ingest else source.added,
            state=state,
            why=why,
            rows=source.rows,
            facts=facts,
            fields=[Field(column.name, column.kind) for column in source.column],
        ),
        raw,
    )


def contract_facts(known: Known, shown: str) -> dict[str, str]:
    """What the last check of a table against its contract came to."""
    for one in reversed(known.said("contract")):
        checked = one.digest_of(shown)
        if not checked:
            continue
        rules = one.predicate.get("rules") or []
        broken = sum(rule.get("status") == "failed" for rule in rules)
        holds = "holds" if one.predicate.get("holds") else f"{broken} of {len(rules)} rules broken"
        told = f"version {one.predicate.get('version')} {holds}, checked {one.entry.time[:10]}"
        now = known.sha256(known.root / shown)
        return {"contract": told if now in (None, checked) else f"{told}, of an older table"}
    return {}


def add_file(known: Known, shown: str) -> str:
    """The node of a data file that a case names; returns its id."""
    for kind, folder in (
        ("source", "data"),
        ("table", "data/built"),
        ("features", "data/built"),
    ):
        name = shown.removeprefix(f"{folder}/").removesuffix(".parquet")
        if shown == f"{folder}/{name}.parquet" and f"{kind}:{name}" in known.nodes:
            return f"{kind}:{name}"
    node = f"file:{shown}"
    if node not in known.nodes:
        try:
            path = inside(known.root, shown)
        except DataError as error:
            why = known.problem(error)
            known.add(Node(id=node, kind="file", name=shown, state="damaged", why=why))
            return node
        digest = known.sha256(path)
        fields, rows = fields_of(path) if digest and shown.endswith(".parquet") else ([], None)
        known.add(
            Node(
                id=node,
                kind="file",
                name=path.name,
                file=shown,
                digest=digest or "",
                state="unknown" if digest else "missing",
                why="it was put there by hand: nothing says where it is from"
                if digest
                else "the file is not there",
                rows=rows,
                fields=fields,
            )
        )
    return node


def add_steps(known: Known) -> None:
    """Each step, what it reads, and the table that it makes."""
    steps = _steps(known)
    pipeline = Pipeline([step for step, _ in steps], source_names(known.root))
    for step, broken in steps:
        reads = [
            f"table:{name}" if pipeline.maker(name) else known.table(name, step.file)
            for name in step.reads
        ]
        _add_step(known, pipeline, step, broken, reads)


def _add_step(known: Known, pipeline: Pipeline, step: Step, broken: str, reads: list[str]) -> None:
    shown = f"data/built/{step.name}.parquet"
    before = read_built(known.root, step.name)
    build = None if before is None else known.evidence(before.evidence)
    state: State = "fresh"
    why = ""
    if broken:
        state, why = "damaged", broken
    elif before and before.digest != step.digest:
        state, why = "stale", "it says something else than when it last ran"
    facts = {"written in": "SQL" if step.kind == "sql" else "Python"}
    facts["reads"] = ", ".join(step.reads) or "no table"
    if before:
        facts["run by"] = before.engine
    for effect in (build.predicate.get("effects") or [])[:MOST_EFFECTS] if build else []:
        if effect.get("lost"):
            lost, all_rows = int(effect["lost"]), int(effect.get("rows_in") or 0)
            facts[f"lost at {effect['clause']} {effect['what']}"] = f"{lost:,} of {all_rows:,} rows"
    known.add(
        Node(
            id=f"step:{step.name}",
            kind="step",
            name=Path(step.file).name,
            file=step.file,
            digest=step.digest,
            made=before.built if before else "",
            state=state,
            why=why,
            facts=facts,
        ),
        *reads,
    )
    state, why = _built(known, pipeline, step, before, build)
    path = built_table(known.root, step.name)
    known.add(
        _table(
            known, "table", step.name, path, state=state, why=why,
            made=before.built if before else "", facts=contract_facts(known, shown),
        ),
        f"step:{step.name}",
    )  # fmt: skip


def _built(
    known: Known, pipeline: Pipeline, step: Step, before: BuiltFile | None, build: Said | None
) -> tuple[State, str]:
    """Whether a step's table is the one that ``data build`` would leave alone."""
    path = built_table(known.root, step.name)
    if before is None:
        if not path.is_file():
            return "unmade", "it is not built yet: trackrecord data build"
        return "unknown", "nothing says how it was built"
    if not path.is_file():
        return "missing", f"data/built/{path.name} is gone"
    there = [one for one in step.reads if table_file(known.root, pipeline, one).is_file()]
    engine = run_sql.engine() if step.kind == "sql" else run_python.engine()
    try:
        partial = msgspec.structs.replace(step, reads=there)
        inputs = inputs_of(known.root, pipeline, partial, before, known.digests)
        found = reasons(
            known.root, step, before, inputs, tool=__version__, engine=engine,
            digests=known.digests, rebuilt={},
        )  # fmt: skip
    except DataError as error:
        return "stale", known.problem(error)
    except OSError as error:  # it is being written at this moment
        return "unknown", f"it cannot be looked at: {error.strerror}"
    if found:
        return "stale", "; ".join(found)
    if build is None:
        return "unknown", "the record has no build of it"
    return "fresh", ""


def _same(known: Known, path: Path, shown: str, digest: str, when: str) -> tuple[State, str]:
    """Whether a file is there with the digest it was made with."""
    if not path.is_file():
        return "missing", f"{shown} is gone"
    if digest and known.sha256(path) != digest:
        return "stale", f"{shown} has changed since {when}"
    return "fresh", ""


def _table(
    known: Known,
    kind: str,
    name: str,
    path: Path,
    *,
    state: State,
    why: str,
    made: str = "",
    facts: dict[str, str] | None = None,
) -> Node:
    fields, rows = fields_of(path)
    return Node(
        id=f"{kind}:{name}",
        kind=kind,  # type: ignore[arg-type]
        name=name,
        file=path.relative_to(known.root).as_posix(),
        digest=known.sha256(path) or "",
        made=made,
        state=state,
        why=why,
        rows=rows,
        facts=facts or {},
        fields=fields,
    )


def _steps(known: Known) -> list[tuple[Step, str]]:
    """The steps, each with what is amiss with its file. One that cannot be read stops no other."""
    try:
        return [(step, "") for step in read_pipeline(known.root).steps]
    except DataError as error:
        known.problem(error)
    found = []
    for path in sorted((known.root / FOLDER).iterdir()):
        matched = STEP_FILE.match(path.name)
        if matched is None or not path.is_file():
            continue
        shown = f"{FOLDER}/{path.name}"
        kind: Literal["sql", "python"] = "sql" if matched["kind"] == "sql" else "python"
        reads, digest, broken = list[str](), "", ""
        try:
            text = step_text(path)
            if kind == "sql":
                reads, digest = reads_of(parse(text, shown)), digest_of_sql(text)
            else:
                tree = parse_python(text, shown)
                reads, digest = declared(tree, shown).inputs, digest_of_python(tree)
        except DataError as error:
            broken = known.problem(error)
        number = int(matched["number"])
        found.append((Step(number, matched["name"], shown, kind, reads, digest), broken))
    return found
