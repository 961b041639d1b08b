"""Features that know what came after their row's moment: made again without it, they are others."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.data.finding import percent
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.errors import DataError
from trackrecord.stats.proportions import proportion


@looks_for(
    "features that know what came after the row's moment",
    kind="L2",
    needs="a case whose data are features that were built here",
)
def look_ahead(world: World) -> Iterator[Sign]:
    """The share of values that are others when what was not known yet is taken away.

    Any difference is proof. Where the features cannot be made again, that is a note.
    """
    if world.recompute is None:
        return
    try:
        found = world.recompute()
    except DataError as error:
        yield Sign(
            columns=[],
            measure="declared",
            value=1.0,
            n=world.train.height + world.test.height,
            large=True,
            verdict="note",
            what=f"the features cannot be made again: {error.what}",
            fix=error.next or "bring back the tables that they were built of",
        )
        return
    lo, hi = proportion(found.different, found.compared, 0.99)
    proof = ""
    if found.first:
        first = found.first[0]
        proof = (
            f": {first.feature!r} of {first.entity or 'row'} (row {first.row:,}) is {first.made}, "
            f"and was {first.then} by {first.cut}"
        )
    yield Sign(
        columns=found.features,
        measure="share of values",
        value=found.different / max(1, found.compared),
        lo=lo,
        hi=hi,
        n=found.compared,
        large=found.different > 0,
        verdict="leak" if found.repeatable else "suspect",
        what=f"{percent(found.different / max(1, found.compared))} of the values of "
        f"{', '.join(map(repr, found.features[:5]))} are others when made of what was known at "
        f"{found.cuts} moments{proof}",
        fix="correct the definition until `trackrecord features check` holds, and build again",
        rows=[one.row - 1 for one in found.first[:10]],
    )
