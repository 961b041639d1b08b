"""Gives each unit a part – train, validation, test or none – and digests who is where."""

from __future__ import annotations

import datetime
import hashlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Case, GroupSplit, Part, RandomSplit, Split, TimeSplit
from trackrecord.data.blame import KeyedDataError
from trackrecord.data.kinds import as_text

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable

PARTS = ("train", "validation", "test")


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

    ``time``: by the calendar day of ``data.time`` in ``data.timezone``. ``random`` and ``group``:
    by the first 53 bits of SHA-256 of seed and id (or group) as a share of one – below ``test``
    is test, below ``test + validation`` is validation, the rest train – so that a unit stays where
    it is when rows come and go.

    Raises
    ------
    KeyedDataError
        When spans overlap, shares leave nothing to train on, or a part is empty.
    """
    import polars as pl

    split = case.split if split is None else split
    parts = _by_time(frame, case, split) if isinstance(split, TimeSplit) else _by_hash(frame, split)
    counts = {name: int((parts == name).sum()) for name in PARTS}
    for name, rows in counts.items():
        if rows == 0:
            raise KeyedDataError(
                f"the {name} part is empty",
                key=f"split.{name}",
                where=f"split in the case '{case.name}'",
                why=_span(frame, case)
                if isinstance(split, TimeSplit)
                else f"{frame.height:,} rows are too few, or its share is too small",
                next="change the spans or shares so that each part has rows",
            )
    return parts.cast(pl.String).alias("part")


def split_spans(split: TimeSplit) -> dict[str, tuple[datetime.date, datetime.date]]:
    """First and last day of each part, checked to be dates in order that do not overlap.

    Raises KeyedDataError at a key such as ``split.train.first``.
    """
    spans = {}
    for name in PARTS:
        part: Part = getattr(split, name)
        days = []
        for end in ("first", "last"):
            text = getattr(part, end)
            try:
                days.append(datetime.date.fromisoformat(text))
            except ValueError:
                raise KeyedDataError(
                    f"{text} is not a day of the calendar", key=f"split.{name}.{end}"
                ) from None
        if days[0] > days[1]:
            raise KeyedDataError(
                f"the {name} part ends before it begins: {days[0]} to {days[1]}",
                key=f"split.{name}",
            )
        spans[name] = (days[0], days[1])
    for (one, a), (other, b) in pairwise(sorted(spans.items(), key=lambda item: item[1])):
        if b[0] <= a[1]:
            raise KeyedDataError(
                f"the parts {one} ({a[0]} to {a[1]}) and {other} ({b[0]} to {b[1]}) overlap",
                key=f"split.{other}",
                why="both ends are inclusive, and a row in two parts is trained on and tested on",
                next=f"let {other} begin after {a[1]}",
            )
    return spans


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


def _by_time(frame: pl.DataFrame, case: Case, split: TimeSplit) -> pl.Series:
    import polars as pl

    spans = split_spans(split)
    if case.data.time is None:
        raise KeyedDataError(
            "a split by time needs data.time",
            key="split",
            where=f"split in the case '{case.name}'",
            next="name the time column under [data], or split at random",
        )
    day = pl.lit(frame[case.data.time].dt.convert_time_zone(case.data.timezone).dt.date())
    chain: Any = pl.when(day.is_between(*spans["train"])).then(pl.lit("train"))
    for name in PARTS[1:]:
        chain = chain.when(day.is_between(*spans[name])).then(pl.lit(name))
    return pl.select(chain.otherwise(None))[:, 0]


def _by_hash(frame: pl.DataFrame, split: RandomSplit | GroupSplit) -> pl.Series:
    import numpy as np
    import polars as pl

    if split.test + split.validation >= 1:
        raise KeyedDataError(
            f"test {split.test:g} and validation {split.validation:g} leave nothing to train on",
            key="split",
            next="let both shares together stay below 1",
        )
    if isinstance(split, RandomSplit):
        keys = frame["id"]
    else:
        if split.by not in frame.columns:
            raise KeyedDataError(f"there is no column {split.by!r} to split by", key="split.by")
        # A unit without a group is a group of its own.
        groups, ids = as_text(frame[split.by]), frame["id"]
        keys = pl.select(pl.coalesce("group:" + groups, "unit:" + ids))[:, 0]
    unique = keys.unique()
    hashed = (f"{split.seed}\n" + unique).cast(pl.Binary).to_list()
    first = b"".join([hashlib.sha256(key).digest()[:8] for key in hashed])
    share = pl.lit(pl.Series(np.frombuffer(first, ">u8").astype("u8") >> 11) / (1 << 53))
    part = (
        pl.when(share < split.test)
        .then(pl.lit("test"))
        .when(share < split.test + split.validation)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )
    return keys.replace_strict(unique, pl.select(part)[:, 0])


def _span(frame: pl.DataFrame, case: Case) -> str:
    times = frame[case.data.time or ""].dt.convert_time_zone(case.data.timezone)
    days = times.dt.date().drop_nulls().sort()
    return f"the data runs from {days[0]} to {days[-1]}" if len(days) else "no row has a time"
