"""What came true stops arriving, while everything else goes on."""

from __future__ import annotations

from trackrecord.serving.drills.fault import Fault, register_fault

FAULT = register_fault(Fault("late-truth", "Truth stops coming", "truth", __doc__ or ""))
