"""What a definition asks for, read once: spans as microseconds, each feature's way and column."""

from __future__ import annotations

from typing import NamedTuple

from trackrecord.data.asof import KnownBy

HOW = (
    "latest", "last", "count", "distinct", "sum", "mean", "std", "min", "max", "share",
    "hours_since",
)  # fmt: skip
ANY = "*"


class Take(NamedTuple):
    """One feature: its name, how it is taken, of which column, over which window (microseconds)."""

    name: str
    how: str
    column: str
    window: int | None = None
    default: bool | int | float | str | None = None


class ViewPlan(NamedTuple):
    """One view: entity columns, event time, when an event is known, and its features.

    It is known at ``available`` where that column is named, else ``delay`` microseconds after it
    happened; never before it happened. A latest value is at most ``max_age`` old.
    """

    name: str
    by: tuple[str, ...]
    time: str
    available: str | None
    delay: int
    max_age: int | None
    takes: tuple[Take, ...]

    @property
    def columns(self) -> list[str]:
        """The columns of events that features are taken of."""
        return list(dict.fromkeys(take.column for take in self.takes if take.column != ANY))


class Plan(NamedTuple):
    """All views of a definition, and by when something must be known."""

    name: str
    known_by: KnownBy
    timezone: str
    time: str
    views: tuple[ViewPlan, ...]

    @property
    def takes(self) -> list[Take]:
        """Every feature, in the order of the file."""
        return [take for view in self.views for take in view.takes]

    @property
    def keys(self) -> list[str]:
        """The entity columns of all views."""
        return list(dict.fromkeys(name for view in self.views for name in view.by))
