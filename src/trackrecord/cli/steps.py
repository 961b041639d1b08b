"""What comes next where files have a say in it; as light as ``status`` needs it."""

from __future__ import annotations

import os
from functools import cache

from trackrecord.cli.opening import short_path

TYPE_CHECKING = False  # typing takes as long to load as the interpreter itself
if TYPE_CHECKING:
    from pathlib import Path

    from trackrecord.workspace import Workspace


def publish_step(workspace: Workspace, name: str, evaluation: str | None) -> str:
    """``publish``; new claims first, where those there are were written on another evaluation.

    ``evaluation`` is the digest of the latest evaluation of the sealed test.
    """
    written_on = _claims_evaluation(workspace, name)
    if evaluation and written_on and written_on != evaluation:
        return f"trackrecord claim draft {name} --again"
    return f"trackrecord publish {name}"


@cache
def _published(root: Path, stands_in: str) -> str:
    """The folder of all that is published, as seen from where the person stands."""
    return short_path(root / "published")


def verify_step(workspace: Workspace, name: str) -> str:
    """``verify`` of the published folder."""
    import shlex

    folder = os.path.join(_published(workspace.root, os.getcwd()), name)
    return f"trackrecord verify {shlex.quote(folder)}"


def latest_of_test(workspace: Workspace, evaluations: list[str]) -> str | None:
    """The last of these evaluations (digests, oldest first) that is of the sealed test."""
    if not evaluations:
        return None
    import json

    for digest in reversed(evaluations):
        try:
            statement = json.loads((workspace.evidence / f"{digest}.json").read_bytes())
            if statement["predicate"]["part"] == "test":
                return digest
        except (OSError, ValueError, TypeError, KeyError):
            return None  # `trackrecord doctor` says what is wrong with it
    return None


def _claims_evaluation(workspace: Workspace, name: str) -> str | None:
    """The evaluation that the claims say they were written on, if they can be read."""
    import tomllib

    try:
        text = (workspace.case_folder(name) / "claims.toml").read_text("utf-8-sig")
        found = tomllib.loads(text).get("evaluation")
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None
