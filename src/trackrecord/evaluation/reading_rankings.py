"""Tables of documents ranked for queries, and TREC files of the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import no_column
from trackrecord.evaluation.roles import (
    SCORE_NAMES,
    TRUTH_NAMES,
    Asked,
    ReadOutcomes,
    model_of,
    named,
    named_twice,
    places_of,
    said_of,
    taken_by,
)

if TYPE_CHECKING:
    import polars as pl

QUERY_NAMES = ("query", "query_id", "qid", "topic")
DOCUMENT_NAMES = (
    *("document", "doc", "doc_id", "document_id", "docid", "docno", "did"),
    *("item", "item_id", "passage", "passage_id", "corpus_id"),
)
RELEVANCE_NAMES = ("truth", "relevance", "rel", "grade", "qrel", *TRUTH_NAMES[1:])
SHAPE = (
    "a ranking has a row for each query and document: query, document, truth (its relevance, 0 for "
    "none) and score or score.NAME, empty where the document was not retrieved"
)


def read_rankings(raw: pl.DataFrame, where: str, asked: Asked) -> ReadOutcomes:
    """The Outcomes of a flat table: a row for each query.

    Raises DataError without queries, relevance or scores, and for values that are no numbers,
    naming rows.
    """
    from trackrecord.evaluation.queries import nest

    names = list(raw.columns)
    query = query_in(names, asked, where)
    document = document_in(names, asked, {query})
    held = {query, *([] if document is None else [document])}
    truth = relevance_in(names, asked, held, where)
    places = places_of(names, where, asked, truth=truth, held=held)
    scores, said = scores_in(raw, taken_by(places, list(raw.columns)), asked, where)
    frame, more = nest(
        raw,
        query=query,
        document=document,
        relevance=truth,
        scores=scores,
        cluster=places.optional.get("cluster"),
        weight=places.optional.get("weight"),
        slices=places.sliced,
        where=where,
    )
    used = {*held, *scores.values()}
    guesses = (
        [f"the column {query!r} names the query"] if query not in ("query", asked.query) else []
    )
    if document is not None and document not in ("document", asked.document):
        guesses.append(f"the column {document!r} names the document")
    guesses += [*said, *more]
    # a query is the unit, so that a row's own id says nothing
    plain = msgspec.structs.replace(asked, id=places.id)
    guesses += [g for g in said_of(names, places, plain, used) if "there is no id" not in g]
    baselines = list(scores)[: len(asked.baselines)]
    return ReadOutcomes(frame, guesses, baselines, places.slices, "ranking")


def query_in(names: list[str], asked: Asked, where: str) -> str:
    """The column that names queries. Raises DataError without one."""
    query = asked.query or named(names, QUERY_NAMES)
    if query is None:
        raise _without(no_column("query", names, where))
    if query not in names:
        raise no_column(query, names, where, option="--query")
    return query


def document_in(names: list[str], asked: Asked, held: set[str]) -> str | None:
    """The column that names documents, where there is one."""
    return asked.document or named([n for n in names if n not in held], DOCUMENT_NAMES)


def relevance_in(names: list[str], asked: Asked, held: set[str], where: str) -> str:
    """The column of how well a document answers. Raises DataError without one."""
    words = {*held, *asked.scores, *asked.baselines}
    truth = asked.target or named([n for n in names if n not in words], RELEVANCE_NAMES)
    if truth is None:
        raise _without(no_column("truth", names, where))
    return truth


def open_rankings(runs: list[Path], qrels: Path, asked: Asked) -> ReadOutcomes:
    """The Outcomes of TREC runs, a model each, called by its file, and their judgements.

    Baselines are the files of other runs.
    """
    from trackrecord.evaluation.queries import read_trec

    columns = ("target", "id", "cluster", "weight", "time", "series", "query", "document")
    for option in (*columns, "scores", "slices"):
        if getattr(asked, option) not in (None, []):
            option = option.removesuffix("s") if option in ("scores", "slices") else option
            raise BadInput(
                f"--{option} names a column of a table, and a TREC run has none",
                next=f"leave --{option} out, or give a table and no --qrels",
            )
    if asked.task not in (None, "ranking"):
        raise BadInput("--qrels is for rankings", next="leave --task out, or --qrels")
    baselines = [Path(one) for one in asked.baselines]
    files = model_files([*baselines, *runs])
    frame, said = read_trec(qrels, files)
    return ReadOutcomes(frame, said, list(files)[: len(baselines)], [], "ranking")


def model_files(runs: list[Path]) -> dict[str, Path]:
    """What the model of each run is called: as its file, numbered where that is not enough."""
    stems = [run.name.split(".")[0] or run.name for run in runs]
    if len(set(stems)) < len(stems):
        stems = [run.name for run in runs]
    if len(set(stems)) < len(stems):
        stems = ["a", "b", *map(str, range(3, len(runs) + 1))][: len(runs)]
    return dict(zip(stems, runs, strict=True))


def scores_in(
    raw: pl.DataFrame, taken: set[str], asked: Asked, where: str
) -> tuple[dict[str, str], list[str]]:
    """(the column of each model, what was guessed); baselines come before the models."""
    names = list(raw.columns)
    free = [c for c in names if c not in taken and not c.startswith("slice.")]
    chosen = []
    for word in [*asked.baselines, *asked.scores]:
        column = next((c for c in (word, f"score.{word}") if c in names), None)
        if column is None:
            raise no_column(word, names, where, option="--score")
        chosen.append(column)
    said = []
    if not asked.scores:
        rest = [c for c in free if c not in chosen]
        more = [c for c in rest if c.startswith("score.") and c != "score."]
        if not more:
            column = named(rest, SCORE_NAMES)
            if column is None:
                numbers = [c for c in rest if raw[c].dtype.is_float()]
                column = numbers[0] if len(numbers) == 1 else None
            if column is None:
                raise _without(no_column("score", names, where))
            if column != "score":
                said.append(f"the column {column!r} holds the scores")
            more = [column]
        chosen += more
    found: dict[str, str] = {}
    for column in chosen:
        if model_of(column) in found:
            raise named_twice(model_of(column))
        found[model_of(column)] = column
    return found, said


def _without(error: DataError) -> DataError:
    error.next = SHAPE
    return error
