"""The ASGI application: who may ask, which handler answers, and what is counted.

There is no framework between the server and the handlers: one dictionary finds nearly every
request's, and what is common to all is done here, once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from trackrecord.serving.doors import Doors
from trackrecord.serving.exchange import (
    JSON,
    Gone,
    Headers,
    Receive,
    Refused,
    Reply,
    Request,
    as_json,
    busy,
    length_of,
    swallow,
)
from trackrecord.serving.predict import predict
from trackrecord.serving.protocol.infer import infer
from trackrecord.serving.protocol.metadata import model_metadata, server_metadata
from trackrecord.serving.service import Service

Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[Request], Awaitable[Reply]]

TEXT = b"text/plain; version=0.0.4; charset=utf-8"
# The characters a request's id may have to be echoed: they are safe in a header and in a log.
ID_BYTES = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+=@")

logger = logging.getLogger("trackrecord.serving")


class App:
    """One worker's application."""

    def __init__(self, service: Service, doors: Doors) -> None:
        self.service = service
        self.doors = doors
        get: dict[str, tuple[str, Handler]] = {
            "/v2": ("metadata", self._server),
            "/v2/health/live": ("health", self._live),
            "/v2/health/ready": ("health", self._ready),
            "/health": ("metadata", self._health),
            "/metrics": ("metrics", self._metrics),
            "/openapi.json": ("metadata", self._openapi),
            "/": ("page", self._page),
        }
        post: dict[str, tuple[str, Handler]] = {"/predict": ("predict", self._predict)}
        self._routes = {"GET": get, "HEAD": get, "POST": post}
        base = f"/v2/models/{service.case}"
        get[base] = ("metadata", self._model)
        get[f"{base}/ready"] = ("health", self._model_ready)
        post[f"{base}/infer"] = ("infer", self._infer)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        service = self.service
        headers: Headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        id = given.decode() if given and _is_id(given) else service.new_id()
        request = Request(scope["method"], scope["path"], headers, receive, id, started)
        endpoint, handler = self._handler(request)
        service.in_flight += 1
        try:
            self.doors.check(request, endpoint)
            if handler is None:
                raise self._nowhere(request)
            if endpoint in ("predict", "infer"):
                reply = await self._bounded(handler, request)
            else:
                reply = await handler(request)
        except Refused as error:
            if error.reason:
                service.metrics.rejected(error.reason)
            if error.swallow:
                await swallow(request)
            body = {"error": error.why, "request_id": id}
            close = ((b"connection", b"close"),) if error.swallow else ()
            reply = Reply(error.status, as_json(body), JSON, (*error.more, *close))
        except Gone:
            service.metrics.request(endpoint, 499, 0.0)
            return
        except Exception:
            logger.exception("request %s failed", id)
            reply = Reply(500, as_json({"error": "the server failed", "request_id": id}))
        finally:
            service.in_flight -= 1
        out = [
            (b"content-type", reply.kind),
            (b"content-length", b"%d" % len(reply.body)),
            (b"x-request-id", id.encode()),
            *reply.more,
        ]
        if service.draining:
            out.append((b"connection", b"close"))
        service.metrics.request(endpoint, reply.status, time.perf_counter() - started)
        await send({"type": "http.response.start", "status": reply.status, "headers": out})
        await send({"type": "http.response.body", "body": reply.body})

    def _handler(self, request: Request) -> tuple[str, Handler | None]:
        """The endpoint's name for metrics, and its handler; None where there is none."""
        routes = self._routes.get(request.method)
        found = routes.get(request.path) if routes else None
        if found is not None:
            return found
        return self._model_path(request) or ("other", None)

    def _model_path(self, request: Request) -> tuple[str, Handler] | None:
        """The handler of ``/v2/models/NAME/versions/V[/ready|/infer]``."""
        parts = request.path.split("/")
        if parts[:3] != ["", "v2", "models"] or not 4 <= len(parts) <= 7:
            return None
        version: int | None = None
        rest = parts[4:]
        if rest[:1] == ["versions"] and len(rest) > 1:
            version, rest = self._version(rest[1]), rest[2:]
        known = unquote(parts[3]) == self.service.case and version != -1

        async def answer(request: Request) -> Reply:
            if not known:
                raise self._unknown(parts)
            if rest == ["infer"]:
                return await infer(self.service, request, version)
            if rest == ["ready"]:
                return await self._version_ready(version)
            return await self._model_of(version)

        wanted = "POST" if rest == ["infer"] else "GET"
        if rest not in ([], ["ready"], ["infer"]) or request.method not in (wanted, "HEAD"):
            return None
        return {"infer": "infer", "ready": "health"}.get("".join(rest), "metadata"), answer

    def _version(self, text: str) -> int:
        """A version that is open; -1 for all else."""
        known = text.isascii() and text.isdigit() and len(text) < 10
        return int(text) if known and int(text) in self.service.shelf.open else -1

    def _unknown(self, parts: list[str]) -> Refused:
        served = ", ".join(str(version) for version in sorted(self.service.shelf.open))
        return Refused(
            404,
            f"{'/'.join(parts[3:])[:80]!r} is not served here; the model is {self.service.case!r},"
            f" its versions: {served}",
        )

    def _nowhere(self, request: Request) -> Refused:
        others = sorted(
            method
            for method in ("GET", "POST")
            if method != request.method
            and self._handler(request._replace(method=method))[1] is not None
        )
        if others:
            allowed = others + (["HEAD"] if "GET" in others else [])
            return Refused(
                405,
                f"{request.method[:20]} is not how {request.path[:80]!r} is asked",
                more=((b"allow", ", ".join(allowed).encode()),),
                swallow=request.method not in ("GET", "HEAD"),
            )
        return Refused(404, f"there is nothing at {request.path[:80]!r}", swallow=True)

    async def _bounded(self, handler: Handler, request: Request) -> Reply:
        """A handler that reads a body, where there is room for it."""
        service = self.service
        limits = service.limits
        if service.in_flight > limits.in_flight:
            raise busy("too many requests at once", "in_flight")
        held = 0

        def take(size: int) -> None:
            nonlocal held
            if service.bodies and service.bodies + size > limits.bodies:
                raise busy("too many large requests at once", "bodies")
            service.bodies += size
            held += size

        length = length_of(request.headers)
        if length is None:
            request = request._replace(take=take)
        else:
            take(min(length, limits.body))
        try:
            return await handler(request)
        finally:
            service.bodies -= held

    async def _predict(self, request: Request) -> Reply:
        return await predict(self.service, request)

    async def _infer(self, request: Request) -> Reply:
        return await infer(self.service, request, None)

    async def _server(self, request: Request) -> Reply:
        return Reply(200, as_json(server_metadata()))

    async def _model(self, request: Request) -> Reply:
        return await self._model_of(None)

    async def _model_of(self, version: int | None) -> Reply:
        shelf = self.service.shelf
        batcher = shelf.champion if version is None else shelf.open[version]
        return Reply(200, as_json(model_metadata(batcher.loaded, list(shelf.open))))

    async def _live(self, request: Request) -> Reply:
        return Reply(200, as_json({"live": True}))

    async def _ready(self, request: Request) -> Reply:
        why = "the server is stopping" if self.service.draining else self.service.shelf.ready()
        said = {"ready": not why, "why": why} if why else {"ready": True}
        return Reply(503 if why else 200, as_json(said))

    async def _model_ready(self, request: Request) -> Reply:
        return await self._version_ready(None)

    async def _version_ready(self, version: int | None) -> Reply:
        shelf = self.service.shelf
        why = "the server is stopping" if self.service.draining else ""
        if not why and version in (None, shelf.champion.loaded.version):
            why = shelf.ready()
        return Reply(503 if why else 200, as_json({"name": self.service.case, "ready": not why}))

    async def _health(self, request: Request) -> Reply:
        """What a person wants to know: which versions answer, and which were refused and why."""
        service = self.service
        shelf = service.shelf
        why = shelf.ready()
        health = {
            "case": service.case,
            "ready": not why and not service.draining,
            "why": "the server is stopping" if service.draining else why,
            "aliases": shelf.aliases,
            "refused": list(shelf.refusals.values()),
            "in_flight": service.in_flight,
            "queued_rows": shelf.queued,
        }
        return Reply(200, as_json(health))

    async def _metrics(self, request: Request) -> Reply:
        service = self.service
        service.measure()
        more = []
        for extra in service.hooks.metrics:
            try:
                more.append(extra())
            except Exception as error:
                logger.error("a metric failed: %r", error)
        bundles = {v: batcher.loaded.bundle.sha256 for v, batcher in service.shelf.open.items()}
        return Reply(200, service.metrics.text(service.case, bundles, more).encode(), TEXT)

    async def _openapi(self, request: Request) -> Reply:
        from trackrecord.serving.openapi import document

        return Reply(200, as_json(document(self.service.shelf.champion.loaded)))

    async def _page(self, request: Request) -> Reply:
        from trackrecord.serving.page import page

        body, policy = page(self.service.shelf.champion.loaded)
        more = ((b"content-security-policy", policy), *NO_SNIFFING)
        return Reply(200, body, b"text/html; charset=utf-8", more)


NO_SNIFFING = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


def _is_id(text: bytes) -> bool:
    return len(text) <= 128 and ID_BYTES.issuperset(text)
