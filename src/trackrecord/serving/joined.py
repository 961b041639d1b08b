"""What joins a server in: capture, and a rollout's router."""

from __future__ import annotations

from pathlib import Path

from trackrecord.serving.capture.segments import (
    CaptureSettings,
    capture_hooks,
    captures_folder,
)
from trackrecord.serving.hooks import Hooks
from trackrecord.serving.rollout.route import RolloutRouter


def hooks_of(root: Path, case: str, capture: CaptureSettings | None) -> Hooks:
    """The hooks of one worker for a case of the workspace ``root``.

    A rollout is followed whether or not answers are captured; it can be judged only if they are.
    """
    router = RolloutRouter(root / "serving" / case / "rollout.json")
    if capture is None:
        return Hooks(router=router, tick=router.tick)
    hooks = capture_hooks(captures_folder(root, case), root / "models" / case, capture)
    return hooks._replace(router=router, tick=router.tick)
