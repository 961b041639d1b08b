"""Drafts claims from a record: failures as plainly as successes, and from the same template.

Each sentence about a measurement carries its interval; the first names its baseline, and the last
says which look at the test all of it comes from. Verdicts are no claims: page and card list them
whatever the author claims.
"""

from __future__ import annotations

from typing import Any

from trackrecord.data.draft import toml_string
from trackrecord.portfolio.citations import Cited
from trackrecord.portfolio.claims import CLAIMS_VERSION, Claim, ClaimNumber, Claims
from trackrecord.portfolio.record import WORDS, CaseRecord
from trackrecord.portfolio.results import (
    Leaning,
    difference_to,
    estimate_in,
    headline,
    leaning,
    metric_form,
    metric_title,
    model_named,
    reason_in,
)

COMPARED: dict[Leaning, str] = {
    "better": "{model} does better than {baseline}: its METRIC is {value} [{lo}, {hi}] against "
    "{other}, a paired difference of {gain} [{from}, {to}].",
    "worse": "{model} does worse than {baseline}: its METRIC is {value} [{lo}, {hi}] against "
    "{other}, a paired difference of {gain} [{from}, {to}].",
    "unclear": "{model} cannot be told from {baseline}: its METRIC is {value} [{lo}, {hi}] against "
    "{other}, and the paired difference, {gain} [{from}, {to}], has zero in its interval.",
}


def draft_claims(record: CaseRecord) -> Claims:
    """The claims that this record supports, in the order in which a reader asks for them."""
    drafted = [*_answer(record), *_bias(record), *_contrasts(record), *_looks(record)]
    return Claims(claims=CLAIMS_VERSION, claim=drafted, evaluation=record.evaluation)


def write_claims(claims: Claims) -> str:
    """The text of a claims file."""
    lines = [
        "# Claims: sentences whose numbers are pointers into evidence, never typed.",
        "# Change the sentences as you like; a digit outside a {placeholder} is refused.",
        f"claims = {claims.claims}",
        "# The evaluation these sentences were written on. After another one, read them again.",
        f"evaluation = {toml_string(claims.evaluation)}",
    ]
    for claim in claims.claim:
        lines += ["", "[[claim]]", f"text = {toml_string(claim.text)}"]
        if claim.numbers:
            lines.append("[claim.numbers]")
        for name, number in claim.numbers.items():
            lines.append(
                f"{name} = {{ at = {toml_string(number.at)}, form = {toml_string(number.form)} }}"
            )
    return "\n".join(lines) + "\n"


def _claim(record: CaseRecord, text: str, **numbers: tuple[Cited, str]) -> Claim:
    """A claim whose placeholders are cited values; ``from_`` stands for ``from``."""
    words = {getattr(record, word): word for word in WORDS if getattr(record, word)}
    return Claim(
        text=text,
        numbers={
            name.rstrip("_"): ClaimNumber(at=f"{words[value.cited_in]}{value.cited_at}", form=form)
            for name, (value, form) in numbers.items()
        },
    )


def _interval(estimate: Cited, form: str = "number") -> dict[str, tuple[Cited, str]]:
    return {name: (estimate[name], form) for name in ("value", "lo", "hi")}


def _answer(record: CaseRecord) -> list[Claim]:
    """What the case asks for first, in one sentence, which stands directly under the question."""
    evaluation = record.evidence_of("evaluation")
    result = evaluation["result"]
    metric, baseline = headline(evaluation)
    candidate = model_named(result, evaluation["plan"]["candidate"].raw)
    found, reason = estimate_in(candidate, metric), reason_in(candidate, metric)
    numbers: dict[str, Any] = {
        "rows": (result["rows"], "integer"),
        "model": (evaluation["plan"]["candidate"], "text"),
    }
    name = metric_title(metric)
    if name is None:
        name = "metric {metric}"
        asked = next(m for m in evaluation["plan"]["metrics"] if m.raw == metric)
        numbers["metric"] = (asked, "text")
    begins = f"{_standing(evaluation)}n the {{rows}} rows of the test, "
    if found is None:
        if reason is None:
            return []
        said = f"{begins}the {name} of {{model}} has no estimate: {{reason}}."
        return [_claim(record, said, **numbers, reason=(reason, "text"))]
    numbers |= _interval(found, metric_form(metric))
    difference = difference_to(result, candidate["name"].raw, baseline, metric)
    other = baseline and estimate_in(model_named(result, baseline), metric)
    direction = leaning(metric, difference)
    if difference is None or not other or direction is None or baseline is None:
        said = f"{begins}the {name} of {{model}} is {{value}} [{{lo}}, {{hi}}]."
        return [_claim(record, said, **numbers)]
    return [
        _claim(
            record,
            begins + COMPARED[direction].replace("METRIC", name),
            **numbers,
            other=(other["value"], "number"),
            baseline=(model_named(result, baseline)["name"], "text"),
            gain=(difference["value"], "signed"),
            from_=(difference["lo"], "signed"),
            to=(difference["hi"], "signed"),
        )
    ]


def _standing(evaluation: Cited) -> str:
    """What lowers the worth of an answer, before it; page and card say all of it elsewhere."""
    if not evaluation["sealed"].raw:
        return "Unsealed, so nothing was fixed before training: o"
    if evaluation["amendments"].raw:
        return "Amended after the seal: o"
    return "O"


def _bias(record: CaseRecord) -> list[Claim]:
    evaluation = record.evidence_of("evaluation")
    candidate = model_named(evaluation["result"], evaluation["plan"]["candidate"].raw)
    bias = estimate_in(candidate, "bias")
    if bias is None:
        return []
    model = (evaluation["plan"]["candidate"], "text")
    numbers = _interval(bias, "points")
    if record.contrast is None:
        text = "The bias of {model}, its mean prediction minus the rate that came true, is {value} "
        text += "percentage points [{lo}, {hi}]."
        return [_claim(record, text, model=model, **numbers)]
    honest = record.evidence_of("contrast")["honest"]
    return [
        _claim(
            record,
            "{model} predicted {predicted} on average where {rate} came true: a bias of {value} "
            "percentage points [{lo}, {hi}].",
            model=model,
            predicted=(honest["prediction_mean"], "percent"),
            rate=(honest["rate"], "percent"),
            **numbers,
        )
    ]


def _contrasts(record: CaseRecord) -> list[Claim]:
    if record.contrast is None:
        return []
    metric, _ = headline(record.evidence_of("evaluation"))
    title = metric_title(metric)
    predicate = record.evidence_of("contrast")
    honest = estimate_in(predicate["honest"], metric)
    drafted = []
    for contrast in predicate["contrasts"]:
        found = estimate_in(contrast, metric)
        if found is None or honest is None:
            continue
        drafted.append(
            _claim(
                record,
                "Not a result but a warning – {name}: "
                f"that protocol would have shown {(title and 'a ' + title) or 'a value'} of "
                "{value} [{lo}, {hi}] where the sealed one shows {honest}.",
                name=(contrast["name"], "text"),
                honest=(honest["value"], "number"),
                **_interval(found),
            )
        )
    return drafted


def _looks(record: CaseRecord) -> list[Claim]:
    evaluation = record.evidence_of("evaluation")
    clustered = ""
    numbers = {
        "level": (evaluation["plan"]["level"], "level"),
        "look": (evaluation["look"], "integer"),
    }
    if evaluation["result"]["clusters"].raw is not None:
        clustered = " and let rows of one cluster depend on each other ({clusters} clusters)"
        numbers["clusters"] = (evaluation["result"]["clusters"], "integer")
    text = f"Intervals are at the {{level}} level{clustered}. "
    text += "The numbers come from look {look} at the sealed test."
    return [_claim(record, text, **numbers)]
