"""All files of a shipment, made of nothing but it and the registered version."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trackrecord.modeling.export.bundle import BUNDLE
from trackrecord.serving.ship.alerts import alerts, records
from trackrecord.serving.ship.dashboard import dashboard_text
from trackrecord.serving.ship.pins import CAPTURE, SERVE, SKOPS, requirements
from trackrecord.serving.ship.shipment import Shipment

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

# Where a template's text goes; {} is the case's name in Kubernetes.
TEXTS = {
    "Dockerfile": "Dockerfile",
    "dockerignore": ".dockerignore",
    "install.sh": "install.sh",
    "start.sh": "start.sh",
    "probe.txt": "probe.py",
    "compose.yaml": "compose.yaml",
    "prometheus/prometheus.yml": "prometheus/prometheus.yml",
    "prometheus/alerts.yml": "prometheus/alerts.yml",
    "grafana/datasource.yaml": "grafana/provisioning/datasources/prometheus.yaml",
    "grafana/provider.yaml": "grafana/provisioning/dashboards/trackrecord.yaml",
    "github/workflow.yml": ".github/workflows/{}.yml",
    "gitlab-ci.yml": ".gitlab-ci.yml",
    **{
        f"kubernetes/{name}.yaml": f"kubernetes/{name}.yaml"
        for name in (
            "deployment", "service", "autoscaler", "disruption", "network", "kustomization",
            "kserve",
        )
    },
    "RUNBOOK.md": "RUNBOOK.md",
}  # fmt: skip
SCRIPTS = ("install.sh", "start.sh")
_MARKUP = re.compile(r"([\\`*_\[\]<>|#&])")


def texts(shipment: Shipment) -> dict[str, str]:
    """The files that are written for people, by path."""
    below = PurePosixPath(shipment.root)
    values = {
        "s": shipment,
        "alerts": alerts(shipment),
        "records": records(shipment),
        "here": PurePosixPath(shipment.folder).relative_to(below).as_posix(),
        "below": "" if shipment.root == "." else f"{shipment.root}/",
    }
    environment = _environment()
    found = {
        path.format(shipment.name): environment.get_template(template).render(values)
        for template, path in TEXTS.items()
    }
    found["grafana/dashboard.json"] = dashboard_text(shipment)
    found["trackrecord.toml"] = "workspace = 1\n"
    found[f"models/{shipment.case}/aliases.json"] = f'{{"champion":{shipment.version}}}\n'
    return found


def files(
    shipment: Shipment, version: Path, wheel: bytes, lock: Path | None = None
) -> dict[str, bytes]:
    """All files: those for people, what is installed, and the model from the folder ``version``.

    Raises BadInput for a lock file that lacks something.
    """
    needed = [*SERVE]
    needed += CAPTURE if shipment.capture else ()
    needed += SKOPS if shipment.bundle.format == "skops" else ()
    found = texts(shipment)
    found["requirements.txt"] = requirements(needed, lock)
    found["constraints.txt"] = requirements(["trackrecord"], None)
    whole = {path: text.encode() for path, text in found.items()}
    whole[f"wheels/{shipment.wheel}"] = wheel
    for name in (BUNDLE, shipment.bundle.file):
        whole[f"models/{shipment.case}/{shipment.version}/{name}"] = (version / name).read_bytes()
    return dict(sorted(whole.items()))


def plain(text: str) -> str:
    """A person's text as Markdown that means nothing but itself, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["plain"] = plain
    environment.globals["plain"] = plain
    return environment
