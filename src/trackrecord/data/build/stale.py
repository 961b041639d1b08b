"""Whether a step has to run, and why, in words.

A step is fresh while it says the same, reads the same content, is run by the same tool and engine,
has the same contract, and its output is the file that was written then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from trackrecord.data.build.state import BuiltFile, Digests, Input
from trackrecord.data.build.steps import Pipeline, Step, table_file
from trackrecord.data.named import built_table
from trackrecord.ledger.store import file_sha256


def contract_files(root: Path, name: str) -> list[Path]:
    """The contracts of a built table; more than one is for the caller to refuse."""
    places = (root / "data", root / "data" / "built")
    found = (place / f"{name}.contract.toml" for place in places)
    return [path for path in found if path.is_file()]


def contract_digest(root: Path, name: str) -> str:
    """The SHA-256 of a built table's contract; empty where it has none."""
    files = contract_files(root, name)
    return file_sha256(files[0]) if files else ""


def inputs_of(
    root: Path, pipeline: Pipeline, step: Step, before: BuiltFile | None, digests: Digests
) -> list[Input]:
    """What a step would read now. Raises DataError for a table that is missing or damaged."""
    known = {one.parquet: one for one in before.input} if before else {}
    found = []
    for table in step.reads:
        path = table_file(root, pipeline, table)
        parquet = digests.parquet(path)
        same = known.get(parquet)
        content = same.content if same else digests.content(path)
        found.append(Input(table, parquet, content, same.rows if same else digests.rows(path)))
    return found


def key_of(step: Step, tool: str, engine: str, contract: str, inputs: list[Input]) -> str:
    """The SHA-256 of all that a step's output depends on."""
    parts = [step.kind, step.digest, tool, engine, contract]
    parts += [f"{one.name}={one.content}" for one in sorted(inputs, key=lambda one: one.name)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def reasons(
    root: Path,
    step: Step,
    before: BuiltFile | None,
    inputs: list[Input] | None,
    *,
    tool: str,
    engine: str,
    digests: Digests,
    rebuilt: Mapping[str, str],
) -> list[str]:
    """Why the step has to run; nothing where its output still holds.

    ``inputs`` is None where they are not there yet; ``rebuilt`` says of a table that was, or would
    be, built in this very build how it came out.
    """
    path = built_table(root, step.name)
    if before is None:
        return ["it was not built yet" if not path.exists() else "nothing is known of its output"]
    found = []
    if not path.is_file():
        found.append("its output is missing")
    elif digests.parquet(path) != before.parquet:
        found.append("its output was changed by hand")
    if before.digest != step.digest or before.kind != step.kind:
        found.append(f"the {'SQL' if step.kind == 'sql' else 'Python'} changed")
    if before.engine != engine:
        found.append(f"{before.engine} is {engine} now")
    if before.tool != tool:
        found.append(f"trackrecord {before.tool} is {tool} now")
    if before.contract != contract_digest(root, step.name):
        found.append("its contract changed")
    old = {one.name: one.content for one in before.input}
    for one in inputs or ():
        if one.name in old and old[one.name] != one.content:
            new = one.name in rebuilt
            found.append(
                f"its input {one.name} was rebuilt and differs" if new else f"{one.name} changed"
            )
    return found
