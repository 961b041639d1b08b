"""From a case to its table: one row a unit, other tables joined, the truth computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.slices import slice_parts
from trackrecord.cases.spec import Case, positive_rule
from trackrecord.data.asof import AsOfReport, join_asof
from trackrecord.data.blame import KeyedDataError, blame
from trackrecord.data.digest import TableDigest, table_digest
from trackrecord.data.kinds import DATE, TIME, Place, as_kind, as_text, kind_of
from trackrecord.data.sources import check_timezone, inside, read_table
from trackrecord.errors import CaseError, DataError, suggest
from trackrecord.ledger.store import file_sha256

if TYPE_CHECKING:
    import polars as pl


class Source(msgspec.Struct, frozen=True):
    """One file that the case reads: SHA-256 of its bytes, and the digest of what it says."""

    path: str
    sha256: str
    table: TableDigest
    rows: int


@dataclass(frozen=True)
class CaseTable:
    """A case's data.

    ``frame`` has every column of the main table, the joined columns, ``id`` (string, unique) and
    ``truth`` (Int8, 0 or 1, never missing). It still holds the target and what is known only
    later: models get :func:`feature_frame`. ``excluded`` counts rows left out, by reason.
    """

    frame: pl.DataFrame
    excluded: dict[str, int]
    sources: list[Source]
    joins: list[AsOfReport] = field(default_factory=list)

    @property
    def truth(self) -> pl.Series:
        return self.frame["truth"]

    @property
    def digests(self) -> dict[str, str]:
        """The content digest of each source, by its path."""
        return {source.path: source.table.digest for source in self.sources}


def load_case_table(
    case: Case, root: Path, *, known_by: str | None = None, strict: bool = True
) -> CaseTable:
    """Read, join, and compute the truth.

    Parameters
    ----------
    case:
        The case; paths in it are relative to ``root``.
    root:
        The workspace.
    known_by:
        Replaces ``known_by`` of every joined table (a contrast does this).
    strict:
        False lets the case name features, groups or slices that are not there; checks do this, to
        report them all.

    Raises
    ------
    DataError
        For unreadable files, unknown columns, missing or doubled ids, a time column that is not
        one, and a target that the rule for positives does not fit.
    """
    with blame("data.timezone"):
        check_timezone(case.data.timezone)
    with blame("data.path"):
        frame, source = _read(case, root, case.data.path, dict(case.data.types))
    sources = [source]
    _require(case.data.unit, frame, case, "data.unit")
    _require(case.target.column, frame, case, "target.column")
    _free_names(case, frame)
    if case.data.time is not None:
        _require(case.data.time, frame, case, "data.time")
        with blame("data.time"):
            frame = frame.with_columns(time_column(frame[case.data.time], case))
    with blame("target.column"):
        truth = compute_truth(frame[case.target.column], case)
    with blame("data.unit"):
        frame = frame.with_columns(_ids(frame[case.data.unit], case))
    joins = []
    for index, entry in enumerate(case.data.asof):
        with blame(f"data.asof.{index}"):
            # [data.types] belongs to the main table; of its columns only the keys are in both.
            shared = {name: kind for name, kind in case.data.types.items() if name in entry.by}
            observed, source = _read(case, root, entry.table, shared)
            frame, report = join_asof(
                frame,
                observed,
                entry,
                time=case.data.time,
                timezone=case.data.timezone,
                known_by=known_by,
            )
        joins.append(report)
        if entry.table not in [known.path for known in sources]:
            sources.append(source)
    if strict:
        for key, name in named_columns(case):
            if name not in frame.columns:
                raise unknown_column(name, frame.columns, case, key)
    frame = frame.with_columns(truth.alias("truth"))
    excluded: dict[str, int] = {}
    if lost := truth.null_count():
        frame = frame.filter(truth.is_not_null())
        excluded["target missing"] = lost
    if frame.height == 0:
        raise DataError("no row is left", why="the target is missing in every row")
    return CaseTable(frame=frame, excluded=excluded, sources=sources, joins=joins)


def feature_frame(case: Case, table: CaseTable, features: list[str] | None = None) -> pl.DataFrame:
    """Only what a model may see: the case's features (or some of them), a row a unit.

    Raises CaseError for a feature that is the target, the truth, or known only later.
    """
    names = list(features if features else case.features)
    for name in names:
        if name in (case.target.column, "truth") or name in case.data.known_later:
            raise CaseError(
                f"the feature {name!r} is not known when the question is asked",
                next=f"trackrecord case check {case.name}",
            )
        if name not in table.frame.columns:
            raise unknown_column(name, table.frame.columns, case, "features")
    return table.frame.select(names)


def named_columns(case: Case) -> list[tuple[str, str]]:
    """(key path, column) for each column that the case names besides unit, time and target."""
    found = [("features", name) for name in case.features]
    found += [("data.groups", name) for name in case.data.groups]
    found += [("data.known_later", name) for name in case.data.known_later]
    found += [("evaluation.slices", slice_column(text)) for text in case.evaluation.slices]
    if case.evaluation.cluster is not None:
        found.append(("evaluation.cluster", case.evaluation.cluster))
    splits: list[tuple[str, Any]] = [("split", case.split)]
    splits += [(f"contrast.{i}.split", c.split) for i, c in enumerate(case.contrast)]
    found += [(f"{key}.by", split.by) for key, split in splits if hasattr(split, "by")]
    for key, split in splits:
        for word in ("strata", "together", "alike"):
            found += [(f"{key}.{word}", name) for name in getattr(split, word, [])]
    for index, baseline in enumerate(case.baseline):
        found += [(f"baseline.{index}.by", name) for name in getattr(baseline, "by", [])]
        found += [(f"baseline.{index}.features", n) for n in getattr(baseline, "features", [])]
    for index, model in enumerate(case.model):
        found += [(f"model.{index}.features", name) for name in model.features]
    return found


def columns_of_the_data(case: Case, known: list[str]) -> list[str]:
    """Of the columns of a case's table, those that a person knows: not this program's own."""
    own = {"id", "truth"} - {case.data.unit, case.target.column}
    return [name for name in known if name not in own]


def slice_column(text: str) -> str:
    """The column that a slice is made of: ``"distance > 1000"`` is made of ``distance``."""
    return slice_parts(text)[0]


def time_column(series: pl.Series, case: Case) -> pl.Series:
    """The unit's time as UTC microseconds; a date is its midnight in the case's time zone."""
    kind = kind_of(series)
    if kind in ("date", "time"):
        return as_kind(series, "time", case.data.timezone, Place(case.data.path))
    odd = series.is_not_null()
    if kind == "string":
        untimely = odd & ~series.str.contains(DATE) & ~series.str.contains(TIME)
        odd = untimely if untimely.any() else odd
    row = odd.arg_max() if odd.any() else None
    shown = "" if row is None else f", row {row + 1}: {str(series[row])[:60]!r}"
    raise DataError(
        f"the time column {series.name!r} holds {kind} values, not times",
        where=f"{case.data.path}{shown}",
        why="a time is written like 2013-01-31T18:00:00Z, 2013-01-31T18:00 or 2013-01-31",
        next=f'write the column so, or (text in Parquet) declare {series.name} = "time" '
        "under [data.types]",
    )


def compute_truth(series: pl.Series, case: Case) -> pl.Series:
    """Int8 truth: 1 where the target is positive, 0 where not, null where to be excluded."""
    import polars as pl

    target, where = case.target, case.data.path
    missing = series.null_count()
    if missing and target.missing == "error":
        rows = [row + 1 for row in series.is_null().arg_true().head(3).to_list()]
        raise KeyedDataError(
            f"the target {series.name!r} is missing in {missing:,} of {len(series):,} rows",
            key="target.missing",
            where=f"{where}, first rows: {', '.join(map(str, rows))}",
            next='say in the case what a missing target means: target.missing = "exclude", '
            '"positive" or "negative"',
        )
    positive = _positive(series, case)
    fill = {"positive": True, "negative": False}.get(target.missing)
    positive = positive if fill is None else positive.fill_null(fill)
    return positive.cast(pl.Int8).alias("truth")


def _positive(series: pl.Series, case: Case) -> pl.Series:
    """Whether each target value is a positive, by the case's rule; null where it is missing."""
    import polars as pl

    operator, value = positive_rule(case.target.positive)
    kind = kind_of(series)
    if kind == "missing":
        return pl.Series(series.name, [], dtype=pl.Boolean).clear(len(series))
    literal = case.target.positive
    if kind == "string" and isinstance(literal, str) and (series == literal).any():
        return series == literal
    if kind == "boolean":
        series = series.cast(pl.Int64)
        kind = "number"
        value = {"true": 1, "false": 0}.get(str(value).lower(), value)
    if kind == "number" and not isinstance(value, str):
        number = float(value)
        compared = {
            "==": series == number,
            ">": series > number,
            ">=": series >= number,
            "<": series < number,
            "<=": series <= number,
        }[operator]
        if operator != "==" or compared.any():
            return compared
    values = series.drop_nulls().unique().sort()
    shown = ", ".join(repr(v)[:40] for v in values.head(10).to_list())
    more = f", … ({len(values):,} in all)" if len(values) > 10 else ""
    raise KeyedDataError(
        f"no value of the target {series.name!r} is positive by the rule {literal!r}",
        key="target.positive",
        where=case.data.path,
        why=f"its {len(values):,} different values are {kind}s: {shown}{more}",
        next='name one of them as target.positive, or for a number write a rule like "> 15"',
    )


def _ids(series: pl.Series, case: Case) -> pl.Series:
    """The unit column as unique text, named ``id``."""
    if lost := series.null_count():
        rows = [row + 1 for row in series.is_null().arg_true().head(3).to_list()]
        raise DataError(
            f"the unit column {series.name!r} is missing in {lost:,} rows",
            where=f"{case.data.path}, first rows: {', '.join(map(str, rows))}",
        )
    ids = as_text(series).alias("id")
    if ids.n_unique() != len(ids):
        doubled = ids.is_duplicated()
        examples = []
        for value in ids.filter(doubled).unique(maintain_order=True).head(3).to_list():
            rows = [row + 1 for row in (ids == value).arg_true().head(3).to_list()]
            examples.append(f"{value[:60]!r} in rows {', '.join(map(str, rows))}")
        raise DataError(
            f"the unit column {series.name!r} has doubled ids: "
            f"{len(ids) - ids.n_unique():,} rows repeat one",
            where=f"{case.data.path}: {'; '.join(examples)}",
            why="each row is one unit, and a prediction finds its truth by the id",
            next="name a column that is unique under data.unit, or add one to the table",
        )
    return ids


def unknown_column(name: str, known: list[str], case: Case, key: str) -> KeyedDataError:
    """The error for a column that the case names and no table has."""
    known = columns_of_the_data(case, known)
    near = suggest(name, known)
    return KeyedDataError(
        f"there is no column {name!r}",
        key=key,
        where=f"{key} in the case '{case.name}'",
        why=f"did you mean {near!r}?" if near else f"columns: {', '.join(known[:40])}",
        next=f"correct the name, then: trackrecord case check {case.name}",
    )


def _require(name: str, frame: pl.DataFrame, case: Case, key: str) -> None:
    if name not in frame.columns:
        raise unknown_column(name, frame.columns, case, key)


def _free_names(case: Case, frame: pl.DataFrame) -> None:
    """``id`` and ``truth`` are this program's columns: the case may use its own only as such."""
    used = {name for _, name in named_columns(case)} | {case.target.column, case.data.time}
    for name, owner in (("id", case.data.unit), ("truth", case.target.column)):
        if name in frame.columns and name != owner and name in used | {case.data.unit}:
            raise DataError(
                f"the column {name!r} is used by the case, but its name is taken",
                where=case.data.path,
                why="'id' is the unit and 'truth' the outcome in every table this program makes",
                next=f"rename the column {name!r} in the data",
            )


def _read(
    case: Case, root: Path, relative: str, types: dict[str, Any]
) -> tuple[pl.DataFrame, Source]:
    path = inside(root, relative)
    frame = read_table(path, types, case.data.timezone)
    return frame, Source(relative, file_sha256(path), table_digest(frame), frame.height)
