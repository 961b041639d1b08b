"""What people type most starts at once: nothing heavy is imported for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from trackrecord.workspace import make_workspace

HEAVY = ["numpy", "polars", "pyarrow", "sklearn", "scipy", "mlflow", "msgspec", "rich", "filelock",
         "rfc8785", "altair", "jinja2"]  # fmt: skip
# Not heavy, but as long to load as the interpreter itself.
NEEDLESS = ["argparse", "dataclasses", "importlib.metadata", "inspect", "pathlib", "re", "typing"]


def loaded(words: list[str], folder: Path) -> set[str]:
    """The modules that a command imports."""
    code = (
        "import sys; from trackrecord.cli.main import main; main(sys.argv[1:]);"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    # -I keeps what the environment or a .pth file of other packages would import out of it.
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, *words],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


def bare(folder: Path) -> set[str]:
    """The modules that the interpreter itself imports here."""
    code = "import sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = make_workspace(tmp_path).root
    for name in ("first", "second"):
        (root / "cases" / name).mkdir()
        (root / "cases" / name / "case.toml").write_text("spec = 1\n")
    return root


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["status"], ["status", "--json"]])
def test_nothing_heavy_is_imported_at_start(workspace: Path, words: list[str]) -> None:
    assert loaded(words, workspace) & set(HEAVY) == set()


def test_help_imports_next_to_nothing(workspace: Path) -> None:
    assert (loaded(["--help"], workspace) - bare(workspace)) & {*HEAVY, *NEEDLESS} == set()


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["status", "-C", "."]])
def test_status_imports_little(workspace: Path, words: list[str]) -> None:
    needless = {"argparse", "typing", "tomllib", "inspect", "dataclasses", "_hashlib"}
    assert (loaded(words, workspace) - bare(workspace)) & needless == set()


@pytest.mark.parametrize("verb", ["init", "case", "seal", "run", "evaluate", "publish", "verify",
                                  "claim", "doctor", "amend", "contrast", "demo"])  # fmt: skip
def test_the_help_of_a_verb_imports_nothing_heavy(workspace: Path, verb: str) -> None:
    assert loaded([verb, "--help"], workspace) & set(HEAVY) == set()


def test_the_library_loads_its_rooms_on_first_use(tmp_path: Path) -> None:
    code = "import sys, trackrecord; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) & set(HEAVY) == set()
