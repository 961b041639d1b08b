"""The how-to page does what it says: its scripts run, its commands print what it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "evaluate-my-own-predictions.md"
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_page_on_evaluating_predictions_is_true(tmp_path: Path) -> None:
    for kind, text in BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "python":
            subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True)
            continue
        command, _, shown = text.partition("\n")
        words = command.removeprefix("$ trackrecord ").split(" > ")[0].split()
        done = subprocess.run(
            [sys.executable, "-c", "from trackrecord.cli.main import main; main()", *words],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        printed = (done.stdout + done.stderr).replace("\N{NO-BREAK SPACE}", " ")
        lines = {line.strip() for line in printed.splitlines()}
        for line in shown.splitlines():
            assert not line.strip() or line.strip() in lines
