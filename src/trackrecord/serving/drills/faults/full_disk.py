"""The disk is full: what is captured cannot be written any more."""

from __future__ import annotations

from trackrecord.serving.drills.fault import Fault, register_fault


def act() -> None:
    """Let this process write no file beyond what is there."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))


FAULT = register_fault(Fault("full-disk", "The disk is full", "process", __doc__ or "", act=act))
