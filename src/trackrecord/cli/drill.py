"""``trackrecord drill``: rollback, faults, list, page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.parsing import sub_verb
from trackrecord.cli.printing import progress, say, say_next, table
from trackrecord.errors import BadInput, TrackrecordError

if TYPE_CHECKING:
    from trackrecord.serving.drills.result import Drilled
    from trackrecord.workspace import Workspace

SUB_VERBS = {
    "rollback": "break a copy of the service, see how soon it is noticed and taken back",
    "faults": "what can be broken",
    "list": "the incidents of a case, and what is still to be written",
    "page": "draw an incident's page again, with what was written since",
}


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Practise the bad day, on a copy, with real rows and a clock."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="|".join(SUB_VERBS))
    for name, line in SUB_VERBS.items():
        leaf = sub_verb(group, name, help=line, description=line[0].upper() + line[1:] + ".")
        if name != "faults":
            leaf.add_argument("case", help="the case that is served")
        if name == "page":
            leaf.add_argument("incident", nargs="?", help="its number; by default the last")
            leaf.add_argument("--open", action="store_true", help="open the page, too")
        if name == "rollback":
            _rollback_arguments(leaf)
        else:
            case = "" if name == "faults" else " flights"
            leaf.epilog = f"example:\n  trackrecord drill {name}{case}"


def _rollback_arguments(leaf: argparse.ArgumentParser) -> None:
    leaf.epilog = (
        "examples:\n  trackrecord drill rollback flights\n"
        "  trackrecord drill rollback flights --fault crash-loop\n"
        "  trackrecord drill rollback flights --fault all --rate 100\n\n"
        "exit 1 when a fault was not seen"
    )
    leaf.add_argument(
        "--fault", default="unit-change", metavar="NAME", help="or all (default unit-change)"
    )
    leaf.add_argument("--version", type=int, metavar="N", help="default: the champion")
    leaf.add_argument("--rate", type=float, default=150.0, help="requests a second (default 150)")
    leaf.add_argument(
        "--warm", type=float, default=8.0, metavar="SECONDS", help="before the fault (default 8)"
    )
    leaf.add_argument(
        "--patience", type=float, default=45.0, metavar="SECONDS",
        help="for an alarm (default 45)",
    )  # fmt: skip


def run(verb: str, options: argparse.Namespace) -> Answer:
    if options.sub_verb == "faults":
        return _faults()
    workspace = open_workspace_of(options)
    case = workspace.case_folder(options.case).name
    doors: dict[str, Any] = {"rollback": _rollback, "list": _list, "page": _page}
    answer: Answer = doors[options.sub_verb](workspace, case, options)
    return answer


def _faults() -> Answer:
    from trackrecord.serving.drills.fault import all_faults

    faults = all_faults()
    table(["fault", "what is broken", "how"],
          [[f.name, f.kind, f.says.strip().splitlines()[0]] for f in faults.values()])  # fmt: skip
    return Answer(0, {f.name: {"title": f.title, "kind": f.kind} for f in faults.values()})


def _rollback(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    import datetime

    import msgspec

    from trackrecord.modeling.registry import read_aliases
    from trackrecord.serving.drills.drill import drill_rollback
    from trackrecord.serving.drills.fault import all_faults, get_fault
    from trackrecord.serving.drills.incident import read_facts, record_drill, write_incident

    for name, low, high in (("rate", 1, 10_000), ("warm", 2, 600), ("patience", 2, 3600)):
        if not low <= getattr(options, name) <= high:
            raise BadInput(f"--{name} {getattr(options, name):g} is not in {low} to {high}")
    version = options.version or read_aliases(workspace, case).champion
    if version is None:
        raise BadInput(f"'{case}' has no champion yet", next=f"trackrecord register {case}")
    every = options.fault == "all"
    faults = list(all_faults().values()) if every else [get_fault(options.fault)]
    done: list[dict[str, Any]] = []
    missed = 0
    for fault in faults:
        began = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
        try:
            with progress(fault.title) as step:
                drilled, question = drill_rollback(
                    workspace, case, version, fault, rate=options.rate, warm=options.warm,
                    patience=options.patience, progress=step,
                )  # fmt: skip
        except TrackrecordError as error:
            if not every:
                raise
            say(f"– {fault.name}: {error.what}")
            continue
        folder = write_incident(workspace, case, question, version, drilled, began)
        entry = record_drill(workspace, read_facts(folder))
        _write_page(folder)
        _tell(drilled)
        say(f"  incident: {short_path(folder / 'incident.html')}")
        missed += drilled.detected is None
        done.append({**msgspec.to_builtins(drilled), "evidence": entry.evidence,
                     "incident": folder.name})  # fmt: skip
    if every:
        _tell_all(done)
    if done:
        say_next(f"write incidents/{case}/{done[-1]['incident']}/incident.md, then:"
                 f" trackrecord drill page {case}")  # fmt: skip
    return Answer(1 if missed else 0, {"case": case, "version": version, "drills": done})


def _tell(drilled: Drilled) -> None:
    if not drilled.quiet:
        say("! an alarm had come before anything was broken")
    if drilled.detected is None:
        say(f"✗ {drilled.fault}: not seen within {drilled.patience:g} s")
    else:
        after = f"{drilled.detected:.1f} s"
        say(f"✓ {drilled.fault}: seen after {after} by the watch on {drilled.alarm}")
        say(f"  {drilled.saw}")
        recovered = "–" if drilled.recovered is None else f"{drilled.recovered:.1f} s"
        say(f"  taken back after {drilled.rolled_back or 0:.1f} s, all well after {recovered}")
    touched = f"{drilled.affected:,} of {drilled.requests:,} requests touched"
    say(f"  {touched}: {drilled.failed:,} failed,")
    say(f"  {drilled.wrong:,} had a wrong yes or no, {drilled.further:,} were off by over 0.05")


def _tell_all(done: list[dict[str, Any]]) -> None:
    def shown(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f} s"

    table(
        ["fault", "seen", "by", "well again", "touched", "failed", "wrong"],
        [
            [
                one["fault"], shown(one["detected"]), one["alarm"] or "not seen",
                shown(one["recovered"]), f"{one['affected']:,}", f"{one['failed']:,}",
                f"{one['wrong']:,}",
            ]
            for one in done
        ],
        right={1, 3, 4, 5, 6},
    )  # fmt: skip


def _list(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    from trackrecord.serving.drills.incident import incidents_folder, read_facts, read_text

    folder = incidents_folder(workspace, case)
    rows, found = [], []
    for path in sorted(folder.glob("[0-9]*")):
        facts = read_facts(path)
        empty = [name for name, said in read_text(path).items() if not said]
        seen = facts.drilled.detected
        rows.append([facts.incident, facts.began, facts.drilled.title,
                     "not seen" if seen is None else f"{seen:.1f} s",
                     ", ".join(empty) or "all written"])  # fmt: skip
        found.append({"incident": facts.incident, "fault": facts.drilled.fault, "empty": empty})
    if not rows:
        say(f"no incident of '{case}' yet")
        say_next(f"trackrecord drill rollback {case}")
    else:
        table(["incident", "began", "what", "seen after", "still to be written"], rows)
    return Answer(0, {"case": case, "incidents": found})


def _page(workspace: Workspace, case: str, options: argparse.Namespace) -> Answer:
    from trackrecord.serving.drills.incident import incidents_folder, read_text

    folder = incidents_folder(workspace, case)
    numbers = sorted(path.name for path in folder.glob("[0-9]*"))
    if not numbers:
        raise BadInput(f"no incident of '{case}' yet", next=f"trackrecord drill rollback {case}")
    number = options.incident or numbers[-1]
    if number not in numbers:
        raise BadInput(f"'{case}' has no incident {number}", why=f"incidents: {', '.join(numbers)}")
    out = _write_page(folder / number)
    empty = [name for name, said in read_text(folder / number).items() if not said]
    say(f"✓ {short_path(out)}")
    if empty:
        say(f"  still to be written: {', '.join(empty)}")
    if options.open:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())
    return Answer(0, {"page": str(out), "empty": empty})


def _write_page(folder: Any) -> Any:
    from trackrecord.ledger import write_atomic
    from trackrecord.portfolio.incident_page import render_incident
    from trackrecord.serving.drills.incident import read_facts, read_text

    out = folder / "incident.html"
    write_atomic(out, render_incident(read_facts(folder), read_text(folder)).encode())
    return out
