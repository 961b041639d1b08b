"""Opens a bundle's model file: a function from encoded rows to probabilities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackrecord.errors import DataError
from trackrecord.modeling.export.bundle import Bundle, Calibration

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Scorer = Callable[["NDArray[np.float32]"], "NDArray[np.float64]"]


def open_model(folder: Path, bundle: Bundle, *, threads: int = 1) -> Scorer:
    """The model of a bundle that was read (and so compared with its digest).

    The function takes float32 (rows, ``bundle.width``) and gives float64 (rows,), calibrated where
    the bundle says how. It may be called from several threads at once.

    Raises DataError for a file that ONNX Runtime or skops cannot open.
    """
    path = folder / Path(bundle.file).name
    try:
        score = (
            _onnx(path, threads) if bundle.format == "onnx" else _skops(path, sorted(bundle.types))
        )
    except Exception as error:  # both libraries raise of their own
        raise DataError(
            f"the model file {bundle.file} cannot be opened",
            where=str(path),
            why=(str(error).strip().splitlines() or [type(error).__name__])[0][:300],
            next=f"register the run again: trackrecord register {bundle.case}@{bundle.run}",
        ) from None
    if bundle.calibration is None:
        return score
    calibrate = calibrator(bundle.calibration)
    return lambda matrix: calibrate(score(matrix))


def _onnx(path: Path, threads: int) -> Scorer:
    import numpy as np
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name, wanted = session.get_inputs()[0].name, [session.get_outputs()[0].name]

    def score(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(session.run(wanted, {name: matrix})[0], dtype=np.float64)

    return score


def _skops(path: Path, types: list[str]) -> Scorer:
    import numpy as np
    import skops.io

    estimator: Any = skops.io.load(path, trusted=types)
    positive = list(estimator.classes_).index(1)

    def score(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(estimator.predict_proba(matrix)[:, positive], dtype=np.float64)

    return score


def calibrator(fitted: Calibration) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """The function that a fitted calibration is: scores in [0, 1] to probabilities."""
    import numpy as np

    if fitted.method == "isotonic":
        x, y = np.array(fitted.x), np.array(fitted.y)
        return lambda scores: np.interp(scores, x, y)
    a, b, c = fitted.a, fitted.b, fitted.c
    tiny = np.finfo(np.float64).tiny

    def bent(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        yes = np.log(np.clip(scores, tiny, None))
        no = np.log(np.clip(1.0 - scores, tiny, None))
        line = a * (yes - no) + c if fitted.method == "platt" else a * yes - b * no + c
        return 1.0 / (1.0 + np.exp(-line))

    return bent
