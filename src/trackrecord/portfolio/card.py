"""The model card: Hugging Face's format, its metrics taken from the evidence.

The front matter is YAML whose scalars are JSON, which YAML contains: nothing in a name or a
question can end a string there. Format: https://huggingface.co/docs/hub/model-cards
"""

from __future__ import annotations

import json
import re
from typing import Any

from trackrecord.portfolio.citations import Cited
from trackrecord.portfolio.claims import Claims, render_claim
from trackrecord.portfolio.page import part_span
from trackrecord.portfolio.pointers import shown, upright
from trackrecord.portfolio.record import CaseRecord
from trackrecord.portfolio.results import (
    criterion_form,
    difference_to,
    estimate_in,
    headline,
    metric_form,
    metric_title,
    model_named,
)

# Hugging Face's names of metrics, where they differ from ours.
HUB_NAMES = {"brier": "brier_score"}


def render_card(record: CaseRecord, claims: Claims) -> str:
    """The card as Markdown with YAML front matter. Pure, like the page."""
    front = "\n".join(_yaml(front_matter(record)))
    return f"---\n{front}\n---\n\n" + "\n".join(_body(record, claims)) + "\n"


def front_matter(record: CaseRecord) -> dict[str, Any]:
    """What a model hub reads: tags, library, and ``model-index`` with the candidate's metrics."""
    evaluation = record.evidence_of("evaluation")
    spec, name = record.spec(), evaluation["plan"]["candidate"].raw
    candidate = model_named(evaluation["result"], name)
    kind = next((m["kind"].raw for m in record.evidence_of("run")["models"]
                 if m["name"].raw == name), "")  # fmt: skip
    metrics = [
        {
            "type": HUB_NAMES.get(e["metric"].raw, e["metric"].raw),
            "name": metric_title(e["metric"].raw) or e["metric"].raw,
            "value": e["value"].raw,
            "args": {"interval": [e["lo"].raw, e["hi"].raw], "level": e["level"].raw},
        }
        for e in candidate["estimates"]
    ]
    front: dict[str, Any] = {
        "tags": ["tabular-classification", "trackrecord"],
        "pipeline_tag": "tabular-classification",
        "metrics": [metric["type"] for metric in metrics],
        "model-index": [
            {
                "name": f"{spec['name'].raw}/{name}",
                "results": [
                    {
                        "task": {"type": "tabular-classification", "name": spec["question"].raw},
                        "dataset": {
                            "type": spec["data"]["path"].raw,
                            "name": _origin(spec),
                            "split": "test",
                        },
                        "metrics": metrics,
                        "source": {
                            "name": f"trackrecord evidence {record.evaluation}",
                            "url": f"evidence/{record.evaluation}.json",
                        },
                    }
                ],
            }
        ],
    }
    if kind.startswith("sklearn."):
        front["library_name"] = "sklearn"
    return front


def _body(record: CaseRecord, claims: Claims) -> list[str]:
    evaluation = record.evidence_of("evaluation")
    spec = record.spec()
    claimed = [render_claim(claim, record.words()) for claim in claims.claim]
    lines = [f"# {_text(spec['question'])}", ""]
    if not evaluation["sealed"].raw:
        lines += ["> **Unsealed.** Nothing was fixed before training.", ""]
    if evaluation["amendments"].raw:
        times, looks = (evaluation[key].raw for key in ("amendments", "looks_before_amendment"))
        lines += [
            f"> **Amended** after the seal: {times}. Looks at the test before the last: {looks}.",
            "",
        ]
    lines += [
        f"Model `{_code(evaluation['plan']['candidate'])}` of the case `{_code(spec['name'])}`. "
        "The numbers are those of the evidence in this folder; `trackrecord verify .` recomputes "
        "them.",
        "",
        *_section("Intended use", [_text(spec["intended_use"])]),
        *_section("Limits", [f"- {_text(limit)}" for limit in spec["limits"]]),
        *_section("Data", _data(record)),
        *_section("Evaluation", _evaluation(record)),
        *_section("Claims", [f"- {_plain(said)}" for said in claimed]),
        *_section("Caveats", _caveats(record)),
    ]
    return lines


def _yaml(value: Any) -> list[str]:
    """Block YAML, a line each: mappings and lists by indentation, scalars as JSON."""
    if isinstance(value, dict):
        lines = []
        for key, inside in value.items():
            if isinstance(inside, dict | list) and inside:
                lines += [f"{key}:", *(f"  {line}" for line in _yaml(inside))]
            else:
                lines.append(f"{key}: {json.dumps(inside, ensure_ascii=False)}")
        return lines
    if isinstance(value, list):
        return [
            ("  " if number else "- ") + line
            for item in value
            for number, line in enumerate(_yaml(item))
        ]
    return [json.dumps(value, ensure_ascii=False)]


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *lines, ""] if lines else []


def _data(record: CaseRecord) -> list[str]:
    spec = record.spec()
    lines = []
    seal = record.cited("seal")
    if seal is not None:
        for source in seal["predicate"]["data"]:
            words = [f"`{_code(source['path'])}`", f"{source['rows'].raw:,} rows"]
            words += [_text(source[key]) for key in ("origin", "license") if source[key].raw]
            lines.append(f"- {', '.join(words)}; content digest `{source['table'].raw}`")
        for name in ("train", "validation", "test"):
            part = seal["predicate"]["split"]["parts"][name]
            days = part_span(record, name)
            span = f", {days[0].raw[:10]} to {days[1].raw[:10]}" if days else ""
            lines.append(f"- {name}: {part['rows'].raw:,} rows{span}")
    target = spec["target"]
    lines.append(f"- comes true when `{_code(target['column'])}` is `{_code(target['positive'])}`")
    if "known_later" in spec["data"]:
        names = ", ".join(f"`{_code(name)}`" for name in spec["data"]["known_later"])
        lines.append(f"- known only later, never a feature: {names}")
    if "asof" in spec["data"]:
        for joined in spec["data"]["asof"]:
            known = _text(joined["known_by"])
            lines.append(f"- `{_code(joined['table'])}` as last observed by {known}")
    return lines


def _evaluation(record: CaseRecord) -> list[str]:
    evaluation = record.evidence_of("evaluation")
    result, plan = evaluation["result"], evaluation["plan"]
    candidate = model_named(result, plan["candidate"].raw)
    _, baseline = headline(evaluation)
    lines = [
        f"{result['rows'].raw:,} rows, {result['positives'].raw:,} came true; look "
        f"{evaluation['look'].raw} at the test; {shown(plan['level'].raw, 'level')} intervals.",
        "",
        f"| metric | {_code(plan['candidate'])} | "
        + (f"minus {_code(model_named(result, baseline)['name'])} |" if baseline else "|"),
        "| --- | ---: | ---: |",
    ]
    for metric in plan["metrics"]:
        own = estimate_in(candidate, metric.raw)
        gap = difference_to(result, candidate["name"].raw, baseline, metric.raw)
        lines.append(
            f"| {_text(metric)} | {_shown(own, metric_form(metric.raw))} | "
            + (f"{_shown(gap, 'signed')} |" if baseline else "|")
        )
    if len(result["verdicts"]):
        lines += ["", "| verdict | criterion | required | measured |", "| --- | --- | --- | ---: |"]
    for verdict in result["verdicts"]:
        measured = _shown(verdict if verdict["value"].raw is not None else None,
                          criterion_form(verdict))  # fmt: skip
        lines.append(
            f"| {verdict['verdict'].raw} | {_text(verdict['criterion'])} | "
            f"{_condition(verdict['require'])} | {measured} |"
        )
    return lines


def _caveats(record: CaseRecord) -> list[str]:
    lines = [
        "- Times in the record are the author's own; the order is what the chain shows.",
        "- Recomputing shows that the numbers follow from the published predictions, not that the "
        "predictions came from this model.",
    ]
    failed = [v for v in record.evidence_of("evaluation")["result"]["verdicts"]
              if v["verdict"].raw != "accepted"]  # fmt: skip
    lines += [f"- {v['verdict'].raw}: {_text(v['criterion'])}" for v in failed]
    return lines


def _shown(estimate: Cited | None, form: str) -> str:
    if estimate is None:
        return "no estimate"
    value, lo, hi = (shown(estimate[key].raw, form) for key in ("value", "lo", "hi"))
    return f"{value} [{lo}, {hi}]"


def _origin(spec: Cited) -> str:
    data = spec["data"]
    origin = data["origin"].raw if "origin" in data else ""
    return str(origin or data["path"].raw)


def _text(value: Cited) -> str:
    return _plain(str(value.raw))


def _plain(text: str) -> str:
    """Words of the author as Markdown that shows them and does nothing else."""
    line = " ".join(upright(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~!#])", r"\\\1", line)


def _condition(value: Cited) -> str:
    return _plain(shown(value.raw, "condition"))


def _code(value: Cited) -> str:
    """The author's words inside a code span of one line: no backtick, no cell's end."""
    return " ".join(upright(str(value.raw)).replace("`", "'").replace("|", "¦").split())
