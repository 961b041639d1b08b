"""A definition opened once, to give one row's features at a time."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from trackrecord.data.features.made import online
from trackrecord.data.features.online import OpenFeatures
from trackrecord.data.features.reading import read_events
from trackrecord.data.features.spec import Written
from trackrecord.errors import BadInput, suggest


def open_features(root: Path, written: Written) -> OpenFeatures:
    """Read and sort the events of all views. Raises DataError as :func:`build` does."""
    with written.blamed():
        events = [
            read_events(root, view, plan).frame
            for view, plan in zip(written.definition.view.values(), written.plan.views, strict=True)
        ]
    return online(written.plan, events)


def parsed_entity(opened: OpenFeatures, words: list[str]) -> dict[str, Any]:
    """``["origin=JFK"]`` as the key columns' own kinds. Raises BadInput."""
    import polars as pl

    kinds = opened.keys
    entity: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in kinds:
            near = suggest(name, list(kinds))
            raise BadInput(
                f"--entity {word!r} names no key",
                why=f"did you mean {near!r}?" if near else f"keys: {', '.join(kinds) or 'none'}",
                next=f"--entity {next(iter(kinds), 'KEY')}=VALUE",
            )
        value = pl.Series([text]).cast(kinds[name], strict=False)[0]
        if kinds[name] == pl.Boolean:
            value = {"true": True, "false": False}.get(text.lower())
        if value is None:
            raise BadInput(f"{text!r} cannot be a {name}", why=f"its values are {kinds[name]}")
        entity[name] = value
    return entity


def parsed_time(text: str) -> datetime.datetime:
    """A time with its offset. Raises BadInput."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadInput(
            f"--at {text!r} is no time",
            why="a time has its offset or Z" if found else None,
            next="--at 2013-07-04T14:00:00Z",
        )
    return found.astimezone(datetime.UTC)
