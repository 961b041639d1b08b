"""The front door: finds the verb, loads only that verb's room, prints what goes wrong.

``trackrecord --help`` must stay as quick as the interpreter, so the list of verbs is plain data
and argparse is imported only once a verb is known.
"""

from __future__ import annotations

import sys

# What a shell says of a program that Ctrl-C ended.
INTERRUPTED = 130

# verb: (the module that has it, what it does in one line). The order is the order of the work.
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "run a whole case on real flights, from question to verified page"),
    "init": ("start", "make this folder a workspace"),
    "status": ("status", "where am I, what next: one line a case"),
    "case": ("case", "new: draft a case from data · check: what is wrong or doubtful"),
    "data": ("data", "add, profile, contract, build, split, …: from raw files to tables"),
    "features": ("features", "build, get, check: features that know nothing of later"),
    "audit": ("audit", "look for leakage, in a case or in any two files"),
    "seal": ("seal", "fix case, data and split before the first training run"),
    "amend": ("seal", "change a sealed case, with a reason that stays"),
    "run": ("run", "train baselines and models, or take another program's predictions"),
    "evaluate": ("evaluate", "measure with intervals, against baselines; give the verdicts"),
    "contrast": ("evaluate", "measure what a leaky or random split would have claimed"),
    "compare": ("compare", "two files of predictions, paired on their ids"),
    "power": ("power", "how many rows it takes to decide a criterion"),
    "claim": ("publish", "draft: sentences whose numbers are pointers into evidence"),
    "publish": ("publish", "write the page, the card and the evidence for strangers"),
    "verify": ("verify", "check a published folder, trusting nothing in it"),
    "reproduce": ("register", "train a run again: the same numbers, or what differs"),
    "register": ("register", "a run's model as files that can be served, proven to be it"),
    "serve": ("serve", "answer over HTTP with the champion, watched and swapped without a pause"),
    "truth": ("truth", "add: what came true of the units a server was asked about"),
    "monitor": ("monitor", "how a served model fares: drift, expected and realised performance"),
    "rollout": ("rollout", "start, watch, promote or take back another version, by evidence"),
    "ship": ("ship", "the files that deploy it: image, CI, Kubernetes, alerts, dashboard, runbook"),
    "drill": ("drill", "break a copy of the service on purpose; write the incident"),
    "doctor": ("doctor", "find and explain a torn, forked or incomplete ledger"),
}

USAGE = "usage: trackrecord VERB [options]       trackrecord VERB --help shows a real example"


def help_text() -> str:
    """What ``trackrecord --help`` prints."""
    lines = [
        "trackrecord turns machine-learning work into a record anyone can check.",
        "",
        USAGE,
        "",
    ]
    lines += [f"  {verb:<10} {line}" for verb, (_, line) in VERBS.items()]
    lines += [
        "",
        "  every verb: --json for a program · --debug for a traceback · -C FOLDER to work there",
        "  exit codes: 0 done and it holds · 1 done but something does not hold · 2 bad input",
        "",
        "Start with `trackrecord demo flights`, or `trackrecord init` in a folder of your own.",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    for stream in (sys.stdout, sys.stderr):
        if (getattr(stream, "encoding", None) or "utf-8").lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _run(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        from trackrecord.cli.printing import hint

        print(
            "\nstopped. Every file is whole; only the step in flight is gone.\n"
            f"next:  {hint('trackrecord status')}",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone: that is its right, and no error of ours.
        _forget_output()
        return 0


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(help_text())
        return 0
    if words[0] in ("-V", "--version"):
        from trackrecord.version import __version__

        print(f"trackrecord {__version__}")
        return 0
    if words[0] == "-C" and len(words) > 2:  # as git has it: before the verb, too
        words = [*words[2:], "-C", words[1]]
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        return _no_verb(verb)
    from trackrecord.cli.command import execute

    return execute(verb, VERBS[verb][0], rest)


def _no_verb(verb: str) -> int:
    from trackrecord.errors import suggest

    near = suggest(verb, list(VERBS))
    hint = f" Did you mean `trackrecord {near}`?" if near else ""
    print(
        f"trackrecord: there is no verb {verb!r}.{hint}\n{USAGE}\nnext:  trackrecord --help",
        file=sys.stderr,
    )
    return 2


def _forget_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter can end in peace."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
