"""What looks wrong in text: numbers and dates in disguise, spellings, spaces, broken encodings.

All tests look at distinct values, so their cost is that of the vocabulary, not of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trackrecord.data.finding import percent
from trackrecord.data.profile.measure import Measured, shown
from trackrecord.data.profile.result import Suspicion
from trackrecord.data.profile.sentinels import WORDS

if TYPE_CHECKING:
    import polars as pl

NUMBER = r"^[+-]?[$€£]?(?:\d{1,3}(?:[,' ]\d{3})+|\d+)(?:[.,]\d+)?(?:[eE][+-]?\d+)?\s*%?$"
LEADING_ZERO = r"^0\d"
DAY = (
    r"^(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./]\d{1,2}[./]\d{1,2}|\d{4}-\d{2}-\d{2}.*)$"
)
WITH_UNIT = r"^[+-]?\d+(?:[.,]\d+)?\s*([A-Za-zµ°]{1,6}(?:/[A-Za-z]{1,4})?|\"|')$"
# UTF-8 read as Latin-1 or Windows-1252: a lead byte, then what a continuation byte looks like.
BROKEN = r"[ÂÃ][\x{80}-\x{BF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|ï»¿|ðŸ|\x{FFFD}"
EDGES = r"^\s|\s$|\x{A0}"
SHARE = 0.9
MOST_SPELLINGS = 100_000


def text_suspicions(found: Measured) -> Iterator[Suspicion]:
    """Doubts about one column of text."""
    import polars as pl

    if found.column.kind != "string" or found.values.height == 0:
        return
    values = found.values
    if values.height > 2 * MOST_SPELLINGS:
        values = values.gather_every(values.height // MOST_SPELLINGS)
    partial = found.partial or values.height < found.values.height
    bare = pl.col("value").str.strip_chars()
    real = values.filter(~bare.str.to_lowercase().is_in(sorted(WORDS)))
    yield from _disguised(real, partial)
    yield from _units(real, partial)
    for code, pattern, what, fix in (
        ("spaces", EDGES, "spaces around the value", "strip them: ' a' and 'a' join with nothing"),
        (
            "encoding",
            BROKEN,
            "letters of a wrong encoding",
            "read the source again as what it is, UTF-8 or Windows-1252, and not as the other",
        ),
    ):
        yield from _containing(values, pattern, code, what, fix, partial)
    if not partial and values.height <= MOST_SPELLINGS:
        yield from _spellings(values)


def _rows(values: pl.DataFrame) -> int:
    return int(values["rows"].sum())


def _told(hit: pl.DataFrame, everything: pl.DataFrame, partial: bool) -> str:
    count = _rows(hit)
    if partial:
        return f"{percent(count / max(1, _rows(everything)))} of a sample of the rows"
    return f"{count:,} row{'' if count == 1 else 's'}"


def _examples(hit: pl.DataFrame, most: int = 6) -> list[str]:
    return [shown(value) for value in hit.sort("rows", "value", descending=[True, False])["value"]
            .head(most)]  # fmt: skip


def _disguised(values: pl.DataFrame, partial: bool) -> Iterator[Suspicion]:
    import polars as pl

    total = _rows(values)
    bare = pl.col("value").str.strip_chars()
    for code, pattern, what, fix in (
        ("text-numbers", NUMBER, "numbers", "read it as a number; look first at what is not one"),
        ("text-dates", DAY, "dates", "say when adding it: --type 'COLUMN=date:%d.%m.%Y'"),
    ):
        hit = values.filter(bare.str.contains(pattern))
        if total == 0 or _rows(hit) < SHARE * total:
            continue
        # 00501 is a name that has digits only: a postcode, a code.
        codes = hit.filter(bare.str.contains(LEADING_ZERO))
        if code == "text-numbers" and _rows(codes) > 0.01 * total:
            continue
        rest = values.filter(~bare.str.contains(pattern))
        but = f", all but {', '.join(map(repr, _examples(rest, 3)))}" if rest.height else ""
        yield Suspicion(
            code,
            f"{what} stored as text in {_told(hit, values, partial)}{but}",
            fix,
            None if partial else _rows(hit),
            _examples(rest) or _examples(hit, 3),
        )
        return


def _units(values: pl.DataFrame, partial: bool) -> Iterator[Suspicion]:
    import polars as pl

    unit = pl.col("value").str.strip_chars().str.extract(WITH_UNIT).alias("unit")
    named = values.with_columns(unit).drop_nulls("unit")
    if _rows(named) < 0.5 * _rows(values) or named.height < 2:
        return
    units = named.group_by("unit").agg(pl.col("rows").sum(), pl.col("value").first())
    units = units.sort("rows", "unit", descending=[True, False])
    if 2 <= units.height <= 12:
        shares = ", ".join(f"{unit!r} ({rows:,})" for unit, rows, _ in units.head(4).iter_rows())
        yield Suspicion(
            "mixed-units",
            f"numbers with different units: {shares}",
            "convert all to one unit, store numbers, and name the unit in the column",
            None if partial else _rows(named) - int(units["rows"][0]),
            [shown(value) for value in units["value"].head(6)],
        )


def _containing(
    values: pl.DataFrame, pattern: str, code: str, what: str, fix: str, partial: bool
) -> Iterator[Suspicion]:
    import polars as pl

    hit = values.filter(pl.col("value").str.contains(pattern))
    if hit.height:
        yield Suspicion(
            code,
            f"{what} in {_told(hit, values, partial)}",
            fix,
            None if partial else _rows(hit),
            [repr(value) if code == "spaces" else value for value in _examples(hit)],
        )


def _spellings(values: pl.DataFrame) -> Iterator[Suspicion]:
    """Values that are the same but for case, spaces, punctuation and accents."""
    import polars as pl

    bare = (
        pl.col("value")
        .str.normalize("NFKD")
        .str.to_lowercase()
        .str.replace_all(r"[\p{M}\s.,;:_'’/()-]+", "")
        .alias("bare")
    )
    groups = (
        values.with_columns(bare)
        .filter(pl.col("bare").str.len_bytes() > 0)
        # Digits carry meaning in their points and signs: 1.5 is not 15.
        .filter(~pl.col("value").str.contains(r"^[\s\d.,:/+-]+$"))
        .sort("rows", "value", descending=[True, False])
        .group_by("bare", maintain_order=True)
        .agg("value", "rows")
        .filter(pl.col("value").list.len() > 1)
    )
    if groups.height == 0:
        return
    rare = sum(sum(rows[1:]) for rows in groups["rows"].to_list())
    # In a column of names almost all of which are there once, likeness is no surprise.
    if groups.height < 0.001 * values.height:
        return
    shown_groups = groups["value"].to_list()[:4]
    yield Suspicion(
        "spellings",
        f"{groups.height:,} value{'' if groups.height == 1 else 's'} written in more than one way: "
        + "; ".join(" = ".join(map(repr, group[:5])) for group in shown_groups),
        "map them to one spelling before anything counts them",
        rare,
        [shown(value) for group in shown_groups for value in group[:5]],
    )
