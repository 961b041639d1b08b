"""Checks that published outcomes are the rows, and the truth, that were sealed before training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trackrecord.data.digest import scores_digest
from trackrecord.data.split import rfc3339, unit_digests
from trackrecord.errors import TrackrecordError
from trackrecord.portfolio.checking.evidence import Piece
from trackrecord.portfolio.checking.folder import Folder, Unreadable
from trackrecord.portfolio.checking.parquet import read_parquet
from trackrecord.portfolio.checking.report import Check, bad

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.cases.seal import SealedPart


def outcomes_subject(piece: Piece, name: str) -> tuple[str, str] | None:
    """(path, SHA-256) of the subject of ``piece`` whose file is called ``name``."""
    for path, digests in piece.subjects:
        if path.startswith("runs/") and path.rpartition("/")[2] == name and "sha256" in digests:
            return path, digests["sha256"]
    return None


def read_published(folder: Folder, path: str, digest: str) -> pl.DataFrame:
    """An outcomes table that is what the evidence says, byte for byte. Raises Unreadable."""
    found = folder.sha256(path)
    if found != digest:
        raise Unreadable(f"it is not the file that was evaluated: {found} instead of {digest}")
    frame = read_parquet(folder.root / path)
    _check_shape(frame)
    return frame


def _check_shape(frame: pl.DataFrame) -> None:
    from trackrecord.evaluation.outcomes import check_outcomes

    models = [c.removeprefix("score.") for c in frame.columns if c.startswith("score.")]
    stray = [
        name
        for name in frame.columns
        if name not in ("id", "truth", "cluster", "time")
        and not name.startswith(("score.", "slice."))
    ]
    if stray:
        raise Unreadable(f"it has a column that outcomes do not have: {stray[0]!r}")
    try:
        check_outcomes(frame, models, clustered=False)
    except TrackrecordError as error:
        raise Unreadable(f"{error.what}; {error.where or ''}") from None


def check_part(frame: pl.DataFrame, part: SealedPart, name: str, path: str) -> list[Check]:
    """The rows of one part against the seal: how many, which, and what came true."""
    if frame.height != part.rows:
        return [
            bad(
                "outcomes",
                f"it does not have as many rows as the {name} part that was sealed",
                path,
                f"{part.rows:,} rows",
                f"{frame.height:,} rows",
            )
        ]
    ids, truth = unit_digests(frame)
    if ids != part.ids:
        what = f"its ids are not those of the {name} part that was sealed"
        return [bad("outcomes", what, path, part.ids, ids)]
    if part.truth is not None and truth != part.truth:
        what = f"its truth is not that of the {name} part that was sealed"
        return [bad("outcomes", what, path, part.truth, truth)]
    return [*_positives(frame, part, name, path), *_span(frame, part, name, path)]


def _positives(frame: pl.DataFrame, part: SealedPart, name: str, path: str) -> Iterator[Check]:
    found = int(frame["truth"].sum())
    if part.positives is not None and part.positives != found:
        what = f"the seal says otherwise how many rows of the {name} part came true"
        yield bad("outcomes", what, path, part.positives, found)


def _span(frame: pl.DataFrame, part: SealedPart, name: str, path: str) -> Iterator[Check]:
    """The first and last time of a part, which the page shows, are those of its rows."""
    if "time" not in frame.columns or part.first is None or not frame["time"].dtype.is_temporal():
        return
    for what, sealed, moment in (
        ("first", part.first, frame["time"].min()),
        ("last", part.last, frame["time"].max()),
    ):
        found = rfc3339(moment)
        if found != sealed:
            yield bad(
                "outcomes",
                f"the {what} time of the {name} part was sealed otherwise",
                path,
                sealed,
                found,
            )


def check_scores(frame: pl.DataFrame, run: Piece, part: str, path: str) -> Iterator[Check]:
    """The scores are those that the run recorded, before any truth of the test was read."""
    recorded = run.predicate.scores.get(part)
    if recorded is None:  # an older run did not record them
        return
    found = scores_digest(frame)
    if found != recorded:
        what = f"its scores are not those that the run recorded for the {part} part"
        yield bad("outcomes", what, path, recorded, found)


def check_same_truth(
    frame: pl.DataFrame, path: str, sealed: pl.DataFrame, sealed_path: str
) -> list[Check]:
    """Units that stand in two outcomes tables have the same truth in both."""
    import polars as pl

    both = frame.select("id", pl.col("truth").alias("here")).join(
        sealed.select("id", "truth"), on="id", how="inner"
    )
    differing = both.filter(pl.col("here") != pl.col("truth"))
    if differing.height == 0:
        return []
    first: dict[str, Any] = differing.row(0, named=True)
    return [
        bad(
            "outcomes",
            f"{differing.height:,} units have another truth than in {sealed_path}",
            path,
            f"{first['id']}: {first['truth']}",
            f"{first['id']}: {first['here']}",
        )
    ]
