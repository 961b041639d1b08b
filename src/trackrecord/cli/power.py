"""``trackrecord power``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from trackrecord.cli.columns import add_column_options, check_out, level_in, path_in, read_in
from trackrecord.cli.command import Answer
from trackrecord.cli.measured import say_wrapped
from trackrecord.cli.printing import say, table
from trackrecord.errors import BadInput
from trackrecord.portfolio.pointers import shown as pointed

if TYPE_CHECKING:
    from trackrecord.evaluation.power import Power

BAR = 30
ASSUMED = ("rate", "auc", "correlation", "cluster_size", "icc")


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "How many rows, or clusters, it takes to decide a criterion: for a chance of 80 % that\n"
        "the interval shows whether it holds. From a pilot's own rows, or from stated assumptions."
    )
    parser.epilog = (
        "examples:\n"
        "  trackrecord power 'roc_auc difference >= 0.01' --pilot p.parquet --cluster user\n"
        "  trackrecord power 'roc_auc >= 0.70' --rate 0.2 --auc 0.75\n"
        "  trackrecord power 'brier difference < 0' --pilot p.csv --rows 20000 --out power.html"
    )
    parser.add_argument("criterion", help='such as "roc_auc difference >= 0.01"')
    parser.add_argument("--pilot", metavar="FILE", help="predictions to learn from: Parquet or CSV")
    parser.add_argument(
        "--candidate", metavar="NAME", help="of the pilot: the model that is judged"
    )
    for name, meaning in (
        ("--expect", "the true value hoped for; the pilot's own by default"),
        ("--level", "of the interval; 0.95"),
    ):
        parser.add_argument(name, metavar="NUMBER", type=float, help=meaning)
    parser.add_argument("--rows", metavar="N", type=int, help="the number of rows to ask about")
    parser.add_argument("--out", metavar="HTML", help="write the curve as a page")
    group = parser.add_argument_group("without a pilot")
    for name, meaning in (
        ("--rate", "the share of positives"),
        ("--auc", "the ROC AUC of a calibrated model to plan on"),
        ("--correlation", "of two models' log odds within a class; 0.7"),
        ("--cluster-size", "rows a cluster"),
        ("--icc", "the correlation of rows within a cluster"),
    ):
        group.add_argument(name, metavar="NUMBER", type=float, help=meaning)
    add_column_options(parser, without=("slice",))


def run(verb: str, options: argparse.Namespace) -> Answer:
    """Reckon and tell."""
    import msgspec

    if options.rows is not None and options.rows < 1:
        raise BadInput(f"--rows {options.rows} are no rows", next="--rows 10000")
    if options.out is not None:
        check_out(options, [options.pilot, options.history, options.qrels])
    found = _from_pilot(options) if options.pilot is not None else _assumed(options)
    tell_power(found)
    answer = msgspec.to_builtins(found)
    if options.out is not None:
        from trackrecord.ledger import write_atomic
        from trackrecord.portfolio.report_power import render_power

        write_atomic(path_in(options, options.out), render_power(found).encode())
        say(f"  page: {options.out}")
        answer["page"] = options.out
    return Answer(0, answer)


def tell_power(found: Power) -> None:
    """The answer, what it rests on, and the curve."""
    say(f"  {pointed(found.criterion, 'condition')}")
    if found.needed is None:
        say_wrapped(
            f"  no number of {found.unit} has a chance of 80 %: "
            "the true value would lie on the limit itself"
        )
    else:
        say(f"  {amount(found.needed, found)} for a chance of 80 % that it is decided")
    if found.chance is not None and found.units is not None:
        say(f"  {amount(found.units, found)} have a chance of {100 * found.chance:.0f} %")
    for said in found.assumptions:
        say_wrapped(f"  · taken so: {pointed(said, 'condition')}")
    if found.cases:
        rows = [
            [
                case.said,
                f"{case.value:.4f}".replace("-", "−"),
                "–" if case.units is None else f"{case.units:,}",
                case.verdict,
            ]
            for case in found.cases
        ]
        table(["if the truth is", "", f"{found.unit} needed", "it is"], rows, right={1, 2})
    clustered = found.unit == "clusters"
    curve = []
    for point in found.curve:
        cells = [f"{point.units:,}", *([f"{point.rows:,}"] if clustered else [])]
        mark = " ← 80 %" if point.units == found.needed else ""
        bar = "▪" * round(BAR * point.chance)
        curve.append([*cells, f"{100 * point.chance:.0f} %", bar + mark])
    header = ["clusters", "rows"] if clustered else [found.unit]
    table([*header, "chance", ""], curve, right={0, 1, 2} if clustered else {0, 1})


def amount(units: int, found: Power) -> str:
    """``1,200 rows``, or ``150 clusters (1,200 rows)``."""
    if found.unit != "clusters":
        return f"{units:,} {found.unit}"
    return f"{units:,} clusters ({round(units * found.rows_per_unit):,} rows)"


def _from_pilot(options: argparse.Namespace) -> Power:
    for name in ASSUMED:
        if getattr(options, name) is not None:
            shown = name.replace("_", "-")
            raise BadInput(
                f"--{shown} is for planning without a pilot",
                why="a pilot shows it: it is measured, not assumed",
                next="leave it out, or leave --pilot out",
            )
    from trackrecord.cases.criteria import parse_requirement
    from trackrecord.evaluation.power import power_from_pilot

    parse_requirement(options.criterion)
    return power_from_pilot(
        options.criterion,
        read_in(options, options.pilot),
        candidate=options.candidate,
        expect=options.expect,
        rows=options.rows,
        level=level_in(options),
    )


def _assumed(options: argparse.Namespace) -> Power:
    from trackrecord.cases.criteria import parse_requirement
    from trackrecord.evaluation.power import power_assumed

    parse_requirement(options.criterion)
    if options.rate is None:
        raise BadInput(
            "there is neither a pilot nor a rate of positives",
            why="how much rows vary must be measured or assumed",
            next="--pilot predictions.parquet, or --rate 0.2",
        )
    return power_assumed(
        options.criterion,
        rate=options.rate,
        auc=options.auc,
        correlation=options.correlation,
        expect=options.expect,
        rows=options.rows,
        cluster_size=options.cluster_size,
        icc=options.icc,
        level=level_in(options),
    )
