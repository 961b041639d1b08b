"""The metrics: one small file each, found by task and name, registered by its decorator.

A file ``TASK/NAME.py`` in this folder registers the metric ``NAME`` of the task ``TASK``. Other
packages add theirs through the entry point group ``trackrecord.metrics``: an entry's name is the
metric's, its object the module or function that registers it. A metric with a parameter is a
family: ``precision@0.3`` is that of scores above 0.3, ``precision`` the one with the default.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import msgspec

from trackrecord.errors import BadInput, suggest
from trackrecord.stats.parameter import Parameter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from trackrecord.stats.influence import Influence

    Floats = NDArray[np.float64]

Direction = Literal["higher", "lower", "zero", "one", "level", "neither"]
Scale = Literal["identity", "positive", "log", "logit", "fisher", "root", "complement"]
Task = Literal["binary", "multiclass", "multilabel", "regression", "ranking"]
Needs = Literal[
    "score",
    "probability",
    "truth",
    "label",
    "labels",
    "probabilities",
    "value",
    "quantiles",
    "scaled",
    "ranked",
]

ENTRY_POINTS = "trackrecord.metrics"
TASKS: tuple[Task, ...] = get_args(Task)
# What a truth of each task is, in the words of an error.
TRUTHS: dict[Task, str] = {
    "binary": "a yes or no",
    "multiclass": "one class of several",
    "multilabel": "any number of labels",
    "regression": "a number",
    "ranking": "which documents answer a query",
}


class Compute(Protocol):
    """Columns to value and influences; weights (n,), where there are any, have mean one.

    Truth and score are what the metric's task and ``needs`` say: see ``stats.samples``.
    """

    def __call__(self, truth: Any, score: Any, weight: Floats | None = None, /) -> Influence: ...


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """What a metric says of itself.

    ``task`` is what its truth is, ``needs`` what it takes of a prediction: of a yes or no, whether
    any score will do, only a probability, or the truth alone. ``direction`` is the best value: as
    high or as low as can be, zero, one, or the level that is its parameter. ``scale`` is the
    transformation on which its sampling distribution is nearest to normal, by simulation. ``share``
    marks a plain proportion of rows. ``floor_few`` and ``floor_skewed`` are the shares of the
    greatest variance there can be that the estimated one is not let below, where the rarer class
    has few rows or a few rows carry the spread. ``irregular`` says why the value has no plain
    derivative, if it has none; ``counts`` marks a value that depends on how many rows there are.
    ``rows_needed`` is how many rows, of a yes or no those of the rarer class, an interval takes,
    ``clusters_needed`` how many clusters where rows are in clusters. ``skew`` is what degrees of
    freedom are divided by, where losses can be as great as they like. ``parameter`` is what may
    follow ``@`` in the name, ``at`` what it is set to. ``compute(truth, score, weight (n,) or
    none)`` returns value and influences, or raises ``Undefined``.
    """

    name: str
    title: str
    direction: Direction
    scale: Scale
    needs: Needs
    compute: Compute
    task: Task = "binary"
    share: bool = False
    floor_few: float = 0.0
    floor_skewed: float = 0.0
    irregular: str = ""
    counts: bool = False
    rows_needed: float = 0.0
    clusters_needed: float = 0.0
    skew: float = 1.0
    parameter: Parameter | None = None
    at: tuple[float, ...] = ()


_registry: dict[tuple[Task, str], Metric] = {}


def metric(
    *,
    task: Task = "binary",
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
    skew: float = 1.0,
    parameter: Parameter | None = None,
) -> Callable[[Callable[..., Influence]], Callable[..., Influence]]:
    """Register the decorated function as the metric of its name, for one task."""

    def register(compute: Callable[..., Influence]) -> Callable[..., Influence]:
        name: str = compute.__name__
        _registry[task, name] = Metric(
            name=name,
            task=task,
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
            skew=skew,
            parameter=parameter,
            at=() if parameter is None or parameter.alone else parameter.default,
        )
        return compute

    return register


def get_metric(name: str, task: Task = "binary") -> Metric:
    """The task's metric called ``name``. Raises BadInput, with the nearest name, without one."""
    if (known := _registry.get((task, name))) is not None:
        return known
    family, at, text = name.partition("@")
    found = _registered(task, family)
    if found is None:
        raise _unknown(name, task)
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


def metric_names(task: Task = "binary") -> list[str]:
    """Every metric of a task, sorted; of a family the name that stands for its default."""
    for name in sorted(_own_names(task)):
        _registered(task, name)
    for name, load in sorted(_entry_points().items()):
        if not any((each, name) in _registry for each in TASKS):
            load()
    return sorted(name for known, name in _registry if known == task)


def _unknown(name: str, task: Task) -> BadInput:
    family, at, text = name.partition("@")
    others = [other for other in TASKS if other != task and family in metric_names(other)]
    names = metric_names(task)
    if others:
        return BadInput(
            f"there is no metric {name!r} where the truth is {TRUTHS[task]}",
            why=f"it judges {' or '.join(TRUTHS[other] for other in others)}",
            next=f"write one of {', '.join(names)}",
        )
    near = suggest(family, names)
    return BadInput(
        f"there is no metric {name!r}",
        why=f"metrics: {', '.join(names)}",
        next=f"did you mean {near + at + text!r}?" if near else f"write one of {', '.join(names)}",
    )


def _registered(task: Task, name: str) -> Metric | None:
    """The metric, after importing what registers it; this folder comes before other packages."""
    from importlib import import_module

    if (task, name) not in _registry:
        if name in _own_names(task):
            import_module(f"{__name__}.{task}.{name}")
        elif (load := _entry_points().get(name)) is not None:
            load()
    return _registry.get((task, name))


def _own_names(task: Task) -> set[str]:
    from pathlib import Path
    from pkgutil import iter_modules

    return {module.name for module in iter_modules([str(Path(__path__[0], task))])}


def _entry_points() -> dict[str, Callable[[], object]]:
    from importlib.metadata import entry_points

    return {entry.name: entry.load for entry in entry_points(group=ENTRY_POINTS)}
