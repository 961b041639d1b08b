"""Where the relevant documents of many queries stand in their lists: what rankings are judged by.

A document is relevant where its relevance is above 0. Documents are in the order of their scores;
of equal scores the later document comes first. Outcomes keep documents by their ids, ascending, so
that this is ``trec_eval``'s order: by score, then by id, both descending. What has no score was not
retrieved, and stands nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Influence, Undefined, mean_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trackrecord.stats.samples import Lists

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Hits:
    """The h relevant documents of n queries, by query and place; what was not retrieved, last.

    ``query`` (h,) from 0; ``gain`` (h,) the relevance; ``place`` (h,) in the list, from 1;
    ``found`` (h,) whether it was retrieved; ``relevant`` (n,) how many a query has, at least one.
    """

    query: Ints
    gain: Floats
    place: Ints
    found: NDArray[np.bool_]
    relevant: Ints

    @property
    def nth(self) -> Ints:
        """(h,): how many relevant documents of the query stand here or before."""
        first = np.cumsum(self.relevant) - self.relevant
        return np.arange(1, self.query.size + 1) - first[self.query]

    def within(self, k: int | Ints | None) -> NDArray[np.bool_]:
        """(h,): which stand among the first k (one for all, or (n,)); all that were retrieved
        where k is None."""
        if k is None:
            return self.found
        most = k if isinstance(k, int) else k[self.query]
        return self.found & (self.place <= most)

    def total(self, values: Floats, here: NDArray[np.bool_]) -> Floats:
        """(n,): the sums of values (h,) within each query, ``here`` alone."""
        query, rows = self.query[here], self.relevant.size
        return np.bincount(query, weights=values[here], minlength=rows).astype(np.float64)

    def count(self, k: int | Ints | None) -> Floats:
        """(n,): how many relevant documents stand among the first k."""
        query = self.query[self.within(k)]
        return np.bincount(query, minlength=self.relevant.size).astype(np.float64)


def hits_of(truth: Lists, score: Lists) -> Hits:
    """The relevant documents' places. Undefined where a query has none.

    The sort is the scores' own (``Lists.descending``), so that metrics share it.
    """
    order = score.descending
    ranked = truth.values[order]
    at = np.flatnonzero(ranked > 0)
    query = np.searchsorted(truth.starts, at, side="right") - 1
    relevant = np.bincount(query, minlength=len(truth))
    if without := int(np.count_nonzero(relevant == 0)):
        raise Undefined(f"{without} of {len(truth)} queries have no relevant document")
    return Hits(
        query=query,
        gain=ranked[at],
        place=at - truth.starts[query] + 1,
        found=~np.isnan(score.values[order[at]]),
        relevant=relevant,
    )


def discounted(hits: Hits, gain: Floats, k: int | None, weight: Floats | None) -> Influence:
    """The mean over queries of DCG at k over the best DCG at k that any order could have.

    DCG is the sum of gain / log2(1 + place) (Jarvelin & Kekalainen 2002); ``gain`` (h,) is above
    0. Each query counts the same.
    """
    got = hits.total(gain / np.log2(1.0 + hits.place), hits.within(k))
    order = np.lexsort((-gain, hits.query))
    nth = hits.nth
    most = hits.total(gain[order] / np.log2(1.0 + nth), nth <= (nth.size if k is None else k))
    if nothing := int(np.count_nonzero(most == 0)):
        raise Undefined(f"{nothing} queries have relevance so small that its gain is 0")
    return mean_of(got / most, weight)


def same_order(a: Lists, b: Lists) -> bool:
    """Whether two models retrieve the same documents of each query, in the same order."""
    same = np.array_equal(np.isnan(a.values), np.isnan(b.values))
    return same and bool(np.array_equal(a.descending, b.descending))


def descending(values: Floats, starts: Ints) -> Ints:
    """(m,) places that put each list's ``values`` (m,) in descending order, NaN last.

    Of equal values the later comes first. Lists of about the same length are sorted together, as
    the rows of a matrix.
    """
    sizes = np.diff(starts)
    order = np.arange(values.size)
    kind = np.frexp(np.maximum(sizes - 1, 0))[1]  # a list of 2 ** j at most is of kind j
    for one in np.unique(kind[sizes > 1]):
        rows = np.flatnonzero((kind == one) & (sizes > 1))
        size, begin = sizes[rows, None], starts[rows, None]
        column = np.arange(size.max())
        there = column < size
        # backwards, so that a stable sort puts the later of equals first
        place = np.where(there, begin + size - 1 - column, 0)
        turned = np.where(there, -values[place], np.nan)
        place = np.take_along_axis(place, np.argsort(turned, axis=1, kind="stable"), axis=1)
        order[(begin + column)[there]] = place[there]
    return order
