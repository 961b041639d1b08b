"""Every module says what it is for, and every public function or class what it does."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.promises.pages import ROOT

MODULES = sorted((ROOT / "src" / "trackrecord").rglob("*.py"))
# What every door has; cli/command.py says once what they do.
DOOR = {"add_arguments", "run"}


def shown(path: Path) -> str:
    return path.relative_to(ROOT / "src").as_posix()


def undocumented(path: Path) -> list[str]:
    """The module, and its public names, where they have no docstring. The only name of a module may
    leave it to the module's."""
    tree = ast.parse(path.read_text("utf-8"))
    bare = [] if ast.get_docstring(tree) else [shown(path)]
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    if "cli" in path.parts:
        public = [node for node in public if node.name not in DOOR]
    if len(public) == 1:
        public = []
    where = shown(path)
    return bare + [f"{where}:{n.lineno} {n.name}" for n in public if not ast.get_docstring(n)]


def test_modules_and_public_names_have_docstrings() -> None:
    lacking = [name for path in MODULES for name in undocumented(path)]
    assert lacking == []


def test_every_room_says_what_it_may_import() -> None:
    rooms = [path for path in MODULES if path.name == "__init__.py" and len(path.parts) - len(
        (ROOT / "src" / "trackrecord").parts) == 2]  # fmt: skip
    assert len(rooms) >= 8
    for path in rooms:
        said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        assert "Import" in said or "import" in said, path


def test_no_module_grows_beyond_a_few_pages() -> None:
    lines = {shown(path): path.read_text("utf-8").count("\n") for path in MODULES}
    assert {path: many for path, many in lines.items() if many > 420} == {}
