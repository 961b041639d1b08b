"""What one part of the rows leaves behind, so that the whole can be measured without it.

A part is read, checked and summed by itself, by any worker on any machine; what it leaves is small,
but for the keys that ranking takes: four bytes a row of 32-bit scores, eight of 64-bit ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from trackrecord.evaluation.checking import score_of, truth_of
from trackrecord.evaluation.partitioned_clusters import Clusters, codes_of_part, merge
from trackrecord.evaluation.partitioned_parts import Part, read_part
from trackrecord.stats.counting import keys_of
from trackrecord.stats.metrics import Metric, get_metric
from trackrecord.stats.powers import NONE, Powers, merge_powers, powers_about

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    from trackrecord.stats.counting import Keys

    Name = tuple[str, ...]

Classes = tuple[Powers, Powers]
EMPTY: Classes = (NONE, NONE)
# Rows whose losses stay in the processor's caches while they are summed.
BLOCK = 1 << 15


class Wanted(msgspec.Struct, frozen=True):
    """What to leave behind: ``means`` and ``thresholds`` of each model in ``scores`` (the column
    of each), for ``pairs`` (model, baseline) too, and the keys of the models in ``ranked``.

    ``narrow`` are the columns of 32-bit floats; ``positive`` is the truth's value that counts as 1;
    ``precision`` says whether average precision is wanted of the ranked ones. ``cluster`` is the
    column of what rows share.
    """

    truth: str
    scores: dict[str, str]
    narrow: frozenset[str]
    positive: str | None
    means: list[str]
    thresholds: list[float]
    pairs: list[tuple[str, str]]
    ranked: list[str]
    precision: bool = False
    cluster: str | None = None


class Sums(msgspec.Struct):
    """What parts leave behind. ``rows`` are negative and positive ones.

    ``outside`` counts each model's scores that are no probabilities. ``losses``, class by class,
    are by metric and model; by metric, model and baseline, those of the differences. ``cells``
    (4,) are by threshold and model, ``joint`` (8,) by threshold, model and baseline. ``same`` says
    of each pair whether all scores are equal. ``keys`` are below zero and from zero, of each model.
    """

    rows: tuple[int, int]
    outside: dict[str, int]
    losses: dict[Name, Classes]
    cells: dict[tuple[float, str], Ints]
    joint: dict[tuple[float, str, str], Ints]
    same: dict[tuple[str, str], bool]
    keys: dict[str, tuple[Keys, Keys]]
    clusters: Clusters | None = None


def no_sums(wanted: Wanted) -> Sums:
    """What no row leaves behind."""
    models, pairs = list(wanted.scores), wanted.pairs
    return Sums(
        rows=(0, 0),
        outside=dict.fromkeys(models, 0),
        losses={
            (metric, *whose): EMPTY
            for metric in wanted.means
            for whose in [*((model,) for model in models), *pairs]
        },
        cells={(t, model): np.zeros(4, np.int64) for t in wanted.thresholds for model in models},
        joint={(t, *pair): np.zeros(8, np.int64) for t in wanted.thresholds for pair in pairs},
        same=dict.fromkeys(pairs, True),
        keys={},
    )


def sum_part(part: Part, wanted: Wanted) -> Sums:
    """Read and sum one part. Raises DataError that names the part, and the row in it."""
    columns = [wanted.truth, *wanted.scores.values(), *filter(None, [wanted.cluster])]
    frame = read_part(part, list(dict.fromkeys(columns)))
    positive = _positive(frame[wanted.truth], part, wanted.positive)
    found = no_sums(wanted)
    scores: dict[str, pl.Series] = {}
    for model, column in wanted.scores.items():
        scores[model] = _score(frame[column], part, column in wanted.narrow)
        values = scores[model].to_numpy()
        if values.min() < 0 or values.max() > 1:
            found.outside[model] = int(np.count_nonzero((values < 0) | (values > 1)))
    metrics = [get_metric(name) for name in wanted.means]
    keys: dict[str, list[tuple[Keys, Keys]]] = {model: [] for model in wanted.ranked}
    code = None
    if wanted.cluster is not None:
        names, code = codes_of_part(frame[wanted.cluster], part)
        zeros: dict[Name, Floats] = {
            name: np.zeros((len(names), 2)) for name in found.losses if len(name) == 2
        }
        found.clusters = Clusters(names, np.zeros((len(names), 2)), zeros)
    for label, rows in ((0, ~positive), (1, positive)):
        mine = {model: values.filter(rows).to_numpy() for model, values in scores.items()}
        for model, found_keys in keys.items():
            found_keys.append(keys_of(label, mine[model]))
        here = None if code is None else code.filter(rows).to_numpy()
        _add_class(found, wanted, metrics, label, mine, here)
    for model, (negative, positive_keys) in keys.items():
        below, above = zip(negative, positive_keys, strict=True)
        found.keys[model] = (np.concatenate(below), np.concatenate(above))
    return found


def merge_sums(a: Sums, b: Sums) -> None:
    """Add to ``a`` what ``b`` left, but for its keys."""
    a.rows = (a.rows[0] + b.rows[0], a.rows[1] + b.rows[1])
    for model, many in b.outside.items():
        a.outside[model] += many
    for name, classes in b.losses.items():
        a.losses[name] = _merged(a.losses[name], classes)
    for cell, counts in b.cells.items():
        a.cells[cell] += counts
    for both, counts in b.joint.items():
        a.joint[both] += counts
    for models, same in b.same.items():
        a.same[models] &= same
    if b.clusters is not None:
        a.clusters = merge(a.clusters, b.clusters)


def _add_class(
    found: Sums,
    wanted: Wanted,
    metrics: list[Metric],
    label: int,
    scores: dict[str, Any],
    code: Ints | None,
) -> None:
    """The rows of one class: losses, their differences, and calls; ``code`` are their clusters."""
    n = next(iter(scores.values())).size
    rows = list(found.rows)
    rows[label] = n
    found.rows = (rows[0], rows[1])
    # as a float, so that no metric has to convert it again
    truth = np.full(BLOCK, float(label))
    powers = dict.fromkeys(found.losses, NONE)
    each: dict[Name, Floats] = {}
    if code is not None and found.clusters is not None:
        each = {name: np.zeros(n) for name in found.clusters.losses}
    for start in range(0, n, BLOCK):
        block = {
            model: values[start : start + BLOCK].astype(np.float64)
            for model, values in scores.items()
        }
        here = truth[: min(BLOCK, n - start)]
        for metric in metrics:
            _add_losses(found, wanted, metric, here, block, powers, each, start)
        for threshold in wanted.thresholds:
            _add_calls(found, wanted, threshold, label, block)
        for model, baseline in wanted.pairs:
            if found.same[model, baseline]:
                same = np.array_equal(block[model], block[baseline])
                found.same[model, baseline] = bool(same)
    if code is not None and found.clusters is not None:
        groups = len(found.clusters.names)
        found.clusters.rows[:, label] = np.bincount(code, minlength=groups)
        for name, loss in each.items():
            sums = np.bincount(code, weights=loss, minlength=groups)
            found.clusters.losses[name][:, label] = sums
    for name, classes in found.losses.items():
        mine = powers[name]
        found.losses[name] = (mine, classes[1]) if label == 0 else (classes[0], mine)


def _add_losses(
    found: Sums,
    wanted: Wanted,
    metric: Metric,
    truth: Floats,
    block: dict[str, Floats],
    powers: dict[Name, Powers],
    each: dict[Name, Floats],
    start: int,
) -> None:
    """A block of rows; their losses go into ``each`` from ``start``, where that is wanted."""
    mean = {
        model: metric.compute(truth, score)
        for model, score in block.items()
        if found.outside[model] == 0
    }
    name: Name
    for model, own in mean.items():
        name = (metric.name, model)
        powers[name] = merge_powers(powers[name], powers_about(own.value, own.influence))
        if name in each:
            each[name][start : start + truth.size] = own.influence + own.value
    for model, baseline in wanted.pairs:
        if model in mean and baseline in mean:
            a, b = mean[model], mean[baseline]
            name = (metric.name, model, baseline)
            gap = powers_about(a.value - b.value, a.influence - b.influence)
            powers[name] = merge_powers(powers[name], gap)


def _add_calls(
    found: Sums, wanted: Wanted, threshold: float, label: int, block: dict[str, Floats]
) -> None:
    called = {model: score > threshold for model, score in block.items()}
    ups = {model: int(np.count_nonzero(up)) for model, up in called.items()}
    for model, up in ups.items():
        found.cells[threshold, model][2 * label : 2 * label + 2] += (called[model].size - up, up)
    for a, b in wanted.pairs:
        both = int(np.count_nonzero(called[a] & called[b]))
        neither = called[a].size - ups[a] - ups[b] + both
        counts = (neither, ups[b] - both, ups[a] - both, both)
        found.joint[threshold, a, b][4 * label : 4 * label + 4] += counts


def _merged(a: Classes, b: Classes) -> Classes:
    return merge_powers(a[0], b[0]), merge_powers(a[1], b[1])


def _positive(series: pl.Series, part: Part, positive: str | None) -> pl.Series:
    """Which rows are positive (n,)."""
    import polars as pl

    if positive is None and series.null_count() == 0:
        if series.dtype == pl.Boolean:
            return series
        if series.dtype.is_integer() and series.is_between(0, 1).all():
            return series.cast(pl.Boolean)
    return truth_of(series, part.where, positive).cast(pl.Boolean)


def _score(series: pl.Series, part: Part, narrow: bool) -> pl.Series:
    """Finite scores (n,), of 32 bits where all parts have them so."""
    import polars as pl

    if series.dtype in (pl.Float32, pl.Float64) and series.null_count() == 0:
        values = series.to_numpy()
        # a NaN is neither end, and makes both unknown
        if values.min() > -np.inf and values.max() < np.inf:
            return series if narrow else series.cast(pl.Float64)
    return score_of(series, part.where)
