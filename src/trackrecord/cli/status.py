"""``trackrecord status``: reads the index only, so that it is as quick as the interpreter."""

from __future__ import annotations

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of
from trackrecord.cli.printing import hint, say, say_next
from trackrecord.cli.steps import latest_of_test, publish_step, verify_step
from trackrecord.ledger.index import entries_of
from trackrecord.ledger.naming import case_digest

TYPE_CHECKING = False  # typing takes as long to load as the interpreter itself
if TYPE_CHECKING:
    import argparse

    from trackrecord.ledger.index import IndexedEntry
    from trackrecord.workspace import Workspace


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Where am I, what next: one line a case."
    parser.epilog = "example:\n  trackrecord status"


# The furthest thing that happened to a case → (where it stands, what to type next).
STEPS: list[tuple[str, str, str]] = [
    ("publication", "published", "{verify}"),
    ("contrast", "contrasted", "{publish}"),
    ("evaluation", "evaluated", "{publish}"),
    ("run", "run", "trackrecord evaluate {name} --part test"),
    ("amendment", "sealed", "trackrecord run {name}"),
    ("seal", "sealed", "trackrecord run {name}"),
    ("", "draft", "trackrecord case check {name}"),
]


def run(verb: str, options: argparse.Namespace) -> Answer:
    workspace = open_workspace_of(options)
    by_case: dict[str | None, list[IndexedEntry]] = {}
    for entry in entries_of(workspace.evidence, workspace.index_file):
        by_case.setdefault(entry.case, []).append(entry)
    rows = []
    for name in workspace.case_names():
        rows.append(_row(workspace, name, by_case.get(case_digest(name), [])))
    if not rows:
        say("no case yet")
        say_next("trackrecord case new NAME --from DATA")
    width = max((len(str(row["case"])) for row in rows), default=0)
    for row in rows:
        say(f"{row['case']:<{width}}  {row['stands']:<36}  next: {row['next']}")
    return Answer(0, {"workspace": workspace.root.as_posix(), "cases": rows})


def _row(workspace: Workspace, name: str, entries: list[IndexedEntry]) -> dict[str, object]:
    kinds = [entry.kind for entry in entries]
    last_seal = max(
        (i for i, kind in enumerate(kinds) if kind in ("seal", "amendment")), default=-1
    )
    recent = kinds[last_seal:] if last_seal >= 0 else kinds
    stands, nxt = next((s, n) for kind, s, n in STEPS if kind in recent or not kind)
    looks, amendments = kinds.count("look"), kinds.count("amendment")
    if stands == "evaluated" and "look" not in recent:
        stands, nxt = "validated", "trackrecord evaluate {name} --part test"
    if stands == "published":
        last = len(kinds) - 1 - kinds[::-1].index("publication")
        if latest_of_test(workspace, _evaluations(entries[last + 1 :])):
            stands, nxt = "published, evaluated since", "{publish}"
    said = stands
    if last_seal < 0 and kinds:
        said += ", UNSEALED"
    if looks:
        said += f", {looks} look{'s' if looks != 1 else ''} at the test"
    if amendments:
        said += f", amended {amendments}×"
    return {
        "case": name,
        "stands": said,
        "looks": looks,
        "amendments": amendments,
        "runs": kinds.count("run"),
        "next": hint(_filled(nxt, workspace, name, entries)),
    }


def _filled(step: str, workspace: Workspace, name: str, entries: list[IndexedEntry]) -> str:
    """The step with the case's name; what files have a say in is looked at only where asked for."""
    if step == "{verify}":
        return verify_step(workspace, name)
    if step == "{publish}":
        return publish_step(workspace, name, latest_of_test(workspace, _evaluations(entries)))
    return step.format(name=name)


def _evaluations(entries: list[IndexedEntry]) -> list[str]:
    return [entry.evidence for entry in entries if entry.kind == "evaluation" and entry.evidence]
