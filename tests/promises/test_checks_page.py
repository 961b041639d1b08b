"""Every finding code has a section with a planted example that really is found."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest
from tests.data.conftest import trips
from tests.promises.pages import REFERENCE, ROOT, blocks, sections

from trackrecord.cases.reader import decode_case
from trackrecord.cli.findings import findings_of
from trackrecord.cli.opening import Opened
from trackrecord.data.finding import Finding
from trackrecord.workspace import Workspace

PAGE = (REFERENCE / "checks.md").read_text("utf-8")
SECTIONS = {name.partition(":")[0]: body for name, body in sections(PAGE, "### ").items()}
BASE = next(block.text for block in blocks(PAGE) if block.language == "toml")
FILE = "cases/trips/case.toml"


def codes_in_the_program() -> set[str]:
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if re.search(r"TR\d{3}", text) else ():
            if isinstance(node, ast.Constant) and re.fullmatch(r"TR\d{3}", str(node.value)):
                found.add(str(node.value))
    return found


def planted(code: str) -> str:
    """The base case with the section's diff applied, piece by piece."""
    (diff,) = [block.text for block in blocks(SECTIONS[code]) if block.language == "diff"]
    text = BASE
    for piece in re.findall(r"(?:^-.*\n)+(?:^\+.*\n)*", diff, flags=re.MULTILINE):
        lines = piece.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] == "-")
        new = "".join(line[1:] for line in lines if line[0] == "+")
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/trips.csv").write_text(trips())
    days = [f"2024-{month:02d}-{day:02d}" for month in range(1, 6) for day in range(1, 30)]
    rain = "".join(f"{day}T12:00:00Z,{number % 7}\n" for number, day in enumerate(days))
    (tmp_path / "data/weather.csv").write_text("observed,rain\n" + rain)
    return tmp_path


def findings(text: str, root: Path) -> list[Finding]:
    case, line_of = decode_case(text, FILE)
    return findings_of(Opened(Workspace(root), case, line_of, FILE, text))


def test_every_code_in_the_program_has_a_section_and_every_section_a_code() -> None:
    assert set(SECTIONS) == codes_in_the_program()


def test_the_base_case_of_the_page_has_no_finding(root: Path) -> None:
    assert findings(BASE, root) == []


@pytest.mark.parametrize("code", sorted(SECTIONS))
def test_each_planted_fault_is_found(code: str, root: Path) -> None:
    assert "**Fix:**" in SECTIONS[code]
    if code == "TR020":  # reading refuses it already
        case, line_of = decode_case(BASE, FILE)
        broken = msgspec.structs.replace(case.criterion[0], require="brier ~ 0.5")
        case = msgspec.structs.replace(case, criterion=[broken])
        found = findings_of(Opened(Workspace(root), case, line_of, FILE, BASE))
    else:
        found = findings(planted(code), root)
    severities = {finding.severity for finding in found if finding.code == code}
    assert severities
    for word in ("Error", "Doubt"):
        if SECTIONS[code].strip().startswith(f"{word}."):
            assert severities == {word.lower()}
