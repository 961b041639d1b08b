"""One worker: uvicorn with our connections, our signals, and an end that fails no request."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import msgspec
import uvicorn

from trackrecord.serving.app import App
from trackrecord.serving.connection import connections_of, sweep
from trackrecord.serving.doors import Doors
from trackrecord.serving.hooks import NO_HOOKS, Hooks
from trackrecord.serving.limits import Limits
from trackrecord.serving.metrics import Board, Metrics
from trackrecord.serving.service import Service

# Seconds for which a connection is kept between two requests.
KEEP_ALIVE = 75
GIVE_WAY = 0.0002

logger = logging.getLogger("trackrecord.serving")

# Seconds in which those who knocked before the door was closed are let in.
KNOCKED = 0.05
# File descriptors for all but connections.
SPARE = 100
ATTACH_FILTER = 26  # Linux: SO_ATTACH_FILTER


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is set up.

    ``models`` is the case's folder of versions, ``keys`` the file of its keys; ``hosts`` are the
    names it may be asked under, None for any; ``threads`` are the model's own.
    """

    models: Path
    keys: Path
    hosts: list[str] | None = None
    workers: int = 1
    threads: int = 1
    certificate: Path | None = None
    private_key: Path | None = None
    limits: Limits = Limits()


class Server(uvicorn.Server):
    """uvicorn's server, which first says that it is going, then goes.

    The wish to stop makes readiness false and lets each answer close its connection, so that those
    who ask turn elsewhere; ``drain`` seconds later no connection is accepted any more, and what is
    in flight is answered. A second Ctrl-C ends at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        service: Service,
        doors: Doors,
        sockets: Sequence[socket.socket],
        started: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self.service = service
        self._doors = doors
        self._sockets = sockets
        self._adopted: dict[int, asyncio.Server] = {}
        self._told = started
        self._stop_at = float("inf")
        self._parent = os.getppid()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.service.start()
        await super().startup(sockets)
        metrics = self.service.metrics
        metrics.board.set_up(metrics.worker, True)
        logger.info("worker %d is ready", metrics.worker)
        self._told()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:
            sweep(self.server_state.connections, self.service)
            self._doors.refresh()
            if os.getppid() != self._parent and self.config.workers > 1:
                self.drain()  # whoever would start us again is gone
        if len(self._sockets) > 1:
            await self._adopt()
        stop = await super().on_tick(counter)
        return stop or time.monotonic() >= self._stop_at

    async def _adopt(self) -> None:
        """Take the connections of a worker that has died until it is back."""
        metrics = self.service.metrics
        for other, listening in enumerate(self._sockets):
            up = other == metrics.worker or metrics.board.is_up(other)
            if up and other in self._adopted:
                self._adopted.pop(other).close()
            elif not up and other not in self._adopted and not self.service.draining:
                self._adopted[other] = await asyncio.get_running_loop().create_server(
                    self._connection, sock=listening.dup(), ssl=self.config.ssl
                )

    def _connection(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listening in self._sockets:
            _deafen(listening)
        await asyncio.sleep(KNOCKED)
        for adopted in self._adopted.values():
            adopted.close()
        await super().shutdown(sockets)
        await self.service.stop()

    def drain(self) -> None:
        """Begin to stop."""
        if not self.service.draining:
            self.service.draining = True
            self._stop_at = time.monotonic() + self.service.limits.drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig == signal.SIGINT and self.service.draining:
            self.should_exit = self.force_exit = True
        self.drain()


def _deafen(listening: socket.socket) -> None:
    """Let new connections go unheard, so that none waits to be accepted when the socket closes.

    The system would reset those that wait, and a client may have sent its request already. Unheard,
    it tries again a second later and finds that nobody listens. Linux can do so, by a packet filter
    of one instruction: return 0 bytes.
    """
    if sys.platform != "linux":
        return
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0))
    program = struct.pack("@HP", 1, ctypes.addressof(instruction))
    with contextlib.suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)


def _within_the_systems(limits: Limits) -> Limits:
    """Limits whose connections this process may have: each takes a file descriptor."""
    try:
        import resource
    except ImportError:  # not on Windows
        return limits
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + SPARE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return msgspec.structs.replace(limits, connections=max(1, min(wanted, soft) - SPARE))
    return limits


def run_worker(
    settings: Settings,
    sockets: Sequence[socket.socket],
    board: Board,
    worker: int,
    *,
    hooks: Hooks = NO_HOOKS,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal says to stop; of the bound ``sockets`` one is this worker's.

    Raises TrackrecordError where the model cannot be served.
    """
    limits = _within_the_systems(settings.limits)
    if hooks.capture is not None:
        # Who captures gives way to who answers after a fifth of a millisecond, not after five.
        sys.setswitchinterval(GIVE_WAY)
    service = Service(
        settings.models,
        Metrics(board, worker),
        limits,
        hooks,
        model_threads=settings.threads,
    )
    doors = Doors(settings.hosts, settings.keys)
    config = uvicorn.Config(
        App(service, doors),
        http=connections_of(service),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        backlog=4096,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.limits.grace),
        workers=settings.workers,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.private_key,
    )
    own = sockets[worker % len(sockets)]
    Server(config, service, doors, sockets, started).run([own])
