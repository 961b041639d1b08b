"""``data contract``: what a source promises, drafted from it, then checked against it."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.data_profile import table_path, workspace_root
from trackrecord.cli.opening import short_path
from trackrecord.cli.printing import counted, say, say_next
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.data.contract.changes import Change
    from trackrecord.data.contract.outcome import Checked, Outcome

DESCRIPTION = """\
Write down what a source promises (types, ranges, allowed values, keys, rules in SQL), check
data against it, and see what a new version breaks."""
EPILOG = """\
examples:
  trackrecord data contract flights --draft
  trackrecord data contract flights --check
  trackrecord data contract flights --check --data next-month.csv
  trackrecord data contract flights --diff flights-v1.contract.toml
  trackrecord data contract flights --export flights.odcs.yaml

exit 1 when a rule is broken, or when --diff finds a breaking change that the version hides
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="the source that the contract is of")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--draft", action="store_true", help="write the contract from the data")
    group.add_argument("--check", action="store_true", help="check the source, or --data")
    group.add_argument("--diff", metavar="OLD", help="what has changed since this contract")
    group.add_argument("--export", metavar="YAML", help="write it as Open Data Contract Standard")
    group.add_argument(
        "--import", dest="imported", metavar="YAML", help="write it from such a file"
    )
    parser.add_argument("--data", metavar="FILE", help="the table to draft from or to check")
    parser.add_argument(
        "--at", metavar="TIME", help="the moment that freshness is judged at, such as 2024-01-31"
    )


def run(options: argparse.Namespace) -> Answer:
    from trackrecord.data.contract.spec import NAMES, RULE_NAME

    if not RULE_NAME.match(options.name):
        raise BadInput(f"{options.name!r} cannot be the name of a source", why=NAMES)
    if options.data is not None and not (options.draft or options.check):
        raise BadInput("--data goes with --draft or --check", next="leave it out")
    root = workspace_root(options) or Path(options.folder or ".")
    path = root / "data" / f"{options.name}.contract.toml"
    if options.draft:
        return _draft(options, root, path)
    if options.imported is not None:
        return _import(options, path)
    if options.check:
        return _check(options, root, path)
    return _diff(options, path) if options.diff is not None else _export(options, path)


def _table(options: argparse.Namespace, root: Path) -> Path:
    if options.data is not None:
        return Path(options.folder or ".") / str(options.data)
    return table_path(options.name, root, options)


def _new(path: Path) -> None:
    """Refuse to write over a contract: it belongs to somebody."""
    if path.exists():
        raise BadInput(
            f"there is a contract already: {short_path(path)}",
            why="it is yours, and is not written over",
            next="edit it, or move it away first",
        )
    path.parent.mkdir(parents=True, exist_ok=True)


def _draft(options: argparse.Namespace, root: Path, path: Path) -> Answer:
    from trackrecord.data.contract.draft import draft_contract
    from trackrecord.data.profile.profile import profile_table
    from trackrecord.data.profile.scan import scan_table
    from trackrecord.ledger import write_atomic

    source = _table(options, root)
    _new(path)
    found = scan_table(source)
    profile = profile_table(found, options.name)
    write_atomic(path, draft_contract(found, profile, options.name).encode("utf-8", "replace"))
    say(f"  wrote {short_path(path)}: {counted(len(profile.columns), 'column')}")
    say("  It says what was seen in the data. Read it, and make it say what must hold.")
    data = f" --data {options.data}" if options.data else ""
    say_next(f"trackrecord data contract {options.name} --check{data}")
    return Answer(0, {"contract": short_path(path), "columns": len(profile.columns)})


def _check(options: argparse.Namespace, root: Path, path: Path) -> Answer:
    import msgspec

    from trackrecord.data.contract.changes import is_announced, next_version
    from trackrecord.data.contract.check import check_file
    from trackrecord.data.contract.record import changes_since, record_check
    from trackrecord.data.contract.spec import read_contract
    from trackrecord.workspace import SETTINGS

    contract, line_of = read_contract(path, short_path(path))
    source = _table(options, root)
    checked = check_file(
        contract, source, line_of=line_of, shown_as=short_path(path), sources=root / "data",
        quarantine=root / "data" / "quarantine", now=_moment(options.at),
    )  # fmt: skip
    recorded, before = None, None
    since: list[Change] = []
    if (root / SETTINGS).is_file():
        before, since = changes_since(root / "evidence", contract)
        recorded = record_check(
            root / "evidence", contract, checked, contract_file=path, data_file=source,
            since=since, root=root,
        )  # fmt: skip
    _tell(checked, source)
    if before is not None and since:
        _tell_changes(since, f"since version {before.version}, which was checked last")
        if any(one.breaks for one in since) and not is_announced(before, contract):
            say(f"  a change that breaks needs version {next_version(before)} or later")
    if recorded is not None:
        say(f"  recorded as evidence {str(recorded.evidence)[:12]}")
    result: dict[str, Any] = msgspec.to_builtins(checked)
    result["changes"] = msgspec.to_builtins(since)
    result["evidence"] = None if recorded is None else recorded.evidence
    return Answer(0 if checked.holds else 1, result)


def _moment(at: str | None) -> datetime.datetime | None:
    if at is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(at)
    except ValueError:
        raise BadInput(
            f"{at!r} is no moment", where=f"--at {at}", next="--at 2024-01-31T12:00:00Z"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def _tell(checked: Checked, source: Path) -> None:
    broken = [one for one in checked.outcomes if one.status != "held"]
    held = len(checked.outcomes) - len(broken)
    say(
        f"\n  {short_path(source)} against {checked.name} {checked.version}: "
        f"{counted(checked.rows, 'row')}, {counted(len(checked.outcomes), 'rule')}"
    )
    for one in broken:
        tell_broken(one)
    if held:
        say(f"  ✓ {counted(held, 'rule')} held")


def tell_broken(one: Outcome) -> None:
    if one.status == "not checked":
        say(f"  – {one.name}: not checked, {one.asks}")
        return
    if one.failed is None:
        say(f"  ✗ {one.name}: {one.asks}; {one.detail}")
        return
    say(
        f"  ✗ {one.name}: {one.asks}; broken by {counted(one.failed, 'row')} of {one.rows:,}, "
        f"{_percent(one.share)} [{_percent(one.lo)}, {_percent(one.hi)}]"
    )
    say(f"      rows {', '.join(f'{row:,}' for row in one.first_rows)}"
        + (" …" if one.failed > len(one.first_rows) else ""), indent=8)  # fmt: skip
    say(f"      values {' | '.join(one.values)}", indent=8)
    if one.quarantine:
        say(f"      all of them: {short_path(Path(one.quarantine))}", indent=8)


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0.0):.3g} %"


def _tell_changes(found: list[Change], since: str) -> None:
    say(f"\n  {counted(len(found), 'change')} {since}")
    for one in found:
        mark = f"breaks {' and '.join(one.breaks)}" if one.breaks else "breaks nothing"
        say(f"  {'!' if one.breaks else '·'} {one.what}: {mark}, for {one.why}")


def _diff(options: argparse.Namespace, path: Path) -> Answer:
    import msgspec

    from trackrecord.data.contract.changes import changes, is_announced, next_version
    from trackrecord.data.contract.spec import read_contract

    old, _ = read_contract(Path(options.folder or ".") / options.diff, options.diff)
    new, _ = read_contract(path, short_path(path))
    found = changes(old, new)
    breaking = any(one.breaks for one in found)
    fine = not breaking or is_announced(old, new)
    if found:
        _tell_changes(found, f"from {old.version} to {new.version}")
    else:
        say("  nothing that means anything has changed")
    if not fine:
        say(f"  ✗ a change that breaks needs version {next_version(old)} or later")
        say_next(f'write version = "{next_version(old)}" in {short_path(path)}')
    result = {"changes": msgspec.to_builtins(found), "breaking": breaking, "announced": fine}
    return Answer(0 if fine else 1, result)


def _export(options: argparse.Namespace, path: Path) -> Answer:
    from trackrecord.data.contract.odcs import to_odcs
    from trackrecord.data.contract.spec import read_contract
    from trackrecord.ledger import write_atomic

    contract, _ = read_contract(path, short_path(path))
    out = Path(options.folder or ".") / options.export
    if out.is_dir() or not out.parent.is_dir():
        raise BadInput(f"cannot write to {options.export}", next="--export contract.odcs.yaml")
    write_atomic(out, to_odcs(contract).encode())
    say(f"  wrote {short_path(out)} (Open Data Contract Standard)")
    return Answer(0, {"odcs": short_path(out)})


def _import(options: argparse.Namespace, path: Path) -> Answer:
    from trackrecord.data.contract.odcs import from_odcs
    from trackrecord.data.contract.written import contract_text
    from trackrecord.ledger import write_atomic

    source = Path(options.folder or ".") / options.imported
    contract, left_out = from_odcs(source, options.name)
    _new(path)
    write_atomic(path, contract_text(contract).encode("utf-8", "replace"))
    say(f"  wrote {short_path(path)}: {counted(len(contract.columns), 'column')}")
    for one in left_out:
        say(f"  · left out: {one}")
    say_next(f"trackrecord data contract {options.name} --check")
    return Answer(0, {"contract": short_path(path), "left_out": left_out})
