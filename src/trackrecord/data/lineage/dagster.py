"""The pipeline as a Python module of Dagster assets: sources, steps, features, contract checks.

Dagster itself is not needed to write it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from trackrecord.data.build.stale import contract_files
from trackrecord.data.build.steps import Step, read_pipeline
from trackrecord.data.features.spec import read_definition
from trackrecord.data.ingest.record import read_source
from trackrecord.errors import BadInput

_HEAD = '''\
"""The data of {title} as Dagster assets.

Written by `trackrecord data lineage --dagster`; write it again when a step is added. Each asset
does what `trackrecord data build` does: only what is stale runs, and each run is evidence.

    pip install 'trackrecord[dagster]'
    dagster dev -f {file}
"""

from pathlib import Path

import dagster as dg
from trackrecord.data.lineage.running import {uses}

ROOT = Path(__file__).resolve().parent{up}
GROUP = {group}


def made(ran: Ran) -> dg.MaterializeResult:
    """What came of a run, for Dagster to show: rows, digests, columns and what is in them."""
    columns = [dg.TableColumn(name, kind) for name, kind in ran.columns.items()]
    origins = {{
        name: [dg.TableColumnDep(dg.AssetKey([GROUP, table]), column) for table, column in of]
        for name, of in ran.origins.items()
    }}
    metadata = {{
        "dagster/row_count": ran.rows,
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/column_lineage": dg.TableColumnLineage(origins),
        "sha256": ran.sha256,
        "evidence": ran.evidence,
        "state": ran.state,
    }}
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(ran.version))
'''

_CHECKED = """

def checked(name: str) -> dg.AssetCheckResult:
    \"""A table against its contract.\"""
    found = run_check(ROOT, name)
    broken = [one.name for one in found.outcomes if one.status == "failed"]
    metadata = {"rows": found.rows, "rules": len(found.outcomes), "broken": ", ".join(broken)}
    return dg.AssetCheckResult(passed=found.holds, metadata=metadata)
"""

_SOURCE = """
source_{name} = dg.AssetSpec(
    key=[GROUP, {name_}],
    group_name=GROUP,
    description={description},
    metadata={metadata},
)
"""

_ASSET = """

@dg.asset(
    key=[GROUP, {name_}],
    deps=[{deps}],
    group_name=GROUP,
    kinds={{{kind}}},
    description={description},
)
def make_{name}() -> dg.MaterializeResult:
    return made({run}(ROOT, {name_}))
"""

_CHECK = """

@dg.asset_check(
    asset={asset},
    name="contract",
    description={description},
)
def check_{name}() -> dg.AssetCheckResult:
    return checked({name_})
"""

_TAIL = """

defs = dg.Definitions(
    assets=[{assets}],
    asset_checks=[{checks}],
)
"""


def dagster_module(root: Path, out: Path) -> str:
    """The module's text, to be written to ``out``, from where it finds the workspace.

    Raises DataError for a pipeline that cannot run, BadInput where there is nothing to run.
    """
    root = root.resolve()
    pipeline = read_pipeline(root)
    features = [path.stem for path in sorted((root / "features").glob("*.toml"))]
    definitions = {name: read_definition(root, name).definition for name in features}
    if not pipeline.steps and not features:
        raise BadInput(
            "this workspace has no steps and no features yet",
            where="pipeline/",
            next="write a SELECT into pipeline/10_clean.sql",
        )
    asset = {name: f"source_{name}" for name in pipeline.sources}
    asset |= {step.name: f"make_{step.name}" for step in pipeline.steps}
    contracts = [name for name in {**asset, **definitions} if contract_files(root, name)]
    parts = [_CHECKED] if contracts else []
    sources = [_source(root, name) for name in pipeline.sources]
    parts += ["\n", *sources] if sources else []
    parts += [_step(step, asset) for step in pipeline.steps]
    for name, definition in definitions.items():
        reads = [definition.rows.table]
        for view in definition.view.values():
            reads += [view.table] if view.table else list(view.reads)
        deps = ", ".join(asset[one] for one in dict.fromkeys(reads) if one in asset)
        asset[name] = f"make_{name}"
        about = definition.description or f"features/{name}.toml"
        parts.append(_asset(name, deps, "python", about, "run_features"))
    for name in contracts:
        about = _text(f"{contract_files(root, name)[0].relative_to(root).as_posix()} holds")
        of = asset[name] + (".key" if asset[name].startswith("source_") else "")
        parts.append(_CHECK.format(name=name, name_=_text(name), asset=of, description=about))
    checks = ", ".join(f"check_{name}" for name in contracts)
    parts.append(_TAIL.format(assets=", ".join(asset.values()), checks=checks))
    body = "".join(parts)
    called = ("run_check", "run_features", "run_step")
    head = _HEAD.format(
        title=_plain(root.name),
        file=_plain(out.name),
        up=_up(root, out),
        group=_text(re.sub(r"\W", "_", root.name, flags=re.ASCII) or "data"),
        uses=", ".join(["Ran", *(name for name in called if f"{name}(" in body)]),
    )
    return head + _wrapped(body)


def _source(root: Path, name: str) -> str:
    source = read_source(root, name)
    about, facts = f"data/{name}.parquet", dict[str, str]()
    if source is not None:
        about = f"{source.file}, as added"
        facts = {"raw": source.raw, "licence": source.license or "not said"}
        facts["origin"] = source.origin or "not said"
    told = "".join(f"        {_text(key)}: {_text(value)},\n" for key, value in facts.items())
    metadata = f"{{\n{told}    }}" if facts else "{}"
    return _SOURCE.format(name=name, name_=_text(name), description=_text(about), metadata=metadata)


def _step(step: Step, asset: dict[str, str]) -> str:
    deps = ", ".join(asset[table] for table in step.reads)
    kind = "duckdb" if step.kind == "sql" else "python"
    return _asset(step.name, deps, kind, step.file, "run_step")


def _asset(name: str, deps: str, kind: str, about: str, run: str) -> str:
    return _ASSET.format(
        name=name, name_=_text(name), deps=deps, kind=_text(kind), description=_text(about), run=run
    )


def _text(text: str) -> str:
    """A string of Python, which JSON's are."""
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)


def _up(root: Path, out: Path) -> str:
    """The way from the module to the workspace, as Python after its own folder."""
    relative = Path(os.path.relpath(root, out.resolve().parent))
    return "".join(f" / {part!r}" for part in relative.parts)


def _plain(text: str) -> str:
    """A name inside a docstring: nothing there may end it."""
    return re.sub(r'["\\\x00-\x1f]', "?", text)


def _wrapped(text: str) -> str:
    """Long lists on lines of their own, as a person would lay them out."""
    lines = []
    for line in text.split("\n"):
        found = re.fullmatch(r"(    \w+=)\[(.+)\],", line)
        if found and len(line) > 100:
            inner = "\n".join(f"        {one}," for one in found[2].split(", "))
            line = f"{found[1]}[\n{inner}\n    ],"
        lines.append(line)
    return "\n".join(lines)
