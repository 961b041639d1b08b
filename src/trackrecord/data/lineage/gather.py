"""Gathers a workspace's lineage: from its files and its record, nothing of either changed."""

from __future__ import annotations

from pathlib import Path

from trackrecord.data.lineage.cases import add_cases
from trackrecord.data.lineage.features import add_features
from trackrecord.data.lineage.graph import Graph, ordered, settled
from trackrecord.data.lineage.known import Known
from trackrecord.data.lineage.tables import add_sources, add_steps


def lineage_of(root: Path) -> Graph:
    """The graph of the workspace at ``root``.

    What cannot be read (a damaged file, a torn chain, steps in a circle) is a node that is damaged
    and a line of ``problems``; the rest is there all the same.
    """
    return gathered(root)[1]


def gathered(root: Path) -> tuple[Known, Graph]:
    """The graph, and the record that it was made from."""
    known = Known(root)
    add_sources(known)
    add_steps(known)
    add_features(known)
    add_cases(known)
    known.digests.save()
    return known, settled(ordered(known.nodes.values(), known.edges, known.problems))
