"""The page that says the format, byte by byte, says it right."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ledger.chains import add

from trackrecord.ledger.branches import read_branches

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "ledger.md").read_text("utf-8")
SOURCES = [
    ROOT / "src" / "trackrecord" / "ledger" / f"{n}.py" for n in ("branches", "chain", "doctor")
]


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def read_with_the_pages_reader(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", block("python")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_two_lines_shown_are_a_whole_chain() -> None:
    branches = read_branches(block("json").encode())
    assert branches.problems == []
    assert len(branches.rows) == 2


def test_the_reader_shown_reads_a_chain(evidence: Path) -> None:
    last = add(evidence, 3)[-1]
    done = read_with_the_pages_reader(evidence.parent)
    assert done.stdout == f"3 entries, whole; the head is {last.digest}\n"


@pytest.mark.parametrize("position", range(3, 600, 23))
def test_the_reader_shown_sees_a_changed_byte(evidence: Path, position: int) -> None:
    add(evidence, 2)
    chain = evidence / "chain.jsonl"
    data = bytearray(chain.read_bytes())
    data[position] ^= 1
    chain.write_bytes(data)
    assert read_with_the_pages_reader(evidence.parent).returncode == 1


def test_every_code_of_a_finding_is_on_the_page_and_no_other() -> None:
    told = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## What is found")[2], re.M))
    made: set[str] = set()
    for source in SOURCES:
        text = source.read_text("utf-8")
        made |= set(re.findall(r'code(?:: str)?\s?=\s?"([a-z-]+)"', text))
        made |= set(re.findall(r'Finding\(\s*"([a-z-]+)"', text))
    assert told == made
