"""``trackrecord ship``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.printing import counted, say, say_next

if TYPE_CHECKING:
    from trackrecord.serving.ship.ship import Shipped


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write the files that deploy a registered model: Dockerfile, compose file, workflows of\n"
        "GitHub and GitLab, Kubernetes and KServe manifests, alert rules, a Grafana dashboard and\n"
        "a runbook. What you change in them stays when you ship again."
    )
    parser.epilog = (
        "examples:\n  trackrecord ship flights\n"
        "  trackrecord ship flights --image registry.example.org/team/flights --capture\n"
        "  trackrecord ship flights --version 3 --slo-latency 0.1 --slo-availability 0.995"
    )
    parser.add_argument("case", help="the case whose model is shipped")
    parser.add_argument("--out", metavar="FOLDER", help="in the workspace (default ship/CASE)")
    parser.add_argument("--version", type=int, metavar="N", help="default: the champion")
    parser.add_argument("--image", metavar="NAME", help="the image's name (default CASE:VERSION)")
    parser.add_argument(
        "--lock", metavar="FILE",
        help="a requirements file with hashes, to take what a server needs from",
    )  # fmt: skip
    parser.add_argument(
        "--capture", action="store_true", help="keep answers for monitoring, in a volume"
    )
    parser.add_argument(
        "--memory", type=int, default=512, metavar="MIB", help="at most (default 512)"
    )
    parser.add_argument(
        "--slo-availability", type=float, default=0.999, metavar="SHARE",
        help="of requests that get an answer (default 0.999)",
    )  # fmt: skip
    parser.add_argument(
        "--slo-latency", type=float, default=0.25, metavar="SECONDS",
        help="within which they get it (default 0.25)",
    )  # fmt: skip
    parser.add_argument(
        "--slo-quick", type=float, default=0.99, metavar="SHARE",
        help="of answers that come within those seconds (default 0.99)",
    )  # fmt: skip
    parser.add_argument(
        "--force", action="store_true", help="overwrite what others wrote and what you changed"
    )


def run(verb: str, options: argparse.Namespace) -> Answer:
    from pathlib import Path

    from trackrecord.serving.ship.ship import Wanted, ship

    workspace = open_workspace_of(options)
    case = workspace.case_folder(options.case).name
    here = Path(options.folder or ".")
    out = workspace.root / "ship" / case if options.out is None else here / options.out
    shipped = ship(
        workspace,
        case,
        out,
        Wanted(
            version=options.version,
            image=options.image,
            availability=options.slo_availability,
            latency=options.slo_latency,
            quick=options.slo_quick,
            memory=options.memory,
            capture=options.capture,
        ),
        lock=None if options.lock is None else here / options.lock,
        force=options.force,
    )
    _tell(shipped)
    shipment, written = shipped.shipment, shipped.written
    return Answer(
        0,
        {
            "case": case,
            "version": shipment.version,
            "name": shipment.name,
            "image": shipment.image,
            "out": str(shipped.out),
            "files": written._asdict(),
        },
    )


def _tell(shipped: Shipped) -> None:
    shipment, out, written = shipped
    shown = short_path(out)
    say(f"✓ {shipment.case}, version {shipment.version}, ready to be deployed: {shown}")
    say(
        f"  {counted(len(written.new), 'new file')}, {len(written.changed)} changed,"
        f" {len(written.same)} the same"
    )
    if shipment.name != shipment.case:
        say(f"  in Kubernetes it is called {shipment.name}: names there have no other characters")
    if written.gone:
        say(f"  no longer part of it, and deleted: {', '.join(written.gone)}")
    if written.kept:
        say(f"  kept as you changed them: {', '.join(written.kept)}")
    if written.newer:
        say(f"  ! there is a newer text, which --force takes, of: {', '.join(written.newer)}")
    say(f"  who is called when an alarm sounds is for you to fill in: {shown}/RUNBOOK.md")
    say_next(f"{shown}/install.sh && {shown}/start.sh")
