"""uvicorn's HTTP connection, with the patience of a server that strangers may reach.

uvicorn lets a client take for ever to send a request, and has no bound on connections but one that
also counts requests. Both are added here. A sweep once a second looks at all connections, so that
a request costs nothing for it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trackrecord.serving.limits import Limits
from trackrecord.serving.service import Service

FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
    b"connection: close\r\ncontent-length: 32\r\n\r\n"
    b'{"error":"too many connections"}'
)
SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: 47\r\n\r\n"
    b'{"error":"the request took too long to arrive"}'
)

LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: 32\r\n\r\n"
    b'{"error":"the headers are long"}'
)
# Seconds in which a new connection's first request is expected.
JUST_COME = 0.5
# Bytes of a request's headers.
HEAD = 65_536


def connections_of(service: Service) -> type[HttpToolsProtocol]:
    """The connection class for one worker's server."""
    limits = service.limits

    class Connection(HttpToolsProtocol):
        """A connection that knows since when it waits for the rest of a request."""

        since = 0.0
        waits = True
        head = 0
        unread = (0, 0.0)

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.since = time.monotonic()
            service.connections = len(self.connections)
            if len(self.connections) > limits.connections:
                service.metrics.rejected("connections")
                transport.write(FULL)
                transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            service.connections = len(self.connections)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.waits and (self.cycle is None or self.cycle.response_complete):
                self.head += len(data)
                if self.head > HEAD and not self.transport.is_closing():
                    self.transport.write(LONG)
                    self.transport.close()

        def shutdown(self) -> None:
            """Close when asked to, but not in the face of who has just come to ask."""
            if self.cycle is None and time.monotonic() - self.since < JUST_COME:
                self.loop.call_later(JUST_COME, super().shutdown)
            else:
                super().shutdown()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.since = time.monotonic()
            self.waits = True
            self.head = 0

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self.waits = False

    return Connection


def sweep(connections: set[Any], service: Service) -> None:
    """Close the connections that kept silent, or a request unfinished, for too long."""
    limits: Limits = service.limits
    now = time.monotonic()
    for connection in list(connections):
        if _deaf(connection, now, limits.idle):
            connection.transport.abort()
        if not connection.waits or connection.transport.is_closing():
            continue
        waited = now - connection.since
        if connection.cycle is None or connection.cycle.response_complete:
            # Nothing came, or not all of a request's headers.
            if connection.scope is None and waited > limits.idle:
                connection.transport.close()
            elif connection.scope is not None and waited > limits.header:
                _too_slow(connection, service)
        elif connection.cycle.more_body and waited > limits.header + _extra(connection):
            _too_slow(connection, service)


def _deaf(connection: Any, now: float, patience: float) -> bool:
    """Whether a client has read nothing of what waits for it for so long."""
    size = connection.transport.get_write_buffer_size()
    before, since = connection.unread
    if not size or size != before:
        connection.unread = (size, now)
        return False
    return bool(now - since > patience)


def _extra(connection: Any) -> float:
    """Seconds more for a body: that of a megabyte in two seconds."""
    length = dict(connection.headers).get(b"content-length", b"0")
    return 2e-6 * int(length) if length.isdigit() and len(length) < 10 else 0.0


def _too_slow(connection: Any, service: Service) -> None:
    service.metrics.rejected("slow")
    cycle = connection.cycle
    if cycle is None or not cycle.response_started:
        connection.transport.write(SLOW)
    connection.transport.close()
