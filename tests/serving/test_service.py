"""Batches, hooks and limits: the service in this process, with models that misbehave."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.serving.conftest import name_champion
from tests.serving.inside import Inside, inside
from tests.serving.models import write_table

from trackrecord.serving.hooks import Answered, Hooks, Route
from trackrecord.serving.limits import Limits
from trackrecord.workspace import make_workspace


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A case whose model looks its answer up, and raises on 6 and more."""
    models = make_workspace(tmp_path).root / "models" / "table"
    write_table(models, 1)
    name_champion(models, 1)
    return models


def test_rows_on_which_the_model_raises_fail_and_the_batch_does_not(table: Path) -> None:
    async def act(server: Inside) -> None:
        asked = {"rows": [{"x": x} for x in (1, 99, 3, 4, 5, 2, 6)]}
        told = await server.predict(asked)
        assert (told.status, told.json["failed"]) == (200, 4)
        one, raised, three, two, nan, half, again = told.json["predictions"]
        assert [p["probability"] for p in (one, three, half)] == [0.25, 1.0, 0.5]
        # 2.0 is no probability, nor is NaN.
        for failure, row in ((raised, 1), (two, 3), (nan, 4), (again, 6)):
            (fault,) = failure["errors"]
            assert fault == {"row": row, "why": "the model gives no probability for this row"}

    inside(table, act)


def test_rows_of_which_none_has_an_answer_are_no_success(table: Path) -> None:
    async def act(server: Inside) -> None:
        told = await server.predict({"rows": [{"x": 1e39}, {"y": 1}, {"x": -1e39}]})
        assert told.status == 422
        assert [fault["row"] for fault in told.json["errors"]] == [0, 1, 1, 2]
        assert (await server.predict({"rows": [{"x": 99}, {"x": 1e39}]})).status == 500

    inside(table, act)


def test_one_clients_bad_row_is_not_anothers_trouble(table: Path) -> None:
    async def act(server: Inside) -> None:
        asked = [server.predict({"x": x}) for x in (1, 99, 3, 99, 2)]
        told = await asyncio.gather(*asked)
        assert [one.status for one in told] == [200, 500, 200, 500, 200]
        metrics = (await server.ask("GET", "/metrics")).body.decode()
        assert 'trackrecord_model_failures_total{case="table"} 2.0' in metrics
        # All five went through the model at once.
        assert 'trackrecord_batch_rows_bucket{case="table",le="4"} 0.0' in metrics
        assert 'trackrecord_batch_rows_bucket{case="table",le="8"} 1.0' in metrics

    inside(table, act)


def test_an_inference_request_with_a_row_that_fails_says_which(table: Path) -> None:
    async def act(server: Inside) -> None:
        for value, status in ((99, 500), (1e39, 400)):
            tensor = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1, value]}
            body = msgspec.json.encode({"inputs": [tensor]})
            told = await server.ask("POST", "/v2/models/table/infer", body)
            assert (told.status, told.json["error"][:6]) == (status, "row 1:")

    inside(table, act)


def test_a_request_of_many_rows_goes_alone_and_keeps_their_order(table: Path) -> None:
    async def act(server: Inside) -> None:
        rows = [{"x": x % 4} for x in range(9000)]
        rows[5000]["x"] = 99
        told = (await server.predict({"rows": rows})).json
        assert told["failed"] == 1
        assert told["predictions"][5000]["errors"][0]["row"] == 5000
        del told["predictions"][5000], rows[5000]
        answers = [0.0, 0.25, 0.5, 1.0]
        assert [one["probability"] for one in told["predictions"]] == [
            answers[row["x"]] for row in rows
        ]

    inside(table, act)


def test_a_full_queue_says_when_to_come_again(table: Path) -> None:
    async def act(server: Inside) -> None:
        rows = {"rows": [{"x": 1}] * 6}
        told = await asyncio.gather(*(server.predict(rows) for _ in range(4)))
        assert sorted(one.status for one in told) == [200, 503, 503, 503]
        (busy,) = {one.headers["retry-after"] for one in told if one.status == 503}
        assert int(busy) >= 1
        assert server.service.shelf.queued == 0
        metrics = (await server.ask("GET", "/metrics")).body.decode()
        assert 'trackrecord_rejected_total{case="table",reason="queue"} 3.0' in metrics

    inside(table, act, limits=Limits(queue=10))


def test_more_requests_or_bytes_at_once_than_allowed_are_turned_away(table: Path) -> None:
    async def act(server: Inside) -> list[int]:
        told = await asyncio.gather(*(server.predict({"x": 1}) for _ in range(5)))
        assert server.service.in_flight == server.service.bodies == 0
        return sorted(one.status for one in told)

    assert inside(table, act, limits=Limits(in_flight=2)) == [200, 200, 503, 503, 503]
    assert inside(table, act, limits=Limits(bodies=20)) == [200, 200, 503, 503, 503]


def test_a_request_that_waits_too_long_is_given_up(table: Path) -> None:
    async def act(server: Inside) -> None:
        waiting = asyncio.create_task(server.predict({"x": 1}))
        await asyncio.sleep(0)
        assert (await waiting).status == 503

    inside(table, act, limits=Limits(wait=-1.0))


def test_a_slow_model_is_asked_in_a_thread_while_others_are_read(table: Path) -> None:
    async def act(server: Inside) -> None:
        batcher = server.service.shelf.champion
        score = batcher.loaded.score

        def slowly(matrix: Any) -> Any:
            time.sleep(0.05)
            return score(matrix)

        batcher.loaded = batcher.loaded._replace(score=slowly, once=0.05)
        asked = asyncio.create_task(server.predict({"x": 1}))
        gaps = []
        while not asked.done():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            gaps.append(time.perf_counter() - before)
        assert (await asked).status == 200
        assert len(gaps) > 5

    inside(table, act)


def test_a_body_in_pieces_is_put_together_and_bounded(table: Path) -> None:
    async def act(server: Inside) -> None:
        told = await server.ask("POST", "/predict", [b'{"x"', b":", b" 1}"])
        assert (told.status, told.json["probability"]) == (200, 0.25)
        told = await server.ask("POST", "/predict", [b" " * 600, b" " * 600, b'{"x": 1}'])
        assert (told.status, told.headers["connection"]) == (413, "close")
        told = await server.ask("POST", "/predict", b"", content_length="many")
        assert told.status == 400

    inside(table, act, limits=Limits(body=1000))


def test_capture_is_told_of_every_answer_off_the_requests_way(table: Path) -> None:
    kept: list[Answered] = []

    async def act(server: Inside) -> None:
        await server.predict({"x": 1}, X_Request_ID="first")
        await server.predict({"rows": [{"x": 2}, {"x": 99}]}, X_Unit_ID="car-7")
        tensor = {"name": "x", "shape": [1], "datatype": "FP64", "data": [3]}
        body = msgspec.json.encode({"inputs": [tensor]})
        await server.ask("POST", "/v2/models/table/infer", body)
        await server.predict({"x": "wrong"})
        assert kept == []

    before = time.time()
    inside(table, act, hooks=Hooks(capture=kept.extend))
    one, two, three = kept
    assert (one.request_id, one.unit, one.version, one.role) == ("first", "first", 1, "answer")
    assert (one.rows, one.probability) == ([(1.0,)], [0.25])
    assert before <= one.time <= time.time()
    assert 0 < one.seconds < 1
    assert (two.unit, two.rows, two.probability[0]) == ("car-7", [(2.0,), (99.0,)], 0.5)
    assert two.probability[1] != two.probability[1]
    assert (three.rows, three.probability) == ([(3.0,)], [1.0])


def test_a_capture_that_fails_is_counted_and_serving_goes_on(table: Path) -> None:
    def fail(answered: list[Answered]) -> None:
        raise OSError(28, "no space left on device")

    async def act(server: Inside) -> None:
        await server.predict({"x": 1})
        await asyncio.sleep(0.25)
        assert (await server.predict({"x": 1})).status == 200
        metrics = (await server.ask("GET", "/metrics")).body.decode()
        assert 'trackrecord_capture_failures_total{case="table"} 1.0' in metrics

    inside(table, act, hooks=Hooks(capture=fail))


def test_a_router_chooses_who_answers_and_who_only_listens(table: Path) -> None:
    write_table(table, 2, threshold=0.1)
    name_champion(table, 1, challenger=2)
    kept: list[Answered] = []

    def router(unit: str, versions: dict[str, int]) -> Route:
        if unit == "broken":
            raise KeyError(unit)
        if unit == "unknown":
            return Route(17)
        odd = unit.endswith("1")
        return Route(versions["challenger" if odd else "champion"], () if odd else (2,))

    async def act(server: Inside) -> None:
        for unit, version in (("u1", 2), ("u2", 1), ("broken", 1), ("unknown", 1)):
            told = await server.predict({"x": 1}, X_Unit_ID=unit)
            assert (told.status, told.json["version"], told.json["label"]) == (
                200, version, version == 2,
            )  # fmt: skip
        body = msgspec.json.encode(
            {"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [3]}]}
        )
        told = await server.ask("POST", "/v2/models/table/versions/1/infer", body, X_Unit_ID="u1")
        assert told.json["model_version"] == "1"
        await asyncio.sleep(0.01)

    inside(table, act, hooks=Hooks(capture=kept.extend, router=router))
    found = [(one.unit, one.version, one.role) for one in kept]
    assert found[:2] == [("u1", 2, "answer"), ("u2", 1, "answer")]
    assert [one for one in found if one[2] == "shadow"] == [("u2", 2, "shadow")]


def test_metrics_and_ticks_of_others_are_called_and_may_fail(table: Path) -> None:
    ticks: list[int] = []

    def fail() -> str:
        raise RuntimeError("no")

    async def act(server: Inside) -> None:
        await asyncio.sleep(0.01)
        text = (await server.ask("GET", "/metrics")).body.decode()
        assert "mine 1\n" in text

    closed: list[int] = []
    hooks = Hooks(
        metrics=(fail, lambda: "mine 1\n"),
        tick=lambda: ticks.append(1),
        close=lambda: closed.append(1),
    )
    inside(table, act, hooks=hooks)
    assert ticks == [1]
    assert closed == [1]


def test_metrics_are_what_prometheus_reads(table: Path) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    async def act(server: Inside) -> str:
        await asyncio.gather(*(server.predict({"x": x}) for x in (1, 2, 99)))
        return (await server.ask("GET", "/metrics")).body.decode()

    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(inside(table, act))
        for sample in family.samples
    }
    case, predict = ("case", "table"), ("endpoint", "predict")
    assert found["trackrecord_requests_total", case, ("code", "200"), predict] == 2
    assert found["trackrecord_requests_total", case, ("code", "500"), predict] == 1
    assert found["trackrecord_request_seconds_count", case, predict] == 3
    assert found["trackrecord_batch_rows_sum", case] == 3
    assert found["trackrecord_version_rows_total", case, ("version", "1")] == 2
    assert found["trackrecord_worker_ready", case, ("worker", "0")] == 1
    assert found["trackrecord_worker_resident_memory_bytes", case, ("worker", "0")] > 1e6


def test_readiness_asks_the_model_its_probe_rows(table: Path) -> None:
    async def act(server: Inside) -> None:
        assert (await server.ask("GET", "/v2/health/ready")).status == 200
        batcher = server.service.shelf.champion
        batcher.loaded = batcher.loaded._replace(score=lambda matrix: matrix[:, 0].astype(float))
        await asyncio.sleep(1.05)
        told = await server.ask("GET", "/v2/health/ready")
        assert told.status == 503
        assert "row 0 gets 1, and should get 0.25" in told.json["why"]
        assert (await server.ask("GET", "/v2/health/live")).status == 200

    inside(table, act)
