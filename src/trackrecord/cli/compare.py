"""``trackrecord compare``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.between import tell_forecast_tests, tell_gaps
from trackrecord.cli.columns import (
    add_column_options,
    add_measure_options,
    asked_in,
    check_season,
    level_in,
    path_in,
)
from trackrecord.cli.command import Answer
from trackrecord.cli.measured import say_wrapped, tell_evaluation
from trackrecord.cli.printing import counted, progress, say
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    from trackrecord.evaluation.pairing import Paired, Pairing
    from trackrecord.stats.metrics import Task


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Compare the models of two files of predictions, paired on the ids that both have.\n"
        "Differences are a minus b, on the same rows, with intervals."
    )
    parser.epilog = (
        "examples:\n  trackrecord compare a.parquet b.parquet\n"
        "  trackrecord compare new.csv old.csv --on flight --target late --cluster plane\n"
        "  trackrecord compare new.csv old.csv --criterion 'roc_auc difference > 0'\n\n"
        "exit 1 when a criterion is rejected or undecided"
    )
    parser.add_argument("a", help="a Parquet or CSV file of predictions")
    parser.add_argument("b", help="another, of the same units")
    parser.add_argument("--on", metavar="COL", help="the column of ids, in both files")
    add_column_options(parser, without=("id", "baseline"))
    add_measure_options(parser)


def run(verb: str, options: argparse.Namespace) -> Answer:
    """Pair, measure, tell."""
    from trackrecord.evaluation.measured import result_of

    with progress("comparing") as step:
        step("reading the predictions", 0.1)
        paired = _read(options)
        step("measuring", 0.5)
        found = result_of(
            paired.read,
            level=level_in(options),
            metrics=options.metric,
            criteria=options.criterion,
            horizon=options.horizon,
            exact=options.exact,
        )
    tell_pairing(paired.pairing, (options.a, options.b), found.plan.task)
    for guess in found.guesses:
        say_wrapped(f"  · taken so: {guess}")
    tell_evaluation(found.evaluation, found.plan, found.size, between=tell_gaps)
    tell_forecast_tests(found.forecast_tests)
    holds = all(verdict.verdict == "accepted" for verdict in found.verdicts)
    plain = {"pairing": _plain(paired.pairing), **found.to_dict()}
    return Answer(0 if holds else 1, plain)


def tell_pairing(pairing: Pairing, files: tuple[str, str], task: Task = "binary") -> None:
    """What was compared, and what did not match."""
    say(f"  {pairing.a} ({files[0]}) minus {pairing.b} ({files[1]})")
    if task == "ranking":
        say(f"  {counted(pairing.shared, 'query').replace('querys', 'queries')} of both")
    else:
        say(f"  {counted(pairing.shared, 'row')} of both, paired on their ids")
    unit = "id" if task == "ranking" else "row"
    for file, left in zip(files, (pairing.only_a, pairing.only_b), strict=True):
        if left.rows:
            shown = ", ".join(left.examples) + (", …" if left.rows > len(left.examples) else "")
            say_wrapped(f"  ! {counted(left.rows, unit)} only in {file}, left out: {shown}")


def _read(options: argparse.Namespace) -> Paired:
    import msgspec

    from trackrecord.evaluation.pairing import open_pair

    scores = options.score
    if len(scores) > 2:
        raise BadInput("--score names one column for both files, or one for each: a, then b")
    asked = msgspec.structs.replace(asked_in(options), id=options.on)
    check_season(options)
    return open_pair(
        (path_in(options, options.a), path_in(options, options.b)),
        (options.a, options.b),
        asked,
        scores,
        history=None if options.history is None else path_in(options, options.history),
        qrels=None if options.qrels is None else path_in(options, options.qrels),
    )


def _plain(value: object) -> object:
    import msgspec

    return msgspec.to_builtins(value)
