"""A rollout is begun, ended, taken back; a restart in between changes nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.serving.capture.test_capture import bundle

from trackrecord.cli.main import main
from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import read_chain, read_evidence
from trackrecord.modeling.export.bundle import write_bundle
from trackrecord.modeling.registry import read_aliases, set_alias
from trackrecord.serving.capture.segments import CaptureSettings, Segments, captures_folder
from trackrecord.serving.hooks import Answered
from trackrecord.serving.rollout.route import RolloutRouter
from trackrecord.serving.rollout.state import read_rollout, rollout_file
from trackrecord.serving.rollout.steps import end_rollout, roll_back, start_rollout
from trackrecord.workspace import Workspace, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Versions 1 (the champion), 2 (the challenger) and 3 of a case."""
    made = make_workspace(tmp_path)
    for version in (1, 2, 3):
        folder = tmp_path / "models" / "churn" / str(version)
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(b"")
        write_bundle(folder, bundle())
    set_alias(made, "churn", "champion", 1, reason="first", tool="test")
    set_alias(made, "churn", "challenger", 2, reason="second", tool="test")
    return made


def kinds(workspace: Workspace) -> list[str]:
    return [entry.kind for entry in read_chain(workspace.evidence)]


def test_a_canary_gets_its_share_and_the_rest_stays(workspace: Workspace) -> None:
    rollout, entry = start_rollout(workspace, "churn", mode="canary", share=0.2)
    router = RolloutRouter(rollout_file(workspace, "churn"))
    routed = [router(f"u{n}", {"champion": 1, "challenger": 2}).answer for n in range(2000)]
    assert 300 < routed.count(2) < 500
    assert entry.kind == "rollout"
    assert rollout.status == "running"


def test_a_shadow_is_not_heard(workspace: Workspace) -> None:
    start_rollout(workspace, "churn", mode="shadow")
    route = RolloutRouter(rollout_file(workspace, "churn"))("u1", {"champion": 1, "challenger": 2})
    assert (route.answer, route.shadows) == (1, (2,))


def test_a_router_follows_the_file(workspace: Workspace) -> None:
    path = rollout_file(workspace, "churn")
    router = RolloutRouter(path)
    versions = {"champion": 1, "challenger": 2}
    assert router("u", versions).shadows == ()
    start_rollout(workspace, "churn", mode="shadow")
    router.tick()
    assert router("u", versions).shadows == (2,)
    end_rollout(workspace, "churn", promote=False, reason="a test")
    router.tick()
    assert router("u", versions).shadows == ()
    path.write_text("{")
    router.tick()
    assert router("u", versions).answer == 1
    path.unlink()
    router.tick()
    assert router("u", versions).answer == 1


def test_promoting_changes_the_champion_and_leaves_evidence(workspace: Workspace) -> None:
    start_rollout(workspace, "churn", mode="ab")
    ended, entry = end_rollout(workspace, "churn", promote=True, reason="it is better")
    aliases = read_aliases(workspace, "churn")
    assert (aliases.champion, aliases.challenger) == (2, None)
    assert ended.status == "promoted"
    predicate = read_evidence(workspace.evidence, entry.evidence or "").predicate
    assert predicate["state"]["reason"] == "it is better"


def test_a_rollback_goes_to_who_answered_before(workspace: Workspace) -> None:
    start_rollout(workspace, "churn", mode="ab", challenger=3)
    end_rollout(workspace, "churn", promote=True, reason="looks good")
    was, now, _ = roll_back(workspace, "churn", reason="it was not")
    assert (was, now) == (3, 1)
    assert read_aliases(workspace, "churn").champion == 1
    state = read_rollout(rollout_file(workspace, "churn"))
    assert state is not None
    assert state.status == "rolled back"
    assert kinds(workspace)[-1] == "alias"


def test_what_cannot_be_rolled_out_is_refused(workspace: Workspace) -> None:
    with pytest.raises(BadInput, match="champion"):
        start_rollout(workspace, "churn", mode="ab", challenger=1)
    with pytest.raises(BadInput, match="no version 9"):
        start_rollout(workspace, "churn", mode="ab", challenger=9)
    with pytest.raises(BadInput, match="share"):
        start_rollout(workspace, "churn", mode="canary", share=1.5)
    with pytest.raises(BadInput, match="a shadow has no share"):
        start_rollout(workspace, "churn", mode="shadow", share=0.5)
    with pytest.raises(BadInput, match="no rollout"):
        end_rollout(workspace, "churn", promote=True, reason="none")
    with pytest.raises(BadInput, match="no version before 1"):
        roll_back(workspace, "churn", reason="none")
    start_rollout(workspace, "churn", mode="shadow")
    with pytest.raises(BadInput, match="runs already"):
        start_rollout(workspace, "churn", mode="ab")


def test_a_changed_model_is_not_rolled_out(workspace: Workspace) -> None:
    (workspace.root / "models" / "churn" / "2" / "model.onnx").write_bytes(b"other")
    with pytest.raises(DataError, match="not the one that was registered"):
        start_rollout(workspace, "churn", mode="ab")
    assert read_rollout(rollout_file(workspace, "churn")) is None


def captured(workspace: Workspace, broken: bool) -> None:
    """400 units answered by both arms; the challenger fails half of its rows if ``broken``."""
    rollout = read_rollout(rollout_file(workspace, "churn"))
    assert rollout is not None
    router = RolloutRouter(rollout_file(workspace, "churn"))
    told = []
    for number in range(1500):
        version = router(f"u{number}", {"champion": 1, "challenger": 2}).answer
        fails = broken and version == 2 and number % 2
        told.append(
            Answered(
                f"r{number}", f"u{number}", time.time(), version, "answer", 0.001, None,
                [float("nan") if fails else 0.4],
            )
        )  # fmt: skip
    models = workspace.root / "models" / "churn"
    segments = Segments(captures_folder(workspace.root, "churn"), models, CaptureSettings())
    segments.write(told)


def test_a_watch_stops_a_broken_challenger_by_itself(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["-C", str(workspace.root)]
    assert main(["rollout", "start", "churn", "--mode", "ab", *folder]) == 0
    captured(workspace, broken=True)
    assert main(["rollout", "watch", "churn", "--every", "0.1", "--for", "5", *folder]) == 1
    out = capsys.readouterr().out
    assert "rows without an answer" in out
    state = json.loads(rollout_file(workspace, "churn").read_text())
    assert state["status"] == "stopped"
    assert read_aliases(workspace, "churn").champion == 1


def test_status_says_how_it_stands(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["-C", str(workspace.root)]
    assert main(["rollout", "status", "churn", *folder]) == 2
    assert main(["rollout", "start", "churn", "--mode", "ab", *folder]) == 0
    assert main(["rollout", "status", "churn", *folder]) == 0
    captured(workspace, broken=False)
    assert main(["rollout", "status", "churn", *folder]) == 0
    assert "… wait" in capsys.readouterr().out
    assert main(["rollout", "promote", "churn", *folder]) == 0
    assert "promoted all the same" in capsys.readouterr().out
    assert main(["rollout", "rollback", "churn", "--reason", "second thoughts", *folder]) == 0
    assert read_aliases(workspace, "churn").champion == 1
