"""Two rankings of the same queries, put side by side: documents that only one retrieved count."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import no_column
from trackrecord.evaluation.pairing import Paired, Pairing, Unmatched, model_names, unmatched
from trackrecord.evaluation.reading_rankings import (
    document_in,
    open_rankings,
    query_in,
    read_rankings,
    relevance_in,
    scores_in,
)
from trackrecord.evaluation.roles import Asked, model_of

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 3


def pair_runs(paths: tuple[Path, Path], qrels: Path, asked: Asked) -> Paired:
    """Two TREC runs with their judgements; every judged query counts for both."""
    import dataclasses

    read = open_rankings([paths[1], paths[0]], qrels, asked)
    names = [c.removeprefix("score.") for c in read.frame.columns if c.startswith("score.")]
    b, a = names
    none = Unmatched(0, [])
    return Paired(
        dataclasses.replace(read, baselines=[b]),
        Pairing(a=a, b=b, shared=read.frame.height, only_a=none, only_b=none),
    )


def pair_rankings(
    raw: tuple[pl.DataFrame, pl.DataFrame],
    files: tuple[str, str],
    asked: Asked,
    scores: list[str],
) -> Paired:
    """Two flat tables, a row for each query and document, on the queries that both have.

    A document that only one file has was not retrieved by the other. Raises DataError where they
    share no query, name no documents, or disagree on a document's relevance.
    """
    import polars as pl

    sides, models, guesses = [], [], []
    for index in (0, 1):
        mine = msgspec.structs.replace(asked, scores=scores[min(index, len(scores) - 1) :][:1])
        side, model, said = _side(raw[index], files[index], mine)
        sides.append(side)
        models.append(model)
        guesses += [f"{files[index]}: {text}" for text in said]
    stems = (Path(files[0]).stem, Path(files[1]).stem)
    names = model_names(*stems, *models)
    only = [
        one["query"].unique(maintain_order=True).filter(
            ~one["query"].unique(maintain_order=True).is_in(other["query"].unique().implode())
        )
        for one, other in (sides, sides[::-1])
    ]  # fmt: skip
    left, right = (
        side.filter(~pl.col("query").is_in(gone.implode()))
        for side, gone in zip(sides, only, strict=True)
    )
    if left.height == 0:
        raise DataError(
            f"{files[0]} and {files[1]} share no query",
            why="rankings are compared on the same queries",
            next="name the column that both files call their queries by: --query COL",
        )
    joined = left.join(
        right, on=["query", "document"], how="full", coalesce=True, suffix=" of b",
        maintain_order="left_right",
    )  # fmt: skip
    _check_relevance(joined, files)
    flat = joined.select(
        "query",
        "document",
        pl.coalesce("truth", "truth of b").alias("truth"),
        pl.col("score of b").alias(f"score.{names[1]}"),
        pl.col("score").alias(f"score.{names[0]}"),
    )
    read = read_rankings(flat, "the two files", Asked(task="ranking", baselines=[names[1]]))
    from dataclasses import replace

    return Paired(
        replace(read, guesses=[*guesses, *read.guesses]),
        Pairing(
            a=names[0], b=names[1], shared=left["query"].n_unique(),
            only_a=unmatched(only[0]), only_b=unmatched(only[1]),
        ),
    )  # fmt: skip


def _side(raw: pl.DataFrame, file: str, asked: Asked) -> tuple[pl.DataFrame, str, list[str]]:
    """(query, document, truth and score of one file; its model's name; what was guessed)."""
    import polars as pl

    from trackrecord.data.kinds import as_text

    query = query_in(list(raw.columns), asked, file)
    document = document_in(list(raw.columns), asked, {query})
    if document is None:
        raise DataError(
            f"{file} has no column of documents",
            why="two rankings are compared document by document",
            next="name it: --document COL",
        )
    truth = relevance_in(list(raw.columns), asked, {query, document}, file)
    found, said = scores_in(raw, {query, document, truth}, asked, file)
    if len(found) > 1:
        raise DataError(
            f"{file} has the scores of {len(found)} models",
            why=", ".join(list(found)[:8]),
            next=f"name one: --score {list(found)[-1]}",
        )
    model, column = next(iter(found.items()))
    names = [as_text(raw[query]).alias("query"), as_text(raw[document]).alias("document")]
    side = pl.DataFrame([*names, raw[truth].alias("truth"), raw[column].alias("score")])
    for name in ("query", "document"):
        if side[name].null_count():
            raise no_column(name, list(raw.columns), file)
    doubled = side.select("query", "document").is_duplicated()
    if doubled.any():
        first = side.filter(doubled).row(0, named=True)
        raise DataError(
            f"{file} has a document twice for one query",
            where=f"{file}: {first['document'][:60]!r} for {first['query'][:60]!r}",
            next="keep one row of each query and document",
        )
    return side, model_of(model), said


def _check_relevance(joined: pl.DataFrame, files: tuple[str, str]) -> None:
    import polars as pl

    both = joined.filter(
        pl.col("truth").is_not_null()
        & pl.col("truth of b").is_not_null()
        & (pl.col("truth") != pl.col("truth of b"))
    )
    if both.height:
        first = both.row(0, named=True)
        raise DataError(
            f"the two files disagree on the relevance of {both.height:,} documents",
            where=f"{files[0]} and {files[1]}: {first['document'][:60]!r} for "
            f"{first['query'][:60]!r} {first['truth']} and {first['truth of b']}",
            why="both models must be measured against the same truth",
            next="find out which file is right, and write both again from it",
        )
