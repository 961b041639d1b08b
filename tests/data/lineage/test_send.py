"""Events to a real server on this machine, which takes, refuses, sends away, or dawdles."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trackrecord.data.lineage.send import (
    KEY,
    NotSent,
    post_events,
    server_at,
    write_events,
)
from trackrecord.errors import BadInput, LedgerError

EVENTS = [{"eventType": "START", "n": n, "text": "ä <script> \ud800"} for n in range(4)]
SECRET = "s3cret-key-of-somebody"


class Taken(ThreadingHTTPServer):
    """What came in, and what to answer to each: (status, headers, body)."""

    came: list[tuple[str, dict[str, str], Any]]
    answers: list[tuple[int, dict[str, str], str]]


class Handler(BaseHTTPRequestHandler):
    server: Taken

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, dict(self.headers), json.loads(body)))
        place = min(len(self.server.came), len(self.server.answers)) - 1
        status, headers, said = self.server.answers[place]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def server(*answers: tuple[int, dict[str, str], str]) -> Iterator[Taken]:
    with Taken(("127.0.0.1", 0), Handler) as found:
        found.came, found.answers = [], list(answers) or [(201, {}, "")]
        thread = threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()


def address(found: Taken, path: str = "") -> str:
    return f"http://127.0.0.1:{found.server_address[1]}{path}"


def test_every_event_comes_in_order_at_the_place_that_servers_listen_at() -> None:
    with server() as there:
        assert post_events(server_at(address(there)), EVENTS) == 4
        assert [path for path, _, _ in there.came] == ["/api/v1/lineage"] * 4
        assert [body["n"] for _, _, body in there.came] == [0, 1, 2, 3]
        assert there.came[0][1]["Content-Type"] == "application/json"
        assert "Authorization" not in there.came[0][1]


def test_an_address_with_a_path_of_its_own_keeps_it() -> None:
    with server() as there:
        post_events(server_at(address(there, "/own/path?x=1")), EVENTS[:1])
        assert there.came[0][0] == "/own/path?x=1"


def test_the_key_goes_to_the_server_and_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with server((403, {}, f"the key {SECRET} is not known")) as there:
        with pytest.raises(NotSent) as caught:
            post_events(server_at(address(there)), EVENTS)
        assert there.came[0][1]["Authorization"] == f"Bearer {SECRET}"
    assert "it answered 403: the key … is not known" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_the_key_does_not_go_over_a_network_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with pytest.raises(BadInput, match="for all to read") as caught:
        server_at("http://lineage.example.org")
    assert SECRET not in str(caught.value)
    assert server_at("https://lineage.example.org").key == SECRET
    assert SECRET not in server_at("https://lineage.example.org").shown


def test_a_key_with_a_line_break_is_refused_without_saying_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(KEY, f"{SECRET}\nX-Other: 1")
    with pytest.raises(BadInput) as caught:
        server_at("https://lineage.example.org")
    assert SECRET not in str(caught.value)


def test_what_was_sent_before_a_refusal_and_what_was_not_is_said() -> None:
    with server((201, {}, ""), (201, {}, ""), (500, {}, "database\nis  full")) as there:
        with pytest.raises(NotSent) as caught:
            post_events(server_at(address(there)), EVENTS)
        assert len(there.came) == 3
    assert caught.value.what == "the server refused event 3 of 4: 2 sent, 2 not"
    assert caught.value.why == "it answered 500: database is full"
    assert "same run ids" in str(caught.value.next)


def test_a_redirect_is_not_followed_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)
    with server() as other, server((307, {"Location": address(other)}, "")) as there:
        with pytest.raises(NotSent, match="sent away") as caught:
            post_events(server_at(address(there)), EVENTS)
        assert address(other) in str(caught.value.why)
        assert other.came == []


def test_a_dead_server_is_said() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="event 1 of 4: 0 sent, 4 not") as caught:
        post_events(server_at(f"http://127.0.0.1:{port}"), EVENTS)
    assert "refused" in str(caught.value.why)


@pytest.mark.parametrize("manner", ["silent", "a byte at a time"])
def test_a_slow_server_is_given_up_in_time(manner: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def dawdle() -> None:
            taken, _ = listening.accept()
            with taken:
                while not over.wait(0.05):
                    if manner != "silent":
                        try:
                            taken.sendall(b"H")
                        except OSError:
                            return

        thread = threading.Thread(target=dawdle, daemon=True)
        thread.start()
        began = time.monotonic()
        there = server_at(f"http://127.0.0.1:{listening.getsockname()[1]}")
        with pytest.raises(NotSent) as caught:
            post_events(there, EVENTS, seconds=0.4)
        assert time.monotonic() - began < 3
        over.set()
        thread.join()
    assert caught.value.why == "no answer in 0.4 seconds"


def test_what_is_no_http_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def babble() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.recv(100_000)
                taken.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        with pytest.raises(NotSent) as caught:
            post_events(server_at(f"http://127.0.0.1:{listening.getsockname()[1]}"), EVENTS)
        thread.join()
    assert "no HTTP" in str(caught.value.why)


@pytest.mark.parametrize(
    "given",
    ["ftp://host/x", "file:///etc/passwd", "http://", "http://host:99999", "http://user:pw@host/",
     "gopher://x", "http://ho st/", "http://host/\nX: 1", "http://host/ä", "http://[::1", "://x"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(BadInput) as caught:
        server_at(given)
    assert "pw" not in str(caught.value)


def test_a_file_has_an_event_a_line(tmp_path: Path) -> None:
    write_events(tmp_path / "l.ndjson", EVENTS)
    lines = (tmp_path / "l.ndjson").read_text("utf-8").splitlines()
    assert [json.loads(line)["n"] for line in lines] == [0, 1, 2, 3]


def test_where_the_system_refuses_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "l.ndjson").mkdir()
    (tmp_path / "l.ndjson" / "kept").touch()
    with pytest.raises(LedgerError):
        write_events(tmp_path / "l.ndjson", EVENTS)
    assert [one.name for one in tmp_path.rglob("*")] == ["l.ndjson", "kept"]


def test_two_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "l.ndjson"
    many = [[{"writer": w, "n": n} for n in range(300)] for w in range(4)]
    threads = [threading.Thread(target=write_events, args=(path, events)) for events in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(lines) == 300
    assert len({line["writer"] for line in lines}) == 1
    assert [one.name for one in tmp_path.iterdir()] == ["l.ndjson"]
