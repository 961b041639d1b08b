"""Claims: numbers are pointed at, never typed; failures are told as plainly as successes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.portfolio.example import example_workspace

from trackrecord.errors import BadInput
from trackrecord.portfolio.claims import (
    Claim,
    ClaimNumber,
    check_claims,
    decode_claims,
    draft_case_claims,
    read_claims,
    render_claim,
)
from trackrecord.portfolio.drafts import draft_claims, write_claims
from trackrecord.portfolio.record import CaseRecord, read_record

GOOD = """\
claims = 1

[[claim]]
text = "It ranks: {auc} on {rows} rows."
[claim.numbers]
auc = { at = "evaluation/predicate/result/models/3/estimates/0/value" }
rows = { at = "evaluation/predicate/result/rows", form = "integer" }
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> CaseRecord:
    workspace = example_workspace(tmp_path_factory.mktemp("claims") / "w", rows=900)
    return read_record(workspace.evidence, "flights")


def decoded(text: str) -> list[Claim]:
    return decode_claims(text.encode(), "claims.toml").claim


def test_a_claim_is_rendered_from_the_evidence(record: CaseRecord) -> None:
    result = record.evidence_of("evaluation")["result"]
    auc = result["models"][3]["estimates"][0]["value"].raw
    assert render_claim(decoded(GOOD)[0], record.words()) == f"It ranks: {auc:.3f} on 900 rows."


def test_braces_are_written_twice() -> None:
    assert render_claim(Claim(text="a {{brace}}"), {}) == "a {brace}"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("on {rows} rows", "on 900 rows of {rows}", 4, "never typed"),
        ("on {rows} rows", "on ½ of {rows}", 4, "never typed"),
        ("on {rows} rows", "on \u202e{rows} rows", 4, "direction of writing"),
        ("on {rows} rows", "on {row} rows", 4, "has no number"),
        ("on {rows} rows", "on many rows", 4, "not used"),
        ("on {rows} rows", "on {rows rows", 4, "a brace"),
        ('form = "integer"', 'form = "integers"', 4, "no form"),
        ("evaluation/predicate/result/rows", "evaluations/predicate", 4, "which evidence"),
        ("evaluation/predicate/result/rows", "evaluation", 4, "which evidence"),
        ("rows = { at", "rows = { as", 5, "no key 'as'"),
        ("text =", "texts =", 4, "no key 'texts'"),
        ("claims = 1", "claims = 2", 1, "newer trackrecord"),
        ("claims = 1", "claims = true", 1, "which version"),
        ("claims = 1", "", 1, "which version"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput) as caught:
        decoded(GOOD.replace(old, new))
    assert said in caught.value.what
    assert str(caught.value.where).startswith(f"claims.toml:{line}")


def test_a_syntax_error_is_said_with_line_and_column() -> None:
    with pytest.raises(BadInput) as caught:
        decoded("claims = 1\n[[claim]\n")
    assert str(caught.value.where).startswith("claims.toml:2:")


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"#" * 1_000_001, b"claims = 1\nclaim = 3\n"])
def test_what_is_no_claims_file_is_refused(raw: bytes) -> None:
    with pytest.raises(BadInput):
        decode_claims(raw, "claims.toml")


def test_a_missing_file_is_an_error_for_a_person(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read c\.toml"):
        read_claims(tmp_path / "c.toml", shown_as="c.toml")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("evaluation/predicate/result/models/9/name", "leads nowhere"),
        ("evaluation/predicate/result", "cannot be shown"),
        ("evaluation/predicate/result/verdicts/0/verdict", "cannot be shown as integer"),
    ],
)
def test_a_pointer_that_cannot_be_shown_names_the_claim(
    record: CaseRecord, at: str, said: str
) -> None:
    text = GOOD.replace("evaluation/predicate/result/rows", at)
    with pytest.raises(BadInput, match=f"claim 1 cannot be shown.*{said}"):
        check_claims(decode_claims(text.encode(), "claims.toml"), record, "claims.toml")


def test_a_claim_on_a_contrast_needs_one() -> None:
    claim = Claim(text="{x}", numbers={"x": ClaimNumber(at="contrast/predicate/look")})
    with pytest.raises(BadInput, match="needs a contrast"):
        render_claim(claim, {})


def test_claims_written_on_an_earlier_evaluation_are_not_published_unread(
    record: CaseRecord,
) -> None:
    claims = decode_claims(f'evaluation = "{"0" * 64}"\n{GOOD}'.encode(), "claims.toml")
    with pytest.raises(BadInput, match="earlier evaluation") as caught:
        check_claims(claims, record, "claims.toml")
    assert record.evaluation in str(caught.value.next)


def test_a_draft_repeats_no_verdict_because_page_and_card_list_them_all(
    record: CaseRecord,
) -> None:
    said = [render_claim(claim, record.words()) for claim in draft_claims(record).claim]
    verdicts = [v.raw for v in record.evidence_of("evaluation")["result"]["verdicts"]]
    assert len(verdicts) > 3
    assert not any(
        v["criterion"] in text or v["require"] in text for v in verdicts for text in said
    )
    assert len(said) == len(set(said)) == 5  # the answer, the bias, two warnings, the look


def test_a_draft_names_baseline_interval_level_and_look(record: CaseRecord) -> None:
    said = [render_claim(claim, record.words()) for claim in draft_claims(record).claim]
    assert said[0].startswith("On the 900 rows of the test, boosted does better than table: its ")
    assert "a paired difference of +" in said[0]
    assert "a bias of −" in said[1]
    assert "95 %" in said[-1]
    assert "look 1 at the sealed test" in said[-1]
    assert sum("warning – " in text for text in said) == 2


def test_a_draft_can_be_read_again_and_its_texts_have_no_digit(record: CaseRecord) -> None:
    drafted = draft_claims(record)
    assert decode_claims(write_claims(drafted).encode(), "claims.toml") == drafted
    assert not any(c.isnumeric() for claim in drafted.claim for c in claim.text)


def test_a_worse_model_is_called_worse(tmp_path: Path) -> None:
    workspace = example_workspace(tmp_path / "w", rows=900, contrasts=False)
    known = read_record(workspace.evidence, "flights")
    statement = known.statements[known.evaluation]
    for difference in statement["predicate"]["result"]["differences"]:
        for estimate in difference["estimates"]:
            estimate["value"], estimate["lo"], estimate["hi"] = -0.05, -0.06, -0.04
    said = render_claim(draft_claims(known).claim[0], known.words())
    assert "boosted does worse than table" in said
    assert "a paired difference of −0.050 [−0.060, −0.040]" in said


def test_a_metric_without_an_estimate_is_the_answer_with_its_reason(tmp_path: Path) -> None:
    workspace = example_workspace(tmp_path / "w", rows=900, contrasts=False)
    known = read_record(workspace.evidence, "flights")
    model = known.statements[known.evaluation]["predicate"]["result"]["models"][3]
    assert model["name"] == "boosted"
    model["estimates"] = [e for e in model["estimates"] if e["metric"] != "roc_auc"]
    model["absent"] = [{"metric": "roc_auc", "reason": "all 900 rows are alike", "n": 900}]
    said = render_claim(draft_claims(known).claim[0], known.words())
    assert said.endswith("the ROC AUC of boosted has no estimate: all 900 rows are alike.")


def test_an_unsealed_run_is_said_first(tmp_path: Path) -> None:
    workspace = example_workspace(tmp_path / "w", rows=900, sealed=False, contrasts=False)
    known = read_record(workspace.evidence, "flights")
    assert draft_claims(known).claim[0].text.startswith("Unsealed, so nothing was fixed before")


def test_an_amendment_is_said_first(tmp_path: Path) -> None:
    workspace = example_workspace(tmp_path / "w", rows=900, amended=True, contrasts=False)
    known = read_record(workspace.evidence, "flights")
    said = render_claim(draft_claims(known).claim[0], known.words())
    assert said.startswith("Amended after the seal: on the 900 rows of the test, boosted ")


def test_names_with_braces_digits_and_quotes_survive_the_draft(tmp_path: Path) -> None:
    name = 'beats {table} by 2 "points" \\ \x7f'
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\x7f", "\\u007f")
    workspace = example_workspace(
        tmp_path / "w", ('name = "random split"', f'name = "{quoted}"'), rows=900
    )
    workspace.case_folder("flights").mkdir(parents=True)
    count = draft_case_claims(workspace.root, "flights")
    claims = read_claims(workspace.case_folder("flights") / "claims.toml")
    known = read_record(workspace.evidence, "flights")
    said = [render_claim(claim, known.words()) for claim in claims.claim]
    assert count == len(said)
    assert any(name in text for text in said)
