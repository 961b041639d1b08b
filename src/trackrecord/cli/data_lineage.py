"""``data lineage``: where a table or a column is from, what hangs on it, and what is stale."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.printing import counted, progress, say, say_next
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.data.lineage.columns import Made
    from trackrecord.data.lineage.graph import Graph, Node

DESCRIPTION = """\
Show where tables and numbers are from: raw bytes, sources, steps, tables, features, cases,
runs, evaluations, pages; when each was last made, and whether it is still fresh."""
EPILOG = """\
examples:
  trackrecord data lineage                       the whole workspace
  trackrecord data lineage delays                what delays rests on, and what rests on it
  trackrecord data lineage delays.share          one column, through the SQL of each step
  trackrecord data lineage --open                the page with the graph
  trackrecord data lineage --openlineage lineage.ndjson
  trackrecord data lineage --openlineage http://localhost:5000
  trackrecord data lineage --dagster assets.py

A server's key is read from OPENLINEAGE_API_KEY. Exit 1: something could not be read.
"""

MARKS = {
    "fresh": "✓", "stale": "!", "unmade": "·", "missing": "✗", "damaged": "✗", "unknown": "?",
}  # fmt: skip
MOST_LINES = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "table", metavar="TABLE[.COLUMN]", nargs="?", help="a table, a case, or a table's column"
    )
    parser.add_argument("--out", metavar="HTML", help="write the page there")
    parser.add_argument("--open", action="store_true", help="write the page, and open it")
    parser.add_argument(
        "--openlineage",
        metavar="FILE|URL",
        help="write the record's ingests and builds as OpenLineage events, or post them",
    )
    parser.add_argument(
        "--namespace", metavar="NAME", help="of jobs and datasets there; else the folder's name"
    )
    parser.add_argument(
        "--dagster", metavar="PY", help="write the steps as Dagster assets, in a Python module"
    )


def run(options: argparse.Namespace) -> Answer:
    """Gather the graph, and show it or hand it on."""
    from trackrecord.data.lineage.gather import lineage_of

    root = open_workspace_of(options).root
    if options.namespace is not None and options.openlineage is None:
        raise BadInput("--namespace goes with --openlineage", next="leave it out")
    if options.namespace is not None and not options.namespace.strip():
        raise BadInput("--namespace is empty", next="leave it out, or give it a name")
    out = _page_file(options, root)
    with progress("reading the record and the tables"):
        graph = lineage_of(root)
    result: dict[str, Any] = {}
    done = False
    if options.openlineage is not None:
        result["openlineage"], done = _hand_on(options, root), True
    if options.dagster is not None:
        result["dagster"], done = _export(options, root), True
    name, column = _named(options.table, graph)
    if column is not None:
        result["column"] = _tell_column(root, graph, name, column)
        _tell_problems(graph)
        return Answer(1 if graph.problems else 0, result)
    result.update(_plain(graph, name))
    if not done and out is None:
        _tell(graph, name)
    if out is not None:
        _write(root, graph, name, out, options.open)
    _tell_problems(graph)
    if not done and out is None and graph.nodes:
        say_next(f"trackrecord data lineage{' ' + options.table if name else ''} --open")
    return Answer(1 if graph.problems else 0, result)


def _named(given: str | None, graph: Graph) -> tuple[str | None, str | None]:
    """The id of the node that the person named, and the column."""
    from trackrecord.data.lineage.graph import TABLES, find_node

    if given is None:
        return None, None
    tables = {node.name: node.id for node in graph.nodes if node.kind in TABLES}
    table, dot, column = given.partition(".")
    if dot and column and table in tables and given not in graph.by_id:
        return tables[table], column
    return find_node(graph, given).id, None


def _tell(graph: Graph, name: str | None) -> None:
    """The whole graph from its roots, or what one node rests on and what rests on it."""
    if not graph.nodes:
        say("  nothing is here yet: no source, no step, no case")
        say_next("trackrecord data add FILE --name NAME")
        return
    if name is None:
        say(f"\n  {_counts(graph)}")
        roots = [node.id for node in graph.nodes if not graph.above[node.id]]
        # Of a circle nothing is a root.
        _forest(graph, roots or [node.id for node in graph.nodes[:1]], graph.below)
        return
    node = graph.by_id[name]
    say(f"\n  {_line(node)}", indent=None)
    for title, ways in (("it rests on", graph.above), ("on it rests", graph.below)):
        if ways[name]:
            say(f"\n  {title}")
            _forest(graph, ways[name], ways)
        else:
            say(f"\n  {title} nothing")


def _counts(graph: Graph) -> str:
    from trackrecord.data.lineage.graph import WORDS

    kinds = [node.kind for node in graph.nodes]
    counts = {kind: kinds.count(kind) for kind in WORDS if kind in kinds}
    return ", ".join(f"{count:,} {WORDS[kind][count != 1]}" for kind, count in counts.items())


def _forest(graph: Graph, roots: list[str], ways: dict[str, list[str]]) -> None:
    """Trees from ``roots``; a node that was shown is named again, and not gone into again."""
    seen: set[str] = set()
    lines: list[str] = []

    # A pipeline may be deeper than Python's stack.
    left = [(root, "", "", "") for root in reversed(roots)]
    while left and len(lines) <= MOST_LINES:
        name, before, mark, below = left.pop()
        again = name in seen and bool(ways[name])
        node = graph.by_id[name]
        text = f"{node.called}, see above" if again else _line(node)
        lines.append(f"  {before}{mark}{text}")
        inner = [] if again else ways[name]
        seen.add(name)
        for other in reversed(inner):
            last = other == inner[-1]
            end = ("└─ ", "   ") if last else ("├─ ", "│  ")
            left.append((other, before + below, *end))
    for line in lines[:MOST_LINES]:
        say(line, indent=None)
    if len(lines) > MOST_LINES:
        say("  … and more: name a table, or --open, or --json")


def _line(node: Node) -> str:
    """One node on one line: what, how large, when made, from which bytes, and how it stands."""
    from trackrecord.data.lineage.graph import UNSAID

    told = [f"{MARKS[node.state]} {node.called}"]
    if node.kind == "raw":
        known = {key: node.facts[key] for key in ("licence", "origin")}
        told += [f"no {key}" if text == UNSAID else f"{key} {text}" for key, text in known.items()]
    if node.rows is not None and node.kind != "run":
        told.append(counted(node.rows, "row"))
    if node.digest:
        told.append(node.digest[:8])
    if node.made:
        told.append(f"made {node.made[:16].replace('T', ' ')}")
    text = " · ".join(told)
    return text if node.state == "fresh" else f"{text} · {node.state}: {node.why}"


def _tell_column(root: Path, graph: Graph, name: str | None, column: str) -> Any:
    import msgspec

    from trackrecord.data.lineage.columns import Columns

    table = graph.by_id[str(name)].name
    columns = Columns(root, graph)
    made = columns.made(table, column)
    say()
    _column_tree(made, "", "", "")
    query = columns.query(table)
    if query and query.choices:
        say(f"\n  which rows {table} has is decided by")
        for choice in query.choices:
            how = choice.how.lower().replace("_", " ")
            say(f"  · {choice.origin.table}.{choice.origin.column}  ({how})")
    result = msgspec.to_builtins(made)
    result["choices"] = msgspec.to_builtins(query.choices) if query else []
    return result


def _column_tree(made: Made, before: str, mark: str, below: str) -> None:
    kind = f"  {made.kind}" if made.kind else ""
    how = ""
    if made.expression:
        how = "  unchanged" if made.copied and len(made.made_of) == 1 else f"  = {made.expression}"
    by = f"  [{made.by}]" if made.by else ""
    if made.again:
        by = ", see above"
    say(f"  {before}{mark}{made.table}.{made.column}{kind}{how}{by}", indent=None)
    inner = before + below
    if made.untold:
        bar = "│  " if made.made_of else "   "
        say(f"  {inner}{bar}? cannot be told: {made.untold}", indent=None)
    for number, one in enumerate(made.made_of):
        last = number == len(made.made_of) - 1
        _column_tree(one, inner, "└─ " if last else "├─ ", "   " if last else "│  ")


def _tell_problems(graph: Graph) -> None:
    for problem in graph.problems[:20]:
        say(f"  ✗ {problem}")
    if len(graph.problems) > 20:
        say(f"  … and {len(graph.problems) - 20} more: --json has all")


def _plain(graph: Graph, name: str | None) -> dict[str, Any]:
    import msgspec

    shown = graph if name is None else graph.around(name)
    plain: dict[str, Any] = msgspec.to_builtins(shown)
    plain["focus"] = name
    return plain


def _page_file(options: argparse.Namespace, root: Path) -> Path | None:
    """Where the page goes; what cannot be written to is said before the work."""
    if options.out is None:
        folder = root / ".trackrecord"
        if options.open:
            folder.mkdir(exist_ok=True)
        return folder / "lineage.html" if options.open else None
    out: Path = Path(options.folder or ".") / options.out
    if out.is_dir() or not out.parent.is_dir() or out.suffix.lower() not in (".html", ".htm"):
        raise BadInput(
            f"cannot write the page to {options.out}",
            where=f"--out {options.out}",
            why="it is to be a file ending in .html, in a folder that is there",
            next="--out lineage.html",
        )
    return out


def _write(root: Path, graph: Graph, name: str | None, out: Path, show: bool) -> None:
    from trackrecord.data.lineage.columns import Columns
    from trackrecord.ledger import write_atomic
    from trackrecord.portfolio.lineage import render_lineage
    from trackrecord.version import __version__

    shown = graph if name is None else graph.around(name)
    columns = Columns(root, graph)
    queries = {node.id: query for node in shown.nodes if (query := columns.terms(node))}
    page = render_lineage(
        shown, title=root.resolve().name, focus=name, tool=__version__, queries=queries
    )
    write_atomic(out, page.encode("utf-8", "replace"))
    say(f"\n  wrote {short_path(out)}")
    if show:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())


def _hand_on(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """The record as OpenLineage events, into a file or to a server."""
    from trackrecord.data.lineage.openlineage import events_of
    from trackrecord.data.lineage.send import is_address, post_events, server_at, write_events

    given: str = options.openlineage
    # What cannot be written or posted to is said before the work.
    server = server_at(given) if is_address(given) else None
    out = None if server else _new_file(options, given, "--openlineage", ".ndjson")
    events, problems = events_of(root, options.namespace or root.resolve().name)
    for problem in problems:
        say(f"  ✗ not told: {problem}")
    if out is not None:
        write_events(out, events)
        say(f"  wrote {counted(len(events), 'event')} to {short_path(out)}")
    elif server is not None:
        with progress(f"sending to {server.shown}") as step:
            post_events(
                server, events, step=lambda sent: step("sending events", sent / len(events))
            )
        say(f"  sent {counted(len(events), 'event')} to {server.shown}")
    if not events:
        say("  the record has no ingest, no check of a contract and no build yet")
    return {
        "events": len(events),
        "to": server.shown if server else str(short_path(out)) if out else None,
        "problems": problems,
    }


def _new_file(options: argparse.Namespace, given: str, word: str, example: str) -> Path:
    """A file to write, in a folder that is there."""
    out: Path = Path(options.folder or ".") / given
    if not given or out.is_dir() or not out.parent.is_dir():
        raise BadInput(
            f"cannot write to {given or 'no file'}",
            where=f"{word} {given}",
            why="it is to be a file, in a folder that is there",
            next=f"{word} lineage{example}",
        )
    return out


def _export(options: argparse.Namespace, root: Path) -> str:
    """The steps as a module of Dagster assets."""
    from trackrecord.data.lineage.dagster import dagster_module
    from trackrecord.ledger import write_atomic

    given: str = options.dagster
    out = _new_file(options, given, "--dagster", ".py")
    if out.suffix != ".py":
        raise BadInput(
            f"{given} is not the name of a Python module",
            where=f"--dagster {given}",
            next="--dagster assets.py",
        )
    write_atomic(out, dagster_module(root, out).encode())
    say(f"  wrote {short_path(out)}")
    say("  to run it: pip install 'trackrecord[dagster]', then: dagster dev -f " + short_path(out))
    return short_path(out)
