"""TR102: a feature that the case says is known only later. TR103: a join that looks ahead."""

from __future__ import annotations

from collections.abc import Iterator

from trackrecord.cases.spec import Case
from trackrecord.data.asof import cutoffs, parse_known_by
from trackrecord.data.finding import Finding, LineOf, percent
from trackrecord.data.leakage.detector import Context, detector
from trackrecord.errors import DataError


def features_known_later(case: Case, file: str, line_of: LineOf) -> Iterator[Finding]:
    """TR102 rests on the case's words alone, so it is said even where no data can be read."""
    lists = [("features", case.features)]
    for kind, items in (("baseline", case.baseline), ("model", case.model)):
        for index, item in enumerate(items):
            named = [*getattr(item, "features", []), *getattr(item, "by", [])]
            lists.append((f"{kind}.{index}", named))
    for key, names in lists:
        for name in dict.fromkeys(names):
            if name in case.data.known_later:
                yield Finding(
                    "TR102",
                    "error",
                    f"{name!r} is used to predict, and data.known_later says it is not known then",
                    file,
                    line_of(key),
                    f"take {name!r} out of {key}",
                )


@detector("known_by")
def known_by(context: Context) -> Iterator[Finding]:
    """TR103: each joined table's cut-off against the unit's own time."""
    data = context.case.data
    if data.time is None or data.time not in context.table.frame.columns:
        return
    times = context.table.frame[data.time]
    for index, entry in enumerate(data.asof):
        try:
            moments = cutoffs(times, parse_known_by(entry.known_by), data.timezone)
        except DataError:
            continue
        rows = max(len(times), 1)
        ahead = int((moments > times).sum()) / rows
        at_once = int((moments == times).sum()) / rows
        key = f"data.asof.{index}.known_by"
        if ahead:
            yield context.finding(
                "TR103",
                "error",
                key,
                f"{entry.table} is joined as known {entry.known_by!r}: for {percent(ahead)} of the "
                "rows that is after the unit's own time",
                'choose an earlier moment, such as "18:00 the day before"',
            )
        elif at_once > 0.5:
            yield context.finding(
                "TR103",
                "doubt",
                key,
                f"{entry.table} is joined as known {entry.known_by!r}, the unit's own time",
                "if the question is asked earlier than that, say when in known_by",
            )
