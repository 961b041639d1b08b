"""The new release keeps what it should let go: 60 MB more each second."""

from __future__ import annotations

from trackrecord.serving.drills.fault import Fault, register_fault

KEPT: list[bytearray] = []
SIZE = 60_000_000
MOST = 40


def act() -> None:
    """Keep some more, up to 2.4 GB."""
    if len(KEPT) < MOST:
        # Written to, so that the system has to give it.
        KEPT.append(bytearray(b"\1") * SIZE)


FAULT = register_fault(
    Fault("memory-leak", "Memory grows and grows", "process", __doc__ or "", act=act)
)
