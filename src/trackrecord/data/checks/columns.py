"""TR002-TR006: columns that are not there, or are used for what they must not be."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.cases.spec import Case
from trackrecord.data.finding import Finding, LineOf
from trackrecord.data.table import columns_of_the_data, named_columns
from trackrecord.errors import suggest


def check_columns(case: Case, known: list[str], file: str, line_of: LineOf) -> Iterator[Finding]:
    """Unknown columns; ``known`` are those of the main table and of the joined ones."""
    theirs = columns_of_the_data(case, known)
    for key, name in dict.fromkeys(named_columns(case)):
        if name not in known:
            near = suggest(name, theirs)
            yield Finding(
                "TR002",
                "error",
                f"{key} names {name!r}, which is not a column",
                file,
                line_of(key),
                f"did you mean {near!r}?" if near else "columns: " + ", ".join(theirs[:40]),
            )


def check_roles(case: Case, file: str, line_of: LineOf) -> Iterator[Finding]:
    """What is wrong with the columns' roles, whatever the data says."""
    line = line_of("features")
    if not case.features:
        yield Finding(
            "TR005",
            "error",
            "the case has no features",
            file,
            line,
            "list the columns that are known when the question is asked",
        )
    for name in dict.fromkeys(case.features):
        if name in (case.target.column, "truth"):
            yield Finding(
                "TR003",
                "error",
                f"the target {name!r} is also a feature",
                file,
                line,
                f"take {name!r} out of features",
            )
        elif name in (case.data.unit, "id"):
            yield Finding(
                "TR004",
                "doubt",
                f"the unit's id {name!r} is also a feature",
                file,
                line,
                "an id rarely means anything for a new unit: take it out of features",
            )
        if case.features.count(name) > 1:
            yield Finding(
                "TR006",
                "error",
                f"the feature {name!r} is listed twice",
                file,
                line,
                "list it once",
            )
