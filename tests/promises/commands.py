"""Runs the command blocks of a page of docs, in order, in one folder.

Blocks of ``sh`` are commands; of ``console``, the lines after ``$ ``; of ``python``, a script, if
the page has commands, too. A command whose shown output has a line with ``✗`` may end in 1 or 2.
Whoever reads the page sits at a terminal and says yes. HTML comments right before a block say what
that reader need not see:

    <!-- not run: REASON -->          the block cannot run in a test
    <!-- slow: REASON -->             it and what follows run in the slow suite only
    <!-- first: COMMANDS -->          commands to run before it, such as making a file it reads
    <!-- editor: SED SCRIPT -->       what whoever reads the page changes in $EDITOR
    <!-- may exit 1: REASON -->       an exit code of 1 is what the text talks about
    <!-- compared -->                 each line of output shown must be printed; ``…`` is any text
"""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.promises.pages import Block, blocks

RUNNABLE = ("sh", "console", "python")
_COMMENTS = re.compile(r"(?:<!--(?:(?!-->).)*-->\s*)+\Z", re.DOTALL)
_COMMENT = re.compile(r"<!--\s*([a-z ]+1?)(?::\s*(.*?))?\s*-->", re.DOTALL)
KNOWN = ("not run", "slow", "first", "editor", "may exit 1", "compared")


class Command(NamedTuple):
    """A block to run, and what its comments say."""

    block: Block
    said: dict[str, str]


def commands(text: str) -> list[Command]:
    """The runnable blocks of a page with their comments."""
    found = []
    if not any(block.language in ("sh", "console") for block in blocks(text)):
        return []
    for block in blocks(text):
        if block.language not in RUNNABLE:
            continue
        comments = _COMMENTS.search(block.before)
        said = dict(_COMMENT.findall(comments.group())) if comments else {}
        found.append(Command(block, {name.strip(): why for name, why in said.items()}))
    return found


def script_of(block: Block) -> str:
    """The block as a shell script."""
    if block.language == "python":
        return f"python - <<'END_OF_PYTHON'\n{block.text}END_OF_PYTHON\n"
    if block.language == "sh":
        return block.text
    lines = block.text.splitlines()
    typed = [
        line[2:]
        for index, line in enumerate(lines)
        if line.startswith("$ ")
        # A line that goes on after a backslash is one command.
        or (line.startswith("> ") and index and lines[index - 1].endswith("\\"))
    ]
    return "\n".join(typed) + "\n"


def run_page(text: str, folder: Path, *, slow: bool) -> int:
    """Run a page's blocks; returns how many were run. Raises AssertionError with what failed."""
    done = 0
    where = folder
    for block, said in commands(text):
        if "slow" in said and not slow:
            break
        if "first" in said:
            where = _run(said["first"] + "\n", where, folder, block, set())[1]
        if "not run" in said:
            continue
        (folder / ".editor.sed").write_text(said.get("editor", ""))
        allowed = {1} if "may exit 1" in said else set()
        if block.language == "console" and re.search(r"^\s*✗ ", block.text, re.MULTILINE):
            allowed |= {1, 2}
        output, where = _run(script_of(block), where, folder, block, allowed)
        if "compared" in said:
            _compare(block, output)
        done += 1
    return done


def _run(
    script: str, where: Path, folder: Path, block: Block, allowed: set[int]
) -> tuple[str, Path]:
    """What a script printed, and the folder that it ended in."""
    kept = folder / ".where"
    ends = " ".join(map(str, sorted({0, *allowed})))
    # After each command: an exit code that nobody announced ends the script.
    trap = f'trap \'code=$?; case " {ends} " in *" $code "*) ;; *) exit 99;; esac\' ERR\n'
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "COLUMNS": "100",
        "EDITOR": f"sed -i -E -f {folder / '.editor.sed'}",
    }
    controller, terminal = pty.openpty()
    try:
        os.write(controller, b"y\ny\ny\n")
        done = subprocess.run(
            ["bash", "-c", f"{trap}{script}\npwd > {kept}"],
            cwd=where, env=environment, capture_output=True, text=True, stdin=terminal,
            timeout=600, check=False,
        )  # fmt: skip
    finally:
        os.close(terminal)
        os.close(controller)
    told = f"line {block.line}:\n{script}\n{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, told
    return done.stdout + done.stderr, Path(kept.read_text().strip())


def _compare(block: Block, output: str) -> None:
    """Each line shown, in order, among the lines printed."""
    printed = iter(" ".join(line.split()) for line in output.splitlines())
    for line in block.text.splitlines():
        if line.startswith(("$ ", "> ")) or not line.strip():
            continue
        wanted = re.escape(" ".join(line.split())).replace("…", ".*")
        assert any(re.fullmatch(wanted, got) for got in printed), f"not printed: {line}\n{output}"
