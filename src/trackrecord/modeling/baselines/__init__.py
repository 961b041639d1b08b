"""Baselines: what a model has to beat. One file each, registered by a decorator.

A kind is also a struct in ``cases.spec``, and so no other package can add one: whoever reads a
sealed case has to know every word in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import msgspec

from trackrecord.errors import CaseError, suggest
from trackrecord.modeling.learner import Fitted, Learner

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from trackrecord.cases.spec import Case

Fit = Callable[[Any, "pl.DataFrame", "NDArray[np.int8]"], Fitted]
Columns = Callable[[Any, list[str]], list[str]]

BASELINES: dict[str, tuple[Fit, Columns]] = {}


def baseline(kind: str, *, columns: Columns) -> Callable[[Fit], Fit]:
    """Register a baseline under the ``kind`` that a case names.

    The function takes its spec, the training rows and their truth. ``columns`` takes the spec and
    the case's features, and says which columns the rows have.
    """

    def register(fit: Fit) -> Fit:
        if kind in BASELINES and BASELINES[kind][0] is not fit:
            raise ValueError(f"two baselines are of the kind {kind!r}")
        BASELINES[kind] = (fit, columns)
        return fit

    return register


@cache
def _load() -> None:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


def prepare_baseline(spec: msgspec.Struct, case: Case) -> Learner:
    """The baseline that ``spec`` describes. Raises CaseError for a kind nobody registered."""
    _load()
    kind = str(spec.__struct_config__.tag)
    name: str = spec.name  # type: ignore[attr-defined]
    if kind not in BASELINES:
        near = suggest(kind, list(BASELINES))
        raise CaseError(
            f"there is no baseline of the kind '{kind}'",
            where=f"baseline '{name}' in the case '{case.name}'",
            why=f"did you mean '{near}'?" if near else f"kinds: {', '.join(sorted(BASELINES))}",
        )
    fit, columns = BASELINES[kind]
    features = list(dict.fromkeys(columns(spec, case.features)))
    return Learner(name, "baseline", kind, features, partial(fit, spec))
