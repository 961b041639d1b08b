"""From a trained model to a bundle whose answers are proven to be the trained model's."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.cases.spec import Case
from trackrecord.errors import CaseError, DataError, TrackrecordError
from trackrecord.ledger.store import file_sha256, write_atomic
from trackrecord.modeling.estimators import ALLOWED
from trackrecord.modeling.export.bundle import (
    Bundle,
    Encoded,
    Feature,
    Hot,
    Parity,
    Probe,
    write_bundle,
)
from trackrecord.modeling.export.encoding import compiled
from trackrecord.modeling.export.histogram_trees import is_histogram_boosting
from trackrecord.modeling.export.onnx_file import Unconvertible, onnx_bytes
from trackrecord.modeling.export.opened import open_model
from trackrecord.modeling.learner import Fitted
from trackrecord.version import __version__

if TYPE_CHECKING:
    import polars as pl

# Compared rows: at least as many where the table has them, and no more than a few seconds' worth.
FEWEST, MOST = 10_000, 50_000
# An answer may move by what float32 rounds; a row that falls on a tree's other side moves by more.
TOLERANCE = 1e-5
PROBES = 8
SHOWN_VALUES = 50
BATCH = 4096
# Packages whose types a skops file may have.
KNOWN = ("numpy", "scipy", *ALLOWED)
# A case has no threshold: a half is what `label` means then.
THRESHOLD = 0.5


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model comes from: the run, its evidence, and the seal it stood on."""

    run: str
    evidence: str
    seal: str | None


def export_model(
    case: Case,
    origin: Origin,
    fitted: Fitted,
    frame: pl.DataFrame,
    *,
    model: str,
    estimator: str,
    training: pl.Series,
    folder: Path,
    threshold: float = THRESHOLD,
    progress: Callable[[str, float], None],
) -> Bundle:
    """Write a model's file and ``bundle.json`` into ``folder``.

    ONNX where it can carry the estimator and its answers are the trained model's; else skops, of
    which the types are listed.

    Parameters
    ----------
    frame:
        The model's features, a row a unit, in the case's order.
    training:
        Which rows of it were trained on (boolean, shape (rows,)).

    Raises
    ------
    CaseError
        For a model that is not an estimator on encoded columns.
    DataError
        When neither format gives the trained model's answers.
    """
    if fitted.estimator is None or not fitted.encoding:
        raise CaseError(
            f"the model '{model}' cannot be exported",
            where=f"case '{case.name}'",
            why=f"it is {estimator}: code of your own or a table, not an estimator",
            next="name a scikit-learn, LightGBM or XGBoost class under estimator in case.toml",
        )
    width = encoded_width(fitted.encoding)
    asked = _asked(frame, training)
    rows = asked.to_dicts()
    expected = fitted.predict(asked)
    seen = fitted.encode(frame) if is_histogram_boosting(fitted.estimator) else None
    tried: list[str] = []
    for format in ("onnx", "skops"):
        progress(f"writing {format}", 0.3 if format == "onnx" else 0.6)
        try:
            written = _written(fitted.estimator, width, folder, format, seen)
        except Unconvertible as error:
            tried.append(f"{format}: {error}")
            continue
        name, types = written
        bundle = Bundle(
            case=case.name,
            question=case.question,
            model=model,
            estimator=estimator,
            run=origin.run,
            seal=origin.seal,
            evidence=origin.evidence,
            format="onnx" if format == "onnx" else "skops",
            file=name,
            sha256=file_sha256(folder / name),
            features=described(frame.filter(training)),
            encoding=fitted.encoding,
            width=width,
            positive=f"{case.target.column} {case.target.positive}",
            threshold=threshold,
            parity=Parity(rows=0, largest=0.0, mean=0.0, flips=0, threshold=threshold),
            probe=Probe([], []),
            types=types,
            made=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            tool=__version__,
        )
        progress("comparing answers", 0.7)
        answer = answering(folder, bundle)
        parity = parity_of(expected, answer, rows, threshold)
        if parity.largest > TOLERANCE:
            tried.append(
                f"{format}: answers differ by up to {parity.largest:.2g} in {parity.rows:,} rows,"
                f" {parity.flips:,} of them on the other side of {threshold}"
            )
            (folder / name).unlink()
            continue
        probes = typical(bundle.features)
        bundle = msgspec.structs.replace(
            bundle,
            parity=parity,
            probe=Probe(probes, [float(p) for p in answer(probes)]),
        )
        write_bundle(folder, bundle)
        return bundle
    raise DataError(
        f"the model '{model}' has no file that answers as it does",
        where=f"case '{case.name}'",
        why="; ".join(tried),
        next="name another estimator in the case, or one that reads float32 as it is",
    )


def answering(folder: Path, bundle: Bundle) -> Callable[[list[dict[str, Any]]], Any]:
    """Rows in, probabilities out, float64 (rows,): what a server does."""
    import numpy as np

    encode = compiled(bundle.encoding, bundle.width)
    score = open_model(folder, bundle)

    def answer(rows: list[dict[str, Any]]) -> Any:
        pieces = [
            score(encode(rows[start : start + BATCH])) for start in range(0, len(rows), BATCH)
        ]
        return np.concatenate(pieces) if pieces else np.empty(0)

    return answer


def parity_of(
    expected: Any, answer: Callable[[list[dict[str, Any]]], Any], rows: list[Any], threshold: float
) -> Parity:
    """How far the file's answers are from the trained model's on these rows."""
    import numpy as np

    got = answer(rows)
    far = np.abs(got - expected)
    return Parity(
        rows=len(rows),
        largest=float(far.max()),
        mean=float(far.mean()),
        flips=int(((got >= threshold) != (expected >= threshold)).sum()),
        threshold=threshold,
    )


def described(rows: pl.DataFrame) -> list[Feature]:
    """The features of the training rows: kinds, shares missing, ranges, frequent values."""
    import polars as pl

    found = []
    for series in rows.get_columns():
        missing = series.null_count() / max(rows.height, 1)
        if series.dtype == pl.String:
            counts = series.drop_nulls().value_counts(sort=True, name="rows")
            # Ties in the text's order, so that the same rows give the same bundle.
            counts = counts.sort("rows", series.name, descending=[True, False])
            texts = counts[series.name].head(SHOWN_VALUES).to_list()
            found.append(Feature(name=series.name, kind="string", missing=missing, values=texts))
        elif series.dtype == pl.Boolean:
            found.append(Feature(name=series.name, kind="boolean", missing=missing))
        else:
            numbers = series.cast(pl.Float64).fill_nan(None).drop_nulls()
            lo, hi = (float(str(end)) if len(numbers) else None for end in _ends(numbers))
            missing = 1 - len(numbers) / max(rows.height, 1)
            found.append(Feature(name=series.name, kind="number", missing=missing, lo=lo, hi=hi))
    return found


def typical(features: list[Feature]) -> list[dict[str, str | float | bool | None]]:
    """Rows that could be, made of the features' ranges and frequent values: nobody's data."""
    rows = []
    for index in range(PROBES):
        share = (index + 0.5) / PROBES
        row: dict[str, str | float | bool | None] = {}
        for feature in features:
            if feature.kind == "string":
                texts = feature.values
                row[feature.name] = texts[index % len(texts)] if texts else None
            elif feature.kind == "boolean":
                row[feature.name] = index % 2 == 0
            elif feature.lo is None or feature.hi is None:
                row[feature.name] = None
            else:
                row[feature.name] = round(feature.lo + share * (feature.hi - feature.lo), 6)
        rows.append(row)
    return rows


def _ends(numbers: pl.Series) -> tuple[Any, Any]:
    return numbers.min(), numbers.max()


def _asked(frame: pl.DataFrame, training: pl.Series) -> pl.DataFrame:
    """Rows to compare: those not trained on, evenly chosen; all of the table where they are few."""
    others = frame.filter(~training)
    chosen = others if others.height >= FEWEST else frame
    return chosen.gather_every(max(1, -(-chosen.height // MOST)))


def _written(
    estimator: Any, width: int, folder: Path, format: str, seen: Any
) -> tuple[str, list[str]]:
    if format == "onnx":
        write_atomic(folder / "model.onnx", onnx_bytes(estimator, width, seen=seen))
        return "model.onnx", []
    import skops.io

    try:
        data: bytes = skops.io.dumps(estimator)
        types = sorted(skops.io.get_untrusted_types(data=data))
    except TrackrecordError:
        raise
    except Exception as error:  # skops raises whatever a type's own reduction does
        raise Unconvertible(f"{type(error).__name__}: {str(error)[:200]}") from error
    if strange := [name for name in types if name.partition(".")[0] not in KNOWN]:
        raise Unconvertible(f"it would need types from elsewhere: {', '.join(strange[:3])}")
    write_atomic(folder / "model.skops", data)
    return "model.skops", types


def encoded_width(encoding: list[Encoded]) -> int:
    """How many columns an encoding makes."""
    return sum(column.width if isinstance(column, Hot) else 1 for column in encoding)
