"""Groups – persons, machines, sites – with rows in train and in test."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.data.finding import percent
from trackrecord.data.leakage.sign import Sign, looks_for
from trackrecord.data.leakage.world import World
from trackrecord.stats.proportions import proportion


@looks_for(
    "groups that have rows in train and in test",
    kind="L3.2",
    needs="a group column",
)
def shared_groups(world: World) -> Iterator[Sign]:
    """The share of test rows whose group has training rows."""
    for name in world.group:
        values = world.test[name].drop_nulls()
        shared = values.is_in(world.train[name].drop_nulls().unique().implode())
        count = int(shared.sum())
        lo, hi = proportion(count, len(values), 0.99)
        yield Sign(
            columns=[name],
            measure="share of test rows",
            value=count / max(1, len(values)),
            lo=lo,
            hi=hi,
            n=len(values),
            large=count > 0,
            verdict="leak" if world.groups_apart else "note",
            what=f"{percent(count / max(1, len(values)))} of the test rows have a {name!r} that "
            f"has training rows too ({values.filter(shared).n_unique():,} groups)",
            fix=f"split by {name!r}, if the model is to work for new ones",
            rows=shared.arg_true().head(10).to_list(),
        )
