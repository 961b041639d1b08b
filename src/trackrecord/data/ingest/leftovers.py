"""What is not as it should be among the sources of a workspace, for ``trackrecord doctor``."""

from __future__ import annotations

from pathlib import Path

from trackrecord.data.ingest.pair import announcements, fits
from trackrecord.data.ingest.record import described, last_recorded, read_source
from trackrecord.data.ingest.store import raw_file, remains
from trackrecord.data.named import source_table
from trackrecord.errors import DataError, LedgerError
from trackrecord.ledger.findings import Finding


def examine_sources(root: Path) -> list[Finding]:
    """One finding for each thing; whole files are read, so that it takes as long as that."""
    found = [
        Finding(
            "unfinished-file",
            "a process that is no more was writing it; the next `trackrecord data add` removes it",
            path.relative_to(root).as_posix(),
            harmless=True,
        )
        for path in remains(root)
    ]
    for path in announcements(root):
        name = path.name[1:].removesuffix(".source.toml.next")
        found.append(
            Finding(
                "unfinished-source",
                f"a process died while it was making the source {name!r}, which is whole: the one "
                "from before or the one after",
                path.relative_to(root).as_posix(),
                next=f"type the same `trackrecord data add … --name {name}` again",
                harmless=True,
            )
        )
    for name in described(root):
        found += _of_source(root, name)
    return found


def _of_source(root: Path, name: str) -> list[Finding]:
    file = f"data/{name}.source.toml"
    try:
        source = read_source(root, name)
    except DataError as error:
        return [Finding("source-unreadable", error.what, file, next=error.next)]
    if source is None:
        return []
    raw = raw_file(root, source.raw)
    again = f"trackrecord data add {source.file} --name {name}"
    found = []
    if not source_table(root, name).is_file():
        found.append(Finding("source-table-gone", f"its table is not there: {name}", file,
                             next=again))  # fmt: skip
    elif not fits(root, source):
        found.append(
            Finding(
                "source-table-changed",
                f"the table of {name} is not the one that was made of its bytes",
                f"data/{name}.parquet",
                next=again,
            )
        )
    if not raw.is_file():
        found.append(
            Finding("raw-gone", f"the bytes of {name} are not kept any more",
                    f"data/raw/{source.raw}", next=again, harmless=True)
        )  # fmt: skip
    elif (
        source.files == 1 and source.read.format != "folder" and raw.stat().st_size != source.bytes
    ):
        found.append(
            Finding("raw-changed", f"the bytes of {name} are not as many as they were",
                    f"data/raw/{source.raw}", next=again)
        )  # fmt: skip
    try:
        said = last_recorded(root, name)
    except LedgerError:
        return found  # the ledger's own examination has said what is wrong
    if said is None or said.get("parquet") != source.parquet:
        found.append(
            Finding("source-not-recorded", f"the ledger does not know the table of {name}", file,
                    next=again)
        )  # fmt: skip
    return found
