"""The model card's front matter, read by a YAML parser that is not ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.portfolio.mutations_small import shared_publication

yaml = pytest.importorskip("yaml")


# The publication that they look at takes some seconds to make.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_publication(tmp_path_factory)


@pytest.fixture(scope="module")
def front(published: Path) -> dict[str, Any]:
    text = (published / "model-card.md").read_text("utf-8")
    assert text.startswith("---\n")
    found: dict[str, Any] = yaml.safe_load(text.split("\n---\n")[0][4:])
    return found


def test_the_model_index_has_the_evidences_numbers(published: Path, front: dict[str, Any]) -> None:
    (model,) = front["model-index"]
    (result,) = model["results"]
    digest = Path(result["source"]["url"]).stem
    statement = json.loads((published / "evidence" / f"{digest}.json").read_bytes())
    predicate = statement["predicate"]
    estimates = next(
        m["estimates"]
        for m in predicate["result"]["models"]
        if m["name"] == predicate["plan"]["candidate"]
    )
    assert [m["value"] for m in result["metrics"]] == [e["value"] for e in estimates]
    assert [m["args"]["interval"] for m in result["metrics"]] == [
        [e["lo"], e["hi"]] for e in estimates
    ]


def test_the_model_index_has_what_the_hub_requires(front: dict[str, Any]) -> None:
    """huggingface.co/docs/hub/model-cards: name, task.type, dataset.type and .name, metrics."""
    (model,) = front["model-index"]
    assert model["name"]
    (result,) = model["results"]
    assert result["task"]["type"] == front["pipeline_tag"]
    assert result["dataset"]["type"]
    assert result["dataset"]["name"]
    for metric in result["metrics"]:
        assert metric["type"]
        assert isinstance(metric["value"], int | float)
