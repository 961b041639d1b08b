"""`trackrecord serve`: what it refuses to begin with, and its keys."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import trackrecord
from tests.serving.conftest import CASE, models, shop

from trackrecord.serving.keys import holder, read_keys

__all__ = ["models"]  # the fixture of tests/serving


def test_a_port_in_use_is_told_with_a_free_one(models: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = trackrecord("serve", CASE, "--port", port, at=models.parent.parent)
    assert told.code == 2
    assert f"port {port} is in use" in told.err
    assert "next:  trackrecord serve tumours --port " in told.err


def test_a_case_without_a_model_says_how_to_register_one(tmp_path: Path) -> None:
    models = shop(tmp_path)
    told = trackrecord("serve", "elsewhere", at=models.parent.parent)
    assert (told.code, "trackrecord register elsewhere" in told.err) == (2, True)
    shutil.rmtree(models / "1")
    told = trackrecord("serve", CASE, at=models.parent.parent)
    assert (told.code, "there is no model here" in told.err) == (2, True)


@pytest.mark.parametrize(
    "words", [("--port", "70000"), ("--workers", "0"), ("--max-body", "0"), ("--tls-cert", "x.pem"),
              ("--host", "300.1.1.1"), ("--tls-cert", "no.pem", "--tls-key", "no.pem")],
)  # fmt: skip
def test_options_that_cannot_be_are_refused(models: Path, words: tuple[str, ...]) -> None:
    told = trackrecord("serve", CASE, *words, at=models.parent.parent)
    assert told.code == 2
    assert "next:" in told.err


def test_keys_by_the_command_line(models: Path) -> None:
    root = models.parent.parent
    told = trackrecord("serve", CASE, "--add-key", "laptop", "--json", at=root)
    assert told.code == 0
    key = told.json["key"]
    path = root / "serving" / CASE / "keys.json"
    assert holder(read_keys(path), key.encode()) == "laptop"
    assert trackrecord("serve", CASE, "--add-key", "laptop", at=root).code == 2
    assert trackrecord("serve", CASE, "--revoke-key", "laptop", at=root).code == 0
    assert read_keys(path).keys == []


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from trackrecord.cli.main import main; main(['serve', '--help']);"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"numpy", "msgspec", "uvicorn", "onnxruntime", "asyncio"}
    assert set(done.stderr.split()) & heavy == set()
