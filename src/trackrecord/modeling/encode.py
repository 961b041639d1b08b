"""Features as numbers, by scikit-learn's own encoders, fitted on training rows only.

=========  =================================================  =================================
kind       ``ordinal``                                        ``one_hot``
=========  =================================================  =================================
string     a code for each of the most frequent values (at    a column for each value with at
           most 254), one more for all rarer ones             least 10 rows, one for rarer ones
number,    as it is                                           standardised
boolean
missing    NaN where the estimator takes it; otherwise a      string: a value of its own; number:
           code of its own, numbers as in ``one_hot``         the median, and a column says so
unseen     like missing                                       like the rarer values
date,      refused: what matters in a moment – hour, weekday, season – is for the person to say
time
=========  =================================================  =================================
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.export.bundle import Codes, Encoded, Gap, Hot, Number

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

Encoding = Literal["ordinal", "one_hot"]

RAREST = 10
MOST_CODES = 254
DENSE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Encoder:
    """A fitted encoding.

    ``transform`` gives float64, shape (rows, ``width``): an array, or CSR where ``sparse``.
    ``categorical`` are the positions of columns that hold codes. ``columns`` says the same as
    ``transform`` in data, for who serves the model without scikit-learn.
    """

    transform: Callable[[pl.DataFrame], Any]
    width: int
    categorical: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: list[Encoded] = field(default_factory=list)


def fit_encoder(
    rows: pl.DataFrame,
    how: Encoding,
    *,
    takes_missing: bool = False,
    sparse: bool = False,
    most_codes: int = MOST_CODES,
) -> Encoder:
    """Learn the encoding of ``rows``, the training rows alone.

    Parameters
    ----------
    rows:
        Features in canonical kinds; none of them a date or a time.
    how:
        See the table above.
    takes_missing:
        The estimator understands NaN.
    sparse:
        The estimator takes a sparse matrix; otherwise ``one_hot`` makes a full one.
    most_codes:
        How many codes an ordinal column may have.

    Raises
    ------
    CaseError
        For a date or a time, and for a full matrix of more than 2 GB.
    DataError
        For an infinite number.
    """
    check_kinds(rows)
    strings, numbers = split_kinds(rows)
    empty = [name for name in rows.columns if rows[name].null_count() == rows.height]
    notes = [f"the feature {name!r} is missing in every training row" for name in empty]
    if how == "ordinal":
        return _ordinal(rows, strings, numbers, takes_missing, most_codes, notes)
    return _one_hot(rows, strings, numbers, sparse, notes)


def check_kinds(rows: pl.DataFrame) -> None:
    """Raise CaseError for a feature that has no one encoding."""
    from trackrecord.data.kinds import kind_of

    for series in rows.get_columns():
        kind = kind_of(series)
        if series.dtype.is_temporal():
            raise CaseError(
                f"the feature {series.name!r} holds {kind}s, which have no one encoding",
                why="what matters in a moment – hour, weekday, season – is for you to say",
                next=f"add columns such as hour or weekday to the data in place of {series.name!r},"
                ' or use a model of your own (python = "file.py:function"), which gets it as it is',
            )


def split_kinds(rows: pl.DataFrame) -> tuple[list[str], list[str]]:
    """Names of the columns that hold strings, and of those that hold numbers or booleans."""
    import polars as pl

    strings = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    return strings, [name for name in rows.columns if name not in strings]


def _ordinal(
    rows: pl.DataFrame,
    strings: list[str],
    numbers: list[str],
    takes_missing: bool,
    most_codes: int,
    notes: list[str],
) -> Encoder:
    import numpy as np
    from sklearn.preprocessing import OrdinalEncoder

    steps: list[Callable[[pl.DataFrame], Any]] = []
    columns: list[Encoded] = []
    if strings:
        codes = OrdinalEncoder(
            max_categories=most_codes,
            handle_unknown="use_encoded_value",
            unknown_value=np.nan if takes_missing else -1,
            encoded_missing_value=np.nan if takes_missing else -1,
        ).fit(_text(rows, strings))
        steps.append(lambda frame: codes.transform(_text(frame, strings)))
        columns += described_codes(codes, strings)
    if numbers:
        if takes_missing:
            _numbers(rows, numbers)
            steps.append(lambda frame: _numbers(frame, numbers))
            columns += [Number(name) for name in numbers]
        else:
            impute, filled = _imputed(rows, numbers)
            steps.append(impute)
            columns += filled

    def transform(frame: pl.DataFrame) -> Any:
        return np.hstack([step(frame) for step in steps])

    width = transform(rows.head(1)).shape[1]
    coded = list(range(len(strings)))
    return Encoder(transform, width, categorical=coded, notes=notes, columns=columns)


def _one_hot(
    rows: pl.DataFrame, strings: list[str], numbers: list[str], sparse: bool, notes: list[str]
) -> Encoder:
    import numpy as np
    import scipy.sparse as sp
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    steps: list[Callable[[pl.DataFrame], Any]] = []
    columns: list[Encoded] = []
    if strings:
        hot = OneHotEncoder(min_frequency=RAREST, handle_unknown="infrequent_if_exist")
        hot.fit(_text(rows, strings))
        steps.append(lambda frame: hot.transform(_text(frame, strings)))
        columns += described_hot(hot, strings)
    if numbers:
        impute, filled = _imputed(rows, numbers)
        scale = StandardScaler().fit(impute(rows))
        steps.append(lambda frame: scale.transform(impute(frame)))
        columns += [
            msgspec.structs.replace(column, mean=float(mean), scale=float(by))
            for column, mean, by in zip(filled, scale.mean_, scale.scale_, strict=True)
        ]

    def transform(frame: pl.DataFrame) -> Any:
        blocks = [step(frame) for step in steps]
        if sparse:
            return sp.hstack([sp.csr_matrix(block) for block in blocks], format="csr")
        return np.hstack([b.toarray() if sp.issparse(b) else b for b in blocks])

    width = sum(step(rows.head(1)).shape[1] for step in steps)
    if not sparse and (size := 8 * width * rows.height) > DENSE_BYTES:
        raise CaseError(
            f"one-hot encoding would make {width:,} columns, {size / 1e9:.1f} GB of memory",
            why="this estimator does not take a sparse matrix",
            next='write encode = "ordinal" for this model, or leave out the column with the most '
            "different values",
        )
    return Encoder(transform, width, notes=notes, columns=columns)


def _imputed(
    rows: pl.DataFrame, numbers: list[str]
) -> tuple[Callable[[pl.DataFrame], Any], list[Number | Gap]]:
    """Numbers with the training median where missing, and a 0/1 column for each that ever is."""
    from sklearn.impute import SimpleImputer

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    imputer.fit(_numbers(rows, numbers))
    columns: list[Number | Gap] = [
        # An empty column has no median: scikit-learn fills it with 0.
        Number(name, fill=float(median) if median == median else 0.0)
        for name, median in zip(numbers, imputer.statistics_, strict=True)
    ]
    columns += [Gap(numbers[position]) for position in imputer.indicator_.features_]
    return lambda frame: imputer.transform(_numbers(frame, numbers)), columns


def described_codes(encoder: Any, strings: list[str]) -> list[Encoded]:
    """What a fitted OrdinalEncoder does, as data: asked of itself, a known text at a time."""
    found: list[Encoded] = []
    for place, (name, texts, answers) in enumerate(_probed(encoder, strings)):
        codes = [float(code) for code in answers[:, place]]
        unknown, missing = codes[-2:]
        found.append(
            Codes(
                name,
                dict(zip(texts, codes, strict=False)),
                unknown=None if unknown != unknown else unknown,
                missing=None if missing != missing else missing,
            )
        )
    return found


def described_hot(encoder: Any, strings: list[str]) -> list[Encoded]:
    """What a fitted OneHotEncoder does, as data: asked of itself, a known text at a time."""
    widths = [len(names) for names in _hot_widths(encoder, strings)]
    found: list[Encoded] = []
    start = 0
    for width, (name, texts, answers) in zip(widths, _probed(encoder, strings), strict=True):
        block = answers.toarray()[:, start : start + width]
        at = [int(row.argmax()) if row.any() else None for row in block]
        positions = {text: one for text, one in zip(texts, at, strict=False) if one is not None}
        found.append(Hot(name, positions, width, unknown=at[-2], missing=at[-1]))
        start += width
    return found


def _hot_widths(encoder: Any, strings: list[str]) -> list[list[str]]:
    names = list(encoder.get_feature_names_out([str(place) for place in range(len(strings))]))
    return [[n for n in names if n.startswith(f"{place}_")] for place in range(len(strings))]


def _probed(encoder: Any, strings: list[str]) -> Iterator[tuple[str, list[str], Any]]:
    """For each column its known texts and the encoder's answers: to them, a new text, and NaN."""
    import numpy as np

    for place, (name, known) in enumerate(zip(strings, encoder.categories_, strict=True)):
        texts = [text for text in known if isinstance(text, str)]
        new = "new"
        while new in texts:
            new += "+"
        asked = np.empty((len(texts) + 2, len(strings)), dtype=object)
        asked[:] = [known[0] for known in encoder.categories_]
        asked[:, place] = [*texts, new, np.nan]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a text is new is what is asked
            yield name, texts, encoder.transform(asked)


def _text(frame: pl.DataFrame, strings: list[str]) -> NDArray[np.object_]:
    """Objects, (rows, strings): text, or NaN where missing, which is what the encoders look for."""
    import numpy as np
    import polars as pl

    texts = frame.select(strings)
    array = texts.to_numpy(writable=True)
    array[texts.select(pl.all().is_null()).to_numpy()] = np.nan
    return array


def _numbers(frame: pl.DataFrame, numbers: list[str]) -> NDArray[np.float64]:
    """float64, (rows, numbers): NaN where missing. Raises DataError for an infinity."""
    import numpy as np
    import polars as pl

    array = frame.select(pl.col(numbers).cast(pl.Float64).fill_null(np.nan)).to_numpy()
    if np.isinf(array).any():
        column = int(np.isinf(array).any(axis=0).argmax())
        count = int(np.isinf(array[:, column]).sum())
        raise DataError(
            f"the feature {numbers[column]!r} is infinite in {count:,} of {len(array):,} rows",
            why="an infinity has no mean, and most models cannot use it",
            next="leave such a value empty, or replace it by the largest one that is possible",
        )
    return np.ascontiguousarray(array, dtype=np.float64)
