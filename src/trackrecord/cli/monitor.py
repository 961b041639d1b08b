"""``trackrecord monitor``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.printing import progress, say, say_next, table
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.serving.monitoring.result import Monitoring, Window
    from trackrecord.stats.estimate import Absence, Estimate

SHOWN = 40


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "How a served model fares, window by window: whether rows and answers are as they were,\n"
        "how good it should be before truth is known, and how good it was where truth has come.\n"
        "Without a change, at most one of 1,000 windows raises an alarm, however often one looks."
    )
    parser.epilog = (
        "examples:\n  trackrecord monitor flights --open\n"
        "  trackrecord monitor flights --window 1w --metrics roc_auc,brier\n"
        "  trackrecord monitor flights --window 5000 --out page.html\n\n"
        "exit 1 when the last window raised an alarm"
    )
    parser.add_argument("case", help="the case that is served")
    parser.add_argument("--version", type=int, metavar="N", help="default: the champion")
    parser.add_argument(
        "--window", default="1d", metavar="SIZE", help="rows, or 30m, 6h, 1d, 1w (default 1d)"
    )
    parser.add_argument(
        "--metrics", metavar="A,B", help="default: the case's first metric, and bias"
    )
    parser.add_argument(
        "--tolerance", type=float, metavar="D", help="a smaller distance is no alarm (default 0.1)"
    )
    parser.add_argument("--record", action="store_true", help="put what was found on the ledger")
    parser.add_argument("--out", metavar="FILE", help="write the page to this file")
    parser.add_argument("--open", action="store_true", help="write the page, and open it")


def run(verb: str, options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.serving.monitoring.look import look, record_monitoring

    workspace = open_workspace_of(options)
    case = workspace.case_folder(options.case).name
    if options.tolerance is not None and not 0 < options.tolerance < 1:
        raise BadInput(f"--tolerance {options.tolerance:g} is not between 0 and 1")
    named = options.metrics
    with progress("looking at the answers") as step:
        step("reading what was captured", 0.1)
        found = look(
            workspace,
            case,
            version=options.version,
            window=options.window,
            metrics=None if named is None else [name for name in named.split(",") if name],
            tolerance=options.tolerance,
        )
    _tell(found)
    result = msgspec.to_builtins(found)
    if options.record:
        entry = record_monitoring(workspace, found)
        result["evidence"] = entry.evidence
        say(f"  recorded: evidence/{entry.evidence}.json")
    if options.open or options.out:
        out = _out(options, workspace.cache, case)
        _write(found, out)
        say(f"  page: {short_path(out)}")
        result["page"] = str(out)
        if options.open:
            import webbrowser

            webbrowser.open(out.resolve().as_uri())
    else:
        say_next(f"trackrecord monitor {case} --open")
    alarmed = bool(found.windows) and bool(found.windows[-1].alarms)
    return Answer(1 if alarmed else 0, result)


def _out(options: argparse.Namespace, cache: Path, case: str) -> Path:
    if options.out is None:
        cache.mkdir(exist_ok=True)
        return cache / f"{case}.monitoring.html"
    out: Path = Path(options.folder or ".") / options.out
    if out.is_dir() or not out.parent.is_dir() or out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(
            f"cannot write the page to {options.out}",
            where=f"--out {options.out}",
            why="it is to be a file ending in .html, in a folder that is there",
            next="--out monitoring.html",
        )
    return out


def _write(found: Monitoring, out: Path) -> None:
    from trackrecord.ledger import write_atomic
    from trackrecord.portfolio.monitoring_page import render_monitoring

    write_atomic(out, render_monitoring(found).encode())


def _tell(found: Monitoring) -> None:
    say(
        f"{found.case}, version {found.version}: {found.answers:,} answers in"
        f" {len(found.windows)} windows of {found.window}"
    )
    if not found.windows:
        say("  none of them is whole yet")
        return
    metric = found.metrics[0]
    rows = [_row(window, metric) for window in found.windows[-SHOWN:]]
    table(
        ["window", "answers", "with truth", f"expected {metric}", "realised", "furthest", "alarm"],
        rows,
        right={1, 2},
    )
    if len(found.windows) > SHOWN:
        say(f"  the last {SHOWN}; all of them: --json, or on the page")
    before = found.reference[metric]
    say(f"  before it was served: {_short(before)} on {found.reference_rows:,} rows")
    for watch, detector in found.detectors.items():
        if detector.alarms:
            first = next(w.start for w in found.windows if watch in w.alarms)
            say(f"! {watch}: {detector.alarms} alarms, the first in the window of {first:%Y-%m-%d}")
    quiet = [watch for watch, detector in found.detectors.items() if not detector.alarms]
    if quiet:
        say(f"✓ quiet: {', '.join(quiet)}")


def _row(window: Window, metric: str) -> list[str]:
    far = [signal for signal in window.signals if signal.watch in ("features", "answers")]
    furthest = max(far, key=lambda signal: signal.effect, default=None)
    return [
        f"{window.start:%Y-%m-%d %H:%M}",
        f"{window.rows:,}",
        f"{window.labelled:,}",
        _short(window.expected[metric]),
        _short(window.realised.get(metric)),
        "" if furthest is None else f"{furthest.name} {furthest.effect:.2f}",
        ", ".join(window.alarms),
    ]


def _short(found: Estimate | Absence | None) -> str:
    value = getattr(found, "value", None)
    if found is None or value is None:
        return "–"
    return f"{value:.3f} [{found.lo:.3f}, {found.hi:.3f}]"  # type: ignore[union-attr]
