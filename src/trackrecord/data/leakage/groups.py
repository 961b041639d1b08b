"""TR104: a group with rows in train and in test."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.cases.spec import GroupSplit
from trackrecord.data.finding import Finding, percent
from trackrecord.data.leakage.detector import Context, detector


@detector("groups")
def groups(context: Context) -> Iterator[Finding]:
    split = context.case.split
    by = split.by if isinstance(split, GroupSplit) else None
    declared = dict.fromkeys([*context.case.data.groups, *([by] if by else [])])
    train, test = context.train, context.test
    for name in declared:
        if name not in test.columns:
            continue
        values = test[name]
        known = values.drop_nulls().is_in(train[name].drop_nulls().unique().implode())
        shared = int(known.sum())
        if not shared:
            continue
        unseen = "" if name in context.features else "; the model sees it only in other features"
        yield context.finding(
            "TR104",
            "error" if name == by else "doubt",
            "split.by" if name == by else "data.groups",
            f"{percent(shared / len(values))} of the test rows have a {name!r} that is in the "
            f"training rows too{unseen}",
            f"fine if the model will meet the same {name!r} in use; if it must work for new ones, "
            f'split by group: kind = "group", by = "{name}"',
        )
