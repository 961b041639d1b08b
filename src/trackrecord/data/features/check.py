"""``trackrecord features check``: one row as millions, nothing from later, how old, how much."""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.data.features.asked import NEVER, asked_at, last_known
from trackrecord.data.features.build import read_rows
from trackrecord.data.features.look_ahead import (
    CUTS,
    Difference,
    LookAhead,
    Tally,
    differences,
    sample_cuts,
    shown,
)
from trackrecord.data.features.made import (
    features_at,
    histories_of,
    histories_of_all,
    keys_of,
    offline,
)
from trackrecord.data.features.online import OpenFeatures
from trackrecord.data.features.reading import own_times, reader, table_path, utc_text
from trackrecord.data.features.record import HOUR, Ages, ages_of, unmatched_share
from trackrecord.data.features.spec import Definition, Written
from trackrecord.data.named import built_table
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl

ROWS = 200
MOST = 100_000
# DuckDB adds up numbers in an order of its own, so that the last digits may differ.
CLOSE = 1e-9


class Parity(msgspec.Struct, frozen=True):
    """Rows made one by one against the same rows made together."""

    rows: int
    different: int
    first: list[Difference] = []


class Availability(msgspec.Struct, frozen=True):
    """Of so many features with an event, how many had one that happened, or was known, too late."""

    features: int
    late: int


class Staleness(msgspec.Struct, frozen=True):
    """How old a view's newest events are, and how many rows have none."""

    view: str
    rows: int
    unmatched: int
    share: float
    lo: float
    hi: float
    ages: Ages | None
    early: int = 0
    tied: int = 0
    timeless: int = 0
    keyless: int = 0
    said: bool = True


class FeaturesCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. ``built`` is None where nothing has been built."""

    name: str
    holds: bool
    parity: Parity
    look_ahead: LookAhead
    availability: Availability
    staleness: list[Staleness]
    built: Parity | None = None


def check(
    root: Path, written: Written, *, rows: int = ROWS, cuts: int = CUTS, seed: int = 0
) -> FeaturesCheck:
    """Check a definition on its own data.

    Parameters
    ----------
    rows:
        How many rows are made one by one: half of them real, half of a random entity and moment.
    cuts:
        At how many moments what came later is taken away.

    Raises DataError as :func:`build` does.
    """
    definition, plan = written.definition, written.plan
    draw = np.random.default_rng(seed)
    with written.blamed(), contextlib.ExitStack() as stack:
        path = table_path(root, definition.rows.table, "rows.table")
        frame = read_rows(path, written)
        keys = keys_of(frame, plan)
        asked = asked_at(own_times(frame, plan), plan.known_by, plan.timezone)
        if not (asked != NEVER).any():
            raise DataError("no row has a time", where=str(path))
        reads = [
            stack.enter_context(reader(root, view, one))
            for view, one in zip(definition.view.values(), plan.views, strict=True)
        ]
        events = [read(None) for read in reads]
        histories = histories_of(plan, [one.frame for one in events], keys)
        opened = OpenFeatures(plan, histories_of_all(plan, [one.frame for one in events]))
        parity, availability = _parity(written, histories, opened, frame, rows, draw)
        tolerance = close_features(definition, written)
        sample = sample_cuts(asked, cuts, seed)
        tally = Tally(keys)
        whole = np.unique(np.concatenate(sample.rows))
        made = _frame(features_at(histories, keys[_index(whole)], asked[whole]))
        for cut, chosen in zip(sample.cuts, sample.rows, strict=True):
            some_keys = keys[_index(chosen)]
            then = histories_of(plan, [read(cut).frame for read in reads], some_keys)
            again = _frame(features_at(then, some_keys, asked[chosen]))
            tally.add(made[_index(np.searchsorted(whole, chosen))], again, chosen, cut, tolerance)
        look = tally.result(len(sample.cuts))
        some = np.sort(draw.permutation(frame.height)[:MOST])
        _, ages = offline(plan, histories, frame[_index(some)])
        staleness = [
            _staleness(view.name, one, age, history.tied, view)
            for view, one, age, history in zip(plan.views, events, ages, histories, strict=True)
        ]
        built = _against_built(root, written, histories, frame, draw, tolerance)
    holds = not (parity.different or look.different or availability.late)
    holds = holds and not (built is not None and built.different)
    holds = holds and all(one.unmatched < one.rows for one in staleness)
    return FeaturesCheck(
        name=definition.name,
        holds=holds,
        parity=parity,
        look_ahead=look,
        availability=availability,
        staleness=staleness,
        built=built,
    )


def close_features(definition: Definition, written: Written) -> dict[str, float]:
    """Features whose view is SQL, which may round otherwise each time, and how near is the same."""
    return {
        take.name: CLOSE
        for view in written.plan.views
        if definition.view[view.name].sql is not None
        for take in view.takes
    }


def _parity(
    written: Written,
    histories: Any,
    opened: OpenFeatures,
    frame: pl.DataFrame,
    rows: int,
    draw: Any,
) -> tuple[Parity, Availability]:
    import polars as pl

    plan = written.plan
    times = own_times(frame, plan)
    some = draw.integers(0, frame.height, max(rows, 2))
    whose = frame[_index(some)]
    moments = times.gather(_index(some)).to_physical().to_numpy(writable=True)
    own = times.drop_nulls().to_physical()
    first, last = int(own.min() or 0), int(own.max() or 0)  # type: ignore[arg-type]
    half = len(some) // 2
    moments[:half] = draw.integers(first, last, half, endpoint=True)
    asked_for = whose.with_columns(
        pl.Series(plan.time, moments).cast(pl.Datetime("us", "UTC")).alias(plan.time)
    )
    kept = asked_for[plan.time].is_not_null()
    asked_for, some = asked_for.filter(kept), some[kept.to_numpy()]
    keys = keys_of(asked_for, plan)
    together, _ = offline(plan, histories, asked_for)
    asked = asked_at(own_times(asked_for, plan), plan.known_by, plan.timezone)
    found: list[Difference] = []
    different = features = late = 0
    for row, entity in enumerate(keys.iter_rows(named=True) if plan.keys else [{}] * len(asked)):
        micros = int(asked_for[plan.time].to_physical()[row])
        answer = opened.answer(entity, _datetime(micros))
        for name, value in answer.values.items():
            if (other := together[name][row]) != value:
                different += 1
                told = ", ".join(f"{key} {shown(one)}" for key, one in entity.items())
                found.append(
                    Difference(name, int(some[row]) + 1, told, utc_text(micros), shown(other),
                               shown(value))
                )  # fmt: skip
        known = int(last_known(asked)[row])
        for view in plan.views:
            if (event := answer.event[view.name]) is not None:
                features += len(view.takes)
                late += len(view.takes) * (max(event, answer.known[view.name] or event) > known)
    return Parity(len(asked), different, found[:20]), Availability(features, late)


def _staleness(name: str, events: Any, ages: Any, tied: int, view: Any) -> Staleness:
    matched = ages[ages >= 0]
    unmatched = len(ages) - len(matched)
    share, lo, hi = unmatched_share(unmatched, len(ages))
    return Staleness(
        name, len(ages), unmatched, share, lo, hi, ages_of((matched / HOUR).astype(np.float32)),
        events.early, tied, events.timeless, events.keyless,
        view.available is not None or view.delay > 0,
    )  # fmt: skip


def _against_built(
    root: Path, written: Written, histories: Any, frame: pl.DataFrame, draw: Any, tolerance: Any
) -> Parity | None:
    """Some rows of what was built against the same made now."""
    import polars as pl
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = built_table(root, written.definition.name)
    if not path.exists():
        return None
    names = [take.name for take in written.plan.takes]
    try:
        with pq.ParquetFile(path) as file:
            table: Any = pl.from_arrow(file.read(names))
    except (OSError, pa.ArrowException):
        table = None
    if table is None or table.height != frame.height or table.columns != names:
        return Parity(frame.height, frame.height * len(names))
    some = np.sort(draw.permutation(frame.height)[:MOST])
    made, _ = offline(written.plan, histories, frame[_index(some)])
    there = table[_index(some)].cast(dict(made.schema), strict=False)
    found = differences(there, made, tolerance)
    first = [
        Difference(
            name, int(some[row]) + 1, "", "", shown(there[name][row]), shown(made[name][row])
        )
        for row, name in found[:20]
    ]
    return Parity(len(some), len(found), first)


def _frame(taken: Any) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame([column for one in taken for column in one.columns])


def _index(rows: Any) -> pl.Series:
    import polars as pl

    return pl.Series(np.asarray(rows, np.int64))


def _datetime(micros: int) -> datetime.datetime:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return epoch + datetime.timedelta(microseconds=micros)
