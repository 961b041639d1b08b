"""One pass over a table that counts what breaks every rule and keeps the rows that do.

The table comes by in pieces of a few row groups, each decoded once, however many rules there are:
masks, counts, offending rows and their quarantine are all made of it.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from trackrecord.data.contract.offenders import ROW, Offenders, quarantine_file
from trackrecord.data.contract.rules import Rule, typed
from trackrecord.data.contract.spec import Contract
from trackrecord.data.profile.scan import Scanned, named
from trackrecord.data.sources import damaged, sniff
from trackrecord.errors import DataError

if TYPE_CHECKING:
    import polars as pl

# Decoded values of a piece: 16 MB of numbers, whatever the number of columns.
PIECE_CELLS = 1 << 21
Frame = TypeVar("Frame", "pl.LazyFrame", "pl.DataFrame")


class Swept(NamedTuple):
    """Rule name to the rows that break it, and the newest value of the column that was asked."""

    broken: dict[str, Offenders]
    newest: Any


def sweep(contract: Contract, table: Scanned, rules: list[Rule], quarantine: Path | None) -> Swept:
    """The rows of ``table`` that break each of ``rules``.

    A rule that lets a share of the rows break it has them counted; only where they are too many
    does a pass of its own gather them.

    Raises
    ------
    DataError
        For a rule that the values make fail, and for a file that is damaged.
    """
    newest = contract.freshness.column if contract.freshness is not None else None
    found = _pass(contract, table, rules, quarantine, newest)
    many = [r for r in rules if found.broken[r.name].failed > r.limit * table.rows > 0]
    if many:
        strict = [rule._replace(limit=0.0) for rule in many]
        found.broken.update(_pass(contract, table, strict, quarantine, None).broken)
    return found


def fitted(contract: Contract, schema: dict[str, pl.DataType], frame: Frame) -> Frame:
    """The columns in the declared types, times without an offset, as SQL writes them."""
    import polars.selectors as cs

    retyped = frame.with_columns(
        value
        for name, terms in contract.columns.items()
        if name in schema and (value := typed(name, schema[name], terms.type)) is not None
    )
    return retyped.with_columns(cs.datetime(time_zone="*").dt.replace_time_zone(None))


def _pass(
    contract: Contract,
    table: Scanned,
    rules: list[Rule],
    quarantine: Path | None,
    newest: str | None,
) -> Swept:
    schema = dict(table.canonical().collect_schema())
    read = {name for rule in rules for name in rule.columns} | {newest}
    some = {n: kind for n, kind in schema.items() if n in read or (rules and quarantine)}
    last, start = None, 0
    with contextlib.ExitStack() as stack:
        found: dict[str, Offenders] = {}
        for rule in rules:
            path = None
            if quarantine is not None and not rule.limit:
                path = quarantine_file(quarantine, contract.name, rule.name)
            found[rule.name] = stack.enter_context(Offenders(rule.columns, path))
        for batch in _batches(table, list(some)):
            in_types = fitted(contract, some, batch)
            for rule, rows in _broken(rules, batch, in_types, start):
                if rule.limit:
                    found[rule.name].failed += len(rows)
                    continue
                wide = batch if quarantine is not None else batch.select(map(named, rule.columns))
                found[rule.name].add(wide[rows].insert_column(0, (rows + start).alias(ROW)))
            if newest in some:
                there = [v for v in (last, in_types[str(newest)].max()) if v is not None]
                last = max(there, default=None)
            start += batch.height
        for one in found.values():
            one.keep()
    return Swept(found, last)


def _batches(table: Scanned, names: list[str]) -> Iterator[pl.DataFrame]:
    """The columns in canonical form, piece by piece."""
    import polars as pl

    frame = table.canonical().select(map(named, names))
    start = 0
    for end in _ends(table, max(1, PIECE_CELLS // max(1, len(names)))) if names else ():
        try:
            yield frame.slice(start, end - start).collect()
        except pl.exceptions.PolarsError as error:
            raise damaged(table.path, "parquet", error) from None
        start = end


def _ends(table: Scanned, size: int) -> Iterator[int]:
    """Where pieces of at least ``size`` rows end: with a row group, which is decoded whole."""
    import pyarrow.parquet as pq

    ends: Iterable[int] = range(size, table.rows, size)
    if sniff(table.path) == "parquet":
        with pq.ParquetFile(table.path) as file:
            groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        ends = itertools.accumulate(groups)
    last = 0
    for end in ends:
        if end - last >= size:
            yield end
            last = end
    if last < table.rows:
        yield table.rows


def _broken(
    rules: list[Rule], batch: pl.DataFrame, in_types: pl.DataFrame, start: int
) -> Iterator[tuple[Rule, pl.Series]]:
    """Each rule that rows of this batch break, and their numbers in it."""
    import polars as pl

    masks = pl.concat(
        [_masks([r for r in rules if r.over == "stored"], batch),
         _masks([r for r in rules if r.over == "typed"], in_types)],
        how="horizontal",
    )  # fmt: skip
    counts = masks.select(pl.all().sum()).row(0) if masks.width else ()
    broken = dict(zip(masks.columns, counts, strict=True))
    for rule in rules:
        if isinstance(rule.broken, pl.Series):
            first = rule.broken.search_sorted(start)
            after = rule.broken.search_sorted(start + batch.height)
            if first < after:
                yield rule, rule.broken.slice(first, after - first) - start
        elif broken[rule.name]:
            yield rule, masks[rule.name].arg_true()


def _masks(rules: list[Rule], batch: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    asked = {rule.name: rule.broken for rule in rules if not isinstance(rule.broken, pl.Series)}
    try:
        return batch.select(**asked)
    except pl.exceptions.PolarsError:
        for rule in rules:
            try:
                batch.select(rule.broken)
            except pl.exceptions.PolarsError as error:
                # What only the values make fail.
                raise DataError(
                    f"{rule.name} cannot be worked out on this table",
                    where=rule.asks,
                    why=str(error).strip().splitlines()[0][:200],
                    next="correct the rule in the contract",
                ) from None
        raise
