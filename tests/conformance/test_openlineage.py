"""The events against OpenLineage's own JSON schemas, and made into objects by its own client."""

from __future__ import annotations

import importlib
import json
import pkgutil
import uuid
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource
from tests.data.lineage.example import shop

from trackrecord.data.lineage.openlineage import events_of

SCHEMAS = Path(__file__).parent / "openlineage"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    found, problems = events_of(shop(tmp_path_factory.mktemp("openlineage") / "shop"), "shop")
    assert problems == []
    return json.loads(json.dumps(found))


@cache
def registry() -> Registry[Any]:
    """The schemas under the addresses that they give themselves: nothing is fetched."""
    read = [json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json"))]
    resources = [Resource.from_contents(schema) for schema in read]
    return Registry().with_resources([(str(r.id()), r) for r in resources])


@cache
def validator(url: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": url}, registry=registry())


def facets_of(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Every facet of an event, wherever it hangs."""
    found = [event["run"]["facets"], event["job"]["facets"]]
    for dataset in (*event["inputs"], *event["outputs"]):
        found += [dataset.get(key, {}) for key in ("facets", "inputFacets", "outputFacets")]
    return [facet for facets in found for facet in facets.values()]


def test_every_event_is_a_run_event_of_the_specification(events: list[dict[str, Any]]) -> None:
    assert events
    for event in events:
        validator(event["schemaURL"]).validate(event)
        validator("https://openlineage.io/spec/2-0-2/OpenLineage.json").validate(event)


def test_every_facet_is_what_its_own_schema_asks_for(events: list[dict[str, Any]]) -> None:
    official = 0
    for facet in (facet for event in events for facet in facets_of(event)):
        if facet["_schemaURL"].startswith("https://openlineage.io/"):
            validator(facet["_schemaURL"]).validate(facet)
            official += 1
        else:
            kind = facet["_schemaURL"].removeprefix("urn:trackrecord:facet:")
            assert kind in ("evidence:v1", "rows:v1")
    assert official > 50


def test_a_facet_that_lacks_something_would_be_found(events: list[dict[str, Any]]) -> None:
    facet = dict(events[0]["job"]["facets"]["jobType"])
    del facet["integration"]
    with pytest.raises(jsonschema.ValidationError, match="integration"):
        validator(facet["_schemaURL"]).validate(facet)


def test_each_run_starts_once_and_ends_once_and_times_and_ids_are_what_they_say(
    events: list[dict[str, Any]],
) -> None:
    runs: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        runs.setdefault(event["run"]["runId"], []).append(event)
    for run, both in runs.items():
        assert uuid.UUID(run).version == 7
        kinds = [event["eventType"] for event in both]
        assert kinds in (["START", "COMPLETE"], ["START", "FAIL"])
        start, end = (datetime.fromisoformat(event["eventTime"]) for event in both)
        assert start <= end
        assert both[0]["job"]["name"] == both[1]["job"]["name"]


def test_openlineages_own_client_makes_objects_of_them_that_say_the_same(
    events: list[dict[str, Any]],
) -> None:
    pytest.importorskip("openlineage.client", reason="openlineage-python is not installed")
    from openlineage.client import event_v2, generated
    from openlineage.client.serde import Serde

    kinds: dict[str, Any] = {}
    for module in pkgutil.iter_modules(generated.__path__):
        found = vars(importlib.import_module(f"openlineage.client.generated.{module.name}"))
        kinds |= {name: one for name, one in found.items() if name.endswith("Facet")}
    made: set[str] = set()

    def objects(facets: dict[str, Any]) -> dict[str, Any]:
        """Each official facet as the client's own class of that name."""
        result = {}
        for key, facet in facets.items():
            name = facet["_schemaURL"].rpartition("/")[2]
            if name not in kinds:
                assert key.startswith("trackrecord_")
                continue
            made.add(name)
            content = {part: value for part, value in facet.items() if part[0] != "_"}
            result[key] = kinds[name](**content)
        return result

    def plain(event: dict[str, Any]) -> Any:
        """Without our own facets, and without who wrote a facet by which version of its schema."""
        if isinstance(event, list):
            return [plain(one) for one in event]
        if not isinstance(event, dict):
            return event
        return {
            key: plain(value)
            for key, value in event.items()
            if key not in ("_producer", "_schemaURL", "schemaURL") and "trackrecord_" not in key
        }

    for event in events:
        job, run = event["job"], event["run"]
        again = event_v2.RunEvent(
            eventTime=event["eventTime"],
            eventType=event_v2.RunState(event["eventType"]),
            producer=event["producer"],
            run=event_v2.Run(runId=run["runId"], facets=objects(run["facets"])),
            job=event_v2.Job(job["namespace"], job["name"], objects(job["facets"])),
            inputs=[
                event_v2.InputDataset(
                    d["namespace"], d["name"], facets=objects(d["facets"]),
                    inputFacets=objects(d.get("inputFacets", {})),
                )
                for d in event["inputs"]
            ],
            outputs=[
                event_v2.OutputDataset(
                    d["namespace"], d["name"], facets=objects(d["facets"]),
                    outputFacets=objects(d.get("outputFacets", {})),
                )
                for d in event["outputs"]
            ],
        )  # fmt: skip
        said = json.loads(Serde.to_json(again))
        ours = plain(event)
        for dataset in (*ours["inputs"], *said["inputs"]):
            dataset.setdefault("inputFacets", {})
        for dataset in (*ours["outputs"], *said["outputs"]):
            dataset.setdefault("outputFacets", {})
        assert plain(said) == ours
    assert len(made) >= 12, made
