"""What one worker takes on, and when it says no."""

from __future__ import annotations

import msgspec

MEGABYTE = 1_000_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one worker.

    Attributes
    ----------
    body:
        Bytes of one request's body.
    bodies:
        Bytes of all bodies that are being read or answered.
    in_flight:
        Requests at once.
    queue:
        Rows that wait for the model; one request may be larger where nothing else waits.
    batch:
        Rows that go through the model together; a request with more goes alone.
    wait:
        Seconds a request may wait for the model.
    header, idle:
        Seconds for a whole request to arrive, and for a connection to say nothing.
    connections:
        Open connections.
    drain:
        Seconds from the wish to stop to the last accepted connection; readiness is false by then.
    grace:
        Seconds after that for requests in flight.
    """

    body: int = 10 * MEGABYTE
    bodies: int = 256 * MEGABYTE
    in_flight: int = 1024
    queue: int = 50_000
    batch: int = 1024
    wait: float = 10.0
    header: float = 15.0
    idle: float = 75.0
    connections: int = 4096
    drain: float = 1.0
    grace: float = 30.0
