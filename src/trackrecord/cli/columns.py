"""The options that say which column of a file is what, for each verb that reads predictions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trackrecord.evaluation.reading import Asked

# option: what it names. In the order of --help.
COLUMNS = {
    "target": "the column of what came true (0 and 1)",
    "positive": "the target's value that counts as 1, where it is not 0 and 1",
    "id": "the column that names each row",
    "cluster": "the column of what rows share that makes them depend on one another",
    "time": "the column of when each row was asked",
    "weight": "the column of how much each row counts",
}
LISTS = {
    "score": "a column of a model's scores; again for each model",
    "baseline": "a column of scores to compare with; again for each",
    "slice": 'a column, or a condition like "hour>=18", to measure apart; again for each',
}


def add_column_options(parser: argparse.ArgumentParser, *, without: tuple[str, ...] = ()) -> None:
    """``--target COL`` and its like; what is not said is guessed, and the guess is told."""
    group = parser.add_argument_group("columns of a file (guessed, and said, where not named)")
    for name, meaning in COLUMNS.items():
        if name not in without:
            metavar = "VALUE" if name == "positive" else "COL"
            group.add_argument(f"--{name}", metavar=metavar, help=meaning)
    for name, meaning in LISTS.items():
        if name not in without:
            group.add_argument(
                f"--{name}", metavar="COL", action="append", default=[], help=meaning
            )


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
        "--level", metavar="SHARE", type=float, default=None, help="of the intervals; 0.95"
    )


def file_options(options: argparse.Namespace) -> list[str]:
    """The options for files that were given, as they were typed."""
    names = [*COLUMNS, *LISTS, "metric", "criterion", "level", "candidate", "out", "costs"]
    return [f"--{name}" for name in names if getattr(options, name, None) not in (None, [])]


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
    )


def level_in(options: argparse.Namespace) -> float:
    """The level of the intervals."""
    return 0.95 if options.level is None else float(options.level)


def path_in(options: argparse.Namespace, named: str) -> Path:
    """A file, as seen from where the command works."""
    return Path(options.folder or ".") / named
