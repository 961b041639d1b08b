"""A dashboard for Grafana: load, errors, latency, versions, memory, and what is left of budgets."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from trackrecord.serving.ship.alerts import (
    BURNS,
    budget,
    error_share,
    selector,
    slow_share,
)
from trackrecord.serving.ship.shipment import Shipment

# The version of Grafana's model of dashboards that this is written in (Grafana 11 and 12 read it).
SCHEMA = 39
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 8, 8
EVERY = "$__rate_interval"


class Panel(NamedTuple):
    """A picture: its lines are (expression, legend)."""

    title: str
    unit: str
    lines: list[tuple[str, str]]
    description: str
    kind: str = "timeseries"
    bound: float | None = None


def panels(shipment: Shipment) -> list[Panel]:
    """All pictures, in rows of three."""
    case = selector(shipment)
    asked = selector(shipment, 'endpoint=~"predict|infer"')
    errors, slow = budget(shipment.availability), budget(shipment.quick)

    def rate(metric: str, labels: str, by: str) -> str:
        return f"sum by ({by}) (rate(trackrecord_{metric}{labels}[{EVERY}]))"

    def quantile(level: float, metric: str) -> str:
        return f"histogram_quantile({level:g}, {rate(f'{metric}_bucket', case, 'le')})"

    def left(share: str, allowed: str) -> str:
        return f"1 - ({share}) / {allowed}"

    burns = [
        (f"case:trackrecord_{what}:ratio_rate{window}{case} / {allowed}", f"{shown}, {window}")
        for what, shown, allowed in (("errors", "errors", errors), ("slow", "slow", slow))
        for window in (BURNS[0].long, BURNS[1].long)
    ]
    return [
        Panel("Requests", "reqps", [(rate("requests_total", asked, "code"), "{{code}}")],
              "For answers, by status."),
        Panel("Errors", "percentunit", [(error_share(shipment, EVERY), "5xx")],
              "The share of requests that failed through the server's fault.",
              bound=round(1 - shipment.availability, 12)),
        Panel("Latency", "s",
              [(quantile(level, "request_seconds"), f"p{level * 100:g}")
               for level in (0.5, 0.9, 0.99)],
              "Of answers, between the bounds that are counted.", bound=shipment.latency),
        Panel("Budget left", "percentunit",
              [(left(error_share(shipment, "$__range"), errors), "answers"),
               (left(slow_share(shipment, "$__range"), slow), "quick answers")],
              "What is left of what may go wrong, over the time shown. Below 0 the objective is"
              " missed.", kind="stat"),
        Panel("Budget burn", "none", burns,
              "How many times too fast the budget is spent: 1 uses it up in 30 days.", bound=1.0),
        Panel("Slow answers", "percentunit", [(slow_share(shipment, EVERY), "slow")],
              f"The share that took longer than {shipment.latency:g} s.",
              bound=round(1 - shipment.quick, 12)),
        Panel("Rows together", "none",
              [(f"{rate('batch_rows_sum', case, 'case')}"
                f" / {rate('batch_rows_count', case, 'case')}", "mean"),
               (quantile(0.99, "batch_rows"), "p99")],
              "Rows that go through the model at once: batches grow with the load."),
        Panel("Rows that wait", "none",
              [(f"sum by (instance) (trackrecord_worker_queue_rows{case})", "rows {{instance}}"),
               (f"sum by (instance) (trackrecord_worker_in_flight{case})",
                "requests {{instance}}")],
              "Rows in the queue, and requests that are being answered."),
        Panel("Turned away", "reqps", [(rate("rejected_total", case, "reason"), "{{reason}}")],
              "Requests that were not taken on, by reason."),
        Panel("Versions", "none", [(rate("version_rows_total", case, "version"), "{{version}}")],
              "Rows a second, by the version that answered."),
        Panel("Changes and refusals", "none",
              [(f"sum by (result) (increase(trackrecord_swaps_total{case}[{EVERY}]))",
                "{{result}}"),
               (f"sum(increase(trackrecord_restarts_total{case}[{EVERY}]))", "restarts"),
               (f"sum(increase(trackrecord_model_failures_total{case}[{EVERY}]))",
                "rows the model failed on"),
               (f"sum(increase(trackrecord_capture_failures_total{case}[{EVERY}]))",
                "answers not kept")],
              "Versions that took over or were refused, workers started again, rows that failed."),
        Panel("Ready", "none",
              [(f"sum(trackrecord_worker_ready{case})", "ready"),
               (f"sum(trackrecord_worker_up{case})", "running")],
              "Workers whose model has just answered its known rows."),
        Panel("Memory", "bytes",
              [(f"sum by (instance) (trackrecord_worker_resident_memory_bytes{case})",
                "{{instance}}")],
              "Of each server; the line is its limit.", bound=float(shipment.memory * 2**20)),
        Panel("Processor", "none",
              [(f"sum by (instance) (rate(trackrecord_worker_cpu_seconds{case}[{EVERY}]))",
                "{{instance}}")],
              "Cores in use."),
        Panel("Kept answers", "none", [(rate("captured_total", case, "case"), "kept")],
              "Answers a second that were written down for monitoring."),
    ]  # fmt: skip


def dashboard(shipment: Shipment) -> dict[str, Any]:
    """The dashboard, as Grafana imports it."""
    return {
        "uid": f"trackrecord-{shipment.name}"[:40],
        "title": f"trackrecord: {shipment.case}",
        "description": shipment.bundle.question,
        "tags": ["trackrecord"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {
                    "name": "source",
                    "label": "Prometheus",
                    "type": "datasource",
                    "query": "prometheus",
                    "hide": 0,
                    "refresh": 1,
                }
            ]
        },
        "annotations": {
            "list": [
                {
                    "name": "Another version answers",
                    "datasource": SOURCE,
                    "enable": True,
                    "iconColor": "purple",
                    "expr": "changes(max by (case)"
                    f" (trackrecord_worker_champion{selector(shipment)})[2m:]) > 0",
                    "titleFormat": "another version answers",
                }
            ]
        },
        "panels": [_panel(place, panel) for place, panel in enumerate(panels(shipment))],
    }


def _panel(place: int, panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    custom: dict[str, Any] = {}
    if panel.bound is not None:
        steps.append({"color": "red", "value": panel.bound})
        custom = {"thresholdsStyle": {"mode": "dashed"}}
    if panel.kind == "stat":
        steps = [{"color": "red", "value": None}, {"color": "green", "value": 0}]
        options: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}}
    else:
        options = {
            "legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
        custom = {"fillOpacity": 8, "showPoints": "never", "spanNulls": False, **custom}
    return {
        "id": place + 1,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": {
            "h": HEIGHT,
            "w": WIDTH,
            "x": place % 3 * WIDTH,
            "y": place // 3 * HEIGHT,
        },
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "expr": expression,
                "legendFormat": legend,
                **({"instant": True} if panel.kind == "stat" else {"range": True}),
            }
            for number, (expression, legend) in enumerate(panel.lines)
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "custom": custom,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": options,
    }


def dashboard_text(shipment: Shipment) -> str:
    """The file of the dashboard."""
    return json.dumps(dashboard(shipment), indent=1, ensure_ascii=False) + "\n"
