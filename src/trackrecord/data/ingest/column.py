"""One column on its way into Parquet: its form so far, and what reading did to its values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.data.arrow import plain
from trackrecord.data.ingest.forms import (
    KINDS,
    NUMBERS,
    Form,
    exact,
    form_of,
    join,
    leading_zeros,
    signed,
)
from trackrecord.data.ingest.quick import lengths, negative, quick
from trackrecord.data.ingest.record import Note, Seen
from trackrecord.data.kinds import BOOLEAN, DATE, FLOAT, TIME

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

SHOWN = 3
OTHER_DATE = r"^\d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4})$"
SHORT_YEAR = r"[./-]\d{2}$"
# Text inside a typed format (a JSON string, a text column of SQLite) is text, unless it is a time.
TIMES = ("missing", "date", "time", "local")
# A float64 gives back every number of up to 17 significant digits, and none beyond.
DIGITS = 17


class Column:
    """A column of text. Mutable, and touched by one thread at a time.

    ``target`` is the form that the values read so far have, and so the one they are written in;
    ``fits`` turns False at a value that needs a wider one: then a second reading is needed.
    """

    def __init__(self, name: str, *, typed: bool = False, declared: str | None = None) -> None:
        self.name = name
        self.typed = typed
        self.declared, _, self.pattern = (declared or "").partition(":")
        self.form = Form()
        self.target = "missing"
        self.started = False
        self.fits = True
        self.near: str | None = None
        self.nulls = 0
        self.counts: dict[str, int] = {}
        self.first: dict[str, list[Seen]] = {}

    def take(self, values: pa.Array, start: int) -> pa.Array | None:
        """Read a block whose first row is ``start``: as it is written, or None once it is not."""
        made = None if self.pattern else self._quickly(values, start)
        if made is not None:
            self.nulls += values.null_count
            return made if self.fits else None
        text = values if is_text(values) else None
        found = self._closely(as_text_series(values), start, text)
        return None if found is None else as_arrow(found)

    def _quickly(self, values: pa.Array, start: int) -> pa.Array | None:
        """The block in the form so far, where nothing new is to be learnt from it."""
        target, form = self.target, self.form
        if not self.started or not is_text(values):
            return None
        if target == "missing":
            return values if values.null_count == len(values) else None
        if target == "string":
            settled = form.name == "string" or (form.name in NUMBERS and form.zeros)
            return values if settled and self.near is None and form.final == target else None
        made = quick(values, target) if form.name == target else None
        if made is None:
            return None
        if target == "int" and not form.negative and negative(made):
            self.form = form._replace(negative=True)
        if target == "float" and (rows := np.flatnonzero((sizes := lengths(values)) > DIGITS)).size:
            self._blurred(as_text_series(values), rows, sizes, start)
        return made

    def _closely(self, series: pl.Series, start: int, values: Any) -> pl.Series | None:
        """Every value of a block looked at; ``values`` is the same in Arrow."""
        if self.declared:
            series, values = self.admitted(series, start), None
        self.nulls += series.null_count()
        before = self.form
        made = None
        if self.target not in ("string", "missing"):
            made = exact(series, self.target, values)
            if made is not None and self.target in NUMBERS:
                whole = made if self.target == "int" else None
                if self.declared == "number" or not leading_zeros(series, whole):
                    whole_so_far = self.target in ("int", "uint")
                    below = before.negative or (whole_so_far and signed(series))
                    self.form = before._replace(negative=below)
                else:
                    made = None
        if made is None:
            made = self._widen(series, before, values)
        if made is not None and self.target == "float":
            self._inexact(series, made, start)
        if self.near is not None and self.form.name == "string":
            self._misfits(series, start)
        return made if self.fits else None

    def write(self, values: pa.Array) -> pa.Array:
        """A block in the form that the first reading settled on."""
        if not self.pattern:
            made = values if self.target == "string" else quick(values, self.target)
            if made is not None and is_text(values):
                return made
        text = values if is_text(values) else None
        return as_arrow(self._written(as_text_series(values), text))

    def _written(self, series: pl.Series, values: Any) -> pl.Series:
        if self.declared:
            series, values = self.admitted(series, None), None
        made = exact(series, self.target, values)
        if made is None:
            raise ValueError(f"the column {self.name!r} changed while it was read")
        return made

    def admitted(self, series: pl.Series, start: int | None) -> pl.Series:
        """Without the values that the declared kind does not admit; these are counted."""
        if not self.declared or self.declared == "string":
            return series
        import polars as pl

        kept = declared_text(series, self.declared, self.pattern)
        if start is not None:
            self._count("not_declared", series, kept.is_null() & series.is_not_null(), start)
        return pl.Series(series.name, kept)

    def finish(self) -> None:
        """After the first reading: the form that every value fits."""
        self.target = self._final(self.form)

    @property
    def kind(self) -> str:
        """The canonical kind of the column as written."""
        return KINDS.get(self.target, self.target)

    @property
    def missing(self) -> int:
        """Rows without a value; NaN is none."""
        return self.nulls + (self.counts.get("nan", 0) if self.target == "float" else 0)

    def notes(self) -> list[Note]:
        """What reading did, in words."""
        return [self._note(code) for code in WORDS if self._told(code)]

    def _final(self, form: Form) -> str:
        if self.declared == "string":
            return "string"
        if self.declared == "number":
            return "float" if form.name == "wide" else form.name
        return form.final

    def _widen(self, series: pl.Series, before: Form, values: Any) -> pl.Series | None:
        self.form = self._of(series, before)
        target = self._final(self.form)
        if self.form.name == "string" and before.name != "string":
            self.near = KINDS.get(before.name, before.name)
            if {before.name, self._block} == {"time", "local"}:
                self.near = "offset"
            if before.name == "missing":
                self.near = nearly(series)
            elif before.name in NUMBERS and before.zeros:
                self.near = None
        if not self.started or target == self.target:
            self.started, self.target = True, target
        else:
            self.fits = False
            self.target = target
        return exact(series, target, values)

    def _of(self, series: pl.Series, before: Form) -> Form:
        settled = before.name == "string" or (before.name in NUMBERS and before.zeros)
        if self.declared == "string" or (settled and self.declared != "number"):
            self._block = "string"
            return before if settled else Form("string")
        found = form_of(series)
        if self.typed and found.name not in TIMES:
            found = Form("string")
        self._block = found.name
        return join(before, found)

    def _inexact(self, series: pl.Series, made: pl.Series, start: int) -> None:
        if made.is_nan().any():
            self._count("nan", series, made.is_nan(), start)
        if made.is_infinite().any():
            said = series.str.contains("(?i)inf")
            self._count("too_large", series, made.is_infinite() & ~said, start)
        sizes = series.str.len_bytes().fill_null(0).to_numpy()
        self._blurred(series, np.flatnonzero(sizes > DIGITS), sizes, start)

    def _blurred(self, series: pl.Series, rows: Rows, sizes: Rows, start: int) -> None:
        """Count, among ``rows``, the numbers of more digits than a float keeps."""
        if rows.size == 0:
            return
        long = series.gather(rows)
        marks = long.str.contains(".", literal=True).cast(int) + long.str.starts_with("-").cast(int)
        many = (sizes[rows] - marks.to_numpy()) > DIGITS
        rows, long = rows[many], long.filter(many)
        digits = long.str.replace(r"[eE].*$", "").str.replace_all(r"\D", "")
        digits = digits.str.strip_chars_start("0").str.strip_chars_end("0")
        self._count("digits", long, digits.str.len_bytes() > DIGITS, start, rows)

    def _misfits(self, series: pl.Series, start: int) -> None:
        near = self.near
        if near == "number":
            self._count("no_number", series, ~series.str.contains(FLOAT), start)
        elif near == "boolean":
            self._count("no_boolean", series, ~series.str.contains(BOOLEAN), start)
        elif near == "date":
            lost = series.str.to_date("%Y-%m-%d", strict=False).is_null() & series.is_not_null()
            self._count("no_date", series, lost, start)
        elif near == "time":
            fits = series.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, exact=False)
            apart = series.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, exact=False)
            lost = fits.is_null() & apart.is_null() & series.is_not_null()
            self._count("no_time", series, lost, start)
        elif near == "offset":
            zoned = series.str.contains(r":\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::?\d{2})?)$")
            self._count("no_offset", series, ~zoned, start)
        elif near == "other_date":
            self._other_dates(series, start)

    def _other_dates(self, series: pl.Series, start: int) -> None:
        dated = series.str.contains(OTHER_DATE)
        self._count("other_date", series, dated, start)
        self._count("short_year", series, dated & series.str.contains(SHORT_YEAR), start)
        plain = series.str.replace_all(r"[./-]", "-")
        real, other = (
            plain.str.to_date(form, strict=False).is_not_null() for form in ("%d-%m-%Y", "%m-%d-%Y")
        )
        # A leap day of any century: whether a year of two digits has one is not known.
        long_year = dated & ~series.str.contains(SHORT_YEAR)
        self._count("impossible", series, long_year & ~(real | other), start)
        self._count("no_date", series, ~dated, start)

    def _count(
        self, code: str, series: pl.Series, which: pl.Series, start: int, rows: Rows | None = None
    ) -> None:
        """Count and keep the first; ``rows`` says which of the block ``series`` has, if not all."""
        found = int(which.sum() or 0)
        if not found:
            return
        self.counts[code] = self.counts.get(code, 0) + found
        seen = self.first.setdefault(code, [])
        for row in which.fill_null(False).arg_true().head(SHOWN - len(seen)).to_list():
            place = row if rows is None else int(rows[row])
            seen.append(Seen(start + place + 1, str(series[row])[:60]))

    def _told(self, code: str) -> bool:
        if not self.counts.get(code):
            return False
        return self.target == "float" or code not in ("nan", "digits", "too_large")

    def _note(self, code: str) -> Note:
        what, lost = WORDS[code]
        if code == "not_declared":
            what = what.format(kind=self.declared, pattern=self.pattern and f" {self.pattern}")
        return Note(
            code=code,
            what=what,
            rows=self.counts[code],
            column=self.name,
            lost=lost,
            first=self.first[code],
        )


def as_text_series(values: Any) -> pl.Series:
    """A block of any type as text; without its name, which Polars could take for a pattern."""
    import polars as pl

    series = pl.Series("values", plain(values))
    return series if series.dtype == pl.String else series.cast(pl.String)


def as_arrow(series: pl.Series) -> pa.Array:
    """A block as it is written: large strings, and no NaN."""
    import polars as pl

    if series.dtype == pl.Float64:
        series = series.fill_nan(None)
    return series.to_arrow(compat_level=pl.CompatLevel.oldest())


def is_text(values: Any) -> bool:
    """Whether a block is text as the readers of this room give it."""
    import pyarrow.types as kinds

    return bool(kinds.is_large_string(values.type))


WORDS = {
    "not_declared": ("is no {kind}{pattern}, and became missing", True),
    "nan": ("is NaN, and became missing", False),
    "digits": (f"has more than the {DIGITS} digits that a float keeps", True),
    "too_large": ("is past the largest float, and became infinite", True),
    "no_number": ("is no number among numbers: the column stays text", False),
    "no_boolean": ("is neither true nor false: the column stays text", False),
    "no_date": ("is no date among dates: the column stays text", False),
    "no_time": ("is no time among times: the column stays text", False),
    "no_offset": ("has no offset, where other times have one: the column stays text", False),
    "other_date": ("is a date in another order than 2024-01-31: the column stays text", False),
    "short_year": ("has a year of two digits: its century is not guessed", False),
    "impossible": ("is a day that no calendar has", False),
}


def nearly(series: pl.Series) -> str | None:
    """The kind that at least half of a text column's first values have."""
    head = series.drop_nulls().head(1000)
    if head.is_empty():
        return None
    shares = {
        "number": head.str.contains(FLOAT).mean(),
        "boolean": head.str.contains(BOOLEAN).mean(),
        "date": head.str.contains(DATE).mean(),
        "time": head.str.contains(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}").mean(),
        "other_date": head.str.contains(OTHER_DATE).mean(),
    }
    for name, share in shares.items():
        if isinstance(share, float) and share >= 0.5:
            return name
    return None


def declared_text(series: pl.Series, kind: str, pattern: str) -> pl.Series:
    """Text that reads as the declared kind in the house's own spelling; else null."""
    import polars as pl

    text = pl.col(series.name)
    made: pl.Expr
    if kind == "number":
        made = pl.when(text.str.contains(FLOAT)).then(text)
    elif kind == "boolean":
        words = {"true": "true", "1": "true", "false": "false", "0": "false"}
        made = text.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.String)
    elif kind == "date":
        day = text.str.to_date(pattern or "%Y-%m-%d", strict=False)
        # A pattern with %Y reads 24 as the year 24; nobody who writes two digits means that.
        fits = day.dt.year() >= 1000 if pattern else text.str.contains(DATE)
        made = pl.when(fits).then(day.dt.to_string("%Y-%m-%d"))
    elif pattern:
        moment = text.str.to_datetime(pattern, strict=False, time_unit="us")
        made = pl.when(moment.dt.year() >= 1000).then(moment.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f"))
    else:
        full = pl.when(text.str.contains(DATE)).then(text + "T00:00:00").otherwise(text)
        made = pl.when(full.str.contains(TIME)).then(full)
    found = series.to_frame().select(made.alias(series.name))[:, 0]
    if kind == "time":
        # What has the shape of a time may still be none, such as the 31st of February.
        clock = found.str.slice(0, 19).str.replace(" ", "T").str.pad_end(19, "0")
        clock = clock.str.replace(r"^(.{16})[^:].*$", "$1:00")
        real = clock.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False).is_not_null()
        return pl.select(pl.when(real).then(found))[:, 0].alias(series.name)
    return found
