"""What a new version of a contract breaks, for whom, and why.

Two sides rest on a contract. *Readers* rely on its promises: one that is withdrawn or weakened
breaks them. *Data* was written under the old one: a term that is added or tightened refuses rows
that were right, and breaks who sends them, and who reads the past through the new contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from trackrecord.data.contract.spec import ColumnTerms, Contract

READERS, DATA = "readers", "data"
# From the narrower type to the wider.
WIDER = {("integer", "number"), ("date", "time")}


class Change(msgspec.Struct, frozen=True):
    """One difference; ``breaks`` is empty, or says whom it breaks."""

    what: str
    breaks: list[str]
    why: str


def changes(old: Contract, new: Contract) -> list[Change]:
    """Every difference that means something, breaking ones first."""
    found = [*_columns(old, new), *_table(old, new), *_rules(old, new)]
    return sorted(found, key=lambda change: not change.breaks)


def is_announced(old: Contract, new: Contract) -> bool:
    """Whether the first number of the version was raised, which announces a breaking change."""
    return int(new.version.split(".")[0]) > int(old.version.split(".")[0])


def next_version(old: Contract) -> str:
    """The version that announces a breaking change to ``old``."""
    return f"{int(old.version.split('.')[0]) + 1}.0.0"


def _columns(old: Contract, new: Contract) -> Iterator[Change]:
    for name, before in old.columns.items():
        if name not in new.columns:
            yield Change(
                f"column {name!r} is removed", [READERS], "whatever reads it finds no such column"
            )
        else:
            yield from _terms(name, before, new.columns[name])
    for name in new.columns:
        if name not in old.columns:
            yield Change(
                f"column {name!r} is added",
                [DATA],
                "tables written until now do not have it; readers are not touched",
            )


def _terms(name: str, old: ColumnTerms, new: ColumnTerms) -> Iterator[Change]:
    if old.type != new.type:
        yield _type_change(name, old.type, new.type)
    yield from _limit(f"share of missing values in {name!r}", _missing(old), _missing(new), 1)
    if old.unique != new.unique:
        yield _gained(f"{name!r} is {'now' if new.unique else 'no longer'} unique", new.unique,
                      "values may come twice, and joins on it multiply rows",
                      "a value that is there twice is now refused")  # fmt: skip
    if old.type == new.type:
        yield from _limit(f"min of {name!r}", old.min, new.min, -1)
        yield from _limit(f"max of {name!r}", old.max, new.max, 1)
        yield from _allowed(name, old.allowed, new.allowed)
    if old.pattern != new.pattern:
        yield Change(f"pattern of {name!r}: {old.pattern or 'none'} → {new.pattern or 'none'}",
                     _both(old.pattern, new.pattern),
                     "which texts match has changed, and which do not")  # fmt: skip


def _missing(terms: ColumnTerms) -> float:
    return 0.0 if terms.required else 1.0 if terms.max_missing is None else terms.max_missing


def _type_change(name: str, old: str, new: str) -> Change:
    what = f"type of {name!r}: {old} → {new}"
    if (new, old) in WIDER:
        return Change(f"{what}, narrowed", [DATA], f"not every {old} is one that a {new} can be")
    if (old, new) in WIDER:
        return Change(f"{what}, widened", [READERS], f"what takes {old}s now meets other {new}s")
    return Change(what, [READERS, DATA], "neither code nor rows for the one serve for the other")


def _limit(what: str, old: Any, new: Any, wide: int) -> Iterator[Change]:
    """A bound that moved; ``wide`` is the side, -1 or 1, on which it lets more in."""
    if old == new:
        return
    shown = f"{what}: {'none' if old is None else old} → {'none' if new is None else new}"
    if new is None or (old is not None and (new > old) == (wide > 0)):
        yield Change(f"{shown}, loosened", [READERS], "values come that were ruled out")
    else:
        yield Change(f"{shown}, tightened", [DATA], "values that were right are now refused")


def _allowed(name: str, old: list[Any] | None, new: list[Any] | None) -> Iterator[Change]:
    if old is None or new is None:
        if old is not new:
            what = f"{name!r} has {'now' if new else 'no longer'} a list of allowed values"
            yield _gained(what, bool(new), "any value may come", "all other values are refused")
        return
    if more := [value for value in new if value not in old]:
        yield Change(f"{name!r} may now be {_list(more)}", [READERS],
                     "code that knows all values meets one that it does not know")  # fmt: skip
    if less := [value for value in old if value not in new]:
        yield Change(f"{name!r} may no longer be {_list(less)}", [DATA],
                     "rows that have it are now refused")  # fmt: skip


def _list(values: list[Any]) -> str:
    shown = ", ".join(repr(value) for value in values[:6])
    return shown + (f" and {len(values) - 6} more" if len(values) > 6 else "")


def _gained(what: str, gained: bool, lost_why: str, gained_why: str) -> Change:
    return Change(what, [DATA], gained_why) if gained else Change(what, [READERS], lost_why)


def _both(old: Any, new: Any) -> list[str]:
    return [DATA] if old is None else [READERS] if new is None else [READERS, DATA]


def _table(old: Contract, new: Contract) -> Iterator[Change]:
    if old.key != new.key:
        yield Change(f"key: {', '.join(old.key) or 'none'} → {', '.join(new.key) or 'none'}",
                     _both(old.key or None, new.key or None),
                     "what names a row, and what a row is, has changed")  # fmt: skip
    yield from _limit("rows.min", old.rows.min, new.rows.min, -1)
    yield from _limit("rows.max", old.rows.max, new.rows.max, 1)
    if old.other_columns != new.other_columns:
        yield _gained(f"other columns: {old.other_columns} → {new.other_columns}",
                      new.other_columns == "refuse",
                      "columns may come that nobody named, in every SELECT *",
                      "a table with a column more is now refused")  # fmt: skip
    if old.freshness != new.freshness:
        yield Change("freshness has changed", _both(old.freshness, new.freshness),
                     "how old the data may be is another now")  # fmt: skip


def _rules(old: Contract, new: Contract) -> Iterator[Change]:
    before = {rule.name: rule.sql for rule in old.rule}
    after = {rule.name: rule.sql for rule in new.rule}
    for name in before | after:
        if before.get(name) == after.get(name):
            continue
        if name in before and name in after:
            yield Change(f"rule {name!r}: {before[name]} → {after[name]}", [READERS, DATA],
                         "which rows it refuses has changed")  # fmt: skip
        else:
            yield _gained(f"rule {name!r} is {'added' if name in after else 'removed'}",
                          name in after, "rows come that it ruled out",
                          "rows that break it are now refused")  # fmt: skip
    for one in [*old.foreign_key, *new.foreign_key]:
        if (one in old.foreign_key) != (one in new.foreign_key):
            gained = one in new.foreign_key
            yield _gained(
                f"foreign key {', '.join(one.columns)} → {one.source} is "
                f"{'added' if gained else 'removed'}", gained,
                "values may come that the other source does not have", "such values are refused",
            )  # fmt: skip
