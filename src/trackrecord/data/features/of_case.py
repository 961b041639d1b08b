"""The features of a case whose data were built by a definition, made again of what was known."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.cases.spec import Case
from trackrecord.data.features.asked import asked_at
from trackrecord.data.features.check import close_features
from trackrecord.data.features.look_ahead import CUTS, LookAhead, Tally, sample_cuts
from trackrecord.data.features.made import features_at, histories_of, keys_of
from trackrecord.data.features.reading import own_times, reader
from trackrecord.data.features.spec import Written, definition_file, read_definition
from trackrecord.data.table import CaseTable

if TYPE_CHECKING:
    import polars as pl


def recomputation(
    case: Case, table: CaseTable, root: Path, *, cuts: int = CUTS, seed: int = 0
) -> Callable[[], LookAhead] | None:
    """What makes the case's features again; None where its data are no built features.

    The values that the case has are held against those made of what was known: a definition that
    looks ahead shows, and so does a table that was changed after it was built. Calling it raises
    DataError where the tables of the definition are not what it says.
    """
    path = PurePosixPath(case.data.path)
    if path.parent.as_posix() != "data/built" or path.suffix != ".parquet":
        return None
    if not definition_file(root, path.stem).is_file():
        return None
    written = read_definition(root, path.stem)
    return lambda: _made_again(root, written, case, table.frame, cuts, seed)


def _made_again(
    root: Path, written: Written, case: Case, frame: pl.DataFrame, cuts: int, seed: int
) -> LookAhead:
    import polars as pl

    definition, plan = written.definition, written.plan
    names = [take.name for take in plan.takes if take.name in case.features]
    with written.blamed(), contextlib.ExitStack() as stack:
        keys = keys_of(frame, plan)
        asked = asked_at(own_times(frame, plan), plan.known_by, plan.timezone)
        sample = sample_cuts(asked, cuts, seed)
        reads = [
            stack.enter_context(reader(root, view, one))
            for view, one in zip(definition.view.values(), plan.views, strict=True)
        ]
        tally, tolerance = Tally(keys), close_features(definition, written)
        for cut, chosen in zip(sample.cuts, sample.rows, strict=True):
            index = pl.Series(np.asarray(chosen, np.int64))
            histories = histories_of(plan, [read(cut).frame for read in reads], keys[index])
            taken = features_at(histories, keys[index], asked[chosen])
            again = pl.DataFrame([column for one in taken for column in one.columns])
            there = frame.select(names)[index]
            kinds = again.select(names).schema
            tally.add(there.cast(kinds, strict=False), again.select(names), chosen, cut, tolerance)
    return tally.result(len(sample.cuts))
