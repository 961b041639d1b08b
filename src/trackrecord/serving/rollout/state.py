"""What a rollout is: one file, ``serving/CASE/rollout.json``, which survives every restart."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.ledger import write_atomic
from trackrecord.workspace import Workspace, checked_case_name

Mode = Literal["shadow", "canary", "ab"]
Status = Literal["running", "stopped", "promoted", "rolled back"]


class Guard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stops a rollout by itself.

    ``unanswered`` is by how much the challenger's share of rows without an answer may exceed the
    champion's, ``slow`` the same of answers slower than ``slow_seconds``, ``loss`` by how much its
    mean squared error may, ``disagreement`` the share of decisions that may differ (shadow only).
    Each is judged by a bound that holds at all times together.
    """

    unanswered: float = 0.01
    slow: float = 0.05
    slow_seconds: float = 0.25
    loss: float = 0.0
    disagreement: float = 1.0


class Rollout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A challenger's way to become the champion.

    ``share`` of the units go to it (``canary``, ``ab``); in ``shadow`` it computes beside and is
    not heard. ``salt`` makes each rollout's assignment its own. ``worth`` is the gain in mean
    squared error that it should show.
    """

    rollout: int = 1
    case: str
    mode: Mode
    champion: int
    challenger: int
    share: float
    salt: str
    started: str
    status: Status = "running"
    ended: str | None = None
    reason: str | None = None
    worth: float = 0.0
    guard: Guard = Guard()


def rollout_file(workspace: Workspace, case: str) -> Path:
    """Where a case's rollout is."""
    return workspace.root / "serving" / checked_case_name(case) / "rollout.json"


def read_rollout(path: Path) -> Rollout | None:
    """The rollout of a file, or None. Raises DataError for a damaged file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Rollout)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise DataError(
            "rollout.json is not what `trackrecord rollout` writes",
            where=str(path),
            why=str(error)[:200],
            next=f"remove it, and start again: rm {path}",
        ) from None


def write_rollout(path: Path, rollout: Rollout) -> None:
    """Write the rollout, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(rollout), indent=1) + b"\n")


def in_share(unit: str, salt: str, share: float) -> bool:
    """Whether a unit belongs to the challenger: always the same answer for the same unit.

    The 64 bits of a keyed hash (BLAKE2b) are uniform, so a ``share`` of all units does.
    """
    drawn = hashlib.blake2b(unit.encode(), key=salt.encode()[:64], digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64


def checked_share(mode: Mode, share: float | None) -> float:
    """The share of a mode: 0 in shadow, a half in A/B, 5 % in a canary unless said otherwise."""
    if mode == "shadow":
        if share is not None:
            raise BadInput("a shadow has no share: it computes for every unit, and is not heard")
        return 0.0
    usual = 0.5 if mode == "ab" else 0.05
    chosen = usual if share is None else share
    if not 0 < chosen < 1:
        raise BadInput(f"the share {chosen:g} is not between 0 and 1")
    return chosen
