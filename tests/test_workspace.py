from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from trackrecord.errors import BadInput
from trackrecord.workspace import (
    SETTINGS,
    _read_settings,
    checked_case_name,
    find_workspace,
    make_workspace,
    open_workspace,
)


def test_a_new_workspace_is_found_from_any_folder_in_it(tmp_path: Path) -> None:
    made = make_workspace(tmp_path / "mine")
    deep = made.root / "cases" / "a" / "b"
    deep.mkdir(parents=True)
    assert find_workspace(deep) == made
    assert {path.name for path in made.root.iterdir()} == {
        SETTINGS, "cases", "data", "evidence", ".gitignore", ".gitattributes",
    }  # fmt: skip


def test_git_neither_merges_the_chain_as_text_nor_keeps_the_cache(tmp_path: Path) -> None:
    root = make_workspace(tmp_path).root
    assert "evidence/chain.jsonl merge=binary" in (root / ".gitattributes").read_text()
    assert ".trackrecord/" in (root / ".gitignore").read_text()


def test_files_that_were_there_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    make_workspace(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "mine\n"


def test_a_workspace_is_not_made_twice(tmp_path: Path) -> None:
    make_workspace(tmp_path)
    with pytest.raises(BadInput, match="already is a workspace") as caught:
        make_workspace(tmp_path)
    assert caught.value.next == "trackrecord status"


def test_a_folder_without_one_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not in a trackrecord workspace") as caught:
        find_workspace(tmp_path)
    assert caught.value.next == "trackrecord init"


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadInput, match="cannot make a workspace here"):
        make_workspace(tmp_path / "taken")


@pytest.mark.parametrize(
    ("settings", "what", "next_step"),
    [
        ("workspace = 2", "written by a newer trackrecord", "update trackrecord"),
        ("workspace = ", f"cannot read {SETTINGS}", "mend"),
        ("", "does not say `workspace = 1`", "add that line"),
        ('workspace = "1"', "does not say `workspace = 1`", "add that line"),
        ("workspace = true", "does not say `workspace = 1`", "add that line"),
        ("workspace = 0", "does not say `workspace = 1`", "add that line"),
        ("workspace = 1\ntracking_url = 'x'", "unknown key 'tracking_url'", "correct or remove"),
        ("workspace = 1\ntracking_uri = 3", "not the address", "tracking_uri ="),
        ("workspace = 1\ntracking_uri = ''", "not the address", "tracking_uri ="),
        ("x = " + "[" * 5000, f"cannot read {SETTINGS}", "mend"),
    ],
)
def test_settings_that_cannot_be_used_are_told(
    tmp_path: Path, settings: str, what: str, next_step: str
) -> None:
    (tmp_path / SETTINGS).write_text(settings)
    with pytest.raises(BadInput) as caught:
        open_workspace(tmp_path)
    assert what in caught.value.what
    assert next_step in (caught.value.next or "")


def test_a_tracking_server_can_be_named(tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text('workspace = 1\ntracking_uri = "http://localhost:5000"')
    assert open_workspace(tmp_path).tracking_uri == "http://localhost:5000"


@pytest.mark.parametrize(
    "name",
    ["../../etc", "", ".", "..", "a/b", "A", "1st", "-x", "a b", "a\n", "é", "a" * 65],
)
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a case"):
        checked_case_name(name)


def test_only_folders_with_a_case_file_are_cases(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path)
    for name in ("b", "a", "No", "empty"):
        (workspace.cases / name).mkdir()
        if name != "empty":
            (workspace.cases / name / "case.toml").write_text("")
    assert workspace.case_names() == ["a", "b"]
    (workspace.cases / "a" / "case.toml").unlink()
    assert workspace.case_names() == ["b"]


SETTINGS_TEXTS = [
    "workspace = 1",
    "workspace = 1\n# a remark\n\n",
    'workspace = 1\ntracking_uri = "https://mlflow.example.org:5000/a-b"\n',
    'tracking_uri = "none"\nworkspace = 1\r\n',
    'workspace = 1\ntracking_uri = "sqlite:///a\\u0062.db"',
    "workspace=1",
    "workspace = 1 # a remark",
    "workspace = 01",
    "workspace = 1\nworkspace = 2",
    "workspace = 99999999999999999999",
    "workspace = 1\n# a \x01 control",
    "workspace = 1\n[more]\nworkspace = 2",
    'workspace = 1\ntracking_uri = """x"""',
    "workspace = ١",
    'workspace = 1\ntracking_uri = "ü"',
    "\ufeffworkspace = 1",
]


@pytest.mark.parametrize("text", SETTINGS_TEXTS)
def test_settings_are_read_as_toml_reads_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trackrecord.toml"
    path.write_bytes(text.encode())
    try:
        expected = tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        with pytest.raises(tomllib.TOMLDecodeError, match=re.escape(str(error))):
            _read_settings(path)
        return
    assert _read_settings(path) == expected
