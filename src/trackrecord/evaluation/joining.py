"""Predictions meet the truth: the one place where a part's Outcomes table is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.cases.spec import Case
from trackrecord.errors import DataError
from trackrecord.evaluation.slices import slice_names

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable


def join_outcomes(
    case: Case, table: CaseTable, parts: pl.Series, predictions: pl.DataFrame, part: str
) -> pl.DataFrame:
    """The Outcomes table of one part: a row per unit with truth, scores, cluster, time, slices.

    Raises DataError unless the predictions are of exactly this part's units, each once.
    """
    import polars as pl

    from trackrecord.data.kinds import as_text

    frame = table.frame.filter(parts == part)
    columns = [frame["id"], frame["truth"].cast(pl.Int8)]
    scores = predictions.filter(pl.col("part") == part).drop("part")
    _check_units(frame["id"], scores["id"], case, part)
    if case.data.time is not None:
        columns.append(frame[case.data.time].alias("time"))
    if case.evaluation.cluster is not None:
        columns.append(as_text(frame[case.evaluation.cluster]).alias("cluster"))
    for name in slice_names(case.evaluation.slices, frame.columns):
        columns.append(frame[name].alias(f"slice.{name}"))
    return pl.DataFrame(columns).join(scores, on="id", how="left", maintain_order="left")


def _check_units(units: pl.Series, predicted: pl.Series, case: Case, part: str) -> None:
    again = f"trackrecord run {case.name}"
    if predicted.n_unique() != len(predicted):
        doubled = predicted.filter(predicted.is_duplicated()).unique(maintain_order=True)
        raise DataError(
            f"the run predicted some units of the {part} part twice",
            where=_examples(doubled),
            next=again,
        )
    missing = units.filter(~units.is_in(predicted.implode()))
    unknown = predicted.filter(~predicted.is_in(units.implode()))
    if len(missing) or len(unknown):
        raise DataError(
            f"the run's predictions are not of the {part} part's units",
            where=_examples(missing if len(missing) else unknown),
            why=f"{len(missing):,} of {len(units):,} units have no prediction, and "
            f"{len(unknown):,} predictions have no unit",
            next=again,
        )


def _examples(ids: pl.Series) -> str:
    shown = ", ".join(repr(str(value)[:60]) for value in ids.head(3).to_list())
    return f"id{'s' if len(ids) > 1 else ''} {shown}{', …' if len(ids) > 3 else ''}"
