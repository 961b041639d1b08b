"""The folder of a shipment: written so that nothing a person made or changed is lost.

``SHA256SUMS`` says what was written, in the format of ``sha256sum``. A file that is no longer as it
says was changed by a person, and stays. A file that it does not name is somebody else's.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import NamedTuple

from trackrecord.errors import BadInput
from trackrecord.ledger.store import file_sha256, write_atomic
from trackrecord.serving.ship.files import SCRIPTS

SUMS = "SHA256SUMS"
# What runs is what was registered, whoever changed the files in between.
BOUND = ("models/", "wheels/")
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<path>[^\n]+)\Z")
MOST_SHOWN = 8


class Written(NamedTuple):
    """What became of the files: ``kept`` were changed by a person, ``newer`` of those have a new
    text that was not taken, ``gone`` are no longer part of it."""

    new: list[str]
    changed: list[str]
    same: list[str]
    kept: list[str]
    newer: list[str]
    gone: list[str]


def write_shipment(out: Path, files: dict[str, bytes], *, force: bool = False) -> Written:
    """Write all files, or, where that cannot be, none.

    Raises
    ------
    BadInput
        For files of others where ours belong, changed models or wheels, links, and a damaged
        ``SHA256SUMS`` – all but links go with ``force``.
    """
    before = _read_sums(out, force=force)
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    found = {path: _digest_of(out, path) for path in {*files, *before}}
    changed_by_hand = {
        path for path, digest in found.items()
        if digest is not None and path in before and digest != before[path]
    }  # fmt: skip
    if not force:
        _check(out, files, found, digests, before, changed_by_hand)
    kept = sorted(
        path for path in changed_by_hand & files.keys()
        if not force and found[path] != digests[path]
    )  # fmt: skip
    writes = [path for path in files if path not in kept and found[path] != digests[path]]
    gone = sorted(
        path for path in before.keys() - files.keys()
        if found[path] is not None and (force or path not in changed_by_hand)
    )  # fmt: skip
    # A server that runs from here follows aliases.json: what that names is whole before it.
    for path in sorted(writes, key=lambda path: path.endswith("aliases.json")):
        _write(out / path, files[path])
    for path in SCRIPTS:
        (out / path).chmod(0o755)
    # Of a file that was kept, what was written last is remembered: so it is known as changed.
    sums = {**digests, **{path: before[path] for path in kept}}
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(sums.items()))
    if not (out / SUMS).is_file() or (out / SUMS).read_bytes() != lines.encode():
        write_atomic(out / SUMS, lines.encode())
    for path in gone:
        _remove(out, path)
    return Written(
        new=[path for path in writes if found[path] is None],
        changed=[path for path in writes if found[path] is not None],
        same=[path for path in files if found[path] == digests[path]],
        kept=kept,
        newer=[path for path in kept if digests[path] != before[path]],
        gone=gone,
    )


def _read_sums(out: Path, *, force: bool) -> dict[str, str]:
    """Digests of what was written before, by path; empty where nothing was."""
    path = out / SUMS
    if path.is_symlink():
        raise _through_a_link(out, SUMS)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeError):
        text = "?"
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = _LINE.match(line)
        parts = said["path"].split("/") if said else [""]
        if said is None or any(part in ("", ".", "..") for part in parts):
            if force:
                return {}
            raise BadInput(
                f"{SUMS} is not what was written",
                where=f"{path}:{number}",
                why="by it files that a person changed are told from others",
                next="delete that file and ship with --force, or ship elsewhere: --out FOLDER",
            )
        found[said["path"]] = said["digest"]
    return found


def _digest_of(out: Path, path: str) -> str | None:
    """The digest of a file in the folder; None where there is none. Raises BadInput for a link."""
    place = out
    for part in path.split("/"):
        place = place / part
        if place.is_symlink():
            raise _through_a_link(out, path)
    try:
        return file_sha256(place)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise BadInput(
            f"there is a file where a folder of {path} belongs",
            where=str(out),
            next="move it away, or ship elsewhere: --out FOLDER",
        ) from None
    except IsADirectoryError:
        raise BadInput(
            f"there is a folder where the file {path} belongs",
            where=str(place),
            next="move it away, or ship elsewhere: --out FOLDER",
        ) from None


def _through_a_link(out: Path, path: str) -> BadInput:
    return BadInput(
        f"{path} is a link, or lies behind one",
        where=str(out),
        why="what is written there would land elsewhere",
        next="remove the link, or ship elsewhere: --out FOLDER",
    )


def _check(
    out: Path,
    files: dict[str, bytes],
    found: dict[str, str | None],
    digests: dict[str, str],
    before: dict[str, str],
    changed: set[str],
) -> None:
    others = sorted(
        path for path in files.keys() - before.keys() if found[path] not in (None, digests[path])
    )
    if others:
        raise BadInput(
            f"there are files of others in that folder: {_shown(others)}",
            where=str(out),
            why="they would be overwritten",
            next="ship elsewhere with --out FOLDER, or overwrite them with --force",
        )
    bound = sorted(path for path in changed if path.startswith(BOUND))
    if bound:
        raise BadInput(
            f"not as it was shipped: {_shown(bound)}",
            where=str(out),
            why="models and wheels are those that were registered and installed, or none",
            next="look who changed them; --force writes them again",
        )


def _shown(paths: list[str]) -> str:
    more = len(paths) - MOST_SHOWN
    return ", ".join(paths[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)


def _remove(out: Path, path: str) -> None:
    """Take a file away, and the folders that are empty then."""
    (out / path).unlink(missing_ok=True)
    folder = (out / path).parent
    while folder != out and not os.listdir(folder):
        folder.rmdir()
        folder = folder.parent
