"""What an orchestrator runs: one step, one set of features, one check, each as its command does.

The module that ``data lineage --dagster`` writes calls these; they know no orchestrator.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from trackrecord.data.build.build import build
from trackrecord.data.build.stale import contract_files
from trackrecord.data.build.state import read_built
from trackrecord.data.contract.check import check_file
from trackrecord.data.contract.outcome import Checked
from trackrecord.data.contract.record import changes_since, record_check
from trackrecord.data.contract.spec import read_contract
from trackrecord.data.features.build import build as build_features
from trackrecord.data.features.spec import read_definition
from trackrecord.data.lineage.columns import Columns
from trackrecord.data.lineage.gather import lineage_of
from trackrecord.data.lineage.known import fields_of
from trackrecord.data.named import named_table
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger.store import file_sha256
from trackrecord.version import __version__


class Ran(msgspec.Struct, frozen=True):
    """What came of it: ``state`` is built, same or fresh; ``sha256`` of the file and ``version`` of
    its content; columns with their types; and which columns of which tables are in each, as far as
    that can be told.
    """

    name: str
    state: str
    rows: int
    sha256: str
    version: str
    evidence: str
    columns: dict[str, str]
    origins: dict[str, list[tuple[str, str]]]


def run_step(root: Path, name: str) -> Ran:
    """``trackrecord data build NAME``. Raises DataError where it fails or breaks its contract."""
    outcome = build(root, [name], tool=__version__)[-1]
    if outcome.state == "refused":
        raise DataError(
            f"{outcome.step} breaks its contract, and was not kept",
            where=outcome.file,
            next=f"trackrecord data build {outcome.step}",
        )
    built = read_built(root, name)
    if built is None:
        raise DataError(f"the table {name} was taken away while it was built")
    return _ran(root, name, outcome.state, built.rows, built.content, built.evidence)


def run_features(root: Path, name: str) -> Ran:
    """``trackrecord features build NAME``. Raises DataError where the definition cannot be kept."""
    written = read_definition(root, name)
    made = build_features(
        root, root / "evidence", written, tool=__version__, lock=root / ".trackrecord" / "lock"
    )
    digest = file_sha256(made.path)
    return _ran(root, name, "built", made.predicate.rows, digest, made.entry.evidence or "")


def run_check(root: Path, name: str) -> Checked:
    """``trackrecord data contract NAME --check``, put on the record."""
    files = contract_files(root, name) or [root / "data" / f"{name}.contract.toml"]
    path, shown = files[0], files[0].relative_to(root).as_posix()
    contract, line_of = read_contract(path, shown)
    table = table_version(root, name)[0]
    checked = check_file(
        contract, table, line_of=line_of, shown_as=shown, sources=root / "data",
        quarantine=root / "data" / "quarantine",
    )  # fmt: skip
    since = changes_since(root / "evidence", contract)[1]
    record_check(
        root / "evidence", contract, checked, contract_file=path, data_file=table, since=since,
        root=root,
    )  # fmt: skip
    return checked


def table_version(root: Path, name: str) -> tuple[Path, str]:
    """A table's file, and the SHA-256 of its bytes. Raises BadInput where there is none."""
    path = named_table(root, name)
    if path is None:
        raise BadInput(
            f"there is no table {name!r}", next=f"trackrecord data add FILE --name {name}"
        )
    return path, file_sha256(path)


def _ran(root: Path, name: str, state: str, rows: int, version: str, evidence: str) -> Ran:
    path, digest = table_version(root, name)
    fields = fields_of(path)[0]
    columns = Columns(root, lineage_of(root))
    origins = {
        field.name: [(one.table, one.column) for one in columns.made(name, field.name).made_of]
        for field in fields
    }
    return Ran(
        name, state, rows, digest, version, evidence,
        {field.name: field.kind for field in fields}, origins,
    )  # fmt: skip
