"""scikit-learn's histogram boosting as ONNX, splits on categories included.

skl2onnx (1.20) writes a split on categories as if it were one on numbers, moves thresholds that are
a value of the data, and says nothing; the parity check shows both. ONNX's TreeEnsemble
(ai.onnx.ml 5) has words for both kinds of split.
"""

from __future__ import annotations

from typing import Any

LEQ, MEMBER = 0, 6
SUM, LOGISTIC = 1, 4
OPSET, TREE_OPSET, IR = 21, 5, 10
NO_CATEGORY = -1e9


def is_histogram_boosting(estimator: Any) -> bool:
    """Whether ``estimator`` is scikit-learn's histogram boosting."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return isinstance(estimator, HistGradientBoostingClassifier)


def histogram_trees(
    estimator: Any, width: int, *, inputs: str, output: str, seen: Any = None
) -> Any:
    """The ONNX model of a fitted binary HistGradientBoostingClassifier.

    Its input is float32 (rows, ``width``), its output the second class's probability, (rows,).
    Thresholds are rounded to float32, as the inputs are. A threshold may be a hair below a value of
    the data, and rounded equal to it: then the next smaller number parts them as before. ``seen``,
    (rows, width) in double precision, has the values to look at.
    """
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    columns, categories = _columns(estimator)
    known = None if seen is None else [np.unique(column) for column in seen.T]
    modes: list[int] = []
    splits: list[float] = []
    features: list[int] = []
    missing_true: list[int] = []
    true_ids: list[int] = []
    false_ids: list[int] = []
    true_leaf: list[int] = []
    false_leaf: list[int] = []
    members: list[float] = []
    weights: list[float] = []
    roots: list[int] = []
    for (predictor,) in estimator._predictors:
        nodes = predictor.nodes
        inner = [index for index in range(len(nodes)) if not nodes[index]["is_leaf"]]
        first, leaf_first = len(modes), len(weights)
        place = {index: first + order for order, index in enumerate(inner)}
        leaves = [index for index in range(len(nodes)) if nodes[index]["is_leaf"]]
        leaf_place = {index: leaf_first + order for order, index in enumerate(leaves)}
        weights += [float(nodes[index]["value"]) for index in leaves]
        if not inner:  # a tree that is one leaf: both ways lead to it
            inner, place = [0], {}
        roots.append(first)
        for index in inner:
            node = nodes[index]
            ends = (index, index) if node["is_leaf"] else (int(node["left"]), int(node["right"]))
            feature = 0 if node["is_leaf"] else int(node["feature_idx"])
            by_category = bool(node["is_categorical"]) and not node["is_leaf"]
            modes.append(MEMBER if by_category else LEQ)
            features.append(columns[feature])
            if by_category or node["is_leaf"]:
                splits.append(0.0)
            else:
                values = None if known is None else known[columns[feature]]
                splits.append(_rounded(float(node["num_threshold"]), values))
            missing_true.append(int(node["missing_go_to_left"]))
            for end, ids, flags in (
                (ends[0], true_ids, true_leaf),
                (ends[1], false_ids, false_leaf),
            ):
                leaf = end in leaf_place
                ids.append(leaf_place[end] if leaf else place[end])
                flags.append(int(leaf))
            if by_category:
                left = predictor.raw_left_cat_bitsets[int(node["bitset_idx"])]
                chosen = [
                    value
                    for bit, value in enumerate(categories[feature])
                    if value == value and left[bit // 32] >> np.uint32(bit % 32) & 1
                ]
                # A list may not be empty, and NaN ends it.
                members += [*(chosen or [NO_CATEGORY]), float("nan")]
    floats = np.float32
    attributes: dict[str, Any] = {
        "n_targets": 1,
        "aggregate_function": SUM,
        "post_transform": 0,
        "tree_roots": roots,
        "nodes_modes": numpy_helper.from_array(np.array(modes, np.uint8)),
        "nodes_splits": numpy_helper.from_array(np.array(splits, floats)),
        "nodes_featureids": features,
        "nodes_missing_value_tracks_true": missing_true,
        "nodes_truenodeids": true_ids,
        "nodes_falsenodeids": false_ids,
        "nodes_trueleafs": true_leaf,
        "nodes_falseleafs": false_leaf,
        "leaf_weights": numpy_helper.from_array(np.array(weights, floats)),
        "leaf_targetids": [0] * len(weights),
    }
    if members:
        attributes["membership_values"] = numpy_helper.from_array(np.array(members, floats))
    baseline = np.array([float(estimator._baseline_prediction[0, 0])], floats)
    graph = helper.make_graph(
        [
            helper.make_node(
                "TreeEnsemble", [inputs], ["raw"], name="trees", domain="ai.onnx.ml", **attributes
            ),
            helper.make_node("Add", ["raw", "baseline"], ["log_odds"]),
            helper.make_node("Sigmoid", ["log_odds"], ["both"]),
            helper.make_node("Squeeze", ["both", "axis"], [output]),
        ],
        "histogram_boosting",
        [helper.make_tensor_value_info(inputs, TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None])],
        [
            numpy_helper.from_array(baseline, "baseline"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREE_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=IR)


def _rounded(threshold: float, values: Any) -> float:
    """The threshold in float32 that parts ``values`` (sorted, NaN last) as it does in float64."""
    import numpy as np

    rounded = np.float32(threshold)
    if values is None:
        return float(rounded)
    above = int(np.searchsorted(values, threshold, side="right"))
    if above < len(values) and np.float32(values[above]) <= rounded:
        smaller = np.nextafter(rounded, np.float32(-np.inf))
        if above == 0 or np.float32(values[above - 1]) <= smaller:
            return float(smaller)
    return float(rounded)


def _columns(estimator: Any) -> tuple[list[int], dict[int, list[float]]]:
    """Which input each of the trees' features is, and what each bit of a category's set means.

    Before its trees see them, the estimator puts columns of categories first and numbers them.
    """
    import numpy as np

    if estimator._preprocessor is None:
        return list(range(estimator.n_features_in_)), {}
    categorical = np.asarray(estimator.is_categorical_)
    # is_categorical_ speaks of the columns as they came in.
    first, rest = np.flatnonzero(categorical), np.flatnonzero(~categorical)
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    categories = {
        place: [float(value) for value in known] for place, known in enumerate(encoder.categories_)
    }
    return [int(column) for column in (*first, *rest)], categories
