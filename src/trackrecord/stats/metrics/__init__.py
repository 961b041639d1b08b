"""The metrics: one small file each, found by name, registered by its decorator.

A file ``NAME.py`` in this folder registers the metric ``NAME``. Other packages add theirs through
the entry point group ``trackrecord.metrics``: an entry's name is the metric's, its object the
module or function that registers it. A metric with a parameter is a family: ``precision@0.3`` is
that of scores above 0.3, ``precision`` the one with the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from trackrecord.errors import BadInput, suggest
from trackrecord.stats.parameter import Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.influence import Influence

    Floats = NDArray[np.float64]

Direction = Literal["higher", "lower", "zero", "one"]
Scale = Literal["identity", "positive", "log", "logit", "fisher", "root"]
Needs = Literal["score", "probability", "truth"]

ENTRY_POINTS = "trackrecord.metrics"


class Compute(Protocol):
    """Columns to value and influences; weights (n,), where there are any, have mean one."""

    def __call__(
        self, truth: NDArray[np.int8], score: Floats, weight: Floats | None = None, /
    ) -> Influence: ...


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric says of itself.

    ``direction`` is the best value: as high or as low as can be, zero, or one. ``scale`` is the
    transformation on which its sampling distribution is nearest to normal, by simulation.
    ``needs`` says whether any score will do, only a probability, or the truth alone. ``share``
    marks a plain proportion of rows. ``floor_few`` and ``floor_skewed`` are the shares of the
    greatest variance there can be that the estimated one is not let below, where the rarer class
    has few rows or a few rows carry the spread. ``irregular`` says why the value has no plain
    derivative, if it has none; ``counts`` marks a value that depends on how many rows there are.
    ``rows_needed`` is how many rows of the rarer class an interval takes, ``clusters_needed`` how
    many clusters where rows are in clusters. ``parameter`` is what may follow ``@`` in the name,
    ``at`` what it is set to. ``compute(truth (n,), score (n,), weight
    (n,) or none)`` returns value and influences, or raises ``Undefined``.
    """

    name: str
    title: str
    direction: Direction
    scale: Scale
    needs: Needs
    compute: Compute
    share: bool = False
    floor_few: float = 0.0
    floor_skewed: float = 0.0
    irregular: str = ""
    counts: bool = False
    rows_needed: float = 0.0
    clusters_needed: float = 0.0
    parameter: Parameter | None = None
    at: tuple[float, ...] = ()


_registry: dict[str, Metric] = {}


def metric(
    *,
    title: str,
    direction: Direction,
    scale: Scale,
    needs: Needs,
    share: bool = False,
    floor_few: float = 0.0,
    floor_skewed: float = 0.0,
    irregular: str = "",
    counts: bool = False,
    rows_needed: float = 0.0,
    clusters_needed: float = 0.0,
    parameter: Parameter | None = None,
) -> Callable[[Callable[..., Influence]], Callable[..., Influence]]:
    """Register the decorated function as the metric that bears its name."""

    def register(compute: Callable[..., Influence]) -> Callable[..., Influence]:
        name: str = compute.__name__
        _registry[name] = Metric(
            name=name,
            title=title,
            direction=direction,
            scale=scale,
            needs=needs,
            compute=compute if parameter is None else parameter.bound(compute),
            share=share,
            floor_few=floor_few,
            floor_skewed=floor_skewed,
            irregular=irregular,
            counts=counts,
            rows_needed=rows_needed,
            clusters_needed=clusters_needed,
            parameter=parameter,
            at=() if parameter is None else parameter.default,
        )
        return compute

    return register


def get_metric(name: str) -> Metric:
    """The metric called ``name``. Raises BadInput, with the nearest name, if there is none."""
    if (known := _registry.get(name)) is not None:
        return known
    family, at, text = name.partition("@")
    if family not in _registry:
        _load(family)
    if family not in _registry:
        names = metric_names()
        near = suggest(family, names)
        raise BadInput(
            f"there is no metric {name!r}",
            why=f"metrics: {', '.join(names)}",
            next=f"did you mean {near + at + text!r}?"
            if near
            else f"write one of {', '.join(names)}",
        )
    found = _registry[family]
    if not at:
        return found
    if found.parameter is None:
        raise BadInput(
            f"there is no metric {name!r}",
            why=f"{family} has no parameter",
            next=f"write {family!r}",
        )
    value = found.parameter.read(family, text)
    return msgspec.structs.replace(
        found,
        name=name,
        title=f"{found.title} at {text}",
        compute=found.parameter.bound(found.compute, value),
        at=value,
    )


def metric_names() -> list[str]:
    """Every metric there is, sorted; of a family the name that stands for its default."""
    for name in sorted(_own_names() | _entry_points().keys()):
        if name not in _registry:
            _load(name)
    return sorted(_registry)


def _own_names() -> set[str]:
    from pkgutil import iter_modules

    return {module.name for module in iter_modules(__path__)}


def _entry_points() -> dict[str, Callable[[], object]]:
    from importlib.metadata import entry_points

    return {entry.name: entry.load for entry in entry_points(group=ENTRY_POINTS)}


def _load(name: str) -> None:
    """Import what registers ``name``; this folder's files come before other packages'."""
    from importlib import import_module

    if name in _own_names():
        import_module(f"{__name__}.{name}")
    elif (load := _entry_points().get(name)) is not None:
        load()
