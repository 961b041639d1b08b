"""Estimators as ONNX: one float32 matrix in, the probability of a positive out."""

from __future__ import annotations

import warnings
from typing import Any

from trackrecord.errors import MissingExtra
from trackrecord.modeling.export.histogram_trees import histogram_trees, is_histogram_boosting

INPUT = "encoded"
OUTPUT = "probability"


class Unconvertible(Exception):
    """ONNX has no words for this estimator; the message says why."""


def onnx_bytes(estimator: Any, width: int, *, seen: Any = None) -> bytes:
    """A fitted binary classifier as an ONNX file of ``width`` inputs.

    ``seen`` (rows, width) has encoded rows in double precision: rounding is to part them as before.

    Raises
    ------
    Unconvertible
        When no converter knows it.
    MissingExtra
        When the converter of its package is not installed.
    """
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = _written(estimator, width, seen)
        except MissingExtra:
            raise
        except Exception as error:  # converters raise whatever their author chose
            said = (str(error).strip().splitlines() or [""])[0]
            raise Unconvertible(f"{type(error).__name__}: {said[:200]}") from error
    onnx.checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def _written(estimator: Any, width: int, seen: Any) -> Any:
    if is_histogram_boosting(estimator):
        return histogram_trees(estimator, width, inputs=INPUT, output=OUTPUT, seen=seen)
    model = _converted(estimator, width)
    _answer_with_one(model, list(estimator.classes_).index(1))
    return model


def _converted(estimator: Any, width: int) -> Any:
    package = type(estimator).__module__.partition(".")[0]
    if package in ("lightgbm", "xgboost"):
        try:
            import onnxmltools
            from onnxmltools.convert.common.data_types import FloatTensorType as Floats
        except ImportError:
            raise MissingExtra(
                f"a model of {package} is exported by onnxmltools, which is not installed",
                next="pip install 'trackrecord[boosted]'",
            ) from None
        shape = [(INPUT, Floats([None, width]))]
        if package == "lightgbm":
            return onnxmltools.convert_lightgbm(estimator, initial_types=shape, zipmap=False)
        return onnxmltools.convert_xgboost(estimator, initial_types=shape)
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    shape = [(INPUT, FloatTensorType([None, width]))]
    return to_onnx(estimator, initial_types=shape, options={id(estimator): {"zipmap": False}})


def _answer_with_one(model: Any, positive: int) -> None:
    """Let ``model`` give the positives' column of its probabilities, shape (rows,), and no more."""
    from onnx import TensorProto, helper

    graph = model.graph
    names = [output.name for output in graph.output]
    probabilities = next(name for name in names if name != names[0]) if len(names) > 1 else names[0]
    index = f"{OUTPUT}_column"
    graph.initializer.append(helper.make_tensor(index, TensorProto.INT64, [], [positive]))
    graph.node.append(
        helper.make_node("Gather", [probabilities, index], [OUTPUT], name=OUTPUT, axis=1)
    )
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None]))
