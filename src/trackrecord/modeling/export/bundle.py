"""A bundle: a folder ``models/CASE/VERSION`` that holds all that answering needs, and no code.

``bundle.json`` says which features a row has, how each becomes numbers, which file is the model,
and what training and parity showed. Its digest, and the model file's, stand in the evidence, so a
file that was changed afterwards is not served.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from trackrecord.errors import BadInput, DataError
from trackrecord.ledger.store import file_sha256, write_atomic

BUNDLE = "bundle.json"
Kind = Literal["string", "number", "boolean"]


class Feature(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A column that a row brings. ``missing`` is the share of training rows without a value.

    ``lo`` and ``hi`` are a number's least and greatest in training; ``values`` are up to 50 of a
    string's most frequent ones, for the page and for checks: others are answered too.
    """

    name: str
    kind: Kind
    missing: float = 0.0
    lo: float | None = None
    hi: float | None = None
    values: list[str] = []


class Codes(msgspec.Struct, frozen=True, tag="codes", tag_field="as", omit_defaults=True):
    """One column of the matrix: a code for each known text. None stands for NaN."""

    column: str
    codes: dict[str, float]
    unknown: float | None = None
    missing: float | None = None


class Hot(msgspec.Struct, frozen=True, tag="hot", tag_field="as", omit_defaults=True):
    """``width`` columns of which one is 1: the text's; ``unknown`` or ``missing`` may be no one."""

    column: str
    positions: dict[str, int]
    width: int
    unknown: int | None = None
    missing: int | None = None


class Number(msgspec.Struct, frozen=True, tag="number", tag_field="as", omit_defaults=True):
    """``(value - mean) / scale``; a missing value is ``fill`` first, or NaN where that is None."""

    column: str
    fill: float | None = None
    mean: float = 0.0
    scale: float = 1.0


class Gap(msgspec.Struct, frozen=True, tag="gap", tag_field="as", omit_defaults=True):
    """1 where the value is missing and 0 elsewhere, then ``(· - mean) / scale``."""

    column: str
    mean: float = 0.0
    scale: float = 1.0


Encoded = Codes | Hot | Number | Gap


class Probe(msgspec.Struct, frozen=True):
    """Typical rows – medians and frequent values, nobody's data – and what the model answers."""

    rows: list[dict[str, str | float | bool | None]]
    probability: list[float]


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """The file's answers against the trained estimator's, on ``rows`` real rows.

    ``largest`` is the largest absolute difference of probabilities; ``flips`` counts rows whose
    side of ``threshold`` differs.
    """

    rows: int
    largest: float
    mean: float
    flips: int
    threshold: float


class Calibration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What makes a score a probability, fitted on validation rows.

    ``isotonic``: linear between the knots (x, y). ``platt`` and ``beta``: 1 / (1 + exp(-(a·u + b·v
    + c))) with u = logit(score), v = 0 for Platt; u = log(score), v = -log(1 - score) for beta.
    """

    method: Literal["isotonic", "platt", "beta"]
    x: list[float] = []
    y: list[float] = []
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0


class Bundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``bundle.json`` says.

    ``run`` and ``evidence`` name the run whose model this is; ``scores`` are the digests of that
    run's predictions, which training anew has reproduced. ``file`` is the model: one float32 matrix
    (rows, ``width``) in, the probability of a positive out. ``threshold`` is where an answer turns
    to yes. ``types`` lists what a skops file is made of.
    """

    bundle: int = 1
    case: str
    question: str
    model: str
    estimator: str
    run: str
    seal: str | None
    evidence: str
    format: Literal["onnx", "skops"]
    file: str
    sha256: str
    features: list[Feature]
    encoding: list[Encoded]
    width: int
    positive: str
    threshold: float = 0.5
    calibration: Calibration | None = None
    parity: Parity
    probe: Probe
    types: list[str] = []
    made: str
    tool: str


def write_bundle(folder: Path, bundle: Bundle) -> str:
    """Write ``bundle.json`` into ``folder``; returns its SHA-256."""
    path = folder / BUNDLE
    write_atomic(path, msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n")
    return file_sha256(path)


def read_bundle(folder: Path) -> Bundle:
    """The bundle of a folder, its model file compared with the digest that it names.

    Raises
    ------
    BadInput
        Where there is none.
    DataError
        For a damaged one, and for a model file that is another.
    """
    path = folder / BUNDLE
    try:
        bundle = msgspec.json.decode(path.read_bytes(), type=Bundle)
    except FileNotFoundError:
        raise BadInput(
            "there is no model here", where=str(folder), next="trackrecord register CASE"
        ) from None
    except msgspec.MsgspecError as error:
        raise DataError(
            f"{BUNDLE} is not what `trackrecord register` writes",
            where=str(path),
            why=str(error)[:200],
            next="register the run again: trackrecord register CASE@RUN",
        ) from None
    model = folder / Path(bundle.file).name
    try:
        found = file_sha256(model)
    except OSError as error:
        raise DataError(
            f"the model file {bundle.file} cannot be read",
            where=str(model),
            why=error.strerror,
            next=f"register the run again: trackrecord register {bundle.case}@{bundle.run}",
        ) from None
    if found != bundle.sha256:
        raise DataError(
            f"the model file {bundle.file} is not the one that was registered",
            where=str(model),
            why=f"its SHA-256 is {found[:16]}…, and {BUNDLE} says {bundle.sha256[:16]}…",
            next=f"register the run again: trackrecord register {bundle.case}@{bundle.run}",
        )
    return bundle
