from __future__ import annotations

from typing import Any

import pytest

from trackrecord.cases import migrations
from trackrecord.cases.migrations import migrate
from trackrecord.cases.reader import decode_case
from trackrecord.cases.spec import SPEC_VERSION
from trackrecord.errors import CaseError

from .conftest import CASE, FILE, changed


def test_the_present_version_passes_unchanged() -> None:
    assert migrate({"spec": SPEC_VERSION, "name": "x"}, FILE) == {"spec": SPEC_VERSION, "name": "x"}


def test_a_newer_version_says_what_to_install() -> None:
    newer = changed(("spec = 1\n", ""), ('name = "loans"\n', 'name = "loans"\nspec = 99\n'))
    with pytest.raises(CaseError) as caught:
        decode_case(newer, FILE)
    assert caught.value.what == f"{FILE} was written for a newer trackrecord"
    assert caught.value.where == f"{FILE}:2"
    assert "spec = 99" in (caught.value.why or "")
    assert caught.value.next == "update trackrecord; in its clone: git pull && pip install ."


@pytest.mark.parametrize(
    "version", ["", 'spec = "1"\n', "spec = true\n", "spec = 0\n", "spec = 1.0\n"]
)
def test_a_file_without_a_version_is_told_to_have_one(version: str) -> None:
    with pytest.raises(CaseError, match="does not say which version") as caught:
        decode_case(CASE.replace("spec = 1\n", version), FILE)
    assert "spec = 1" in (caught.value.next or "")


def test_older_documents_pass_through_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(document: dict[str, Any]) -> dict[str, Any]:
        return {("question" if key == "asks" else key): value for key, value in document.items()}

    def added(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "task": "binary"}

    monkeypatch.setattr(migrations, "SPEC_VERSION", 3)
    monkeypatch.setattr(migrations, "MIGRATIONS", {1: renamed, 2: added})
    expected = {"spec": 3, "question": "why?", "task": "binary"}
    assert migrate({"spec": 1, "asks": "why?"}, FILE) == expected
    assert migrate({"spec": 2, "question": "why?"}, FILE) == expected


def test_every_older_version_has_a_migration() -> None:
    assert sorted(migrations.MIGRATIONS) == list(range(1, SPEC_VERSION))
