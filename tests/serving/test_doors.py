"""Who may ask: keys, and the Host and Origin of pages that are not ours."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from tests.serving.conftest import CASE
from tests.serving.inside import Inside, inside

from trackrecord.errors import BadInput, DataError
from trackrecord.serving.doors import LOOPBACK, is_loopback
from trackrecord.serving.keys import add_key, holder, read_keys, revoke_key


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "serving" / "keys.json"


def test_a_key_is_shown_once_and_kept_as_a_digest(keys: Path) -> None:
    key = add_key(keys, "laptop")
    assert key not in keys.read_text()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    known = read_keys(keys)
    assert holder(known, key.encode()) == "laptop"
    for wrong in (None, b"", key[:-1].encode(), b"x" * 10_000):
        assert holder(known, wrong) is None


def test_a_key_that_is_revoked_is_no_key(keys: Path) -> None:
    key = add_key(keys, "laptop")
    other = add_key(keys, "phone")
    with pytest.raises(BadInput, match="a key called 'laptop' already"):
        add_key(keys, "laptop")
    revoke_key(keys, "laptop")
    assert holder(read_keys(keys), key.encode()) is None
    assert holder(read_keys(keys), other.encode()) == "phone"
    with pytest.raises(BadInput, match="no key called 'laptop'"):
        revoke_key(keys, "laptop")
    with pytest.raises(BadInput, match="1 to 64"):
        add_key(keys, " ")


def test_a_damaged_file_of_keys_lets_nobody_in(keys: Path, models: Path) -> None:
    keys.parent.mkdir()
    keys.write_text("{}x")
    with pytest.raises(DataError, match="cannot be read"):
        read_keys(keys)


def test_once_there_is_a_key_only_who_has_one_may_ask(models: Path, keys: Path) -> None:
    key = add_key(keys, "laptop")

    async def act(server: Inside) -> None:
        for path in ("/", "/v2", "/metrics", "/openapi.json", "/health", "/nothing"):
            told = await server.ask("GET", path)
            assert (told.status, "www-authenticate" in told.headers) == (401, True)
        for path in ("/v2/health/live", "/v2/health/ready", f"/v2/models/{CASE}/ready"):
            assert (await server.ask("GET", path)).status == 200
        basic = base64.b64encode(f"anybody:{key}".encode()).decode()
        for said in (
            {"Authorization": f"Bearer {key}"},
            {"Authorization": f"bearer  {key} "},
            {"Authorization": f"Basic {basic}"},
            {"X_API_Key": key},
        ):
            assert (await server.ask("GET", "/v2", **said)).status == 200
        for said in (
            {"Authorization": f"Bearer {key}x"},
            {"Authorization": "Basic !"},
            {"Authorization": key},
            {"X_API_Key": "x"},
        ):
            assert (await server.ask("POST", "/predict", b"{}", **said)).status == 401

        second = add_key(keys, "phone")
        revoke_key(keys, "laptop")
        server.app.doors.refresh()
        assert (await server.ask("GET", "/v2", X_API_Key=key)).status == 401
        assert (await server.ask("GET", "/v2", X_API_Key=second)).status == 200
        # Neither an emptied, nor a damaged, nor a deleted file opens the doors.
        keys.write_text("nonsense")
        server.app.doors.refresh()
        assert (await server.ask("GET", "/v2", X_API_Key=second)).status == 200
        assert (await server.ask("GET", "/v2")).status == 401
        keys.unlink()
        server.app.doors.refresh()
        assert (await server.ask("GET", "/v2", X_API_Key=second)).status == 401

    inside(models, act, keys=keys)


def test_a_name_that_is_not_the_servers_is_refused(models: Path) -> None:
    async def act(server: Inside) -> None:
        for host in (
            "localhost",
            "localhost:8080",
            "127.0.0.1:1",
            "LOCALHOST:8080",
            "[::1]:80",
            "",
        ):
            assert (await server.ask("GET", "/v2", host=host)).status == 200, host
        for host in (
            "evil.example",
            "localhost.evil.example",
            "evil.example:8080",
            "[::2]",
            "a:b:1",
        ):
            told = await server.ask("GET", "/v2", host=host)
            assert (told.status, "--allow-host" in told.json["error"]) == (421, True), host

    inside(models, act, hosts=list(LOOPBACK))


def test_pages_of_other_origins_may_not_ask(models: Path) -> None:
    async def act(server: Inside) -> None:
        for origin, status in (
            ("http://localhost:8080", 200),
            ("https://localhost:8080", 200),
            ("http://localhost:9090", 403),
            ("http://evil.example", 403),
            ("null", 403),
        ):
            told = await server.ask("GET", "/v2", host="localhost:8080", origin=origin)
            assert told.status == status, origin

    inside(models, act)


def test_loopback_is_this_machine_alone() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "localhost", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org")))


def test_the_page_holds_what_a_hostile_bundle_says_as_text(tmp_path: Path) -> None:
    from tests.serving.conftest import name_champion
    from tests.serving.models import write_table

    from trackrecord.modeling.export.bundle import Feature, Number, Probe

    hostile = "</script><script>alert(1)</script>{{ fields }}"
    models = tmp_path / "models" / "table"
    write_table(
        models, 1, question=hostile, positive=hostile, model=hostile, estimator=hostile,
        features=[Feature(name=hostile, kind="number")], encoding=[Number(hostile)],
        probe=Probe([{hostile: 1.0}], [0.25]),
    )  # fmt: skip
    name_champion(models, 1)

    async def act(server: Inside) -> None:
        told = await server.ask("GET", "/")
        text = told.body.decode()
        assert "<script>alert" not in text
        assert text.count("<script") == 2
        assert text.count('<div class="field">') == 1
        assert "unsafe" not in told.headers["content-security-policy"]

    inside(models, act)
