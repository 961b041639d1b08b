"""The options that say which column of a file is what, for each verb that reads predictions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.evaluation.reading import Asked, ReadOutcomes

# As stats.metrics has them, without loading numpy for --help.
TASKS = ("binary", "multiclass", "multilabel", "regression", "ranking")
# option: what it names. In the order of --help.
COLUMNS = {
    "target": "the column of what came true; of labels the prefix of their columns",
    "positive": "the target's value that counts as 1, where it is a yes or no but not 0 and 1",
    "id": "the column that names each row",
    "cluster": "the column of what rows share that makes them depend on one another",
    "time": "the column of when each row was; rows near each other in time may then depend",
    "weight": "the column of how much each row counts",
}
# Of forecasts and of rankings.
TASK_COLUMNS = {
    "series": "of forecasts: the column of what each row is a forecast of",
    "history": "of forecasts: a file of the same series' past, to measure errors against",
    "season": "of forecasts: after how many steps the past repeats; 1",
    "horizon": "of forecasts: how many times ahead they were made, to test each baseline",
    "query": "of rankings: the column that names each row's query",
    "document": "of rankings: the column that names each row's document",
    "qrels": "of rankings: a TREC file of which documents answer a query, for a TREC run",
}
METAVARS = {
    "positive": "VALUE",
    "history": "FILE",
    "qrels": "FILE",
    "season": "STEPS",
    "horizon": "TIMES",
}
LISTS = {
    "score": "a column of a model's predictions, or the prefix of several; again for each model",
    "baseline": "a column of predictions to compare with; again for each",
    "slice": 'a column, or a condition like "hour>=18", to measure apart; again for each',
}


def add_column_options(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """``--target COL`` and its like; what is not said is guessed, and the guess is told."""
    group = parser.add_argument_group("columns of a file (guessed, and said, where not named)")
    for name, meaning in COLUMNS.items():
        if name not in without:
            group.add_argument(f"--{name}", metavar=METAVARS.get(name, "COL"), help=meaning)
    for name, meaning in LISTS.items():
        if name not in without:
            group.add_argument(
                f"--{name}", metavar="COL", action="append", default=[], help=meaning
            )
    group = parser.add_argument_group("what the truth is (guessed, and said, where not named)")
    group.add_argument(
        "--task",
        choices=TASKS,
        help="a yes or no, one class of several, any number of labels, a number, or a ranking",
    )
    for name, meaning in TASK_COLUMNS.items():
        if name not in without:
            kind = int if name in ("season", "horizon") else str
            metavar = METAVARS.get(name, "COL")
            group.add_argument(f"--{name}", metavar=metavar, type=kind, help=meaning)


def add_measure_options(parser: argparse.ArgumentParser) -> None:
    """``--metric``, ``--criterion`` and ``--level``."""
    group = parser.add_argument_group("what to measure in a file")
    group.add_argument(
        "--metric",
        metavar="NAME",
        action="append",
        default=[],
        help="a metric; again for each; 'all' for every one; the usual ones by default",
    )
    group.add_argument(
        "--criterion",
        metavar="TEXT",
        action="append",
        default=[],
        help='such as "roc_auc >= 0.70"; exit 1 when the interval does not show that it holds',
    )
    group.add_argument(
        "--exact",
        action="store_true",
        help="shares of independent rows by Clopper and Pearson, which never miss too often",
    )
    group.add_argument(
        "--level", metavar="SHARE", type=float, default=None, help="of the intervals; 0.95"
    )


def file_options(options: argparse.Namespace) -> list[str]:
    """The options for files that were given, as they were typed."""
    names = [
        *COLUMNS,
        *LISTS,
        "task",
        *TASK_COLUMNS,
        "exact",
        "metric",
        "criterion",
        "level",
        "candidate",
        "out",
        "costs",
    ]
    return [f"--{name}" for name in names if getattr(options, name, None) not in (None, [], False)]


def asked_in(options: argparse.Namespace) -> Asked:
    """Which column is what, as far as the options say."""
    from trackrecord.evaluation.reading import Asked

    return Asked(
        target=options.target,
        scores=getattr(options, "score", []),
        baselines=getattr(options, "baseline", []),
        id=getattr(options, "id", None),
        cluster=options.cluster,
        time=getattr(options, "time", None),
        weight=options.weight,
        slices=getattr(options, "slice", []),
        positive=options.positive,
        task=options.task,
        series=getattr(options, "series", None),
        season=1 if getattr(options, "season", None) is None else options.season,
        query=getattr(options, "query", None),
        document=getattr(options, "document", None),
    )


def read_in(options: argparse.Namespace, named: str) -> ReadOutcomes:
    """The Outcomes of a file, as the options say."""
    from msgspec.structs import replace as replaced

    from trackrecord.evaluation.reading import open_outcomes

    check_season(options)
    history, qrels = getattr(options, "history", None), getattr(options, "qrels", None)
    asked = asked_in(options)
    if qrels is not None:  # then baselines are files, too
        asked = replaced(asked, baselines=[str(path_in(options, one)) for one in asked.baselines])
    return open_outcomes(
        path_in(options, named),
        asked,
        history=None if history is None else path_in(options, history),
        qrels=None if qrels is None else path_in(options, qrels),
    )


def check_season(options: argparse.Namespace) -> None:
    """Raise BadInput for a season without a history that it is of."""
    if options.season is not None and options.history is None:
        raise BadInput(
            "--season is of a history",
            why="it says after how many steps the past repeats",
            next="give the past, too: --history FILE",
        )


def level_in(options: argparse.Namespace) -> float:
    """The level of the intervals."""
    return 0.95 if options.level is None else float(options.level)


def check_out(options: argparse.Namespace, inputs: list[str | None]) -> None:
    """Raise BadInput where ``--out`` would write over a file that is read, or has no folder."""
    out = path_in(options, options.out)
    if not out.parent.is_dir():
        raise BadInput(
            f"there is no folder {Path(options.out).parent}",
            where=f"--out {options.out}",
            next=f"mkdir -p {Path(options.out).parent}",
        )
    for named in filter(None, inputs):
        read = path_in(options, named)
        if out.exists() and read.exists() and out.samefile(read):
            raise BadInput(
                f"--out {options.out} would write over {named}",
                why="that file is what is measured",
                next="--out report.html",
            )


def path_in(options: argparse.Namespace, named: str) -> Path:
    """A file, as seen from where the command works."""
    return Path(options.folder or ".") / named
