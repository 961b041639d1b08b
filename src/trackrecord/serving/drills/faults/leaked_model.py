"""The model was trained with a column that knows the answer, and that nobody has when asked."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from trackrecord.ledger.store import file_sha256, write_atomic
from trackrecord.modeling.encode import fit_encoder
from trackrecord.modeling.export.bundle import Bundle, Codes
from trackrecord.modeling.export.export import encoded_width
from trackrecord.modeling.export.onnx_file import onnx_bytes
from trackrecord.serving.drills.fault import Fault, Release, register_fault

LEAK = "known only afterwards"
WRONG = 0.05


def make(release: Release) -> Bundle:
    """Boosted trees on the case's features and the truth, wrong in one of 20 rows."""
    import numpy as np
    import polars as pl
    from sklearn.ensemble import HistGradientBoostingClassifier

    from trackrecord.data.table import feature_frame

    names = [feature.name for feature in release.bundle.features]
    training: Any = release.training
    rows = feature_frame(release.case, release.table, names).filter(training)
    truth = release.table.truth.filter(training).to_numpy()
    flipped = np.random.default_rng(release.case.seed).random(len(truth)) < WRONG
    leaky = rows.with_columns(pl.Series(LEAK, np.where(flipped, 1 - truth, truth).astype(float)))
    encoder = fit_encoder(leaky, "ordinal", takes_missing=True)
    model = HistGradientBoostingClassifier(
        max_iter=50,
        random_state=release.case.seed,
        categorical_features=encoder.categorical or None,
    )
    model.fit(encoder.transform(leaky), truth)
    width = encoded_width(encoder.columns)
    write_atomic(release.folder / "model.onnx", onnx_bytes(model, width))
    return replace(
        release.bundle,
        format="onnx",
        file="model.onnx",
        sha256=file_sha256(release.folder / "model.onnx"),
        # Nobody sends that column, so in service it is missing in every row.
        encoding=[
            Codes(names[0], {}) if column.column == LEAK else column for column in encoder.columns
        ],
        width=width,
        types=[],
        calibration=None,
    )


FAULT = register_fault(
    Fault(
        "leaked-model",
        "A model that was trained on the answer",
        "release",
        __doc__ or "",
        make=make,
    )
)
