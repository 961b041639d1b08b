"""A workspace: a folder, good in git, with ``trackrecord.toml`` at its root."""

from __future__ import annotations

import os
import re
from collections import namedtuple
from pathlib import Path

from trackrecord.errors import BadInput, suggest

FORMAT = 1
SETTINGS = "trackrecord.toml"
KEYS = ("workspace", "tracking_uri")
CASE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")

_SETTINGS_TEXT = """\
# A trackrecord workspace. Keep this folder in git: everything that matters is a file.
workspace = 1
# Where MLflow remembers experiments: in a store of the workspace's own, unless this names a server,
# or "none".
# tracking_uri = "http://localhost:5000"
"""

_IGNORE_TEXT = """\
# A cache and a lock; deleting them loses nothing but MLflow's memory of experiments.
.trackrecord/
"""

# A chain is bytes: line endings must survive a clone, and two branches must not be woven together
# by a textual merge.
_ATTRIBUTES_TEXT = """\
evidence/* -text
evidence/chain.jsonl merge=binary
"""


# typing.NamedTuple would take as long to load as the interpreter itself.
class Workspace(namedtuple("Workspace", ["root", "tracking_uri"], defaults=[None])):
    """Where everything lives."""

    __slots__ = ()
    root: Path
    tracking_uri: str | None

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def cache(self) -> Path:
        return self.root / ".trackrecord"

    @property
    def index_file(self) -> Path:
        return self.cache / "index.sqlite"

    @property
    def cases(self) -> Path:
        return self.root / "cases"

    def case_folder(self, name: str) -> Path:
        return self.cases / checked_case_name(name)

    def case_file(self, name: str) -> Path:
        return self.case_folder(name) / "case.toml"

    def runs(self, name: str) -> Path:
        return self.root / "runs" / checked_case_name(name)

    def case_names(self) -> list[str]:
        """Names of all cases, sorted."""
        try:
            found = [
                entry.name
                for entry in os.scandir(self.cases)
                if CASE_NAME.match(entry.name) and os.path.exists(entry.path + "/case.toml")
            ]
        except FileNotFoundError:
            return []
        return sorted(found)


def checked_case_name(name: str) -> str:
    """``name`` itself, if it can be a folder's name and nothing else."""
    if not CASE_NAME.match(name):
        raise BadInput(
            f"{name!r} cannot be the name of a case",
            why="a name has lower-case letters, digits, - and _, and starts with a letter",
            next="choose a name like flights or churn-2024",
        )
    return name


def find_workspace(start: Path | None = None) -> Workspace:
    """The workspace that holds ``start`` (by default the current folder).

    Raises BadInput where there is none, or where a newer trackrecord made it.
    """
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS).is_file():
            return open_workspace(candidate)
    raise BadInput(
        "this folder is not in a trackrecord workspace",
        where=str(folder),
        why=f"neither it nor a folder above it has a {SETTINGS}",
        next="trackrecord init",
    )


def open_workspace(root: Path) -> Workspace:
    """The workspace whose root is ``root``."""
    path = root / SETTINGS
    try:
        settings = _read_settings(path)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"cannot read {SETTINGS}",
            where=str(path),
            why=str(error),
            next=f"mend that line; a workspace needs one key: workspace = {FORMAT}",
        ) from None
    version = settings.get("workspace")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise BadInput(
            f"{SETTINGS} does not say `workspace = {FORMAT}`", where=str(path), next="add that line"
        )
    if version > FORMAT:
        raise BadInput(
            "this workspace was written by a newer trackrecord",
            where=str(path),
            why=f"it has format {version}; this version reads up to {FORMAT}",
            next="update trackrecord; in its clone: git pull && pip install .",
        )
    for key in settings:
        if key not in KEYS:
            near = suggest(key, list(KEYS))
            raise BadInput(
                f"{SETTINGS} has the unknown key '{key}'",
                where=str(path),
                why=f"did you mean '{near}'?" if near else f"known keys: {', '.join(KEYS)}",
                next="correct or remove that line",
            )
    uri = settings.get("tracking_uri")
    if uri is not None and not (isinstance(uri, str) and uri):
        raise BadInput(
            f"tracking_uri in {SETTINGS} is not the address of an MLflow store",
            where=str(path),
            next='write tracking_uri = "http://localhost:5000", or "none", or remove the line',
        )
    return Workspace(root=root, tracking_uri=uri)


# One key of the plain kind that nearly all settings are of; TOML reads it no otherwise.
_PLAIN_KEY = re.compile(r'(workspace) = (0|[1-9]\d{0,8})|(tracking_uri) = "([\w.:/@-]*)"', re.ASCII)


def _read_settings(path: Path) -> dict[str, object]:
    """The settings' keys. Raises ValueError where the file is no TOML.

    Plain lines are read by hand: loading tomllib takes as long as all else that `status` does.
    """
    text = path.read_text("utf-8")
    settings: dict[str, object] = {}
    for line in text.split("\n"):
        if not line or (line[0] == "#" and line.isprintable()):
            continue
        found = _PLAIN_KEY.fullmatch(line)
        key = found and (found[1] or found[3])
        if not found or not key or key in settings:
            import tomllib

            return tomllib.loads(text)
        settings[key] = int(found[2]) if found[1] else found[4]
    return settings


def make_workspace(root: Path) -> Workspace:
    """Make ``root`` a workspace. Raises BadInput when it already is one."""
    if (root / SETTINGS).exists():
        raise BadInput(
            "this folder already is a workspace", where=str(root), next="trackrecord status"
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        for folder in ("cases", "data", "evidence"):
            (root / folder).mkdir(exist_ok=True)
        for name, text in ((".gitignore", _IGNORE_TEXT), (".gitattributes", _ATTRIBUTES_TEXT)):
            if not (root / name).exists():
                (root / name).write_text(text, "utf-8")
        # The settings come last: a folder with them is a whole workspace.
        temporary = root / f".{SETTINGS}.new"
        try:
            temporary.write_text(_SETTINGS_TEXT, "utf-8")
            temporary.replace(root / SETTINGS)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(
            "cannot make a workspace here",
            where=str(root),
            why=error.strerror or str(error),
            next="choose a folder that can be written to: trackrecord init FOLDER",
        ) from error
    return open_workspace(root)
