"""What most doors do first: find the workspace, read the case, load its data."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path

from trackrecord.errors import BadInput, suggest
from trackrecord.workspace import Workspace, find_workspace

TYPE_CHECKING = False  # typing takes as long to load as the interpreter itself
if TYPE_CHECKING:
    import argparse

    from trackrecord.cases.reader import LineOf
    from trackrecord.cases.spec import Case


class Opened(namedtuple("Opened", ["workspace", "case", "line_of", "shown", "text"])):
    """A case as read from its file, and the file's text."""

    __slots__ = ()
    workspace: Workspace
    case: Case
    line_of: LineOf
    shown: str
    text: str


def open_workspace_of(options: argparse.Namespace) -> Workspace:
    """The workspace that holds the folder the command was started in (or ``-C``)."""
    return find_workspace(Path(options.folder) if options.folder else None)


def open_case(options: argparse.Namespace) -> Opened:
    """The case named on the command line, or the only one there is."""
    from trackrecord.cases.reader import decode_case, read_case_text

    workspace = open_workspace_of(options)
    name = options.case or only_case(workspace)
    path = workspace.case_file(name)
    if not path.exists():
        names = workspace.case_names()
        near = suggest(name, names)
        raise BadInput(
            f"there is no case '{name}' in this workspace",
            where=workspace.root.as_posix(),
            why=f"did you mean '{near}'?" if near else f"cases: {', '.join(names) or 'none yet'}",
            next=f"trackrecord case new {name} --from DATA",
        )
    shown = f"cases/{name}/case.toml"
    text = read_case_text(path, shown)
    case, line_of = decode_case(text, shown)
    if case.name != name:
        raise BadInput(
            f"the case in cases/{name} calls itself '{case.name}'",
            where=f"{shown}:{line_of('name')}",
            next=f'write name = "{name}", or rename the folder',
        )
    return Opened(workspace, case, line_of, shown, text)


def only_case(workspace: Workspace) -> str:
    """The name of the one case; an error when there are none or several."""
    names = workspace.case_names()
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadInput(
            "this workspace has no case yet", next="trackrecord case new NAME --from DATA"
        )
    raise BadInput(
        "which case?",
        why=f"there are {len(names)}: {', '.join(names[:10])}{', …' if len(names) > 10 else ''}",
        next="name one of them; to see where each stands: trackrecord status",
    )


def short_path(path: Path) -> str:
    """A path as seen from where the person stands, unless that is far away."""
    import os

    try:
        relative = os.path.relpath(path)
    except ValueError:  # on another drive of Windows
        return path.resolve().as_posix()
    far = relative.startswith(os.path.join("..", ".."))
    return path.resolve().as_posix() if far else relative


def add_case_argument(parser: argparse.ArgumentParser) -> None:
    """The word that names a case."""
    parser.add_argument("case", nargs="?", help="the case (may be left out where there is one)")
