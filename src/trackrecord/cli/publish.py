"""``trackrecord claim draft`` and ``trackrecord publish``."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import add_case_argument, open_case, short_path
from trackrecord.cli.parsing import sub_verb
from trackrecord.cli.printing import progress, say, say_next
from trackrecord.errors import BadInput


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    if verb == "claim":
        parser.description = "Sentences whose numbers are pointers into evidence."
        group = parser.add_subparsers(dest="sub_verb", required=True, metavar="draft")
        draft = sub_verb(
            group,
            "draft",
            help="write claims.toml from the latest evaluation of the sealed test",
            description="Write cases/NAME/claims.toml from the latest evaluation of the test.",
        )
        draft.epilog = "example:\n  trackrecord claim draft churn"
        add_case_argument(draft)
        draft.add_argument(
            "--again",
            action="store_true",
            help="write new claims; those there are stay beside them as claims.toml.old",
        )
        return
    parser.description = (
        "Write a folder that a stranger can read and verify: page, card, claims, evidence, chain\n"
        "and the predictions needed to recompute every number. Lists what it will reveal, first."
    )
    parser.epilog = (
        "example:\n  trackrecord publish churn --yes\n  trackrecord verify published/churn"
    )
    add_case_argument(parser)
    parser.add_argument("--out", metavar="FOLDER", help="where to (default: published/CASE)")
    parser.add_argument("--yes", action="store_true", help="do not ask before writing")


def run(verb: str, options: argparse.Namespace) -> Answer:
    return draft_claims(options) if verb == "claim" else publish(options)


def draft_claims(options: argparse.Namespace) -> Answer:
    """Write claims.toml, where there is none yet or new ones are asked for."""
    from trackrecord.portfolio.claims import draft_case_claims

    opened = open_case(options)
    root, name = opened.workspace.root, opened.case.name
    folder = f"cases/{name}"
    kept = None
    if (root / folder / "claims.toml").exists():
        if not options.again:
            raise BadInput(
                "there are claims already",
                where=f"{folder}/claims.toml",
                why="what you wrote there is not written over",
                next=f"trackrecord claim draft {name} --again   (and keeps yours beside it)",
            )
        kept = keep_old(root / folder / "claims.toml")
    try:
        count = draft_case_claims(root, name)
    except BaseException:
        if kept is not None:
            kept.unlink(missing_ok=True)
        raise
    if kept is not None:
        say(f"✓ kept the claims there were as {folder}/{kept.name}")
    say(f"✓ drafted {count} claims in {folder}/claims.toml; every number is a pointer")
    say_next(f"trackrecord publish {name}")
    answer = {"claims": count, "file": f"{folder}/claims.toml"}
    return Answer(0, answer if kept is None else {**answer, "kept": f"{folder}/{kept.name}"})


def keep_old(path: Path) -> Path:
    """A copy of the claims beside them: ``claims.toml.old``, or the next name that is free."""
    from trackrecord.ledger import write_atomic

    number, kept = 1, path.with_name(f"{path.name}.old")
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.old-{number}")
    write_atomic(kept, path.read_bytes())
    return kept


def publish(options: argparse.Namespace) -> Answer:
    """Tell what will be revealed, ask, and write."""
    import sys

    from trackrecord.portfolio.publish import plan_publication, write_publication

    opened = open_case(options)
    workspace, name = opened.workspace, opened.case.name
    out = (
        Path(options.folder or ".") / options.out
        if options.out
        else workspace.root / "published" / name
    )
    plan = plan_publication(workspace.root, name)
    say(f"This will be revealed to whoever gets {out.name}/:")
    for line in plan.reveals:
        say(f"  · {line}")
    if not options.yes and not options.json:
        if not sys.stdin.isatty():
            raise BadInput(
                "publish asks before it writes, and there is nobody to ask",
                next=f"read the list above, then: trackrecord publish {name} --yes",
            )
        if input("Write it? [y/N] ").strip().lower() not in ("y", "yes"):
            say("nothing was written")
            return Answer(1, {"written": False, "reveals": plan.reveals})
    with progress("publishing") as step:
        step("drawing the page", 0.3)
        write_publication(plan, out)
    say(f"✓ published: {short_path(out / 'index.html')}")
    say_next(f"trackrecord verify {shlex.quote(short_path(out))}")
    return Answer(0, {"written": True, "folder": out.as_posix(), "reveals": plan.reveals})
