"""Rankings as an Outcomes table, a row for each query: from a flat table, or from TREC files.

A query's documents are in the order of their ids, ascending, so that of equal scores the later one
is the one that trec_eval puts first. A document that is not relevant and has no score of any model
changes nothing, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import DataError
from trackrecord.evaluation.checking import counted, rows_where, weights_of
from trackrecord.evaluation.room import check_room
from trackrecord.evaluation.trec import doubled_lines, is_trec_run, read_qrels, read_run

if TYPE_CHECKING:
    import polars as pl

__all__ = ["is_trec_run", "nest", "read_trec"]

UNANSWERED = "they count as 0 (trec_eval leaves them out, unless told -c)"


def nest(
    frame: pl.DataFrame,
    *,
    query: str,
    document: str | None,
    relevance: str,
    scores: dict[str, str],
    cluster: str | None = None,
    weight: str | None = None,
    slices: dict[str, str] | None = None,
    where: str = "the table",
) -> tuple[pl.DataFrame, list[str]]:
    """Outcomes of a flat table with a row for each query and document; and what is to be said.

    ``scores`` are the column of each model, ``slices`` that of each slice's name; what is of a
    query is the same in all its rows. A missing score says that the document was not retrieved, a
    missing relevance that nobody judged it. ``document`` None: documents have no names, and stand
    in the order of their rows.

    Raises DataError, with rows, for missing names, a document twice in a query, and for relevance
    or scores that are text or infinite; and where no query has a relevant document.
    """
    import polars as pl

    if frame.height == 0:
        raise DataError(f"{where} has no rows")
    if not scores:
        raise DataError(f"{where} has no scores")
    said: list[str] = []
    names = pl.int_range(frame.height, eager=True) if document is None else None
    long = pl.DataFrame(
        [
            _names_of(frame[query], "query", where),
            _names_of(frame[document], "document", where)
            if document is not None
            else names.alias("document"),  # type: ignore[union-attr]
            _relevance_of(frame[relevance], where, said),
            *(_score_of(frame[c], where).alias(f"score.{name}") for name, c in scores.items()),
        ]
    )
    if document is None:
        said.append("documents have no names: of equal scores the later row comes first")
    own = {"cluster": cluster, "weight": weight}
    columns = {role: column for role, column in own.items() if column is not None}
    columns |= {f"slice.{name}": column for name, column in (slices or {}).items()}
    outcomes = _nested(long, said, where, partial(_doubled_rows, long, where))
    if not columns:
        return outcomes, said
    facts = _facts(long["query"], frame, columns, where)
    joined = outcomes.join(facts, left_on="id", right_on="query", how="left", maintain_order="left")
    if weight is not None:
        weighed = weights_of(joined["weight"], f"{where}, by query")
        joined = joined.with_columns(weighed)
    return joined, said


def read_trec(qrels: Path, runs: dict[str, Path]) -> tuple[pl.DataFrame, list[str]]:
    """Outcomes of judgements and runs (a file for each model); and what is to be said.

    A document that nobody judged is not relevant. Raises DataError, with the file and line, for
    what is no run or no judgements.
    """
    import polars as pl

    for path in (qrels, *runs.values()):
        check_room(path)
    judged = read_qrels(qrels)
    said: list[str] = []
    truth = _floored(judged["relevance"].alias("truth"), said)
    judged = judged.select("query", "document").with_columns(truth)
    known = pl.Enum(judged["query"].unique().sort())
    long = judged.filter(pl.col("truth") > 0)
    names = {}
    for name, path in runs.items():
        run = read_run(path)
        names[f"score.{name}"] = path.name
        here = run["query"].cast(known, strict=False)
        if here.null_count():
            strange = run.filter(here.is_null())["query"].n_unique()
            said.append(
                f"{_queries(strange)} of {path.name} without judgements in {qrels.name}: left out"
            )
            run = run.filter(here.is_not_null())
        run = run.rename({"score": f"score.{name}"})
        long = long.join(run, on=["query", "document"], how="full", coalesce=True)
    long = long.with_columns(pl.col("truth").fill_null(0.0))

    def doubled(query: str, document: str) -> DataError:
        found = (doubled_lines(path, query, document) for path in runs.values())
        return next(error for error in found if error is not None)

    return _nested(long, said, qrels.name, doubled, judged["query"], names), said


def _nested(
    long: pl.DataFrame,
    said: list[str],
    where: str,
    doubled: Callable[[str, str], DataError],
    queries: pl.Series | None = None,
    names: dict[str, str] | None = None,
) -> pl.DataFrame:
    """A row for each query that has a relevant document; what is left out or missing is said.

    ``long`` has the columns query, document, truth and scores; ``queries`` are all that there are,
    and ``names`` what a column's model is called. ``doubled`` makes the error of a query's document
    that is there twice.
    """
    import polars as pl

    queries = (long["query"] if queries is None else queries).unique()
    kept = long.filter(pl.col("truth") > 0)["query"].unique().sort()
    if len(kept) == 0:
        raise DataError(
            f"no query of {where} has a relevant document",
            why="a relevance above 0 says that a document answers its query",
            next="judge documents for each query, 1 where they answer it",
        )
    if lost := len(queries) - len(kept):
        said.append(f"{_queries(lost)} without a relevant document: left out")
    scored = [c for c in long.columns if c.startswith("score.")]
    code = pl.col("query").cast(pl.Enum(kept), strict=False).to_physical().alias("code")
    flat = (
        long.with_columns(code)
        .filter(pl.col("code").is_not_null())
        .sort("code", "document")
        .select("code", "query", "document", "truth", *scored)
    )
    again = (flat["code"] == flat["code"].shift()) & (flat["document"] == flat["document"].shift())
    if again.any():
        raise doubled(*flat.filter(again).select("query", "document").row(0))
    counts = pl.any_horizontal(pl.col("truth") > 0, *(pl.col(c).is_not_null() for c in scored))
    nested = (
        flat.filter(counts)
        .group_by("code", maintain_order=True)
        .agg("truth", *scored)
        .with_columns(pl.Series("id", kept, dtype=pl.String))
        .select("id", "truth", *scored)
    )
    for column in scored:
        missing = int((nested[column].list.drop_nulls().list.len() == 0).sum())
        model = (names or {}).get(column, repr(column.removeprefix("score.")))
        if missing == nested.height:
            raise DataError(
                f"{model} has no document for any of the {nested.height:,} queries",
                why="so it answers nothing that was judged",
                next="see that both write queries in the same way",
            )
        if missing:
            said.append(f"{_queries(missing)} without any document of {model}: {UNANSWERED}")
    return nested


def _names_of(series: pl.Series, role: str, where: str) -> pl.Series:
    from trackrecord.data.kinds import as_text

    if lost := series.null_count():
        raise DataError(
            f"the {role} is missing in {counted(lost)}",
            where=f"{where}, {rows_where(series.is_null())}",
            next=f"write a {role} into {series.name!r} in each row, or leave these rows out",
        )
    return as_text(series).alias(role)


def _relevance_of(series: pl.Series, where: str, said: list[str]) -> pl.Series:
    """Float64 relevance, 0 where there is none."""
    import polars as pl

    numbers = _numbers(series, where, "relevance", "0 for none, 1 or more for relevant")
    if unjudged := numbers.null_count():
        said.append(f"{_documents(unjudged)} without a relevance: taken as not relevant")
    return _floored(numbers.fill_null(0.0), said).alias("truth").cast(pl.Float64)


def _score_of(series: pl.Series, where: str) -> pl.Series:
    """Float64 scores, null where a document was not retrieved."""
    return _numbers(series, where, "score", "the higher, the nearer to the top")


def _numbers(series: pl.Series, where: str, role: str, means: str) -> pl.Series:
    """Float64, null where missing or NaN. Raises DataError for text and infinity."""
    import polars as pl

    name = series.name
    plain = series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)
    if not plain and series.null_count() < len(series):
        wrong = series.cast(pl.String).cast(pl.Float64, strict=False).is_null()
        wrong = wrong & series.is_not_null() if wrong.any() else series.is_not_null()
        row = int(wrong.arg_true()[0])
        raise DataError(
            f"{name!r} holds no numbers",
            where=f"{where}, row {row + 1:,}: {str(series[row])[:60]!r}",
            why=f"a {role} is a number: {means}",
            next=f"write numbers into {name!r}, or name another column",
        )
    numbers = series.cast(pl.Float64, strict=False).fill_nan(None)
    infinite = numbers.is_infinite().fill_null(False)
    if infinite.any():
        raise DataError(
            f"{name!r} is infinite in {counted(int(infinite.sum()))}",
            where=f"{where}, {rows_where(infinite)}",
            why=f"a {role} is a finite number; where there is none, the field is empty",
        )
    return numbers


def _floored(relevance: pl.Series, said: list[str]) -> pl.Series:
    """Relevance below 0, which TREC has for spam, is 0, as it is for trec_eval."""
    if below := int((relevance < 0).sum()):
        said.append(f"{_documents(below)} of a relevance below 0: taken as not relevant")
    return relevance.clip(lower_bound=0.0)


def _doubled_rows(long: pl.DataFrame, where: str, query: str, document: str) -> DataError:
    same = (long["query"] == query) & (long["document"] == document)
    return DataError(
        f"the query {query[:60]!r} has the document {document[:60]!r} {int(same.sum())} times",
        where=f"{where}, {rows_where(same)}",
        why="a document stands at one place in a list, and is judged once",
        next="keep one of the rows",
    )


def _facts(
    query: pl.Series, frame: pl.DataFrame, columns: dict[str, str], where: str
) -> pl.DataFrame:
    """What is of a query: a row each. Raises DataError where its rows do not agree."""
    import polars as pl

    from trackrecord.data.kinds import as_text

    facts = pl.DataFrame(
        [query, *(frame[column].alias(role) for role, column in columns.items())]
    ).unique(maintain_order=True)
    doubled = facts["query"].is_duplicated()
    if doubled.any():
        one = facts["query"].filter(doubled)[0]
        mine = facts.filter(pl.col("query") == one)
        role = next(role for role in columns if mine[role].n_unique() > 1)
        several = ", ".join(repr(value)[:30] for value in mine[role].unique().head(3).to_list())
        raise DataError(
            f"the query {one[:60]!r} has more than one value of {columns[role]!r}",
            where=f"{where}: {several}",
            why=f"queries are what is measured, so a query has one {role.split('.')[0]}",
            next="write the same value into all rows of a query",
        )
    if "cluster" in columns:
        facts = facts.with_columns(as_text(facts["cluster"]))
    return facts


def _queries(count: int) -> str:
    return f"{count:,} query" if count == 1 else f"{count:,} queries"


def _documents(count: int) -> str:
    return f"{count:,} document" if count == 1 else f"{count:,} documents"
