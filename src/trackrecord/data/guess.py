"""Guesses what each column of a new table is for. A draft, which a person corrects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trackrecord.data.kinds import Kind, kind_of
from trackrecord.data.leakage.single_column import rank_auc, value_auc

if TYPE_CHECKING:
    import polars as pl

SAMPLE_ROWS = 50_000
SUSPICIOUS = 0.9
_TARGET = re.compile(
    r"(^|_)(target|label|y|outcome|truth|late|churn(ed)?|default(ed)?|survived|fraud|converted|"
    r"response|deposit|cancell?ed|readmitted|income|class|success|failed|won|win)($|_)|^is_",
    re.IGNORECASE,
)
_ID = re.compile(r"(^|_)(id|key|uuid|guid|nr|no|number|index)$|[a-z]I[dD]$", re.IGNORECASE)
_LATER = re.compile(
    r"(^|_)(actual|final|result|end|ended|closed|resolved|paid|after|later|total_paid|arr|arrived|"
    r"delivered|cancel\w*|outcome|reason)($|_)",
    re.IGNORECASE,
)
_PLANNED = re.compile(
    r"(^|_)(sched(uled)?|plan(ned)?|expected|due|prev(ious)?)(_|$)", re.IGNORECASE
)
_YES = ("yes", "true", "y", "1", "positive", "pos", "late", "churned", "default", "fraud")


@dataclass(frozen=True)
class Roles:
    """What each column seems to be for."""

    unit: str | None
    time: str | None
    target: str
    positive: str | float | int | bool
    share: float
    missing_targets: int
    features: list[str]
    suspicious: dict[str, str]
    left_out: dict[str, str]
    cells: list[str]
    slices: list[str]


def guess_roles(frame: pl.DataFrame) -> Roles | None:
    """The likely role of each column; None where no column could be a binary target."""
    kinds = {name: kind_of(frame[name]) for name in frame.columns}
    distinct = {name: frame[name].drop_nulls().n_unique() for name in frame.columns}
    unit = _unit(frame, kinds, distinct)
    time = _time(frame, kinds)
    target = _target(frame, kinds, distinct, {unit, time})
    if target is None:
        return None
    positive = _positive(frame[target], kinds[target], distinct[target])
    truth = _truth(frame[target], positive)
    known = truth.is_not_null()
    sample = frame.filter(known).head(SAMPLE_ROWS)
    sample_truth = truth.drop_nulls().head(SAMPLE_ROWS)
    suspicious: dict[str, str] = {}
    left_out: dict[str, str] = {}
    features: list[str] = []
    strength: dict[str, float] = {}
    for name in frame.columns:
        if name in (unit, time, target):
            continue
        reason = _unusable(name, kinds[name], distinct[name], frame.height)
        if reason:
            left_out[name] = reason
            continue
        strength[name] = value_auc(sample[name], sample_truth)
        best = max(strength[name], rank_auc(sample[name], sample_truth))
        if best >= SUSPICIOUS:
            suspicious[name] = f"alone it ranks the target with ROC AUC {best:.2f}"
        elif (why := _sounds_later(name, target)) or (why := _missing_with(frame[name], truth)):
            suspicious[name] = why
        else:
            features.append(name)
    cells = sorted(
        (n for n in features if 2 <= distinct[n] <= 50 and kinds[n] != "time"),
        key=lambda n: -strength[n],
    )
    slices = [n for n in cells if distinct[n] <= 12 and not set("<>=") & set(n)]
    return Roles(
        unit,
        time,
        target,
        positive,
        float(truth.drop_nulls().mean() or 0.0),  # type: ignore[arg-type]
        truth.null_count(),
        features,
        suspicious,
        left_out,
        cells[:2],
        slices[:2],
    )


def _unit(frame: pl.DataFrame, kinds: dict[str, Kind], distinct: dict[str, int]) -> str | None:
    import polars as pl

    def whole(name: str) -> bool:
        series = frame[name]
        return series.dtype.is_integer() or series.dtype == pl.String

    unique = [
        n for n in frame.columns if distinct[n] == frame.height and whole(n) and len(n) <= 200
    ]
    named = [n for n in unique if _ID.search(n)]
    return next(iter(named or [n for n in unique if kinds[n] == "string"] or unique[:1]), None)


def _time(frame: pl.DataFrame, kinds: dict[str, Kind]) -> str | None:
    found = [
        n
        for n in frame.columns
        if kinds[n] in ("time", "date") and not frame[n].null_count() and len(n) <= 200
    ]
    exact = [n for n in found if kinds[n] == "time" and not _LATER.search(n)]
    return next(iter(exact or [n for n in found if not _LATER.search(n)] or found), None)


def _target(
    frame: pl.DataFrame,
    kinds: dict[str, Kind],
    distinct: dict[str, int],
    taken: set[str | None],
) -> str | None:
    free = [n for n in frame.columns if n not in taken and len(n) <= 200 and n != "id"]
    binary = [n for n in free if distinct[n] == 2 and kinds[n] in ("number", "boolean", "string")]
    named = [n for n in binary if _TARGET.search(n)]
    if named:
        return named[-1]
    many = [n for n in free if _TARGET.search(n) and kinds[n] == "number" and distinct[n] > 2]
    delay = [n for n in free if re.search("delay", n, re.IGNORECASE) and kinds[n] == "number"]
    if not binary:
        return next(iter(many[-1:] or delay[-1:]), None)
    return binary[-1]


def _positive(series: pl.Series, kind: Kind, distinct: int) -> str | float | int | bool:
    if kind == "boolean":
        return True
    if kind == "number" and distinct > 2:
        return f"> {float(series.quantile(0.75) or 0):.12g}"  # a quarter, for a person to correct
    counts = series.drop_nulls().value_counts(sort=True)
    values = counts[series.name].to_list()
    if kind == "number":
        top = max(values)
        return int(top) if float(top).is_integer() else float(top)
    for value in values:
        if str(value).strip().lower() in _YES:
            return str(value)
    return str(values[-1])


def _truth(series: pl.Series, positive: str | float | int | bool) -> pl.Series:
    import polars as pl

    if isinstance(positive, str) and series.dtype.is_numeric():
        return (series > float(positive.removeprefix("> "))).cast(pl.Int8)
    return (series == positive).cast(pl.Int8)


def _sounds_later(name: str, target: str) -> str | None:
    if _PLANNED.search(name):
        return None
    shared = _words(name) & _words(target)
    if shared:
        return f"its name shares '{min(shared)}' with the target's"
    return "its name sounds like something known only afterwards" if _LATER.search(name) else None


def _missing_with(column: pl.Series, truth: pl.Series) -> str | None:
    """A column that is missing where the target is was probably measured with it."""
    both = int((column.is_null() & truth.is_null()).sum())
    elsewhere = column.null_count() - both
    if both > 0.5 * truth.null_count() and elsewhere < 0.05 * (len(truth) - truth.null_count()):
        return "it is missing mostly where the target is"
    return None


def _words(name: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", name.lower()) if len(word) > 3}


def _unusable(name: str, kind: Kind, distinct: int, rows: int) -> str | None:
    if len(name) > 200:
        return "its name is longer than 200 characters"
    if name in ("id", "truth"):
        return "its name is taken by this program"
    if kind == "missing":
        return "it has no value"
    if distinct < 2:
        return "it has one value only"
    if kind in ("time", "date"):
        return "a moment: make features of it, like the hour or the days since"
    if kind == "string" and (distinct > 1000 or distinct > rows / 2):
        return f"text with {distinct:,} different values"
    return None
