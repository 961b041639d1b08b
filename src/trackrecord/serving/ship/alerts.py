"""Alarms, as data: the rules, the runbook and the dashboard are all made of these.

Objectives are watched by several burn rates, each over two windows at once: the long one says that
it matters, the short one that it goes on (Google, The Site Reliability Workbook, chapter 5, table
5-8, with the burn rate of 3 over a day beside it).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from trackrecord.serving.ship.shipment import Shipment

Severity = Literal["page", "ticket"]


class Burn(NamedTuple):
    """How many times too fast a month's budget is spent, over two windows, and who must know."""

    factor: str
    long: str
    short: str
    severity: Severity


BURNS = (
    Burn("14.4", "1h", "5m", "page"),
    Burn("6", "6h", "30m", "page"),
    Burn("3", "1d", "2h", "ticket"),
    Burn("1", "3d", "6h", "ticket"),
)
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
# Of the memory that the service may use.
MEMORY_SHARE = 0.9


class Rule(NamedTuple):
    """When an alarm sounds, and who must know."""

    expression: str
    severity: Severity
    burn: Burn | None = None


class Alert(NamedTuple):
    """An alarm: its rules, how long they must hold, and what the runbook says of it."""

    name: str
    rules: list[Rule]
    hold: str
    summary: str
    meaning: str
    look: list[str]
    back: str


def selector(shipment: Shipment, more: str = "") -> str:
    """The labels that choose the case's series."""
    return "{" + f'case="{shipment.case}"' + (f",{more}" if more else "") + "}"


def error_share(shipment: Shipment, window: str) -> str:
    """The share of requests for answers that failed through the server's fault."""
    asked = 'endpoint=~"predict|infer"'
    failed = selector(shipment, f'{asked},code=~"5.."')
    return (
        f"sum by (case) (rate(trackrecord_requests_total{failed}[{window}]))\n"
        f"/ sum by (case) (rate(trackrecord_requests_total{selector(shipment, asked)}[{window}]))"
    )


def slow_share(shipment: Shipment, window: str) -> str:
    """The share of requests for answers that took longer than the objective's seconds."""
    quick = selector(shipment, f'le="{shipment.latency}"')
    return (
        f"1 - sum by (case) (rate(trackrecord_request_seconds_bucket{quick}[{window}]))\n"
        f"/ sum by (case) (rate(trackrecord_request_seconds_count{selector(shipment)}[{window}]))"
    )


def budget(share: float) -> str:
    """What may go wrong where ``share`` must go right."""
    return f"{round(1 - share, 12):g}"


def records(shipment: Shipment) -> list[tuple[str, str]]:
    """The shares over each window, as series of their own: (name, expression)."""
    return [
        (f"case:trackrecord_{what}:ratio_rate{window}", share(shipment, window))
        for what, share in (("errors", error_share), ("slow", slow_share))
        for window in WINDOWS
    ]


def _burning(shipment: Shipment, what: str, share: float) -> list[Rule]:
    case, series = selector(shipment), f"case:trackrecord_{what}:ratio_rate"
    rules = []
    for burn in BURNS:
        bound = f"({burn.factor} * {budget(share)})"
        both = [f"{series}{window}{case} > {bound}" for window in (burn.long, burn.short)]
        rules.append(Rule("\nand ".join(both), burn.severity, burn))
    return rules


def _more(counter: str, labels: str, window: str, bound: int) -> str:
    """Whether a counter of the case rose by more than ``bound`` within ``window``."""
    return f"sum by (case) (increase(trackrecord_{counter}{labels}[{window}])) > {bound}"


def alerts(shipment: Shipment) -> list[Alert]:
    """All alarms of a service."""
    case, name = selector(shipment), shipment.case
    refused = selector(shipment, 'result="refused"')
    not_ready = f"trackrecord_worker_ready{case} == 0 and trackrecord_worker_up{case} == 1"
    resident = f"trackrecord_worker_resident_memory_bytes{case}"
    memory = f"{MEMORY_SHARE:g} * {shipment.memory} * 1024 * 1024"
    return [
        Alert(
            "TrackrecordErrorBudget",
            _burning(shipment, "errors", shipment.availability),
            "",
            f"{name}: too many requests get no answer",
            f"Of the requests to /predict and /infer more end with 5xx than the objective of"
            f" {shipment.availability * 100:g} % allows for. The label `burn` says how many times"
            " too fast the budget of 30 days is spent, `window` over how long.",
            [
                "Panel *Requests* of the dashboard: which code? 503 is too much load (panel"
                " *Turned away* says why), 500 a model or a server that fails.",
                "Did it begin with a version (panel *Versions*)? Then take that one back.",
                "Few requests make few failures a large share: look at how many there were.",
            ],
            "Errors of one version: take it back. Too much load: more replicas.",
        ),
        Alert(
            "TrackrecordLatencyBudget",
            _burning(shipment, "slow", shipment.quick),
            "",
            f"{name}: too many answers are slow",
            f"More answers take longer than {shipment.latency:g} s than the objective of"
            f" {shipment.quick * 100:g} % within that time allows for.",
            [
                "Panels *Rows that wait* and *Processor*: if both are high, it is load.",
                "Panel *Rows together*: larger requests than before take longer, each.",
                "Did it begin with a version? Then take that one back.",
            ],
            "A slower version: take it back. Load: more replicas.",
        ),
        Alert(
            "TrackrecordAbsent",
            [Rule(f"absent(trackrecord_worker_up{case} == 1)", "page")],
            "2m",
            f"{name}: no server can be seen",
            "Prometheus has not seen a single worker for two minutes: nothing runs, or it cannot"
            " be reached.",
            [
                "`docker compose ps`, or `kubectl get pods -l app.kubernetes.io/name="
                f"{shipment.name}`: does anything run, and why did the last one end?",
                "Its log says why it could not begin: a file that is not what was registered, or"
                " a port that is taken.",
                "If it runs: Prometheus' page of targets says why it cannot be read; with keys,"
                " Prometheus needs one, too.",
            ],
            "If it began with a version: take that one back.",
        ),
        Alert(
            "TrackrecordNotReady",
            [Rule(not_ready, "page")],
            "1m",
            f"{name}: a worker has not been ready for a minute",
            "The model no longer gives the answers to its known rows that it gave when it was"
            " registered, or the server has not finished stopping.",
            ["`/v2/health/ready` says `why`; `/health` names the versions and what was refused."],
            "Take the version back.",
        ),
        Alert(
            "TrackrecordModelFails",
            [Rule(_more("model_failures_total", case, "10m", 0), "ticket")],
            "",
            f"{name}: the model fails on rows",
            "There were rows on which the model itself raised, or answered with no number. The"
            " rows beside them were answered.",
            [
                "The log has the request's id; the answer said which row.",
                "Are those rows of a kind that training never saw?",
            ],
            "If the version before could answer such rows: take this one back.",
        ),
        Alert(
            "TrackrecordVersionRefused",
            [Rule(_more("swaps_total", refused, "15m", 0), "ticket")],
            "",
            f"{name}: a version was refused",
            "`aliases.json` names a version whose files are not what was registered, or which"
            " does not answer its known rows as it did. The version before still answers.",
            [
                "`/health` says under `refused` which one, and why.",
                "Who changed the alias, and when?",
            ],
            "Nothing broke. Let the alias name a version that is whole again, or register anew.",
        ),
        Alert(
            "TrackrecordCaptureFails",
            [Rule(_more("capture_failures_total", case, "10m", 0), "ticket")],
            "",
            f"{name}: answers are not kept",
            "Answers are given and not written down, most often as the disk is full: monitoring"
            " does not see them.",
            ["How full is the volume of `captures/`?", "The log says what could not be written."],
            "Nothing needs to be taken back; make room.",
        ),
        Alert(
            "TrackrecordWorkerRestarts",
            [Rule(_more("restarts_total", case, "15m", 2), "ticket")],
            "",
            f"{name}: workers die again and again",
            "Workers ended by themselves more than twice in 15 minutes, and were started again.",
            ["The log says by which signal; 9 is most often memory that ran out."],
            "If it began with a version: take that one back.",
        ),
        Alert(
            "TrackrecordMemory",
            [Rule(f"sum by (case, instance) ({resident}) > {memory}", "ticket")],
            "10m",
            f"{name}: the memory is nearly used up",
            f"A server has used more than {MEMORY_SHARE * 100:g} % of its {shipment.memory} MiB for"
            " ten minutes. At the limit it is ended by force.",
            [
                "Panel *Memory*: a step (a larger version, more workers), or a slope (a leak)?",
                "A slope: how many hours are left?",
            ],
            "A step that came with a version: take it back, or ship with more `--memory`.",
        ),
    ]  # fmt: skip
