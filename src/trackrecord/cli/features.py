"""``trackrecord features``: point-in-time features, made, asked for one row, and checked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of, short_path
from trackrecord.cli.parsing import sub_verb
from trackrecord.cli.printing import counted, progress, say, say_next, table
from trackrecord.errors import BadInput
from trackrecord.version import __version__

if TYPE_CHECKING:
    from trackrecord.data.features.check import FeaturesCheck, Parity
    from trackrecord.data.features.look_ahead import Difference
    from trackrecord.data.features.record import Ages
    from trackrecord.data.features.spec import Written

SHOWN = 5


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = "Features that respect time: what was known by the moment of the question."
    group = parser.add_subparsers(dest="sub_verb", required=True, metavar="build|get|check")
    build = sub_verb(
        group,
        "build",
        help="make the features of all rows, and record it",
        description="Make the features of all rows that features/NAME.toml describes: they are\n"
        "written beside the rows to data/built/NAME.parquet, and recorded as evidence.",
    )
    build.epilog = "example:\n  trackrecord features build evening"
    get = sub_verb(
        group,
        "get",
        help="make the features of one row",
        description="Make the features of one row, as a server would: of an entity, at a time.",
    )
    get.epilog = (
        "example:\n"
        "  trackrecord features get evening --entity origin=JFK --at 2013-07-04T14:00:00Z --json"
    )
    check = sub_verb(
        group,
        "check",
        help="one row as millions, nothing from later, how old",
        description="Check features: made one by one they equal those made together; without all\n"
        "that came later they are the same; how many rows have none, and how old they are.",
    )
    check.epilog = (
        "example:\n  trackrecord features check evening --cuts 50\n\n"
        "exit 1 when something does not hold"
    )
    for leaf in (build, get, check):
        leaf.add_argument("name", metavar="NAME", help="of features/NAME.toml")
    get.add_argument(
        "--entity",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="whose features; once for each key column",
    )
    get.add_argument(
        "--at", metavar="TIME", help="the row's own time, as 2013-07-04T14:00:00Z; by default now"
    )
    check.add_argument(
        "--rows", type=int, default=200, metavar="N", help="how many rows are made one by one"
    )
    check.add_argument(
        "--cuts",
        type=int,
        default=20,
        metavar="N",
        help="at how many moments what came later is taken away",
    )
    check.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn")


def run(verb: str, options: argparse.Namespace) -> Answer:
    doors = {"build": _build, "get": _get, "check": _check}
    return doors[options.sub_verb](options)


def _written(options: argparse.Namespace) -> tuple[Any, Written]:
    from trackrecord.data.features.spec import read_definition

    workspace = open_workspace_of(options)
    return workspace, read_definition(workspace.root, options.name)


def _build(options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.data.features.build import build

    workspace, written = _written(options)
    with progress("building") as step:
        built = build(
            workspace.root,
            workspace.evidence,
            written,
            tool=__version__,
            step=step,
            lock=workspace.cache / "lock",
        )
    made = built.predicate
    say(
        f"✓ {counted(len(made.features), 'feature')} of {counted(made.rows, 'row')}: "
        f"{short_path(built.path)}"
    )
    rows = [
        [view.name, f"{view.events:,}", _share(view.unmatched, view.share_unmatched, view.lo,
                                                view.hi), *_hours(view.ages)]
        for view in made.views
    ]  # fmt: skip
    table(
        ["view", "events", "rows without", "age: median", "99 %", "greatest"],
        rows,
        right={1, 2, 3, 4, 5},
    )
    for view in made.views:
        _tell_events(view)
    say(f"  recorded as entry {built.entry.seq} of the chain")
    say_next(f"trackrecord features check {made.name}")
    result = {**msgspec.to_builtins(made), "entry": built.entry.seq, "path": short_path(built.path)}
    return Answer(0, result)


def _get(options: argparse.Namespace) -> Answer:
    from datetime import UTC, datetime

    from trackrecord.data.features.reading import utc_text
    from trackrecord.data.features.serve import open_features, parsed_entity, parsed_time

    workspace, written = _written(options)
    opened = open_features(workspace.root, written)
    entity = parsed_entity(opened, options.entity)
    time = parsed_time(options.at) if options.at else datetime.now(UTC)
    answer = opened.answer(entity, time)
    whose = ", ".join(f"{key} {value}" for key, value in entity.items()) or "everything"
    when = time.isoformat(timespec="seconds")
    say(f"  {whose}, {when}, known by: {written.plan.known_by.text}")
    rows = []
    for view in written.plan.views:
        event = answer.event[view.name]
        seen = "no event that counts" if event is None else utc_text(event)
        rows += [[take.name, _plain(answer.values[take.name]), seen] for take in view.takes]
    table(["feature", "value", "newest event of the view"], rows, right={1})
    result = {
        "entity": entity,
        "at": time.isoformat(),
        "features": {name: _json(value) for name, value in answer.values.items()},
        "event": {n: None if at is None else utc_text(at) for n, at in answer.event.items()},
        "known": {n: None if at is None else utc_text(at) for n, at in answer.known.items()},
    }
    return Answer(0, result)


def _check(options: argparse.Namespace) -> Answer:
    import msgspec

    from trackrecord.data.features.check import check

    for name, least in (("rows", 2), ("cuts", 1)):
        if not least <= getattr(options, name) <= 100_000:
            raise BadInput(f"--{name} is between {least} and 100,000", next=f"--{name} 100")
    workspace, written = _written(options)
    with progress("checking") as step:
        step("making features again", 0.3)
        found = check(
            workspace.root, written, rows=options.rows, cuts=options.cuts, seed=options.seed
        )
    _tell_check(found)
    if found.holds:
        say(f"✓ {found.name}: the features respect time")
    else:
        say(f"✗ {found.name}: something does not hold")
        say_next("docs/how-to/make-features-that-respect-time.md says what to do")
    return Answer(0 if found.holds else 1, msgspec.to_builtins(found))


def _tell_check(found: FeaturesCheck) -> None:
    parity, look = found.parity, found.look_ahead
    _tell_parity("one by one as together", parity, "together", "one by one")
    if look.different:
        say(
            f"✗ look-ahead: {look.different:,} of {look.compared:,} values are others without "
            f"what came later ({counted(look.cuts, 'moment')}): {', '.join(look.features[:10])}"
        )
        _tell_differences(look.first, "with all", "with what was known")
    else:
        say(
            f"✓ look-ahead: {look.compared:,} values at {counted(look.cuts, 'moment')} are the "
            "same without what came later"
        )
    late = found.availability
    mark = "✗" if late.late else "✓"
    say(f"{mark} availability: {late.late:,} of {late.features:,} features are of an event that "
        "happened or became known after its row's moment")  # fmt: skip
    for view in found.staleness:
        mark = "✗" if view.unmatched == view.rows else "✓"
        share = _share(view.unmatched, view.share, view.lo, view.hi)
        text = f"{mark} staleness: {view.view}: no event that counts in {share} of {view.rows:,}"
        if view.ages is not None:
            median, most, greatest = _hours(view.ages)
            text += f"; age {median} (median), {most} (99 %), {greatest} (greatest)"
        say(text)
        if not view.said:
            say(
                f"  · {view.view}: does not say when its events become known; they are taken as "
                "known when they happen (available)"
            )
        _tell_events(view)
    if found.built is not None:
        _tell_parity(
            f"data/built/{found.name}.parquet as made now", found.built, "built", "made now"
        )


def _tell_parity(what: str, parity: Parity, one: str, other: str) -> None:
    if not parity.different:
        say(f"✓ parity: {what}, exactly, in {counted(parity.rows, 'row')}")
        return
    say(f"✗ parity: {what}: {counted(parity.different, 'value')} of "
        f"{counted(parity.rows, 'row')} are others")  # fmt: skip
    _tell_differences(parity.first, one, other)


def _tell_differences(first: list[Difference], one: str, other: str) -> None:
    if not first:
        return
    rows = [
        [seen.feature, f"{seen.row:,}", seen.entity, seen.cut, seen.made, seen.then]
        for seen in first[:SHOWN]
    ]
    table(["feature", "row", "entity", "by", one, other], rows, right={1, 4, 5})


def _tell_events(view: Any) -> None:
    """What is odd about a view's events."""
    name = getattr(view, "view", None) or view.name
    if view.early:
        say(f"  ! {name}: {counted(view.early, 'event')} available before they happened; "
            "they count from when they happened")  # fmt: skip
    if getattr(view, "tied", 0):
        say(f"  · {name}: {counted(view.tied, 'event')} with the entity and time of another; "
            "of these the greatest values count as the latest")  # fmt: skip
    if view.timeless:
        say(f"  · {name}: {counted(view.timeless, 'event')} without a time are left out")
    if view.keyless:
        say(f"  · {name}: {counted(view.keyless, 'event')} without a key are left out")


def _share(count: int, share: float, lo: float, hi: float) -> str:
    return f"{count:,} ({100 * share:.2f} % [{100 * lo:.2f}, {100 * hi:.2f}])"


def _hours(ages: Ages | None) -> list[str]:
    if ages is None:
        return ["", "", ""]
    return [_age(hours) for hours in (ages.q50, ages.q99, ages.greatest)]


def _age(hours: float) -> str:
    """``40 min``, ``3.5 h``, ``12.0 d``."""
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} d"


def _plain(value: Any) -> str:
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _json(value: Any) -> Any:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
