"""Each fault changes what it says it changes; an incident says what is still to be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.modeling.conftest import CASE, Load, load, root, tumours

from trackrecord.cli.main import main
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import read_chain
from trackrecord.modeling.export.bundle import read_bundle
from trackrecord.modeling.export.export import answering
from trackrecord.modeling.registry import version_folder
from trackrecord.modeling.tracking import NONE
from trackrecord.portfolio.incident_page import render_incident
from trackrecord.serving.drills.fault import Release, all_faults, get_fault
from trackrecord.serving.drills.incident import Facts, read_text, write_incident
from trackrecord.serving.drills.result import Drilled, Event
from trackrecord.serving.drills.scratch import BROKEN, broken_release, scratch_service
from trackrecord.workspace import Workspace

__all__ = ["load", "root"]
assert CASE
assert tumours


@pytest.fixture
def registered(root: Path, load: Load) -> tuple[Workspace, Load]:
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text() + f'tracking_uri = "{NONE}"\n')
    load()
    for words in (["seal", "tumour"], ["run", "tumour"], ["register", "tumour"]):
        assert main([*words, "-C", str(root)]) == 0
    return Workspace(root), load


@pytest.fixture
def scratch(registered: tuple[Workspace, Load], tmp_path: Path) -> tuple[Workspace, Release, Any]:
    workspace, load = registered
    loaded = load()
    made, bundle = scratch_service(workspace, "tumour", 1, tmp_path / "scratch")
    folder = version_folder(made, "tumour", 1)
    training = (loaded.parts == "train").fill_null(False)
    return made, Release(bundle, folder, loaded.case, loaded.table, training), loaded


RELEASES = [name for name, fault in all_faults().items() if fault.kind == "release"]


@pytest.mark.parametrize("name", RELEASES)
def test_a_broken_release_can_be_served_and_answers_otherwise(
    scratch: tuple[Workspace, Release, Any], name: str
) -> None:
    made, release, loaded = scratch
    folder = broken_release(made, "tumour", get_fault(name), release)
    bundle = read_bundle(folder)
    rows = loaded.table.frame.select(f.name for f in bundle.features).head(200).to_dicts()
    good = answering(release.folder, release.bundle)(rows)
    broken = answering(folder, bundle)(rows)
    far = float(np.abs(good - broken).mean())
    if name == "slow-model":
        assert far < 1e-6
    elif name == "wrong-version":
        assert bundle.case == "tumour-other"
    else:
        assert far > (0.0 if name == "unseen-category" else 0.01)
        assert bundle.probe.probability != release.bundle.probe.probability


def test_a_damaged_file_is_not_what_was_registered(
    scratch: tuple[Workspace, Release, Any],
) -> None:
    made, release, _ = scratch
    folder = broken_release(made, "tumour", get_fault("corrupt-file"), release)
    assert folder.name == str(BROKEN)
    with pytest.raises(DataError, match="not the one that was registered"):
        read_bundle(folder)


def test_the_service_itself_is_not_touched(
    registered: tuple[Workspace, Load], tmp_path: Path
) -> None:
    workspace, _ = registered
    before = {path: path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}
    made, _ = scratch_service(workspace, "tumour", 1, tmp_path / "elsewhere")
    assert made.root != workspace.root
    assert before == {path: path.read_bytes() for path in before}


def test_a_fault_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(BadInput, match="no fault 'unit-chang'"):
        get_fault("unit-chang")
    assert len(all_faults()) >= 12


def drilled(**changes: Any) -> Drilled:
    said: dict[str, Any] = {
        "fault": "unit-change", "title": "A number comes in another unit", "kind": "release",
        "quiet": True, "detected": 5.4, "alarm": "answers", "saw": "probability: 0.42",
        "decided": 6.0, "rolled_back": 6.1, "recovered": 6.3, "requests": 900, "affected": 700,
        "failed": 0, "wrong": 12, "further": 300, "patience": 45.0, "rate": 150.0, "alarms": [],
        "events": [Event(0.0, "<b>version 2</b> is promoted")],
    }  # fmt: skip
    return Drilled(**{**said, **changes})


def test_an_incident_says_which_sections_are_still_empty(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = write_incident(workspace, "churn", "Will they leave?", 3, drilled(), "2026-01-01")
    assert folder.name == "0001"
    assert all(not said for said in read_text(folder).values())
    text = (folder / "incident.md").read_text()
    said = "## Causes\n\nNobody compared <i>units</i>.\n\n- a list\n- of two"
    (folder / "incident.md").write_text(text.replace("## Causes", said))
    found = read_text(folder)
    assert found["Causes"].startswith("Nobody compared")
    assert not found["Actions"]
    facts = json.loads((folder / "facts.json").read_text())
    assert facts["drilled"]["wrong"] == 12
    again = write_incident(workspace, "churn", "?", 3, drilled(), "2026-01-02")
    assert again.name == "0002"


@pytest.mark.parametrize("missed", [True, False])
def test_the_page_says_what_was_seen_and_escapes_the_rest(missed: bool) -> None:
    one = drilled(detected=None, alarm=None, saw=None, decided=None, rolled_back=None,
                  recovered=None) if missed else drilled()  # fmt: skip
    facts = Facts(
        incident="0001", case="churn", question="?", version=1, drill=True, began="2026-01-01",
        drilled=one, tool="test",
    )  # fmt: skip
    page = render_incident(facts, {"Causes": "Nobody <i>looked</i>.", "Actions": ""})
    assert ("not seen" in page) is missed
    assert "<i>looked" not in page
    assert "<b>version" not in page
    assert "Still to be written" in page
    assert "1 section still to be written" in page


@pytest.mark.slow
def test_a_drill_is_seen_taken_back_and_recorded(
    registered: tuple[Workspace, Load], capsys: pytest.CaptureFixture[str]
) -> None:
    """A process that dies again and again: the whole drill, with a real server and real load."""
    workspace, _ = registered
    words = ["drill", "rollback", "tumour", "--fault", "crash-loop", "--rate", "60", "--warm", "4"]
    code = main([*words, "-C", str(workspace.root)])
    assert code == 0, capsys.readouterr().out
    assert read_chain(workspace.evidence)[-1].kind == "drill"
    folder = workspace.root / "incidents" / "tumour" / "0001"
    facts = json.loads((folder / "facts.json").read_text())
    assert facts["drilled"]["alarm"] == "errors"
    assert facts["drilled"]["recovered"] > 0
    assert (folder / "incident.html").exists()
    assert json.loads((workspace.root / "models/tumour/aliases.json").read_text())["champion"] == 1
