"""The application without a network: what it answers to ASGI, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from trackrecord.serving.app import App
from trackrecord.serving.doors import Doors
from trackrecord.serving.hooks import NO_HOOKS, Hooks
from trackrecord.serving.limits import Limits
from trackrecord.serving.metrics import Board, Metrics
from trackrecord.serving.service import Service


class Told(NamedTuple):
    """A reply."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Inside:
    """A service that runs, and the application before it."""

    def __init__(self, service: Service, app: App) -> None:
        self.service, self.app = service, app

    async def ask(
        self, method: str, path: str, body: bytes | list[bytes] = b"", **headers: str
    ) -> Told:
        """One request; a body in pieces comes in pieces."""
        pieces = body if isinstance(body, list) else [body]
        said = {"host": "localhost", **{k.lower().replace("_", "-"): v for k, v in headers.items()}}
        if not isinstance(body, list):
            said["content-length"] = str(len(body))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in said.items()],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not pieces:
                return {"type": "http.disconnect"}
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start, end = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return Told(start["status"], told, end["body"])

    async def predict(self, value: Any, **headers: str) -> Told:
        return await self.ask("POST", "/predict", msgspec.json.encode(value), **headers)


def inside(
    models: Path,
    act: Callable[[Inside], Awaitable[Any]],
    *,
    limits: Limits | None = None,
    hooks: Hooks = NO_HOOKS,
    hosts: list[str] | None = None,
    keys: Path | None = None,
) -> Any:
    """Run ``act`` with a service that has started, and stop it afterwards."""

    async def run() -> Any:
        service = Service(models, Metrics(Board(1), 0), limits, hooks)
        service.start()
        try:
            app = App(service, Doors(hosts, keys or models / "no-keys.json"))
            return await act(Inside(service, app))
        finally:
            await service.stop()

    return asyncio.run(run())
