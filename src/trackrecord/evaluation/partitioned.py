"""Measures a table that lies in many Parquet parts, or in one too big for memory.

Each part is read by itself (``partitioned_sums``) through ``joblib``, so that another of its
backends, Dask's or Ray's, takes the parts to many machines. What the parts leave is merged in their
order, so the result does not depend on how many workers there are.

In memory at once are a part for each worker and, where a ranking metric is measured, a whole number
for each row. What takes all rows at once (calibration, slices, weights) is refused or absent, with
the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackrecord.errors import BadInput, DataError
from trackrecord.evaluation.checking import all_are
from trackrecord.evaluation.evaluate import check_plan
from trackrecord.evaluation.partitioned_estimates import differences_of, models_of
from trackrecord.evaluation.partitioned_parts import (
    Table,
    find_parts,
    is_many,
    open_table,
    read_part,
)
from trackrecord.evaluation.partitioned_sums import Sums, Wanted, merge_sums, no_sums, sum_part
from trackrecord.evaluation.plan import Plan, plan_for_outcomes
from trackrecord.evaluation.reading import Asked, Roles, roles_of
from trackrecord.evaluation.result import Evaluation
from trackrecord.evaluation.room import check_bytes
from trackrecord.evaluation.text import rows_said
from trackrecord.evaluation.verdict import decide
from trackrecord.stats.counting import Ranked, ranked
from trackrecord.stats.merged import CELLS, MEANS, RANKED, family_of, thresholds_of
from trackrecord.stats.metrics import get_metric

if TYPE_CHECKING:
    from trackrecord.evaluation.measured import Result

    Progress = Callable[[str, float], None]

HEAD = 1000
ONCE = "takes all rows at once, and parts are read one after another"


def evaluate_parts(
    named: str | Path | Sequence[Path],
    asked: Asked | None = None,
    *,
    candidate: str | None = None,
    level: float = 0.95,
    metrics: Sequence[str] | None = None,
    criteria: Sequence[str] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Result:
    """Measure predictions in parts, as ``library.result_of`` measures those in memory.

    Parameters
    ----------
    named:
        A folder of Parquet files, a pattern, or files.
    asked:
        Which column is what; what is not said is guessed from names.
    jobs:
        Workers, as joblib counts them; by default one for each processor, or as many as the
        backend has that ``joblib.parallel_config`` chose.

    Raises
    ------
    DataError
        For parts that are damaged, differ, or hold what cannot be used, naming part and row.
    BadInput
        For what cannot be measured in parts.
    """
    from trackrecord.evaluation.measured import Result

    asked = asked or Asked()
    files = find_parts(named) if isinstance(named, str | Path) else list(named)
    table = open_table(files)
    roles = _roles(table, asked)
    plan = _plan(roles, candidate, level, metrics, criteria)
    wanted = _wanted(table, roles, plan, asked)
    _check_room(table, wanted)
    found, ranks = _sum(table, wanted, jobs, progress)
    if 0 in found.rows:
        raise DataError(
            f"the truth has one class: {all_are(table.rows)} {int(found.rows[1] > 0)}",
            why="no model can be told from another where everything turned out the same",
            next="evaluate rows of which some came true and some did not",
        )
    if found.clusters is not None and len(found.clusters.names) == 1:
        raise DataError(
            f"all rows are in one cluster, {str(found.clusters.names[0])[:60]!r}",
            why="one cluster cannot show how much clusters differ, so there is no interval",
            next="name a finer column with --cluster, or none if rows are independent",
        )
    models = models_of(found, ranks, plan)
    differences = differences_of(found, plan)
    evaluation = Evaluation(
        rows=table.rows,
        positives=found.rows[1],
        clusters=None if found.clusters is None else len(found.clusters.names),
        models=models,
        differences=differences,
        slices=[],
        calibration=[],
        verdicts=[decide(planned, plan, models, differences) for planned in plan.criteria],
    )
    return Result(
        evaluation=evaluation,
        plan=plan,
        guesses=_guesses(table, roles, plan),
        size=rows_said(evaluation),
    )


def _roles(table: Table, asked: Asked) -> Roles:
    head = read_part(table.first, list(table.columns)).head(HEAD)
    roles = roles_of(head, Path(table.first.path).name, asked)
    if asked.task not in (None, "binary"):
        raise BadInput(
            f"a table in parts cannot be measured as {asked.task}",
            why="of parts, only what has a yes or no as its truth is measured",
            next="evaluate a file that fits into memory",
        )
    for what in ("slices", "weight", "time", "id"):
        if not getattr(asked, what):
            continue
        raise BadInput(
            f"{what if what == 'slices' else 'a ' + what} cannot be had of a table in parts",
            why=f"it {ONCE}",
            next="leave it out, or evaluate a file that fits into memory",
        )
    if "weight" in roles.optional:
        raise BadInput(
            "the parts have a column 'weight', which cannot be measured in parts",
            why=f"it {ONCE}",
            next="write the parts without it where all rows count alike",
        )
    return roles


def _plan(
    roles: Roles,
    candidate: str | None,
    level: float,
    metrics: Sequence[str] | None,
    criteria: Sequence[str] | None,
) -> Plan:
    import polars as pl

    names = ["id", "truth", *(f"score.{name}" for name in roles.scores)]
    names += [role for role in ("cluster",) if role in roles.optional]
    plan = plan_for_outcomes(
        pl.DataFrame(schema=dict.fromkeys(names, pl.Float64)),
        candidate=candidate,
        level=level,
        baselines=roles.baselines,
        metrics=list(metrics or []),
        criteria=list(criteria or []),
    )
    check_plan(plan)
    return plan


def _wanted(table: Table, roles: Roles, plan: Plan, asked: Asked) -> Wanted:
    chosen = [get_metric(name) for name in plan.metrics]
    cells = [metric for metric in chosen if family_of(metric) in CELLS]
    cluster = roles.optional.get("cluster")
    ranks = cluster is None and any(family_of(metric) in RANKED for metric in chosen)
    models = [*plan.baselines, *plan.models]
    return Wanted(
        truth=roles.truth,
        scores={name: roles.scores[name] for name in models},
        narrow=table.narrow,
        positive=asked.positive,
        means=[metric.name for metric in chosen if family_of(metric) in MEANS],
        thresholds=sorted({t for metric in cells for t in thresholds_of(metric)}),
        pairs=[(model, baseline) for model in plan.models for baseline in plan.baselines],
        ranked=models if ranks else [],
        cluster=cluster,
        precision=any(family_of(metric) == "average_precision" for metric in chosen),
    )


def _check_room(table: Table, wanted: Wanted) -> None:
    """Raise DataError where the keys of all rows do not fit into memory."""
    each = sum(4 if wanted.scores[name] in wanted.narrow else 8 for name in wanted.ranked)
    if each:
        check_bytes(
            each * table.rows,
            f"a ranking of {table.rows:,} rows",
            "measure what is a mean of rows: --metric log_loss --metric brier",
        )


def _sum(
    table: Table, wanted: Wanted, jobs: int | None, progress: Progress | None
) -> tuple[Sums, dict[str, Ranked]]:
    """The sums of all parts, and each ranked model's ranks."""
    from joblib import Parallel, delayed

    total = no_sums(wanted)
    keys = {name: _Keys(table.rows, wanted.scores[name] in wanted.narrow) for name in wanted.ranked}
    run = Parallel(n_jobs=jobs or -1, prefer="threads", return_as="generator")
    for number, left in enumerate(run(delayed(sum_part)(p, wanted) for p in table.parts), 1):
        merge_sums(total, left)
        for name, (below, above) in left.keys.items():
            keys[name].add(below, above)
        if progress is not None:
            progress("measuring in parts", 0.8 * number / len(table.parts))
    positives = total.rows[1]
    ranks = {}
    if 0 not in total.rows:
        if keys and progress is not None:
            progress("ranking all rows", 0.85)
        for name in list(keys):
            ranks[name] = ranked(*keys.pop(name).sorted(), positives, precision=wanted.precision)
    return total, ranks


class _Keys:
    """The keys of all rows in one array: of scores below zero from its start, of others from its
    end."""

    __slots__ = ("high", "low", "whole")

    def __init__(self, rows: int, narrow: bool) -> None:
        self.whole: Any = np.empty(rows, np.uint32 if narrow else np.uint64)
        self.low, self.high = 0, rows

    def add(self, below: Any, above: Any) -> None:
        """The keys of one part."""
        self.whole[self.low : self.low + below.size] = below
        self.whole[self.high - above.size : self.high] = above
        self.low, self.high = self.low + below.size, self.high - above.size

    def sorted(self) -> tuple[Any, Any]:
        """Both, sorted where they lie."""
        below, above = self.whole[: self.low], self.whole[self.low :]
        below.sort()
        above.sort()
        return below, above


def _guesses(table: Table, roles: Roles, plan: Plan) -> list[str]:
    said = [text for text in roles.guesses if not text.startswith(("there is no id", "not used"))]
    if plan.baselines:
        said.append(
            f"'{plan.candidate}' is the candidate, compared with {', '.join(plan.baselines)}"
        )
    else:
        said.append("nothing to compare with: name a column of scores with --baseline")
    said.append(
        "rows with the same 'cluster' depend on one another"
        if plan.clustered
        else "every row is independent: where not, name what rows share with --cluster"
    )
    files = f"{table.files:,} files" if table.files > 1 else "one file"
    said.append(
        f"{files}, read in {len(table.parts):,} parts; ids are not compared across them, so a row "
        "that is in two counts twice"
    )
    return said


__all__ = ["ONCE", "evaluate_parts", "is_many"]
