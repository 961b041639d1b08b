"""Truth that arrives after the answer: by unit, late, twice, or contradicting what came before.

Each file that was added is kept as it was understood. Of several truths of a unit the one that was
added last counts, and how many were changed so is said.
"""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from trackrecord.errors import DataError, suggest
from trackrecord.ledger.store import fsync_folder

if TYPE_CHECKING:
    import polars as pl

TRUTH = "truth"
FIRST = 5
WAIT = 60


class TruthAdded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file's rows.

    ``new`` units had no truth before; ``repeated`` had the same; ``changed`` had the other one.
    ``rejected`` rows have no unit or no truth that can be understood; ``unasked`` units were never
    answered, as far as captures say. ``first`` shows some rejected rows, by line.
    """

    rows: int
    new: int
    repeated: int
    changed: int
    rejected: int
    unasked: int
    first: list[str] = []


def add_truth(
    folder: Path, table: pl.DataFrame, *, unit: str, truth: str, asked: pl.Series
) -> TruthAdded:
    """Keep the truths of a table of texts, a row a unit. One process at a time does.

    Parameters
    ----------
    folder:
        ``captures/CASE``.
    unit, truth:
        Columns of ``table``. A truth is yes or no, as 1/0, true/false or yes/no in any case.
    asked:
        The units that were answered.

    Raises DataError for columns that are not there.
    """
    import polars as pl
    from filelock import FileLock

    for name in (unit, truth):
        if name not in table.columns:
            near = suggest(name, table.columns)
            raise DataError(
                f"the truth has no column {name!r}",
                why=f"did you mean {near!r}?" if near else f"columns: {', '.join(table.columns)}",
                next="name the columns: --unit ID --truth OUTCOME",
            )
    said = pl.col(truth).cast(pl.String).str.strip_chars().str.to_lowercase()
    read = table.select(
        unit=pl.col(unit).cast(pl.String).str.strip_chars(),
        truth=pl.when(said.is_in(["1", "1.0", "true", "yes"]))
        .then(1)
        .when(said.is_in(["0", "0.0", "false", "no"]))
        .then(0)
        .cast(pl.Int8),
        said=pl.col(truth).cast(pl.String),
    ).with_row_index("row", offset=1)
    bad = read.filter(pl.col("truth").is_null() | pl.col("unit").is_null() | (pl.col("unit") == ""))
    good = read.join(bad.select("row"), on="row", how="anti")
    # Within a file, too, the last word counts.
    latest = good.unique("unit", keep="last", maintain_order=True)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "truth.lock", timeout=WAIT):
        known = latest.join(read_truth(folder), on="unit", how="left", suffix=".before")
        new = known.filter(pl.col("truth.before").is_null())
        changed = known.filter(pl.col("truth.before") != pl.col("truth"))
        if new.height or changed.height:
            _keep(folder, pl.concat([new, changed]).select("unit", "truth"))
    return TruthAdded(
        rows=read.height,
        new=new.height,
        repeated=good.height - new.height - changed.height,
        changed=changed.height,
        rejected=bad.height,
        unasked=int((~latest["unit"].is_in(asked.implode())).sum()),
        first=[
            f"row {row}: unit {unit_!r}, truth {value!r}"
            for row, unit_, value in bad.head(FIRST).select("row", "unit", "said").iter_rows()
        ],
    )


def read_truth(folder: Path) -> pl.DataFrame:
    """The truths that count: ``unit`` (once each), ``truth`` (0 or 1), ``added`` (UTC)."""
    import polars as pl

    empty = pl.DataFrame(
        schema={"unit": pl.String, "truth": pl.Int8, "added": pl.Datetime("us", "UTC")}
    )
    files = sorted((folder / TRUTH).glob("*.parquet"))
    frames = [empty, *(pl.read_parquet(path) for path in files)]
    return pl.concat(frames).unique("unit", keep="last", maintain_order=True)


def _keep(folder: Path, truths: pl.DataFrame) -> None:
    import polars as pl

    target = folder / TRUTH
    target.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    frame = truths.with_columns(added=pl.lit(now).cast(pl.Datetime("us", "UTC")))
    last = max((int(path.name.partition("-")[0]) for path in target.glob("*.parquet")), default=0)
    digest = hashlib.sha256(truths.write_csv().encode()).hexdigest()[:12]
    name = f"{last + 1:06d}-{digest}.parquet"
    part = target / f"{name}.part"
    frame.write_parquet(part)
    part.replace(target / name)
    fsync_folder(target)
