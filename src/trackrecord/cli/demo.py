"""``trackrecord demo flights``: types the same verbs that a person would, one after another."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackrecord.cli.command import Answer
from trackrecord.cli.main import main
from trackrecord.cli.printing import heading, quiet, say, say_next, without_hints
from trackrecord.errors import TrackrecordError

# Each step: a title, why it comes now, the verb and its words; the case's name comes in between.
STEPS: list[tuple[str, str, list[str]]] = [
    (
        "Check",
        "before any training: what is wrong or doubtful, with file, line and fix",
        ["case", "check"],
    ),
    (
        "Seal",
        "case, data and split go into the ledger before the first training run",
        ["seal"],
    ),
    ("Run", "baselines and model; the test's truth stays closed", ["run"]),
    (
        "Evaluate",
        "on September, the validation month, as often as one likes",
        ["evaluate", "--part", "validation"],
    ),
    (
        "Verdict",
        "opens October to December, once; this look is counted",
        ["evaluate", "--part", "test"],
    ),
    (
        "Contrast",
        "what a leaky or random split would have told you, measured",
        ["contrast"],
    ),
    ("Claim", "sentences whose numbers are pointers into evidence", ["claim", "draft"]),
    ("Publish", "a folder that a stranger can read, offline", ["publish", "--yes"]),
]


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Run a whole case on real data: 336,776 flights from New York, asked the evening before.\n"
        "Every step is a verb that you can type yourself in the folder that is left."
    )
    parser.epilog = (
        "examples:\n  trackrecord demo flights\n"
        "  trackrecord demo flights --prepare --into flights   the rest is yours to type"
    )
    parser.add_argument("name", choices=["flights"], help="which case")
    parser.add_argument(
        "--into", metavar="FOLDER", help="where to (default: demo/flights, or the next free number)"
    )
    parser.add_argument(
        "--prepare", action="store_true", help="only write workspace, data and case, and stop"
    )


@dataclass(frozen=True)
class Step:
    """A verb that was run: its words, exit code and seconds, and with ``--json`` its result."""

    words: list[str]
    code: int
    seconds: float
    result: Any


def run(verb: str, options: argparse.Namespace) -> Answer:
    from trackrecord.demos import flights
    from trackrecord.modeling.environment import peak_memory_mb

    started = time.perf_counter()
    base = Path(options.folder or ".")
    root = free_folder(base / (options.into or f"demo/{options.name}"))
    flights.installed_data()  # without it, nothing is left behind
    with without_hints():  # of a first case: the demo brings its own
        steps = [do(["init", root.as_posix()], "Question", "a new workspace", options.json)]
    tell_question(root, options.name)
    if options.prepare:
        say_next(f"trackrecord case check {options.name} -C {shlex.quote(root.as_posix())}")
        return Answer(0, {"folder": root.as_posix()})
    for title, why, words in STEPS:
        after = 1 + (words[0] in ("case", "claim"))
        full = [*words[:after], options.name, *words[after:], "-C", root.as_posix()]
        step = do(full, title, why, options.json)
        steps.append(step)
        # An evaluation whose criteria do not all hold answers 1: that is its result, not a failure.
        if step.code not in (0, 1) or (step.code == 1 and words[0] != "evaluate"):
            raise_stopped(step, root)
    folder = root / "published" / options.name
    last = do(
        ["verify", folder.as_posix()],
        "Verify",
        "as a stranger would, without the data or the code",
        options.json,
    )
    steps.append(last)
    seconds = time.perf_counter() - started
    peak = peak_memory_mb(children=True)
    heading("Done")
    say(f"  {seconds:.0f} s" + (f", {peak:,.0f} MB at most" if peak else ""))
    say(f"  page:    {(folder / 'index.html').as_posix()}")
    say(f"  verify:  trackrecord verify {shlex.quote(folder.as_posix())}")
    return Answer(
        last.code,
        {
            "folder": root.as_posix(),
            "page": (folder / "index.html").as_posix(),
            "seconds": round(seconds, 3),
            "peak_memory_mb": peak,
            "steps": [
                {
                    "command": " ".join(["trackrecord", *step.words]),
                    "code": step.code,
                    "seconds": round(step.seconds, 3),
                    "result": step.result,
                }
                for step in steps
            ],
        },
    )


def free_folder(wanted: Path) -> Path:
    """``wanted``, or the first of ``wanted-2``, ``wanted-3``, … that does not exist."""
    number, folder = 1, wanted
    while folder.exists():
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def do(words: list[str], title: str, why: str, as_json: bool) -> Step:
    """Run one verb as if it had been typed."""
    heading(f"{title} – {why}")
    say(f"$ trackrecord {shlex.join(words)}")
    started = time.perf_counter()
    if not as_json:
        code = main(words)
        return Step(words, code, time.perf_counter() - started, None)
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        code = main([*words, "--json"])
    quiet(True)
    text = heard.getvalue().strip()
    result = json.loads(text) if text else None
    return Step(words, code, time.perf_counter() - started, result)


def tell_question(root: Path, name: str) -> None:
    """Put the data and the case into the workspace."""
    from trackrecord.demos import flights
    from trackrecord.ledger import write_atomic
    from trackrecord.workspace import open_workspace

    for file, rows in flights.write_tables(root / "data"):
        say(f"✓ wrote data/{file}: {rows:,} rows")
    path = open_workspace(root).case_file(name)
    path.parent.mkdir(parents=True)
    write_atomic(path, flights.case_text().encode())
    say(f"✓ wrote cases/{name}/case.toml – the question, and what is fixed before training")


def raise_stopped(step: Step, root: Path) -> None:
    """The demo ends where one of its verbs failed; what is there stays."""
    if step.code == 130:
        raise KeyboardInterrupt
    raise TrackrecordError(
        f"the demo stopped at `trackrecord {' '.join(step.words)}`",
        where=root.as_posix(),
        why=f"it ended with exit code {step.code}",
        next=f"trackrecord status -C {shlex.quote(root.as_posix())}",
    )
