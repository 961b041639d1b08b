"""``trackrecord data build``: runs the steps that are stale, in order, each whole or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from trackrecord.data.build import run_python, run_sql
from trackrecord.data.build.effect import Effect
from trackrecord.data.build.lock import Shown, alone, spilling, unseen
from trackrecord.data.build.python_reads import declared, parse_python
from trackrecord.data.build.record import BuildPredicate, ContractHeld, record_build
from trackrecord.data.build.run_sql import Ran
from trackrecord.data.build.sql_reads import parse
from trackrecord.data.build.stale import (
    contract_digest,
    contract_files,
    inputs_of,
    key_of,
    reasons,
)
from trackrecord.data.build.state import BuiltFile, Digests, Input, read_built, write_built
from trackrecord.data.build.steps import Pipeline, Step, read_pipeline, step_text, table_file
from trackrecord.data.build.unsettled import unsettled
from trackrecord.data.ingest.store import put, temporary
from trackrecord.data.named import built_table
from trackrecord.errors import BadInput, DataError, suggest
from trackrecord.ledger.store import file_sha256

if TYPE_CHECKING:
    from trackrecord.data.contract.outcome import Checked
    from trackrecord.ledger import Entry

Share = Callable[[float], None]


class Limits(NamedTuple):
    """What one step may take: seconds (Python), bytes of memory; None is the default."""

    seconds: float = 1800.0
    memory: int | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of one step.

    ``built``: it ran, and its output is new or differs. ``same``: it ran, and the output has the
    content it had. ``fresh``: nothing to do. ``refused``: its contract is broken. In a dry run:
    ``would``, ``may`` (it depends on how an input comes out), ``fresh``.
    """

    step: str
    file: str
    state: Literal["built", "same", "fresh", "refused", "would", "may"]
    why: list[str] = []
    inputs: list[Input] = []
    rows: int | None = None
    effects: list[Effect] = []
    unsettled: list[str] = []
    printed: str = ""
    seconds: float = 0.0
    evidence: str | None = None


class Refused(NamedTuple):
    """A contract that an output breaks."""

    checked: Checked
    contract: Path


class Said(NamedTuple):
    """One step's end, for whoever listens."""

    outcome: Outcome
    refused: Refused | None = None


def build(
    root: Path,
    names: list[str],
    *,
    tool: str,
    force: bool = False,
    limits: Limits | None = None,
    say: Callable[[Said], None] = lambda said: None,
    progress: Shown = unseen,
) -> list[Outcome]:
    """Bring the named steps, and what they rest on, up to date; without names, all.

    It stops at the first step that fails or whose contract is broken; what was built before stays.

    Raises
    ------
    DataError
        For a pipeline that makes no sense, and for a step that fails; its earlier output stays.
    BadInput
        For a step that is not there, and where another build does not come to an end.
    """
    with alone(root, progress):
        pipeline = read_pipeline(root)
        chosen = _chosen(pipeline, names)
        digests = Digests(root)
        outcomes: list[Outcome] = []
        rebuilt: dict[str, str] = {}
        try:
            for step in chosen:
                forced = force and (not names or step.name in names)
                said = _bring_up(
                    root, pipeline, step, tool, forced, limits or Limits(), digests, rebuilt,
                    progress,
                )  # fmt: skip
                outcomes.append(said.outcome)
                if said.outcome.state in ("built", "same"):
                    rebuilt[step.name] = said.outcome.state
                say(said)
                if said.refused is not None:
                    break
        finally:
            digests.save()
    return outcomes


def plan(root: Path, names: list[str], *, tool: str, force: bool = False) -> list[Outcome]:
    """What :func:`build` would do. Nothing is changed."""
    pipeline = read_pipeline(root)
    digests = Digests(root)
    outcomes = []
    coming: dict[str, str] = {}
    for step in _chosen(pipeline, names):
        before = read_built(root, step.name)
        waits = [table for table in step.reads if table in coming]
        there = [table for table in step.reads if table not in coming]
        partial = msgspec.structs.replace(step, reads=there)
        inputs = inputs_of(root, pipeline, partial, before, digests)
        why = reasons(
            root, step, before, inputs, tool=tool, engine=_engine(step), digests=digests,
            rebuilt={},
        )  # fmt: skip
        if force and (not names or step.name in names):
            why.append("--force")
        state: Literal["would", "may", "fresh"] = "would" if why else "may" if waits else "fresh"
        if state == "may":
            why = [f"if its input {table} comes out otherwise" for table in waits]
        if state != "fresh":
            coming[step.name] = state
        rows = before.rows if before and state == "fresh" else None
        outcomes.append(Outcome(step.name, step.file, state, why, inputs, rows))
    return outcomes


def _chosen(pipeline: Pipeline, names: list[str]) -> list[Step]:
    known = [step.name for step in pipeline.steps]
    for name in names:
        if name not in known:
            near = suggest(name, known)
            raise BadInput(
                f"there is no step {name!r}",
                where="pipeline/",
                why=f"did you mean {near!r}?" if near else f"steps: {', '.join(known) or 'none'}",
                next="trackrecord data build --dry-run",
            )
    if not known:
        raise BadInput(
            "this workspace has no steps yet",
            where="pipeline/",
            next="write a SELECT into pipeline/10_clean.sql",
        )
    return pipeline.before(names) if names else pipeline.steps


def _engine(step: Step) -> str:
    return run_sql.engine() if step.kind == "sql" else run_python.engine()


def _bring_up(
    root: Path,
    pipeline: Pipeline,
    step: Step,
    tool: str,
    force: bool,
    limits: Limits,
    digests: Digests,
    rebuilt: dict[str, str],
    progress: Shown,
) -> Said:
    """One step: look whether it is fresh, else run it."""
    before = read_built(root, step.name)
    inputs = inputs_of(root, pipeline, step, before, digests)
    engine = _engine(step)
    why = reasons(
        root, step, before, inputs, tool=tool, engine=engine, digests=digests, rebuilt=rebuilt
    )
    if force:
        why.append("--force")
    if not why and before is not None:
        outcome = Outcome(
            step.name, step.file, "fresh", [], inputs, before.rows, evidence=before.evidence
        )
        return Said(outcome)
    contract = _contract_of(root, step)
    contract_sha = contract_digest(root, step.name)
    target = built_table(root, step.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    started, clock = _now(), time.monotonic()
    file_digest = file_sha256(root / step.file)
    with progress(step.file) as share, temporary(target) as path:
        ran, doubts = _run(root, pipeline, step, path, limits, share)
        _check_inputs(root, pipeline, step, inputs, digests)
        held: ContractHeld | None = None
        if contract is not None:
            share(0.85)
            checked = _checked(root, step, contract, path)
            if not checked.holds:
                outcome = Outcome(
                    step.name, step.file, "refused", why, inputs, ran.written.rows, ran.effects,
                    doubts, ran.printed, time.monotonic() - clock,
                )  # fmt: skip
                return Said(outcome, Refused(checked, contract))
            held = ContractHeld(checked.name, checked.version, contract_sha, len(checked.outcomes))
        share(0.9)
        parquet = file_sha256(path)
        same_file = before is not None and before.parquet == parquet
        content = before.content if before and same_file else _content(path)
        state: Literal["built", "same"] = (
            "same" if before is not None and before.content == content else "built"
        )
        predicate = BuildPredicate(
            tool=tool, engine=engine, step=step.name, number=step.number, file=step.file,
            kind=step.kind, digest=step.digest,
            key=key_of(step, tool, engine, contract_sha, inputs), why=why, inputs=inputs,
            rows=ran.written.rows, parquet=parquet, content=content,
            columns=ran.written.columns, effects=ran.effects, unsettled=doubts, contract=held,
            replaces=before.content if before and state == "built" else None,
            started=started, ended=_now(),
        )  # fmt: skip
        entry = record_build(root, predicate, file_digest)
        _keep(root, step, predicate, contract_sha, entry, path)
        digests.learn(target, content)
    outcome = Outcome(
        step.name, step.file, state, why, inputs, ran.written.rows, ran.effects, doubts,
        ran.printed, time.monotonic() - clock, entry.evidence,
    )  # fmt: skip
    return Said(outcome)


def _keep(
    root: Path, step: Step, said: BuildPredicate, contract: str, entry: Entry, path: Path
) -> None:
    """Evidence is on the chain by now; then the description, then the table gets its name.

    Whoever dies in between leaves a description that does not fit its table, which is seen by the
    digest, and the step runs again.
    """
    write_built(
        root,
        BuiltFile(
            name=step.name, step=step.file, kind=step.kind, digest=step.digest, tool=said.tool,
            engine=said.engine, contract=contract, rows=said.rows, parquet=said.parquet,
            content=said.content, built=said.ended, evidence=entry.evidence or "",
            input=said.inputs, column=said.columns,
        ),
    )  # fmt: skip
    put(path, built_table(root, step.name))


def _run(
    root: Path, pipeline: Pipeline, step: Step, out: Path, limits: Limits, share: Share
) -> tuple[Ran, list[str]]:
    """Run a step into ``out``: what came of it, and what in it is not settled."""
    text = step_text(root / step.file)
    tables = {table: table_file(root, pipeline, table) for table in step.reads}
    if step.kind == "sql":
        doubts = unsettled(parse(text, step.file))
        with spilling(root) as spill:
            ran = run_sql.run_sql(
                text, step.file, tables, out, spill=spill, memory=limits.memory, step=share
            )
    else:
        doubts = []
        ran = run_python.run_python(
            root / step.file, step.file, declared(parse_python(text, step.file), step.file),
            tables, out, seconds=limits.seconds, memory=limits.memory, step=share,
        )  # fmt: skip
    if ran.written.rows == 0:
        told = [one for one in ran.effects if one.lost]
        most = max(told, key=lambda one: one.lost or 0, default=None)
        raise DataError(
            f"{step.file} gave no rows",
            where=step.file,
            why=f"{most.clause} {most.what} lost {most.lost:,} of {most.rows_in:,} rows"
            if most
            else "a table without rows says nothing, and nothing can be made of it",
            next="look at its conditions, then: trackrecord data build",
        )
    return ran, doubts


def _check_inputs(
    root: Path, pipeline: Pipeline, step: Step, inputs: list[Input], digests: Digests
) -> None:
    """Raise DataError where an input is no longer what it was when the step began."""
    for one in inputs:
        path = table_file(root, pipeline, one.name)
        if not path.is_file() or digests.parquet(path) != one.parquet:
            raise DataError(
                f"the table {one.name} changed while {step.file} ran",
                where=path.relative_to(root).as_posix(),
                why="a step may not write to what it reads; or another program replaced it",
                next="trackrecord data build",
            )


def _contract_of(root: Path, step: Step) -> Path | None:
    files = contract_files(root, step.name)
    if len(files) > 1:
        raise DataError(
            f"the table {step.name} has two contracts",
            where=" and ".join(path.relative_to(root).as_posix() for path in files),
            next="remove one of them",
        )
    return files[0] if files else None


def _checked(root: Path, step: Step, contract_file: Path, path: Path) -> Checked:
    """The output against its contract; a broken one is evidence, as no run of the step will be."""
    from trackrecord.data.contract.check import check_file
    from trackrecord.data.contract.record import changes_since, record_check
    from trackrecord.data.contract.spec import read_contract

    shown = contract_file.relative_to(root).as_posix()
    contract, line_of = read_contract(contract_file, shown)
    checked = check_file(
        contract, path, line_of=line_of, shown_as=shown, sources=root / "data",
        quarantine=root / "data" / "quarantine",
    )  # fmt: skip
    if not checked.holds:
        record_check(
            root / "evidence", contract, checked, contract_file=contract_file, data_file=path,
            since=changes_since(root / "evidence", contract)[1], root=root,
            called=f"data/built/{step.name}.parquet",
        )  # fmt: skip
    return checked


def _content(path: Path) -> str:
    from trackrecord.data.digest import table_digest

    return table_digest(path).digest


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
