"""The incident that a drill leaves: facts filled in, and the thinking left to the person.

``incidents/CASE/NNNN/facts.json`` is measured and not to be edited; ``incident.md`` has a section
for each thing that no machine knows. Who reads it sees which are still empty.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import Entry, Subject, record, write_atomic
from trackrecord.ledger.store import file_sha256
from trackrecord.modeling.export.bundle import BUNDLE
from trackrecord.modeling.registry import version_folder
from trackrecord.serving.drills.result import Drilled, DrillPredicate
from trackrecord.version import __version__
from trackrecord.workspace import Workspace, checked_case_name

FACTS, TEXT = "facts.json", "incident.md"
SECTIONS = {
    "What happened": "Two or three sentences for somebody who was not there.",
    "What went well": "Which alarm, habit or design kept it small?",
    "Causes": "Not who, but what made it possible; ask why more than once.",
    "Actions": "What changes, who does it, until when.",
}
_NUMBER = re.compile(r"\d{4}\Z")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an incident without asking anybody."""

    incident: str
    case: str
    question: str
    version: int
    drill: bool
    began: str
    drilled: Drilled
    tool: str


def incidents_folder(workspace: Workspace, case: str) -> Path:
    """Where a case's incidents are."""
    return workspace.root / "incidents" / checked_case_name(case)


def write_incident(
    workspace: Workspace, case: str, question: str, version: int, drilled: Drilled, began: str
) -> Path:
    """A new incident's folder, with its facts and the text to be written."""
    folder = incidents_folder(workspace, case)
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        taken = [int(name) for name in os.listdir(folder) if _NUMBER.match(name)]
        number = f"{max(taken, default=0) + 1:04d}"
        try:
            (folder / number).mkdir()
            break
        except FileExistsError:
            continue  # another drill has just taken it
    facts = Facts(
        incident=number,
        case=case,
        question=question,
        version=version,
        drill=True,
        began=began,
        drilled=drilled,
        tool=__version__,
    )
    made = folder / number
    write_atomic(made / FACTS, msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n")
    write_atomic(made / TEXT, _text(facts).encode())
    return made


def read_facts(folder: Path) -> Facts:
    """The facts of an incident. Raises BadInput where there is none, DataError where damaged."""
    try:
        return msgspec.json.decode((folder / FACTS).read_bytes(), type=Facts)
    except FileNotFoundError:
        raise BadInput(
            "there is no such incident", where=str(folder), next="trackrecord drill list CASE"
        ) from None
    except msgspec.MsgspecError as error:
        raise DataError(
            f"{FACTS} is not what a drill writes", where=str(folder / FACTS), why=str(error)[:200]
        ) from None


def read_text(folder: Path) -> dict[str, str]:
    """The sections of an incident's text; an empty one has not been written yet."""
    try:
        text = (folder / TEXT).read_text("utf-8", "replace")
    except OSError:
        text = ""
    found = dict.fromkeys(SECTIONS, "")
    current = None
    for line in _COMMENT.sub("", text).splitlines():
        if line.startswith("## "):
            current = line[3:].strip()
            found.setdefault(current, "")
        elif current is not None and not line.startswith("# "):
            found[current] += line + "\n"
    return {name: said.strip() for name, said in found.items()}


def record_drill(workspace: Workspace, facts: Facts) -> Entry:
    """Put a drill on the chain."""
    folder = version_folder(workspace, facts.case, facts.version)
    return record(
        workspace.evidence,
        kind="drill",
        predicate=DrillPredicate(
            case=facts.case,
            version=facts.version,
            incident=facts.incident,
            drilled=facts.drilled,
            tool=facts.tool,
        ),
        subjects=[
            Subject(
                f"models/{facts.case}/{facts.version}/{BUNDLE}",
                {"sha256": file_sha256(folder / BUNDLE)},
            )
        ],
        case=facts.case,
        lock_path=workspace.cache / "lock",
    )


def _text(facts: Facts) -> str:
    lines = [f"# Incident {facts.incident}: {facts.drilled.title.lower()} (a drill)", ""]
    for name, asks in SECTIONS.items():
        lines += [f"## {name}", "", f"<!-- {asks} -->", ""]
    return "\n".join(lines)
