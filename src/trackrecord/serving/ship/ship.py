"""From a case and a place to write to, to the files: what ``trackrecord ship`` does."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import msgspec

from trackrecord.errors import BadInput, TrackrecordError
from trackrecord.modeling.registry import models_folder, version_folder
from trackrecord.serving.shelf import CHAMPION, open_version, read_aliases_file
from trackrecord.serving.ship.files import files
from trackrecord.serving.ship.folder import Written, write_shipment
from trackrecord.serving.ship.shipment import Shipment, checked, dns_name, image_name
from trackrecord.serving.ship.wheel import own_wheel
from trackrecord.workspace import Workspace

# Folders of the workspace that are others'.
TAKEN = ("captures", "cases", "data", "evidence", "features", "incidents", "models", "pipeline",
         "published", "runs", "serving", ".trackrecord", ".git")  # fmt: skip


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asked for; None where the default holds."""

    version: int | None = None
    image: str | None = None
    availability: float = 0.999
    latency: float = 0.25
    quick: float = 0.99
    memory: int = 512
    capture: bool = False


class Shipped(NamedTuple):
    """What was shipped, where to, and what became of each file."""

    shipment: Shipment
    out: Path
    written: Written


def ship(
    workspace: Workspace,
    case: str,
    out: Path,
    wanted: Wanted,
    *,
    lock: Path | None = None,
    force: bool = False,
) -> Shipped:
    """Write the files that deploy a version of a case's model; by default the champion.

    Raises
    ------
    BadInput
        Where there is no such version, for a name or an objective that cannot be, for a folder
        that is others', and for files in it that would be lost.
    DataError
        For a version that could not be served.
    """
    models = models_folder(workspace, case)
    version = read_aliases_file(models)[CHAMPION] if wanted.version is None else wanted.version
    folder = version_folder(workspace, case, version)
    out, root, below = _place(workspace, case, out)
    bundle = open_version(models, version, threads=1).bundle
    name = dns_name(case)
    wheel, data = own_wheel()
    intended_use, limits = _said(workspace, case)
    shipment = checked(
        Shipment(
            case=case,
            name=name,
            image=image_name(wanted.image, name, version),
            version=version,
            bundle=bundle,
            wheel=wheel,
            root=root,
            folder=below,
            intended_use=intended_use,
            limits=limits,
            availability=wanted.availability,
            latency=wanted.latency,
            quick=wanted.quick,
            memory=wanted.memory,
            capture=wanted.capture,
        )
    )
    written = write_shipment(out, files(shipment, folder, data, lock), force=force)
    return Shipped(shipment, out, written)


def _place(workspace: Workspace, case: str, out: Path) -> tuple[Path, str, str]:
    """The folder, and where workspace and folder are in the repository. Raises BadInput."""
    root = workspace.root.resolve()
    place = out.resolve()
    again = f"trackrecord ship {case} --out ship/{case}"
    if root not in place.parents:
        raise BadInput(
            "the folder to ship to is not in the workspace, below its root",
            where=str(place),
            why="a repository's pipeline builds it from there",
            next=again,
        )
    first = place.relative_to(root).parts[0]
    if first in TAKEN:
        raise BadInput(
            f"{first}/ is no folder to ship to", where=str(place),
            why="what is in it belongs to trackrecord itself", next=again,
        )  # fmt: skip
    if not _is_plain(place.relative_to(root).as_posix()):
        raise BadInput(
            "the folder's name cannot stand in a script", where=str(place),
            why="it has other characters than letters, digits and . _ - /", next=again,
        )  # fmt: skip
    if place.exists() and not place.is_dir():
        raise BadInput("there is a file where the folder belongs", where=str(place), next=again)
    top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
    within = root.relative_to(top).as_posix()
    if not _is_plain(within):
        top, within = root, "."
    return place, within, place.relative_to(top).as_posix()


def _is_plain(path: str) -> bool:
    rest = path.replace("/", "").replace(".", "").replace("-", "").replace("_", "")
    return path == "." or (rest.isascii() and rest.isalnum() and not path.startswith("-"))


def _said(workspace: Workspace, case: str) -> tuple[str | None, list[str]]:
    """What the case says the model is for, and its limits; nothing where it cannot be read."""
    from trackrecord.cases.reader import decode_case, read_case_text

    path = workspace.case_file(case)
    try:
        found, _ = decode_case(read_case_text(path, path.name), path.name)
    except (OSError, TrackrecordError):
        return None, []
    return found.intended_use, list(found.limits)
