"""The server that is drilled: ``python -m trackrecord.serving.drills.child ROOT CASE PORT FAULT``.

The same server as ``trackrecord serve --capture``, with one second's hook more: a fault of the
process acts while the broken version is the champion.
"""

from __future__ import annotations

import logging
import socket
import sys
from pathlib import Path

import msgspec

from trackrecord.serving.capture.segments import CaptureSettings
from trackrecord.serving.drills.fault import get_fault
from trackrecord.serving.drills.scratch import BROKEN
from trackrecord.serving.hooks import Hooks
from trackrecord.serving.joined import hooks_of
from trackrecord.serving.metrics import Board
from trackrecord.serving.server import Settings, run_worker


def drilled_hooks(root: Path, case: str, fault: str | None) -> Hooks:
    """The server's usual hooks, and the fault's act once a second."""
    hooks = hooks_of(root, case, CaptureSettings())
    act = get_fault(fault).act if fault else None
    if act is None:
        return hooks
    aliases = root / "models" / case / "aliases.json"

    def tick() -> None:
        if hooks.tick is not None:
            hooks.tick()
        if msgspec.json.decode(aliases.read_bytes()).get("champion") == BROKEN:
            act()

    return hooks._replace(tick=tick)


def main() -> None:
    """Serve until a signal."""
    root, case, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    fault = sys.argv[4] if len(sys.argv) > 4 else None
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(1024)
    settings = Settings(models=root / "models" / case, keys=root / "serving" / case / "keys.json")
    run_worker(settings, [listening], Board(1), 0, hooks=drilled_hooks(root, case, fault))


if __name__ == "__main__":
    main()
