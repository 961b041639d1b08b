"""Drafts claims from a record: failures as plainly as successes, and from the same template.

Each sentence about a measurement carries its interval; the comparison names its baseline, and the
last sentence says which look at the test all of it comes from.
"""

from __future__ import annotations

from typing import Any

from trackrecord.data.draft import toml_string
from trackrecord.portfolio.citations import Cited
from trackrecord.portfolio.claims import CLAIMS_VERSION, Claim, ClaimNumber, Claims
from trackrecord.portfolio.record import WORDS, CaseRecord
from trackrecord.portfolio.results import (
    Leaning,
    criterion_form,
    difference_to,
    estimate_in,
    headline,
    leaning,
    metric_title,
    model_named,
)

VERDICTS = {
    "accepted": "Held: {criterion}. Required: {require}; measured: {value} [{lo}, {hi}].",
    "rejected": "Did not hold: {criterion}. Required: {require}; measured: {value} [{lo}, {hi}], "
    "wholly outside.",
    "undecided": "Undecided: {criterion}. Required: {require}; measured: {value} [{lo}, {hi}], "
    "part inside and part outside.",
}

COMPARED: dict[Leaning, str] = {
    "better": "better than {other} for {baseline}: the paired difference is {gain} [{from}, {to}].",
    "worse": "worse than {other} for {baseline}: the paired difference is {gain} [{from}, {to}].",
    "unclear": "which cannot be told from {other} for {baseline}: the paired difference, {gain} "
    "[{from}, {to}], has zero in its interval.",
}


def draft_claims(record: CaseRecord) -> Claims:
    """The claims that this record supports, in the order in which a reader asks for them."""
    drafted = [*_standing(record), *_headline(record), *_verdicts(record)]
    drafted += [*_calibration(record), *_contrasts(record), *_looks(record)]
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


def _standing(record: CaseRecord) -> list[Claim]:
    evaluation = record.evidence_of("evaluation")
    if not evaluation["sealed"]:
        said = "Nothing was fixed before training: the run is unsealed, and so is every number."
        return [_claim(record, said)]
    if not evaluation["amendments"]:
        return []
    return [
        _claim(
            record,
            "The case was changed after it was sealed. Amendments: {amendments}; looks at the "
            "test before the last of them: {looks}.",
            amendments=(evaluation["amendments"], "integer"),
            looks=(evaluation["looks_before_amendment"], "integer"),
        )
    ]


def _headline(record: CaseRecord) -> list[Claim]:
    evaluation = record.evidence_of("evaluation")
    result = evaluation["result"]
    metric, baseline = headline(evaluation)
    candidate = model_named(result, evaluation["plan"]["candidate"].raw)
    found = estimate_in(candidate, metric)
    if found is None:
        return []
    numbers: dict[str, Any] = {
        **_interval(found),
        "rows": (result["rows"], "integer"),
        "model": (evaluation["plan"]["candidate"], "text"),
        "metric": (found["metric"], "text"),
    }
    title = metric_title(metric)
    if title is None:
        name = "the metric {metric}"
    else:
        del numbers["metric"]
        name = f"the {title}"
    text = f"On the {{rows}} rows of the test, {name} of {{model}} is {{value}} [{{lo}}, {{hi}}]"
    difference = difference_to(result, candidate["name"].raw, baseline, metric)
    other = baseline and estimate_in(model_named(result, baseline), metric)
    direction = leaning(metric, difference)
    if difference is None or not other or direction is None or baseline is None:
        return [_claim(record, text + ".", **numbers)]
    return [
        _claim(
            record,
            f"{text}, {COMPARED[direction]}",
            **numbers,
            other=(other["value"], "number"),
            baseline=(model_named(result, baseline)["name"], "text"),
            gain=(difference["value"], "signed"),
            from_=(difference["lo"], "signed"),
            to=(difference["hi"], "signed"),
        )
    ]


def _verdicts(record: CaseRecord) -> list[Claim]:
    drafted = []
    for verdict in record.evidence_of("evaluation")["result"]["verdicts"]:
        named = {
            "criterion": (verdict["criterion"], "text"),
            "require": (verdict["require"], "text"),
        }
        if verdict["value"].raw is None:
            drafted.append(
                _claim(
                    record,
                    "Undecided: {criterion}. Required: {require}; {reason}.",
                    **named,
                    reason=(verdict["reason"], "text"),
                )
            )
            continue
        text = VERDICTS[verdict["verdict"].raw]
        drafted.append(_claim(record, text, **named, **_interval(verdict, criterion_form(verdict))))
    return drafted


def _calibration(record: CaseRecord) -> list[Claim]:
    evaluation = record.evidence_of("evaluation")
    candidate = model_named(evaluation["result"], evaluation["plan"]["candidate"].raw)
    bias = estimate_in(candidate, "bias")
    if bias is None:
        return []
    numbers = _interval(bias, "points")
    if record.contrast is None:
        text = "Its mean prediction was {value} percentage points [{lo}, {hi}] off what came true."
        return [_claim(record, text, **numbers)]
    honest = record.evidence_of("contrast")["honest"]
    return [
        _claim(
            record,
            "It predicted {predicted} on average where {rate} came true: {value} percentage points "
            "[{lo}, {hi}].",
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
