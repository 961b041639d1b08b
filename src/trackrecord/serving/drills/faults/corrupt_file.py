"""A byte of the model's file turned over on the disk, or was changed by somebody."""

from __future__ import annotations

from pathlib import Path

from trackrecord.serving.drills.fault import Fault, register_fault


def damage(path: Path) -> None:
    """Turn over a byte in the middle of the file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


FAULT = register_fault(
    Fault("corrupt-file", "The model's file is damaged", "file", __doc__ or "", damage=damage)
)
