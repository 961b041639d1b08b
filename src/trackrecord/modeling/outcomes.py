"""Another program's predictions, taken in for a model that the case names.

The file has ``id`` (or the unit's own column name) and ``score``, or ``score.NAME`` for each
model. Every unit of validation and test needs one; rows of the training part are passed over.
Other columns are not read: a truth beside the scores would be the program's, not the case's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.cases.spec import Case
from trackrecord.data.kinds import as_text, kind_of
from trackrecord.data.sources import read_table
from trackrecord.errors import CaseError, DataError, suggest
from trackrecord.ledger.store import file_sha256

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.data.table import CaseTable

ASKED = ("validation", "test")
SHAPE = "write a table with the columns id and score: the probability of a positive"


class GivenFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file that predictions came in: its name, its bytes' SHA-256, and its rows."""

    name: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Given:
    """Predictions from elsewhere: id and ``score.NAME`` for exactly the units that are asked."""

    scores: pl.DataFrame
    file: GivenFile


def read_given(
    path: Path, case: Case, table: CaseTable, parts: pl.Series, *, model: str | None = None
) -> Given:
    """Read and check a file of predictions.

    Parameters
    ----------
    path:
        Parquet, CSV, TSV or Arrow IPC.
    model:
        Whose predictions a single ``score`` column has. May be left out where the case has only
        one model that is made elsewhere.

    Raises
    ------
    CaseError
        For a model that the case does not have, or that the case says is trained here.
    DataError
        For a file that cannot be read, columns that are missing or misspelt, ids that are
        missing, doubled or unknown, and scores that are no probabilities.
    """
    import polars as pl

    outside = _made_elsewhere(case, model)
    where = path.name
    raw = read_table(path)
    id_column = _id_column(raw.columns, case.data.unit, where)
    columns = _score_columns(raw.columns, case, outside, model, where)
    if kind_of(table.frame[case.data.unit]) == "string" and kind_of(raw[id_column]) != "string":
        # Ids are read as the case's own were: where those are text, "007" is not 7.
        raw = read_table(path, {id_column: "string"})
    ids = _ids(raw[id_column], where)
    scores = [_score(raw[column], where).alias(f"score.{name}") for name, column in columns.items()]
    frame = pl.DataFrame([ids, *scores])
    wanted = table.frame.select("id").with_columns(parts.alias("part"))
    frame = _matched(frame, wanted, where)
    return Given(frame, GivenFile(name=where, sha256=file_sha256(path), rows=raw.height))


def _made_elsewhere(case: Case, named: str | None) -> list[str]:
    """Models of the case that have neither an estimator nor a file."""
    outside = [model.name for model in case.model if not model.estimator and not model.python]
    if named is not None:
        names = [model.name for model in case.model]
        if named in [item.name for item in case.baseline]:
            raise CaseError(
                f"'{named}' is a baseline of the case '{case.name}'",
                why="baselines are trained here, so that everyone beats the same ones",
            )
        if named not in names:
            near = suggest(named, names)
            raise CaseError(
                f"the case '{case.name}' has no model '{named}'",
                why=f"did you mean '{near}'?" if near else f"models: {', '.join(names)}",
                next=f'add to case.toml: [[model]] name = "{named}"',
            )
        if named not in outside:
            raise _trained_here(case, named)
    if not outside:
        raise CaseError(
            f"every model of the case '{case.name}' is trained here",
            where=f"cases/{case.name}/case.toml",
            why="a model whose predictions another program brings has only a name",
            next='add to case.toml: [[model]] name = "mine"   (before the seal, or amend)',
        )
    return outside


def _trained_here(case: Case, name: str) -> CaseError:
    spec = next(model for model in case.model if model.name == name)
    return CaseError(
        f"the model '{name}' is trained here, as {spec.estimator or spec.python}",
        where=f"cases/{case.name}/case.toml",
        why="predictions from elsewhere in its place would not be what the case says",
        next='add a model that has only a name: [[model]] name = "mine"   (then amend)',
    )


def _score_columns(
    names: list[str], case: Case, outside: list[str], model: str | None, where: str
) -> dict[str, str]:
    """Which column has which model's scores."""
    named = {n.removeprefix("score."): n for n in names if n.startswith("score.")}
    if "score" in names and named:
        raise DataError(
            f"{where} has both 'score' and {', '.join(map(repr, named.values()))}",
            next="name each model's column score.NAME",
        )
    if "score" in names:
        if model is None and len(outside) > 1:
            raise DataError(
                f"whose scores are in {where}?",
                why=f"the case has {len(outside)} models made elsewhere: {', '.join(outside)}",
                next="add --model NAME, or name the columns score.NAME",
            )
        named = {model or outside[0]: "score"}
    elif not named:
        near = suggest("score", [n.lower() for n in names])
        spelt = next((n for n in names if n.lower() == near), None)
        raise DataError(
            f"{where} has no column 'score'",
            where=where,
            why=f"did you mean {spelt!r}?" if spelt else f"columns: {', '.join(names[:40])}",
            next=f"rename {spelt!r} to 'score'" if spelt else SHAPE,
        )
    elif model is not None:
        if model not in named:
            near = suggest(model, list(named))
            raise DataError(
                f"{where} has no column 'score.{model}'",
                where=where,
                why=f"did you mean 'score.{near}'?" if near else f"it has {', '.join(named)}",
            )
        named = {model: named[model]}
    models = [item.name for item in case.model]
    for name in named:
        if name in outside:
            continue
        if name in models:
            raise _trained_here(case, name)
        near = suggest(name, outside)
        raise DataError(
            f"{where} has scores of '{name}', which is not a model of the case '{case.name}'",
            where=f"{where}, column {named[name]!r}",
            why=f"did you mean '{near}'?" if near else f"made elsewhere: {', '.join(outside)}",
        )
    if lacking := [name for name in outside if name not in named]:
        raise DataError(
            f"{where} has no scores of {', '.join(map(repr, lacking))}",
            where=where,
            why="a run has the predictions of all models, so that they are compared on one test",
            next=f"add the column {', '.join(f'score.{name}' for name in lacking)}",
        )
    return named


def _id_column(names: list[str], unit: str, where: str) -> str:
    for name in ("id", unit):
        if name in names:
            return name
    near = suggest("id", [n.lower() for n in names]) or suggest(unit, names)
    spelt = next((n for n in names if near in (n, n.lower())), None)
    raise DataError(
        f"{where} has no column 'id'" + (f" or {unit!r}" if unit != "id" else ""),
        where=where,
        why=f"did you mean {spelt!r}?" if spelt else f"columns: {', '.join(names[:40])}",
        next=SHAPE,
    )


def _ids(ids: pl.Series, where: str) -> pl.Series:
    """Unique text, as the case's own ids are."""
    if lost := ids.null_count():
        raise DataError(f"{lost:,} rows have no id", where=f"{where}, {_rows(ids.is_null())}")
    ids = as_text(ids).alias("id")
    if repeated := len(ids) - ids.n_unique():
        doubled = ids.is_duplicated()
        first = str(ids.filter(doubled)[0])
        raise DataError(
            f"{repeated:,} rows repeat an id",
            where=f"{where}: {first[:60]!r} in {_rows(ids == first)}",
            why="each unit has one score of each model",
            next="keep one row of each id",
        )
    return ids


def _score(series: pl.Series, where: str) -> pl.Series:
    """Float64, each a probability."""
    import polars as pl

    name, rows = series.name, len(series)
    if not series.dtype.is_numeric() and series.null_count() < rows:
        if series.dtype == pl.String:
            wrong = series.cast(pl.Float64, strict=False).is_null() & series.is_not_null()
            at = int(wrong.arg_true()[0]) if wrong.any() else 0
        else:
            at = int(series.is_not_null().arg_true()[0])
        raise DataError(
            f"{name!r} holds {kind_of(series)}s, not numbers",
            where=f"{where}, row {at + 1:,}: {str(series[at])[:60]!r}",
            why="a score is the probability of a positive, between 0 and 1",
        )
    series = series.cast(pl.Float64)
    missing = series.is_null() | series.is_nan().fill_null(False)
    if missing.any():
        raise DataError(
            f"{name!r} is missing or NaN in {int(missing.sum()):,} of {rows:,} rows",
            where=f"{where}, {_rows(missing)}",
            next="let the model score every row",
        )
    outside = ~series.is_between(0, 1)
    if outside.any():
        worst = float(series.filter(outside)[0])
        raise DataError(
            f"{name!r} is outside [0, 1] in {int(outside.sum()):,} of {rows:,} rows",
            where=f"{where}, {_rows(outside)}, such as {worst:g}",
            why="a score is the probability of a positive",
            next="write probabilities; log odds x become 1 / (1 + exp(-x))",
        )
    return series


def _matched(frame: pl.DataFrame, wanted: pl.DataFrame, where: str) -> pl.DataFrame:
    """The rows that are asked for, in the table's order."""
    import polars as pl

    unknown = frame.join(wanted, on="id", how="anti", maintain_order="left")
    if unknown.height:
        raise DataError(
            f"{unknown.height:,} of {frame.height:,} ids in {where} are not in the case's data",
            where=f"{where}, for example {_examples(unknown['id'])}",
            why=f"the case's own ids look like {_examples(wanted['id'])}",
            next="write the ids as they are in the case's unit column",
        )
    asked = wanted.filter(pl.col("part").is_in(list(ASKED)))
    lacking = asked.join(frame, on="id", how="anti", maintain_order="left")
    if lacking.height:
        counts = []
        for part in ASKED:
            lost, all_of = ((f["part"] == part).sum() for f in (lacking, asked))
            if lost:
                counts.append(f"{lost:,} of {all_of:,} in {part}")
        raise DataError(
            f"{where} has no score for {lacking.height:,} units: {' and '.join(counts)}",
            where=f"{where}, for example {_examples(lacking['id'])}",
            why="a run predicts both parts: validation to choose on, test for the verdict",
            next="predict every unit of both parts",
        )
    return asked.select("id").join(frame, on="id", how="left", maintain_order="left")


def _examples(ids: pl.Series) -> str:
    return ", ".join(repr(str(value)[:40]) for value in ids.head(3).to_list())


def _rows(mask: pl.Series) -> str:
    """The first rows where a mask holds, counted from 1 below the header."""
    places = mask.arg_true()
    shown = ", ".join(f"{place + 1:,}" for place in places.head(3).to_list())
    return f"row{'s' if len(places) > 1 else ''} {shown}{', …' if len(places) > 3 else ''}"
