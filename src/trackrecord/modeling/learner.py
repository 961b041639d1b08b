"""What every baseline and model is, before and after training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from trackrecord.errors import CaseError, DataError
from trackrecord.modeling.export.bundle import Encoded

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

Role = Literal["baseline", "model"]
Setting = str | int | float | bool | None


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a model is made of, by its path in the workspace and its bytes' SHA-256."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Fitted:
    """A trained model.

    ``predict`` takes a frame of the same features and gives the probability of a positive:
    float64, shape (rows,). ``notes`` is what a reader has to know, such as a solver that stopped
    too early. ``estimator``, ``encoding`` and ``encode`` are there where the model is an estimator
    on encoded columns, and so can be exported.
    """

    predict: Callable[[pl.DataFrame], Any]
    parameters: dict[str, Setting] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    estimator: Any = None
    encoding: list[Encoded] = field(default_factory=list)
    encode: Callable[[pl.DataFrame], Any] = lambda rows: rows


@dataclass(frozen=True)
class Learner:
    """A model ready to be trained: everything that can be checked without training has been.

    ``fit`` takes the training rows (a frame of ``features``, in that order) and their truth (int8,
    shape (rows,)). ``sources`` says which files it is made of, once it has been trained.
    """

    name: str
    role: Role
    kind: str
    features: list[str]
    fit: Callable[[pl.DataFrame, NDArray[np.int8]], Fitted]
    sources: Callable[[], list[SourceFile]] = list


def chosen_features(own: list[str], case: list[str], where: str) -> list[str]:
    """A model's own features, or else the case's, each once. Raises CaseError for none at all."""
    names = list(dict.fromkeys(own or case))
    if not names:
        raise CaseError(
            "there are no features to learn from",
            where=where,
            next="list the columns that are known when the question is asked under features",
        )
    return names


def settings(parameters: dict[str, Any]) -> dict[str, Setting]:
    """Parameters as JSON can hold them exactly; anything else as its ``repr``, cut at 200."""
    return {name: _setting(value) for name, value in sorted(parameters.items())}


def seed_generators(seed: int) -> None:
    """Seed the global generators, which careless models draw from."""
    import random

    import numpy as np

    random.seed(seed)
    np.random.seed(seed)


def float_scores(raw: Any, who: str) -> NDArray[np.float64]:
    """What ``who`` predicted as float64, of whatever shape. Raises DataError for no numbers."""
    import numpy as np

    try:
        return np.ascontiguousarray(raw, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{who} gave scores that are not numbers") from None


def _setting(value: Any) -> Setting:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float) and abs(value) < float("inf"):  # NaN fails the comparison too
        return value
    if isinstance(value, str):
        return value[:1000]
    return repr(value)[:200]
