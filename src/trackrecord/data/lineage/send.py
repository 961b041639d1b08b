"""Hands events on: to a file, whole or not at all, or to an OpenLineage server over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from trackrecord.errors import BadInput, TrackrecordError
from trackrecord.ledger import write_atomic
from trackrecord.version import __version__

KEY = "OPENLINEAGE_API_KEY"
# Where OpenLineage's servers take events, if an address has no path of its own.
ENDPOINT = "/api/v1/lineage"
SECONDS = 10.0
MOST_ANSWER = 4096


class NotSent(TrackrecordError):
    """A server did not take an event. What came before it was taken."""


def is_address(given: str) -> bool:
    """Whether a word is an address and no file's name."""
    return "://" in given


def write_events(path: Path, events: Sequence[dict[str, Any]]) -> None:
    """One event a line. Raises LedgerError where the system refuses; then nothing has changed."""
    lines = [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events]
    write_atomic(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))


class Server(NamedTuple):
    """Where events go: an address taken apart, and a key that is shown to nobody else."""

    address: SplitResult
    path: str
    key: str | None

    @property
    def shown(self) -> str:
        """The address for a person."""
        return f"{self.address.scheme}://{self.address.netloc}{self.path}"


def server_at(given: str) -> Server:
    """The server that an address names. Raises BadInput for what is no address to post to."""
    try:
        address = urlsplit(given)
        port = address.port
    except ValueError as error:
        raise BadInput(f"{given!r} is no address", why=str(error)) from None
    if address.scheme not in ("http", "https"):
        raise BadInput(
            f"events are not sent to {address.scheme}://",
            where="--openlineage",
            why="only http and https are known",
            next="--openlineage http://localhost:5000, or the name of a file",
        )
    if address.username is not None or address.password is not None:
        raise BadInput(
            "an address with a name or a password in it would be in your shell's history",
            where="--openlineage",
            next=f"put the key into the environment as {KEY}",
        )
    if not address.hostname or port == 0 or re.search(r"[\s\x00-\x1f\x7f]", given):
        raise BadInput(f"{given!r} is no address", next="--openlineage http://localhost:5000")
    path = address.path if address.path.strip("/") else ENDPOINT
    path += f"?{address.query}" if address.query else ""
    if not path.isascii():
        raise BadInput(f"{given!r} is no address", why="its path has letters beyond ASCII")
    return Server(address, path, _key(address))


def _key(address: SplitResult) -> str | None:
    key = os.environ.get(KEY)
    if not key:
        return None
    if not re.fullmatch(r"[!-~]+", key):
        raise BadInput(
            f"{KEY} has characters that no key has",
            why="a space, a line break or a letter beyond ASCII",
            next="set it again, without quotes or a line break at its end",
        )
    if address.scheme == "http" and not _is_here(address.hostname or ""):
        raise BadInput(
            "the key would go over the network for all to read",
            where=f"http://{address.hostname}",
            why=f"{KEY} is set, and http does not encrypt",
            next=f"use https, or unset {KEY}",
        )
    return key


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post_events(
    server: Server,
    events: Sequence[dict[str, Any]],
    *,
    seconds: float = SECONDS,
    step: Callable[[int], None] = lambda sent: None,
) -> int:
    """Post each event on its own, in order, and stop at the first that is not taken.

    ``seconds`` is the time that one event may take in all. Returns how many were sent. Raises
    NotSent, saying how many were before; redirects are not followed, for the key would go along.
    """
    for number, event in enumerate(events):
        body = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
        try:
            status, said, to = _post(server, body, seconds)
        except (TimeoutError, OSError, http.client.HTTPException) as error:
            why = f"no answer in {seconds:g} seconds" if _is_late(error) else _words(error)
            raise _not_sent(server, number, len(events), "did not take", why) from None
        if 300 <= status < 400:
            why = f"it answered {status}: go to {_clean(to, server)}; redirects are not followed"
            raise _not_sent(server, number, len(events), "sent away", why)
        if not 200 <= status < 300:
            why = f"it answered {status}" + (f": {said}" if said else "")
            raise _not_sent(server, number, len(events), "refused", why)
        step(number + 1)
    return len(events)


def _post(server: Server, body: bytes, seconds: float) -> tuple[int, str, str]:
    """Status, the beginning of the answer, and where a redirect leads."""
    headers = {"Content-Type": "application/json", "User-Agent": f"trackrecord/{__version__}"}
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    with _connection(server, seconds) as connection:
        connection.request("POST", server.path, body, headers)
        answer = connection.getresponse()
        said = answer.read(MOST_ANSWER).decode("utf-8", "replace")
        return answer.status, _clean(said, server), answer.getheader("Location") or "nowhere"


@contextlib.contextmanager
def _connection(server: Server, seconds: float) -> Iterator[http.client.HTTPConnection]:
    """A connection that is cut when its time is over, however slowly the other side talks."""
    host, port = str(server.address.hostname), server.address.port
    connection: http.client.HTTPConnection
    if server.address.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
    late = threading.Event()

    def cut() -> None:
        late.set()
        if connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        connection.close()


def _is_late(error: Exception) -> bool:
    return isinstance(error, TimeoutError)


def _words(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException):
        return "what came back is no HTTP"
    if isinstance(error, ssl.SSLError):
        return f"its certificate or encryption is not in order: {error.reason}"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _clean(text: str, server: Server) -> str:
    """What a server said, short, and without the key that it may have said back."""
    text = text.replace(server.key, "…") if server.key else text
    return " ".join(text.split())[:200]


def _not_sent(server: Server, sent: int, of: int, what: str, why: str) -> NotSent:
    left = of - sent
    return NotSent(
        f"the server {what} event {sent + 1} of {of}: {sent} sent, {left} not",
        where=server.shown,
        why=why,
        next="nothing is lost: the same command sends all of them, with the same run ids; "
        "or keep them: trackrecord data lineage --openlineage lineage.ndjson",
    )
