"""The new release brings its process down a moment after it begins to answer, again and again."""

from __future__ import annotations

import os

from trackrecord.serving.drills.fault import Fault, register_fault


def act() -> None:
    """End the process as a fault in a library would."""
    os._exit(139)


FAULT = register_fault(
    Fault("crash-loop", "The process dies, again and again", "process", __doc__ or "", act=act)
)
