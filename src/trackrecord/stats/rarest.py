"""Whether every class, or label, has the rows that a metric of each of them takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackrecord.stats.influence import Undefined

if TYPE_CHECKING:
    from numpy.typing import NDArray


def all_present(truth: NDArray[np.int64], classes: int) -> None:
    """Undefined unless each of two ``classes`` or more has a row; codes (n,) are below it."""
    if classes < 2:
        raise Undefined("there is one class, and nothing to tell it from")
    lost = classes - int(np.count_nonzero(np.bincount(truth, minlength=classes)))
    if lost:
        have = "has" if lost == 1 else "have"
        raise Undefined(f"{lost} of {classes} classes {have} no row, and an area takes one of each")


def all_mixed(truth: NDArray[np.int8]) -> None:
    """Undefined unless each label (n, K) has a row with it and one without."""
    rows, labels = truth.shape
    count = truth.sum(axis=0, dtype=np.int64)
    for lost, said in (
        (int(np.count_nonzero(count == 0)), "no row"),
        (int(np.count_nonzero(count == rows)), "every row"),
    ):
        if lost:
            have = "is" if lost == 1 else "are"
            raise Undefined(
                f"{lost} of {labels} labels {have} on {said}, and an area takes both kinds"
            )
