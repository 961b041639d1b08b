"""What only a process of its own can show: signals, pipes, encodings, an untouched interpreter."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import NAME, digests, edit, trackrecord

AtStage = Callable[[str], Path]
PROGRAM = [
    sys.executable,
    "-c",
    "import sys; from trackrecord.cli.main import main; sys.exit(main())",
]

# A model that says when it is being trained, and then takes its time.
SLOW_MODEL = """\
import pathlib, time
import numpy as np

class Slow:
    def fit(self, X, y):
        pathlib.Path({marker!r}).touch()
        time.sleep(60)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

def build(seed):
    return Slow()
"""


def start(*words: str | Path, at: Path, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, *map(str, words), "-C", str(at)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def interrupt(process: subprocess.Popen[str]) -> tuple[str, float]:
    """Press Ctrl-C once; what is said then, and how many seconds the end took."""
    pressed = time.perf_counter()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    return said, time.perf_counter() - pressed


def check_stopped(process: subprocess.Popen[str], said: str, seconds: float) -> None:
    assert process.returncode == 130, said
    assert "stopped. Every file is whole" in said
    assert re.search(r"next:  trackrecord (-C \S+ )?status", said)
    assert "Traceback" not in said
    assert seconds < 5


@pytest.mark.slow
def test_ctrl_c_while_a_model_trains_ends_at_once_and_the_run_can_be_made_again(
    at_stage: AtStage, tmp_path: Path
) -> None:
    root = at_stage("check")
    marker = tmp_path / "training"
    (root / "cases/tumours/model.py").write_text(SLOW_MODEL.format(marker=str(marker)))
    edit(root, ('estimator = "sklearn.naive_bayes.GaussianNB"', 'python = "model.py:build"'),
         ('encode = "ordinal"\n', ""))  # fmt: skip
    assert trackrecord("seal", NAME, at=root).code == 0
    before = digests(root)
    process = start("run", NAME, at=root)
    while not marker.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    check_stopped(process, *interrupt(process))
    assert digests(root) == before
    (root / "cases/tumours/model.py").write_text(SLOW_MODEL.format(marker="x").replace("60", "0"))
    assert trackrecord("run", NAME, at=root).code == 0


STEPS: list[tuple[str, list[str], str]] = [
    ("new", ["case", "new", "other", "--from", "data/cancer.csv"], "reading"),
    ("check", ["case", "check"], "reading the data"),
    ("check", ["seal"], "reading the data"),
    ("seal", ["run"], "training"),
    ("run", ["evaluate"], "reading the data"),
    ("run", ["evaluate", "--part", "test"], "measuring"),
    ("test", ["claim", "draft"], ""),
    ("claim", ["publish", "--yes"], "revealed"),
    ("publish", ["verify", f"published/{NAME}"], "reading"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "words", "sign"), STEPS)
def test_ctrl_c_in_any_step_leaves_a_state_from_which_it_can_be_done_again(
    at_stage: AtStage, stage: str, words: list[str], sign: str
) -> None:
    root = at_stage(stage)
    process = start(*words, at=root)
    assert process.stdout is not None
    if sign:
        while sign not in (line := process.stdout.readline()):
            assert line, process.communicate()
    else:
        time.sleep(0.3)
    said, seconds = interrupt(process)
    if process.returncode != 0:  # it may have been done already
        check_stopped(process, said, seconds)
    assert trackrecord("doctor", at=root).code == 0
    again = trackrecord(*words, at=root)
    done_already = process.returncode == 0 and again.code == 2 and "already" in again.err
    assert again.code in (0, 1) or done_already, again.err


def test_ctrl_c_while_publish_asks_writes_nothing(at_stage: AtStage) -> None:
    pty = pytest.importorskip("pty")
    root = at_stage("claim")
    before = digests(root)
    controller, terminal = pty.openpty()
    process = start("publish", NAME, at=root, stdin=terminal)
    assert process.stdout is not None
    while "revealed" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.5)
    check_stopped(process, *interrupt(process))
    os.close(controller)
    os.close(terminal)
    assert digests(root) == before


@pytest.mark.parametrize("words", [["--help"], ["evaluate", "--help"], ["status"]])
def test_a_reader_that_goes_away_is_no_error(at_stage: AtStage, words: list[str]) -> None:
    root = at_stage("check")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PROGRAM, *words], cwd=root, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_lacks_a_sign_gets_another(at_stage: AtStage, encoding: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "doctor"],
        cwd=at_stage("seal"),
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"? the ledger is whole")


def test_a_file_name_that_is_not_text_is_told_without_a_traceback(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff\x1b[31m.csv")
    done = subprocess.run(
        [*PROGRAM, "evaluate", odd], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr


def test_debug_shows_the_traceback_and_keeps_the_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "status", "--debug"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "not in a trackrecord workspace" in done.stderr


def test_the_installed_command_works(tmp_path: Path) -> None:
    command = Path(sys.executable).with_name("trackrecord")
    if not command.exists():
        pytest.skip("trackrecord is not installed as a command here")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("trackrecord ")
