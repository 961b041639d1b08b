"""Which versions answer: what the aliases say, if it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.serving.conftest import CASE, name_champion, row, write_version
from tests.serving.inside import Inside, inside

from trackrecord.errors import TrackrecordError
from trackrecord.ledger import Subject, record
from trackrecord.ledger.store import file_sha256
from trackrecord.serving.shelf import open_version


def damaged_file(models: Path) -> str:
    write_version(models, 2, depth=2)
    with (models / "2" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    return "is not the one that was registered"


def other_answers(models: Path) -> str:
    first = write_version(models, 2, depth=2)
    write_version(models, 2, depth=3, probe=first.probe)
    return "does not answer its probe rows as it did"


def no_model(models: Path) -> str:
    write_version(models, 2, model=b"this is no model")
    return "cannot be opened"


def no_folder(models: Path) -> str:
    return "there is no model here"


def another_case(models: Path) -> str:
    write_version(models, 2, case="elsewhere")
    return "is a model of another case"


@pytest.mark.parametrize("spoil", [damaged_file, other_answers, no_model, no_folder, another_case])
def test_a_bad_version_is_refused_and_the_old_one_goes_on(
    models: Path, spoil: Callable[[Path], str]
) -> None:
    async def act(server: Inside) -> None:
        why = spoil(models)
        name_champion(models, 2)
        await server.service.shelf.follow()
        health = (await server.ask("GET", "/health")).json
        (refusal,) = health["refused"]
        assert (refusal["alias"], refusal["version"]) == ("champion", 2)
        assert why in refusal["why"]
        assert (health["ready"], health["aliases"]) == (True, {"champion": 1})
        assert (await server.predict(row())).json["version"] == 1
        metrics = (await server.ask("GET", "/metrics")).body.decode()
        assert f'trackrecord_swaps_total{{case="{CASE}",result="refused"}} 1.0' in metrics
        # The way out: another version, or the old one.
        name_champion(models, 1)
        await server.service.shelf.follow()
        assert (await server.ask("GET", "/health")).json["refused"] == []

    inside(models, act)


@pytest.mark.parametrize("text", [b"{", b'{"champion": "2"}', b"{}", b"\xff", None])
def test_aliases_that_say_nothing_change_nothing(models: Path, text: bytes | None) -> None:
    async def act(server: Inside) -> None:
        if text is None:
            (models / "aliases.json").unlink()
        else:
            (models / "aliases.json").write_bytes(text)
        await server.service.shelf.follow()
        assert (await server.ask("GET", "/health")).json["refused"][0]["version"] is None
        assert (await server.predict(row())).json["version"] == 1

    inside(models, act)


def test_a_challenger_is_open_beside_the_champion_and_goes_when_it_is_not_named(
    models: Path,
) -> None:
    write_version(models, 2, how="linear")
    name_champion(models, 1, challenger=2)

    async def act(server: Inside) -> None:
        model = f"/v2/models/{CASE}"
        assert (await server.ask("GET", model)).json["versions"] == ["1", "2"]
        assert (await server.ask("GET", f"{model}/versions/2/ready")).status == 200
        assert (await server.predict(row())).json["version"] == 1
        name_champion(models, 2, challenger=None)
        await server.service.shelf.follow()
        assert (await server.ask("GET", model)).json["versions"] == ["2"]
        assert (await server.predict(row())).json["version"] == 2

    inside(models, act)


def test_a_challenger_that_cannot_be_opened_does_not_keep_the_champion_from_it(
    models: Path,
) -> None:
    name_champion(models, 1, challenger=9)

    async def act(server: Inside) -> None:
        health = (await server.ask("GET", "/health")).json
        assert health["aliases"] == {"champion": 1}
        assert health["refused"][0]["alias"] == "challenger"

    inside(models, act)


def test_where_there_is_a_record_the_version_must_be_on_it(models: Path) -> None:
    evidence = models.parent.parent / "evidence"

    def register(digest: str) -> None:
        subject = Subject(f"models/{CASE}/1/bundle.json", {"sha256": digest})
        lock = evidence.parent / "lock"
        record(
            evidence, kind="registration", predicate={}, subjects=[subject], case=CASE,
            lock_path=lock,
        )  # fmt: skip

    assert open_version(models, 1, 1).version == 1
    register("0" * 64)
    with pytest.raises(TrackrecordError, match="is not what was registered"):
        open_version(models, 1, 1)
    register(file_sha256(models / "1" / "bundle.json"))
    assert open_version(models, 1, 1).version == 1
    (evidence / "chain.jsonl").write_bytes(b"torn")
    with pytest.raises(TrackrecordError):
        open_version(models, 1, 1)


def test_a_linear_model_of_one_hot_columns_is_served_as_it_was_trained(models: Path) -> None:
    import numpy as np
    from tests.serving.conftest import trained, tumours

    write_version(models, 2, how="linear")
    name_champion(models, 2)
    estimator, encoder = trained("linear", 3)
    frame, _ = tumours()
    expected = estimator.predict_proba(encoder.transform(frame).astype("f4"))[:, 1]

    async def act(server: Inside) -> None:
        told = (await server.predict({"rows": frame.to_dicts()})).json
        found = [one["probability"] for one in told["predictions"]]
        np.testing.assert_allclose(found, expected, atol=1e-5)

    inside(models, act)
