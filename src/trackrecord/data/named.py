"""Tables of a workspace by name: sources in ``data/``, and what its steps built in ``data/built/``.

The one place that knows where a table with a name is; whoever reads, builds or describes tables
asks here.
"""

from __future__ import annotations

import re
from pathlib import Path

from trackrecord.errors import BadInput, suggest

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")


def source_table(root: Path, name: str) -> Path:
    """Where the table of the source ``name`` is, or would be."""
    return root / "data" / f"{name}.parquet"


def built_table(root: Path, name: str) -> Path:
    """Where the table that the step ``name`` builds is, or would be."""
    return root / "data" / "built" / f"{name}.parquet"


def source_names(root: Path) -> list[str]:
    """The tables in ``data/``, sorted, be they described or not."""
    return _names(root / "data")


def built_names(root: Path) -> list[str]:
    """The tables in ``data/built/``, sorted."""
    return _names(root / "data" / "built")


def table_names(root: Path | None) -> list[str]:
    """Every table of the workspace, sorted; none without one."""
    if root is None:
        return []
    return sorted({*source_names(root), *built_names(root)})


def named_table(root: Path | None, name: str) -> Path | None:
    """The file of the table ``name``; None where the workspace has none.

    A source comes before a built table: no step may build one that has a source's name.
    """
    if root is None or not NAME.match(name):
        return None
    places = (source_table(root, name), built_table(root, name))
    return next((path for path in places if path.is_file()), None)


def find_table(named: str, root: Path | None, folder: Path) -> Path:
    """The file of a table of the workspace at ``root``, or the file as seen from ``folder``.

    Raises BadInput for a name that is neither, with the nearest that is.
    """
    if (known := named_table(root, named)) is not None:
        return known
    path = folder / named
    if path.exists():
        return path
    names = table_names(root)
    near = suggest(named, names)
    raise BadInput(
        f"there is no table and no file {named!r}",
        where=str(root or folder),
        why=f"did you mean {near!r}?" if near else f"tables: {', '.join(names) or 'none yet'}",
        next="name a file as seen from here, or a table of the workspace",
    )


def _names(folder: Path) -> list[str]:
    found = (path.name.removesuffix(".parquet") for path in folder.glob("*.parquet"))
    return sorted(name for name in found if NAME.match(name))
