"""scikit-learn estimators, named in ``case.toml`` by their dotted name.

Only from packages on a list: a case file that came from elsewhere must not be able to name just
any callable. What is not on it goes through a file of one's own (``python_file.py``).
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from trackrecord.errors import CaseError, MissingExtra, suggest
from trackrecord.modeling.encode import MOST_CODES, Encoder, fit_encoder
from trackrecord.modeling.learner import Fitted, Learner, chosen_features, settings

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import Case, Model

# Package that is imported, and the name it is installed by.
ALLOWED = {
    "sklearn": "scikit-learn",
    "lightgbm": "lightgbm",
    "xgboost": "xgboost",
    "catboost": "catboost",
    "imblearn": "imbalanced-learn",
    "interpret": "interpret",
    "ngboost": "ngboost",
}
MAX_NOTES = 5


def prepare_estimator(model: Model, case: Case, seed: int) -> Learner:
    """The estimator that the case names, made and checked, not yet trained.

    Raises
    ------
    CaseError
        For a name that is not an estimator with ``fit`` and ``predict_proba``, a package that is
        not on the list, or a parameter it does not have.
    MissingExtra
        When the package is on the list and not installed.
    """
    where = f"model '{model.name}' in the case '{case.name}'"
    kind = _find_class(model.estimator, where)
    estimator = _make(kind, model, seed, where)
    features = chosen_features(model.features, case.features, where)

    def fit(rows: pl.DataFrame, truth: NDArray[np.int8]) -> Fitted:
        tags = _tags(estimator)
        parameters = estimator.get_params()
        encoder = fit_encoder(
            rows,
            model.encode,
            takes_missing=bool(tags and tags.input_tags.allow_nan),
            sparse=bool(tags and tags.input_tags.sparse),
            most_codes=_most_codes(parameters.get("max_bins")),
        )
        if "categorical_features" in parameters and "categorical_features" not in model.parameters:
            estimator.set_params(categorical_features=encoder.categorical or None)
        return fit_estimator(estimator, encoder, rows, truth, name=where)

    return Learner(model.name, "model", model.estimator, features, fit)


def fit_estimator(
    estimator: Any, encoder: Encoder, rows: pl.DataFrame, truth: NDArray[np.int8], *, name: str
) -> Fitted:
    """Train ``estimator`` on encoded rows. Warnings, such as of no convergence, become notes.

    Raises CaseError, with the estimator's own words, when it does not train.
    """
    encoded = encoder.transform(rows)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator.fit(encoded, truth)
        except Exception as error:
            raise CaseError(
                f"{type(estimator).__name__} could not be trained",
                where=name,
                why=_words(error),
                next="correct its parameters in case.toml; --debug shows the whole traceback",
            ) from error
    positive = list(estimator.classes_).index(1)

    def predict(asked: pl.DataFrame) -> Any:
        return estimator.predict_proba(encoder.transform(asked))[:, positive]

    return Fitted(
        predict=predict,
        parameters=settings(estimator.get_params(deep=False)),
        notes=encoder.notes + _notes(caught),
        estimator=estimator,
        encoding=encoder.columns,
        encode=encoder.transform,
    )


def _find_class(dotted: str, where: str) -> type:
    package, _, rest = dotted.partition(".")
    module_name, _, name = dotted.rpartition(".")
    if package not in ALLOWED or not rest:
        near = suggest(package, list(ALLOWED))
        raise CaseError(
            f"an estimator cannot come from '{package}'",
            where=where,
            why=f"did you mean '{near}'?" if near else f"packages: {', '.join(ALLOWED)}",
            next='use a file of your own: python = "model.py:build"',
        )
    if find_spec(package) is None:
        raise MissingExtra(
            f"{dotted} needs the package {ALLOWED[package]}, which is not installed",
            where=where,
            next=f"pip install {ALLOWED[package]}",
        )
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise _unknown(dotted, name, package, where) from error
    found = getattr(module, name, None)
    if not isinstance(found, type):
        names = [n for n in dir(module) if not n.startswith("_")]
        near = suggest(name, names)
        if near is None:
            raise _unknown(dotted, name, package, where)
        raise CaseError(
            f"{module_name} has no estimator '{name}'", where=where, why=f"did you mean '{near}'?"
        )
    if not hasattr(found, "fit") or not hasattr(found, "get_params"):
        raise CaseError(
            f"{dotted} is not an estimator", where=where, why="it lacks fit or get_params"
        )
    return found


def _unknown(dotted: str, name: str, package: str, where: str) -> CaseError:
    """The error for a name that is nowhere; scikit-learn can say where the class is instead."""
    why = None
    if package == "sklearn":
        from sklearn.utils import all_estimators

        public = {
            kind.__name__: ".".join(p for p in kind.__module__.split(".") if p[0] != "_")
            for _, kind in all_estimators(type_filter="classifier")
        }
        near = suggest(name, list(public))
        why = f"did you mean '{public[near]}.{near}'?" if near else None
    return CaseError(f"there is no estimator {dotted}", where=where, why=why)


def _make(kind: type, model: Model, seed: int, where: str) -> Any:
    from inspect import signature

    known = [name for name in signature(kind).parameters if name not in ("self", "args", "kwargs")]
    # A class that takes **kwargs (as LightGBM's) checks their names itself.
    open_ended = "kwargs" in signature(kind).parameters
    for name in model.parameters:
        if name not in known and not open_ended:
            near = suggest(name, known)
            raise CaseError(
                f"{kind.__name__} has no parameter '{name}'",
                where=where,
                why=f"did you mean '{near}'?" if near else f"parameters: {', '.join(known)}",
            )
    parameters: dict[str, Any] = dict(model.parameters)
    if "random_state" in known:
        parameters.setdefault("random_state", seed)
    try:
        estimator = kind(**parameters)
    except Exception as error:
        raise CaseError(
            f"{kind.__name__} cannot be made with these parameters", where=where, why=_words(error)
        ) from error
    if not hasattr(estimator, "predict_proba"):
        raise CaseError(
            f"{kind.__name__} gives no probabilities",
            where=where,
            why="it has no predict_proba with these parameters",
            next="choose a classifier that has it, or wrap this one: "
            "sklearn.calibration.CalibratedClassifierCV in a model of your own",
        )
    return estimator


def _tags(estimator: Any) -> Any:
    from sklearn.utils import get_tags

    try:
        return get_tags(estimator)
    except Exception:  # an estimator from elsewhere may not have any: then nothing is assumed
        return None


def _most_codes(max_bins: Any) -> int:
    """Histogram boosting wants no more codes than bins, and keeps one bin for missing."""
    return (
        min(MOST_CODES, max_bins - 1) if isinstance(max_bins, int) and max_bins > 2 else MOST_CODES
    )


def _notes(caught: list[warnings.WarningMessage]) -> list[str]:
    said = dict.fromkeys(
        f"{warning.category.__name__}: {_first_line(str(warning.message))}" for warning in caught
    )
    return list(said)[:MAX_NOTES]


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {_first_line(str(error))}"


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:300]
