"""Which version answers a unit while a rollout runs: read by every worker, once a second."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from trackrecord.errors import TrackrecordError
from trackrecord.serving.hooks import Route
from trackrecord.serving.rollout.state import Rollout, in_share, read_rollout

logger = logging.getLogger("trackrecord.serving")


class RolloutRouter:
    """A ``Router`` that follows ``rollout.json``; ``tick`` looks whether it has changed.

    A file that cannot be read leaves the champion to answer, and that is logged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._rollout: Rollout | None = None
        self.tick()

    def tick(self) -> None:
        """Read the file if it is another than before."""
        try:
            found = os.stat(self.path)
            seen: tuple[int, int] | None = (found.st_mtime_ns, found.st_ino)
        except OSError:
            seen = None
        if seen == self._seen:
            return
        self._seen = seen
        try:
            rollout = read_rollout(self.path) if seen else None
        except TrackrecordError as error:
            logger.error("%s: the champion answers", error)
            rollout = None
        self._rollout = rollout if rollout is not None and rollout.status == "running" else None

    def __call__(self, unit: str, versions: dict[str, int]) -> Route:
        """The version for a unit, and those that compute beside."""
        champion = versions["champion"]
        rollout = self._rollout
        if rollout is None or champion != rollout.champion:
            return Route(champion)
        if rollout.mode == "shadow":
            return Route(champion, (rollout.challenger,))
        if in_share(unit, rollout.salt, rollout.share):
            return Route(rollout.challenger)
        return Route(champion)
