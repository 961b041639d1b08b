"""Ids, and the order of the rows in the file, that tell the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.data.leakage.scores import (
    Area,
    area_of,
    as_codes,
    as_numbers,
    by_values,
    turned,
)
from trackrecord.data.leakage.sign import Sign, Verdict, looks_for
from trackrecord.data.leakage.world import World

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

LARGE = 0.6
REACH = 10
FOLLOWS = 0.9


@looks_for(
    "an order of the rows that tells the target",
    kind="L2",
    needs="classes of ten rows and more",
)
def row_order(world: World) -> Iterator[Sign]:
    """ROC area of the mean target of the ten rows before and after, and of the row's number."""
    few = world.sample
    if not few.views:
        return
    rows = np.arange(few.train.height, dtype=float)
    areas = []
    for view in few.views:
        near = area_of(_around(view.truth), view.truth, "its neighbours in the file")
        # A mean that leaves its own row out leans the other way: below one half is no sign.
        near = near._replace(p=near.p if near.value > 0.5 else 1.0)
        areas.append(max(near, turned(area_of(rows, view.truth, "its number in the file"))))
    area = _largest(areas)
    yield _sign(
        area,
        [],
        few.train.height,
        f"a row's target can be told from {area.how}",
        "shuffle the rows before anything that depends on their order (folds without shuffling, "
        "row numbers as features)",
        _verdict(world, rows),
    )


@looks_for(
    "ids that tell the target",
    kind="L2",
    needs="an id column",
)
def ids(world: World) -> Iterator[Sign]:
    """ROC area of the id's number, and of its beginning and end as values."""
    few = world.sample
    if world.id is None or not few.views:
        return
    column = few.train[world.id]
    numbers = _number_of(column)
    pieces = _pieces(column)
    areas = []
    for view in few.views:
        found = [by_values(as_codes(piece), view.truth)._replace(how=how) for how, piece in pieces]
        if numbers is not None:
            found.append(turned(area_of(numbers, view.truth, "its number")))
        areas.append(max(found))
    area = _largest(areas)
    yield _sign(
        area,
        [world.id],
        few.train.height,
        f"the id {world.id!r} tells the target by {area.how}",
        "give ids that mean nothing, and keep them out of the features",
        _verdict(world, numbers) if numbers is not None else "suspect",
        tests=len(pieces) + 1,
    )


def _sign(
    area: Area, columns: list[str], n: int, what: str, fix: str, verdict: Verdict, tests: int = 2
) -> Sign:
    return Sign(
        columns=columns,
        measure="ROC AUC",
        value=area.value,
        lo=area.lo,
        hi=area.hi,
        n=n,
        p=min(1.0, area.p * tests),
        large=area.lo > LARGE,
        verdict=verdict,
        what=f"{what}; they follow time or groups, so it need not be a leak"
        if verdict == "note"
        else what,
        fix=fix,
    )


def _largest(areas: list[Area]) -> Area:
    """The area of the class that is told best; p times their number."""
    best = max(areas, key=lambda area: area.lo)
    return best._replace(p=min(1.0, best.p * len(areas)))


def _around(truth: NDArray[np.int8]) -> NDArray[np.float64]:
    """The mean of up to ten rows on each side, without the row itself."""
    total = np.concatenate([[0.0], np.cumsum(truth, dtype=float)])
    row = np.arange(truth.size)
    first, last = np.maximum(0, row - REACH), np.minimum(truth.size, row + REACH + 1)
    mean: NDArray[np.float64] = (total[last] - total[first] - truth) / np.maximum(
        1, last - first - 1
    )
    return mean


def _verdict(world: World, order: NDArray[np.float64]) -> Verdict:
    """A note where the order is that of time or of declared groups, which is a known thing."""
    few = world.sample.train
    known = [name for name in [world.time, *world.group] if name is not None]
    known += [name for name in world.plain if few[name].dtype.is_temporal()]
    for name in known:
        codes = few[name].rank("dense").fill_null(0).to_numpy().astype(float)
        if codes.std() == 0 or order.std() == 0:
            continue
        placed = np.argsort(np.argsort(order, kind="stable"), kind="stable").astype(float)
        if abs(float(np.corrcoef(codes, placed)[0, 1])) > FOLLOWS:
            return "note"
        changes = float((np.diff(codes[np.argsort(order, kind="stable")]) != 0).mean())
        if changes < 0.5:
            return "note"
    return "suspect"


def _number_of(column: pl.Series) -> NDArray[np.float64] | None:
    """The id as a number, or the last number that is written in it."""
    import polars as pl

    numbers = as_numbers(column)
    if numbers is None and column.dtype == pl.String:
        numbers = as_numbers(column.str.extract(r"(\d+)\D*$").cast(pl.Float64, strict=False))
    if numbers is None or np.isnan(numbers).all():
        return None
    return np.nan_to_num(numbers, nan=float(np.nanmedian(numbers)))


def _pieces(column: pl.Series) -> list[tuple[str, pl.Series]]:
    import polars as pl

    text = column.cast(pl.String, strict=False)
    pieces = [
        ("its first letter", text.str.slice(0, 1)),
        ("its first three letters", text.str.slice(0, 3)),
        ("its last letter", text.str.slice(-1)),
    ]
    return [(how, piece.fill_null("")) for how, piece in pieces]
