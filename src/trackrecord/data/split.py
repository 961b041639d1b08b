"""Gives each unit a part – train, validation, test or none – and digests who is where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Case, Split, TimeSplit
from trackrecord.cases.split_kinds import ForwardSplit, GroupTimeSplit, RollingSplit
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.splits.calendar import PARTS
from trackrecord.data.splits.recipe import Roles, divide

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable

BY_TIME = (TimeSplit, ForwardSplit, GroupTimeSplit, RollingSplit)


class PartDigest(msgspec.Struct, frozen=True):
    """One part: counts, first and last time (RFC 3339), digests of its ids and ids with truth."""

    rows: int
    positives: int
    first: str | None
    last: str | None
    ids: str
    truth: str


class SplitDigest(msgspec.Struct, frozen=True):
    """All parts; ``digest`` is over the ids of each part, without any truth."""

    kind: str
    parts: dict[str, PartDigest]
    digest: str


def assign_parts(frame: pl.DataFrame, case: Case, split: Split | None = None) -> pl.Series:
    """A String series "part", aligned with ``frame``; null for rows that belong to no part.

    What each kind of split does is in ``data.splits``. Of kinds with folds these are the parts of
    one: the last of a rolling origin, the first outer fold of a nested split.

    Raises
    ------
    KeyedDataError
        When spans overlap, shares leave nothing to train on, or a part is empty.
    """
    split = case.split if split is None else split
    with told_of(case):
        parts = divide(frame, split, roles_of(case)).parts
    counts = {name: int((parts == name).sum()) for name in PARTS}
    for name, rows in counts.items():
        if rows == 0:
            raise KeyedDataError(
                f"the {name} part is empty",
                key=f"split.{name}",
                where=f"split in the case '{case.name}'",
                why=_span(frame, case)
                if case.data.time and isinstance(split, BY_TIME)
                else f"{frame.height:,} rows are too few, or its share is too small",
                next="change the spans or shares so that each part has rows",
            )
    return parts


def roles_of(case: Case) -> Roles:
    """Which column of a case's table is what, for a split."""
    return Roles(unit="id", time=case.data.time, timezone=case.data.timezone, target="truth")


@contextmanager
def told_of(case: Case) -> Iterator[None]:
    """Errors of the block say that they are about this case's split."""
    try:
        yield
    except KeyedDataError as error:
        error.where = error.where or f"split in the case '{case.name}'"
        raise


def split_digest(table: CaseTable, parts: pl.Series, case: Case) -> SplitDigest:
    """Counts and digests of each part; those of its rows are :func:`unit_digests`."""
    import polars as pl

    frame = table.frame.select(
        "id",
        "truth",
        parts.alias("part"),
        (pl.col(case.data.time) if case.data.time else pl.lit(None)).alias("time"),
    )
    found: dict[str, PartDigest] = {}
    whole = hashlib.sha256()
    for name in PARTS:
        rows = frame.filter(pl.col("part") == name)
        ids, truth = unit_digests(rows)
        whole.update(f"{name} {rows.height} {ids}\n".encode())
        found[name] = PartDigest(
            rows=rows.height,
            positives=int(rows["truth"].sum()),
            first=rfc3339(rows["time"].min()),
            last=rfc3339(rows["time"].max()),
            ids=ids,
            truth=truth,
        )
    kind = str(msgspec.to_builtins(case.split)["kind"])
    return SplitDigest(kind=kind, parts=found, digest=whole.hexdigest())


def unit_digests(rows: pl.DataFrame) -> tuple[str, str]:
    """SHA-256 over the ids of a part, and over its ids with their truth.

    Ids are sorted by code point, each as ``<bytes> <id>\\n`` with its length in UTF-8 bytes before
    it; with truth it is ``<bytes> <id> <0|1>\\n``.
    """
    import polars as pl

    rows = rows.sort("id")  # by bytes of UTF-8, which is by code point
    unit = pl.format("{} {}", pl.col("id").str.len_bytes(), "id")
    ids, truth = (
        hashlib.sha256(rows.select(line.str.join("")).item().encode()).hexdigest()
        for line in (pl.format("{}\n", unit), pl.format("{} {}\n", unit, "truth"))
    )
    return ids, truth


def rfc3339(moment: Any) -> str | None:
    """A moment in UTC as the seal writes it, to the second; None where there is none."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(frame: pl.DataFrame, case: Case) -> str:
    times = frame[case.data.time or ""].dt.convert_time_zone(case.data.timezone)
    days = times.dt.date().drop_nulls().sort()
    return f"the data runs from {days[0]} to {days[-1]}" if len(days) else "no row has a time"
