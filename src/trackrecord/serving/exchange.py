"""One request and its reply, as close to ASGI as is comfortable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

Receive = Callable[[], Awaitable[dict[str, Any]]]
Headers = dict[bytes, bytes]

JSON = b"application/json"
# Seconds for which a body that is too large is read and thrown away, so that its sender gets to
# read why.
SWALLOW = 5.0


class Reply(NamedTuple):
    """Status, body and headers beside the usual ones."""

    status: int
    body: bytes
    kind: bytes = JSON
    more: tuple[tuple[bytes, bytes], ...] = ()


class Refused(Exception):
    """A request that gets an error; ``reason`` is the one that metrics count it under."""

    def __init__(
        self,
        status: int,
        why: str,
        *,
        reason: str | None = None,
        more: tuple[tuple[bytes, bytes], ...] = (),
        swallow: bool = False,
    ) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.reason = reason
        self.more = more
        self.swallow = swallow


class Gone(Exception):
    """Whoever asked has left."""


class Request(NamedTuple):
    """What a handler needs of a request. ``take`` makes room for so many bytes more of its body."""

    method: str
    path: str
    headers: Headers
    receive: Receive
    id: str
    started: float
    take: Callable[[int], None] = lambda size: None


def busy(why: str, reason: str, seconds: float = 1.0) -> Refused:
    """503, and when to come again."""
    after = str(max(1, min(60, round(seconds + 0.5)))).encode()
    return Refused(503, why, reason=reason, more=((b"retry-after", after),))


def length_of(headers: Headers) -> int | None:
    """The declared length of the body. Raises Refused where it is no number."""
    text = headers.get(b"content-length")
    if text is None:
        return None
    if not text.isdigit() or len(text) > 18:
        raise Refused(400, "Content-Length is no number")
    return int(text)


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, of at most ``limit`` bytes.

    Raises Refused for a longer one, and for one that is compressed: what it would unfold to cannot
    be known before. Raises Gone.
    """
    encoding = request.headers.get(b"content-encoding")
    if encoding is not None and encoding.strip().lower() != b"identity":
        raise Refused(
            415,
            "a compressed body is not accepted; send it as it is",
            more=((b"accept-encoding", b"identity"),),
            swallow=True,
        )
    length = length_of(request.headers)
    if length is not None and length > limit:
        raise too_large(limit)
    message = await request.receive()
    if message["type"] != "http.request":
        raise Gone
    if not message.get("more_body"):
        body: bytes = message["body"]
        if len(body) > limit:
            raise too_large(limit)
        return body
    whole = bytearray(message["body"])
    request.take(len(whole))
    while message.get("more_body"):
        message = await request.receive()
        if message["type"] != "http.request":
            raise Gone
        whole += message["body"]
        request.take(len(message["body"]))
        if len(whole) > limit:
            raise too_large(limit)
    return bytes(whole)


def too_large(limit: int) -> Refused:
    """413; what is left of the body is read, so that the client hears of it."""
    return Refused(
        413, f"the body is larger than {limit:,} bytes, the most that is read", swallow=True
    )


async def swallow(request: Request) -> None:
    """Read what is left of a body and keep none of it, for a few seconds at most."""
    if request.headers.get(b"expect", b"").lower() == b"100-continue":
        return
    try:
        async with asyncio.timeout(SWALLOW):
            while True:
                message = await request.receive()
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
    except TimeoutError:
        return


def as_json(value: Any) -> bytes:
    """JSON; half a surrogate pair, which a hostile body may have had, becomes a question mark."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        import json

        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        return text.encode("utf-8", "replace")
