"""``trackrecord rollout``: start, status, watch, promote, stop, rollback."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of
from trackrecord.cli.parsing import sub_verb
from trackrecord.cli.printing import say, say_next, table
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.serving.rollout.judge import Gap, Judged
    from trackrecord.serving.rollout.state import Rollout
    from trackrecord.workspace import Workspace

SUB_VERBS = {
    "start": "let a challenger compute beside, or answer for a share of the units",
    "status": "how it stands; every bound holds however often one looks",
    "watch": "look every few seconds; stop, and with --promote also promote, by itself",
    "promote": "make the challenger the champion",
    "stop": "send the challenger away",
    "rollback": "let the version answer that answered before",
}
EXAMPLES = {
    "status": "trackrecord rollout status flights",
    "watch": "trackrecord rollout watch flights --every 10 --promote",
    "promote": "trackrecord rollout promote flights --reason 'smaller errors in 3,000 units'",
    "stop": "trackrecord rollout stop flights --reason 'the question has changed'",
    "rollback": "trackrecord rollout rollback flights --reason 'slow answers'",
}
LONGEST_WATCH = 30 * 86_400.0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Try another version beside the champion, and decide by what is shown."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="|".join(SUB_VERBS))
    for name, line in SUB_VERBS.items():
        leaf = sub_verb(group, name, help=line, description=line[0].upper() + line[1:] + ".")
        leaf.add_argument("case", help="the case that is served")
        if name == "start":
            _start_arguments(leaf)
        elif name == "watch":
            leaf.add_argument(
                "--every", type=float, default=5.0, metavar="SECONDS",
                help="between two looks (default 5)",
            )  # fmt: skip
            leaf.add_argument(
                "--for", dest="longest", type=float, default=LONGEST_WATCH, metavar="SECONDS",
                help="then end, with the rollout still running",
            )  # fmt: skip
            leaf.add_argument("--promote", action="store_true", help="promote, too, by itself")
        elif name != "status":
            leaf.add_argument("--reason", default="", help="kept in the ledger")
        if name != "start":
            leaf.epilog = f"example:\n  {EXAMPLES[name]}"


def _start_arguments(leaf: argparse.ArgumentParser) -> None:
    leaf.epilog = (
        "examples:\n  trackrecord rollout start flights --mode shadow\n"
        "  trackrecord rollout start flights --challenger 7 --mode canary --share 0.05\n"
        "  trackrecord rollout start flights --mode ab --worth 0.002"
    )
    leaf.add_argument("--mode", required=True, choices=["shadow", "canary", "ab"])
    leaf.add_argument("--challenger", type=int, metavar="VERSION", help="default: the alias's")
    leaf.add_argument("--share", type=float, help="of the units (canary 0.05, ab 0.5)")
    leaf.add_argument(
        "--worth", type=float, default=0.0, metavar="GAIN",
        help="in mean squared error, that is worth a change (default 0)",
    )  # fmt: skip
    leaf.add_argument("--allow-loss", type=float, default=0.0, metavar="LOSS",
                      help="in mean squared error, before it is stopped (default 0)")  # fmt: skip
    leaf.add_argument("--slow", type=float, default=0.25, metavar="SECONDS",
                      help="an answer that took longer is slow (default 0.25)")  # fmt: skip


def run(verb: str, options: argparse.Namespace) -> Answer:
    workspace = open_workspace_of(options)
    case = workspace.case_folder(options.case).name
    doors: dict[str, Any] = {
        "start": _start,
        "status": _status,
        "watch": _watch,
        "promote": _end,
        "stop": _end,
        "rollback": _rollback,
    }
    answer: Answer = doors[options.sub_verb](workspace, case, options)
    return answer


def _start(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.serving.rollout.plan import planned_units
    from trackrecord.serving.rollout.state import Guard
    from trackrecord.serving.rollout.steps import start_rollout

    for name in ("worth", "allow_loss"):
        if not 0 <= getattr(options, name) <= 1:
            raise BadInput(f"--{name.replace('_', '-')} is between 0 and 1")
    rollout, entry = start_rollout(
        workspace,
        case,
        mode=options.mode,
        challenger=options.challenger,
        share=options.share,
        worth=options.worth,
        guard=Guard(loss=options.allow_loss, slow_seconds=options.slow),
    )
    say(f"✓ version {rollout.challenger} beside version {rollout.champion}: {_mode(rollout)}")
    gain = options.worth or 0.01
    needed = planned_units(rollout.mode, rollout.share, gain)
    say(f"  a gain of {gain:g} in mean squared error would be certain after some {needed:,} units")
    say("  whose truth is known; look as often as you like")
    say_next(f"trackrecord rollout status {case}")
    return Answer(
        0, {**msgspec.to_builtins(rollout), "planned_units": needed, "evidence": entry.evidence}
    )


def _running(workspace: Workspace, case: str) -> Rollout:
    from trackrecord.serving.rollout.state import read_rollout, rollout_file

    rollout = read_rollout(rollout_file(workspace, case))
    if rollout is None:
        raise BadInput(
            f"there was no rollout of '{case}' yet",
            next=f"trackrecord rollout start {case} --mode shadow",
        )
    return rollout


def _status(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.serving.rollout.steps import judge_rollout

    rollout = _running(workspace, case)
    if rollout.status != "running":
        say(f"{case}: the last rollout was {rollout.status}, {rollout.ended}")
        say(f"  {rollout.reason}")
        return Answer(0, {"rollout": msgspec.to_builtins(rollout), "judged": None})
    judged = judge_rollout(workspace, rollout)
    say(f"{case}: version {rollout.challenger} beside version {rollout.champion}, {_mode(rollout)}")
    tell(judged)
    if judged.decision == "promote":
        say_next(f"trackrecord rollout promote {case}")
    elif judged.decision == "stop":
        say_next(f"trackrecord rollout stop {case}")
    return Answer(
        1 if judged.decision == "stop" else 0,
        {"rollout": msgspec.to_builtins(rollout), "judged": msgspec.to_builtins(judged)},
    )


def tell(judged: Judged) -> None:
    """Print how a rollout stands."""
    sign = {"wait": "…", "stop": "✗", "promote": "✓"}[judged.decision]
    say(f"{sign} {judged.decision}: {judged.why}")
    table(
        [
            "mean of",
            "champion",
            "challenger",
            "difference",
            "bounds at all times",
            "rows",
            "allowed",
        ],
        [_line(judged.gain, ""), *(_line(guard, "guard: ") for guard in judged.guards)],
        right={1, 2, 3, 5, 6},
    )
    if judged.ratio is not None:
        say(
            f"  units: {judged.units[0]:,} and {judged.units[1]:,};"
            f" evidence that the shares are wrong: {judged.ratio:.3g} (broken at 1,000)"
        )


def _line(gap: Gap, before: str) -> list[str]:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.4f}"

    return [
        before + gap.what,
        number(gap.champion),
        number(gap.challenger),
        "–" if gap.difference is None else f"{gap.difference:+.4f}",
        "–" if gap.difference is None else f"[{gap.lo:+.4f}, {gap.hi:+.4f}]",
        f"{gap.rows[0]:,} + {gap.rows[1]:,}",
        "" if gap.allowed is None else f"{gap.allowed:g}",
    ]


def _watch(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    import time

    import msgspec

    from trackrecord.serving.rollout.steps import end_rollout, judge_rollout

    if options.every < 0.1:
        raise BadInput("--every is at least 0.1 seconds")
    until = time.monotonic() + options.longest
    while True:
        rollout = _running(workspace, case)
        if rollout.status != "running":
            say(f"{case}: the rollout was {rollout.status}: {rollout.reason}")
            return Answer(0, {"rollout": msgspec.to_builtins(rollout)})
        judged = judge_rollout(workspace, rollout)
        if judged.decision == "stop" or (judged.decision == "promote" and options.promote):
            promote = judged.decision == "promote"
            ended, entry = end_rollout(
                workspace, case, promote=promote, reason=judged.why, judged=judged
            )
            tell(judged)
            say(f"{'✓ promoted' if promote else '✗ stopped'}: version {ended.challenger}")
            return Answer(
                0 if promote else 1,
                {"rollout": msgspec.to_builtins(ended), "evidence": entry.evidence},
            )
        if time.monotonic() + options.every > until:
            tell(judged)
            return Answer(0, {"rollout": msgspec.to_builtins(rollout)})
        time.sleep(options.every)


def _end(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.serving.rollout.steps import end_rollout, judge_rollout

    rollout = _running(workspace, case)
    promote = options.sub_verb == "promote"
    judged = judge_rollout(workspace, rollout) if rollout.status == "running" else None
    said = f"{options.sub_verb} by hand"
    ended, entry = end_rollout(
        workspace, case, promote=promote, reason=options.reason or said, judged=judged
    )
    if promote and judged is not None and judged.decision != "promote":
        say(f"! {judged.why}: promoted all the same, and the ledger says so")
    answers = ended.challenger if promote else ended.champion
    say(f"✓ version {answers} answers; the rollout was {ended.status}")
    return Answer(0, {"rollout": msgspec.to_builtins(ended), "evidence": entry.evidence})


def _rollback(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    from trackrecord.serving.rollout.steps import roll_back

    was, now, entry = roll_back(workspace, case, reason=options.reason or "rolled back by hand")
    say(f"✓ version {now} answers again, in place of version {was}")
    return Answer(0, {"case": case, "from": was, "to": now, "evidence": entry.evidence})


def _mode(rollout: Rollout) -> str:
    if rollout.mode == "shadow":
        return "a shadow, which computes for every unit and is not heard"
    kind = "a canary" if rollout.mode == "canary" else "A/B"
    return f"{kind}, for {rollout.share:.3g} of the units"
