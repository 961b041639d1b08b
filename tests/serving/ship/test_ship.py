"""What is shipped is whole, stays as people changed it, and starts where there is nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.modeling.conftest import CASE, tumours

from trackrecord.cli.main import main
from trackrecord.modeling.tracking import NONE
from trackrecord.workspace import make_workspace


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose case has a champion."""
    root = tmp_path_factory.mktemp("shipped")
    make_workspace(root)
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text() + f'tracking_uri = "{NONE}"\n')
    tumours().write_csv(root / "data" / "tumours.csv")

    folder = root / "cases" / "tumour"
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(CASE)
    for words in (["seal", "tumour"], ["run", "tumour"], ["register", "tumour"]):
        assert main([*words, "-C", str(root)]) == 0
    return root


@pytest.fixture
def root(registered: Path, tmp_path: Path) -> Path:
    shutil.copytree(registered, tmp_path / "w")
    return tmp_path / "w"


def ship(root: Path, *words: str) -> int:
    return main(["ship", "tumour", *words, "-C", str(root)])


def test_every_file_is_there_and_reads_as_what_it_is(root: Path) -> None:
    assert ship(root, "--image", "registry.example.org/team/tumour") == 0
    out = root / "ship" / "tumour"
    for path in out.rglob("*.y*ml"):
        documents = list(yaml.safe_load_all(path.read_text()))
        assert all(document is not None for document in documents), path
    dashboard = json.loads((out / "grafana" / "dashboard.json").read_text())
    assert len(dashboard["panels"]) >= 6
    (deployment,) = [
        document
        for document in yaml.safe_load_all((out / "kubernetes" / "deployment.yaml").read_text())
        if document["kind"] == "Deployment"
    ]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"].startswith("registry.example.org/team/tumour")
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"
    assert "USER 10001" in (out / "Dockerfile").read_text()


def test_the_digests_of_what_was_shipped_are_those_of_the_files(root: Path) -> None:
    assert ship(root) == 0
    out = root / "ship" / "tumour"
    lines = (out / "SHA256SUMS").read_text().splitlines()
    said = dict(reversed(line.split("  ", 1)) for line in lines if "  " in line)
    assert "models/tumour/1/model.onnx" in said
    for name, digest in said.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest, name


def test_shipping_again_keeps_what_a_person_changed(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ship(root) == 0
    out = root / "ship" / "tumour"
    runbook = out / "RUNBOOK.md"
    runbook.write_text(runbook.read_text() + "\nCall Ada.\n")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert ship(root) == 0
    assert "kept as you changed them: RUNBOOK.md" in " ".join(capsys.readouterr().out.split())
    assert runbook.read_text().endswith("Call Ada.\n")
    same = {path: data for path, data in before.items() if path.name != "SHA256SUMS"}
    assert same == {path: path.read_bytes() for path in same}
    assert ship(root, "--force") == 0
    assert "Call Ada" not in runbook.read_text()


def test_files_of_others_are_not_overwritten(root: Path) -> None:
    out = root / "ship" / "tumour"
    out.mkdir(parents=True)
    (out / "Dockerfile").write_text("FROM mine\n")
    assert ship(root) == 2
    assert (out / "Dockerfile").read_text() == "FROM mine\n"
    assert [path.name for path in out.iterdir()] == ["Dockerfile"]


@pytest.mark.parametrize(
    "words",
    [
        ("--image", "Registry/UPPER:bad name"),
        ("--version", "9"),
        ("--slo-latency", "0"),
        ("--slo-availability", "1.5"),
        ("--out", "models/x"),
        ("--out", "../elsewhere"),
        ("--memory", "-5"),
    ],
)
def test_what_cannot_be_deployed_is_refused(root: Path, words: tuple[str, str]) -> None:
    assert ship(root, *words) == 2
    assert not (root / "ship").exists()


def test_a_case_without_a_model_is_told_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_workspace(tmp_path)
    assert main(["ship", "tumour", "-C", str(tmp_path)]) == 2
    assert "register tumour" in capsys.readouterr().err


@pytest.mark.slow
def test_alert_rules_are_what_prometheus_reads(root: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    assert ship(root) == 0
    rules = root / "ship" / "tumour" / "prometheus" / "alerts.yml"
    done = subprocess.run(
        ["promtool", "check", "rules", str(rules)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_it_installs_and_answers_where_there_is_nothing_else(root: Path) -> None:
    """What the Dockerfile does, in a new virtual environment; the probe's rows are compared."""
    assert ship(root) == 0
    out = root.parent / "elsewhere"
    shutil.move(root / "ship" / "tumour", out)
    shutil.rmtree(root)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    subprocess.run(
        ["./install.sh"], cwd=out, check=True, capture_output=True,
        env={**clean, "PYTHON": sys.executable},
    )  # fmt: skip
    packages = subprocess.run(
        [".venv/bin/python", "-m", "pip", "list"], cwd=out, check=True, capture_output=True
    ).stdout.decode()
    assert "onnxruntime" in packages
    assert "mlflow" not in packages
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        ["./start.sh"], cwd=out, env={**clean, "SERVE_PORT": str(port), "SERVE_DRAIN": "0"}
    ) as server:
        try:
            asked = subprocess.run(
                [".venv/bin/python", "probe.py", f"http://127.0.0.1:{port}"],
                cwd=out,
                capture_output=True,
                check=False,
            )
            assert asked.returncode == 0, asked.stdout + asked.stderr
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
