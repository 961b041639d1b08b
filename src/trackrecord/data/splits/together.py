"""What must not be parted: rows of one group, and rows that are nearly the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackrecord.data.blame import KeyedDataError
from trackrecord.data.kinds import as_text
from trackrecord.data.splits.hashed import require

if TYPE_CHECKING:
    import polars as pl

    from trackrecord.cases.split_kinds import NestedSplit, TogetherSplit

_BETWEEN = "\x1f"


def together_keys(frame: pl.DataFrame, unit: str, split: TogetherSplit | NestedSplit) -> pl.Series:
    """A key for each row; rows that must not be parted have the same.

    Rows are joined where they share a value of a column in ``together``, or all of ``alike``, or
    where their texts in a column of ``near`` are near; the classes are those of the closure. A
    class's key is the least of the values that hold it together, so that rows which bring no new
    value move nobody. A row that has no value to share is alone.

    Raises KeyedDataError for a column that is not there, or is to be near and is no text.
    """
    import numpy as np
    import polars as pl
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    for key in ("together", "alike", "near"):
        for name in getattr(split, key):
            require(frame, name, f"split.{key}")
    bonds = [(f"{name}=" + as_text(frame[name])) for name in split.together]
    if split.alike:
        bonds.append("alike=" + alike_text(frame, split.alike, split.digits))
    bonds += [f"near {name}=" + near_text(frame[name], split.near_share) for name in split.near]
    alone = ("unit:" + as_text(frame[unit])).alias("key")
    if not bonds:
        return alone
    if len(bonds) == 1:  # a class is a value
        return pl.select(pl.coalesce(bonds[0], alone))[:, 0]
    pairs = pl.concat(
        pl.DataFrame([pl.Series("row", np.arange(frame.height)), bond.alias("bond")])
        for bond in bonds
    ).drop_nulls()
    values = pairs["bond"].unique()
    code = pairs["bond"].replace_strict(values, np.arange(len(values)), return_dtype=pl.Int64)
    size = frame.height + len(values)
    edges = (np.ones(pairs.height, np.int8), (pairs["row"], frame.height + code.to_numpy()))
    _, label = connected_components(coo_array(edges, shape=(size, size)), directed=False)
    least = (
        pl.DataFrame([pl.Series("label", label[frame.height :]), values.alias("least")])
        .group_by("label")
        .agg(pl.col("least").min())
    )
    rows = pl.DataFrame([pl.Series("label", label[: frame.height])])
    found = rows.join(least, on="label", how="left", maintain_order="left")["least"]
    return pl.select(pl.coalesce(found, alone))[:, 0]


def alike_text(frame: pl.DataFrame, columns: list[str], digits: int) -> pl.Series:
    """What rows that are nearly the same have in common; null where every column is missing.

    Numbers are rounded to ``digits`` significant digits; text loses case, accents' forms (NFKC),
    marks and spaces, unless nothing else is there. Two numbers on either side of a rounding edge
    differ, however near they are.
    """
    import polars as pl

    pieces = []
    for name in columns:
        column = frame[name]
        if column.dtype.is_numeric():
            rounded = column.cast(pl.Float64).round_sig_figs(digits) + 0.0  # no minus zero
            pieces.append(as_text(rounded))
        elif column.dtype == pl.String:
            pieces.append(plain_text(column))
        else:
            pieces.append(as_text(column))
    joined = pl.DataFrame([p.alias(f"c{i}") for i, p in enumerate(pieces)])
    some = ~pl.all_horizontal(pl.all().is_null())
    marked = [
        pl.when(pl.col(c).is_null()).then(pl.lit("-")).otherwise("+" + pl.col(c))
        for c in joined.columns
    ]
    text = pl.concat_str(marked, separator=_BETWEEN)
    return joined.select(pl.when(some).then(text).alias("alike"))["alike"]


def near_text(column: pl.Series, share: float) -> pl.Series:
    """The least of the texts that a chain of near ones connects; null where a text is too short.

    The same in every order of rows.
    """
    import polars as pl

    from trackrecord.data.leakage.near import near_classes

    if column.dtype != pl.String:
        raise KeyedDataError(
            f"the column {column.name!r} holds no text, which near is about",
            key="split.near",
            next="numbers that are nearly the same are alike, to so many digits",
        )
    rows = pl.DataFrame([pl.Series("class", near_classes(column, share)), column.alias("text")])
    least = pl.col("text").min().over("class")
    return rows.select(pl.when(pl.col("class") >= 0).then(least).alias("near"))["near"]


def plain_text(column: pl.Series) -> pl.Series:
    """Text in lower case with letters and digits only; as it is where it has none of them."""
    import polars as pl

    bare = column.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "")
    return pl.select(pl.when(bare.str.len_bytes() > 0).then(bare).otherwise(column))[:, 0]
