"""``trackrecord serve``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from trackrecord.cli.command import Answer
from trackrecord.cli.opening import open_workspace_of
from trackrecord.cli.printing import say, say_next
from trackrecord.errors import BadInput

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from trackrecord.serving.hooks import Hooks
    from trackrecord.serving.server import Settings
    from trackrecord.workspace import Workspace

BOUNDS: dict[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "workers": (1, 256),
    "threads": (1, 256),
    "max_body": (0.001, 10_000),
    "max_queue": (1, 1e9),
    "drain": (0, 3_600),
}


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Answer over HTTP with the version of a case's model that is the champion. A page to try\n"
        "it is at /, rows go to /predict, the Open Inference Protocol is at /v2, figures at\n"
        "/metrics. When another version becomes the champion it takes over without a pause."
    )
    parser.epilog = (
        "examples:\n  trackrecord serve flights\n"
        "  trackrecord serve flights --port 8080 --workers 4\n"
        "  trackrecord serve flights --add-key laptop\n"
        "  trackrecord serve flights --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem\n\n"
        "Ctrl-C or SIGTERM: requests in flight are answered, then it ends with 0"
    )
    parser.add_argument("case", help="the case whose model answers")
    where = parser.add_argument_group("where")
    where.add_argument(
        "--port", type=int, default=8080, help="the port (default 8080; 0: a free one)"
    )
    where.add_argument(
        "--host", default="127.0.0.1", help="the address (default 127.0.0.1: this machine alone)"
    )
    where.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="a name under which it may be asked, as behind a proxy; may be repeated",
    )  # fmt: skip
    where.add_argument("--tls-cert", metavar="FILE", help="a certificate chain, PEM")
    where.add_argument("--tls-key", metavar="FILE", help="its private key, PEM")
    who = parser.add_argument_group("who may ask (once there is a key, only who has one)")
    who.add_argument("--add-key", metavar="NAME", help="make a key, show it once, and end")
    who.add_argument("--revoke-key", metavar="NAME", help="take a key away, and end")
    kept = parser.add_argument_group("what is kept of the answers (in captures/, for monitoring)")
    kept.add_argument("--capture", action="store_true", help="keep answers, off the requests' way")
    kept.add_argument(
        "--capture-share", type=float, default=1.0, metavar="SHARE",
        help="of the units, always the same ones (default 1)",
    )  # fmt: skip
    kept.add_argument(
        "--capture-columns", metavar="A,B",
        help="keep these features' values (default: all but ids and free text; '' for none)",
    )  # fmt: skip
    how = parser.add_argument_group("how much")
    how.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    how.add_argument("--threads", type=int, default=1, help="threads of the model (default 1)")
    how.add_argument(
        "--max-body", type=float, default=10.0, metavar="MB", help="largest request (default 10)"
    )
    how.add_argument(
        "--max-queue", type=int, default=50_000, metavar="ROWS",
        help="rows that may wait for the model (default 50000)",
    )  # fmt: skip
    how.add_argument(
        "--drain", type=float, default=1.0, metavar="SECONDS",
        help="from not ready to the last connection, when stopped (default 1)",
    )  # fmt: skip


def run(verb: str, options: argparse.Namespace) -> Answer:
    """Serve until a signal, or change the keys."""
    workspace = open_workspace_of(options)
    case = workspace.case_folder(options.case).name
    keys = workspace.root / "serving" / case / "keys.json"
    if options.add_key is not None or options.revoke_key is not None:
        return _keys(options, keys, case)
    settings = _settings(options, workspace, keys)
    hooks = _hooks(options, workspace, case)
    version = _checked(settings)
    sockets = _listening(options)
    host, port = sockets[0].getsockname()[:2]
    scheme = "https" if settings.certificate else "http"
    address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    _log()
    _tell(options, settings, case, version, address)
    try:
        code = _serve(settings, sockets, hooks)
    finally:
        for listening in sockets:
            listening.close()
    say("✓ stopped: every request in flight was answered" if code == 0 else "✗ it could not serve")
    return Answer(code, {"case": case, "version": version, "address": address})


def _settings(options: argparse.Namespace, workspace: Workspace, keys: Path) -> Settings:
    from pathlib import Path

    from trackrecord.serving.doors import LOOPBACK, is_loopback
    from trackrecord.serving.limits import MEGABYTE, Limits
    from trackrecord.serving.server import Settings

    for name, (least, most) in BOUNDS.items():
        value = getattr(options, name)
        if not least <= value <= most:
            raise BadInput(f"--{name.replace('_', '-')} {value} is not in {least:g} to {most:g}")
    if bool(options.tls_cert) != bool(options.tls_key):
        raise BadInput("TLS needs both --tls-cert and --tls-key")
    folder = Path(options.folder or ".")
    files = [
        None if name is None else folder / name for name in (options.tls_cert, options.tls_key)
    ]
    hosts: list[str] | None = list(options.allow_host)
    if is_loopback(options.host):
        hosts = [*LOOPBACK, *options.allow_host]
    return Settings(
        models=workspace.root / "models" / workspace.case_folder(options.case).name,
        keys=keys,
        hosts=hosts or None,
        workers=options.workers,
        threads=options.threads,
        certificate=files[0],
        private_key=files[1],
        limits=Limits(
            body=int(options.max_body * MEGABYTE), queue=options.max_queue, drain=options.drain
        ),
    )


def _hooks(options: argparse.Namespace, workspace: Workspace, case: str) -> Callable[[], Hooks]:
    """What makes each worker's hooks."""
    from trackrecord.serving.capture.segments import CaptureSettings
    from trackrecord.serving.joined import hooks_of

    if not 0 < options.capture_share <= 1:
        raise BadInput(f"--capture-share {options.capture_share:g} is not above 0 and at most 1")
    capture = None
    if options.capture:
        named = options.capture_columns
        capture = CaptureSettings(
            share=options.capture_share,
            columns=None if named is None else [name for name in named.split(",") if name],
        )
    return lambda: hooks_of(workspace.root, case, capture)


def _checked(settings: Settings) -> int:
    """The champion's version, its files read and compared. Raises what a worker would, sooner."""
    import ssl

    from trackrecord.modeling.export.bundle import read_bundle
    from trackrecord.serving.shelf import CHAMPION, read_aliases_file

    version = read_aliases_file(settings.models)[CHAMPION]
    read_bundle(settings.models / str(version))
    if settings.certificate and settings.private_key:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                settings.certificate, settings.private_key
            )
        except OSError as error:
            raise BadInput(
                "the certificate and its key cannot be used",
                where=f"{settings.certificate}, {settings.private_key}",
                why=error.strerror or str(error),
                next="give the PEM files of a certificate and of the key that belongs to it",
            ) from None
    return version


def _listening(options: argparse.Namespace) -> list[socket.socket]:
    """Bound sockets, one for each worker where the system spreads connections among them.

    Raises BadInput for a port that is taken or not ours to take.
    """
    import socket
    import sys

    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadInput(
            f"there is no address {options.host!r} on this machine", why=error.strerror
        ) from None
    family, address = found[0][0], found[0][4]
    first = _bound(options, family, address)
    if options.workers == 1 or sys.platform != "linux":
        return [first]
    address = first.getsockname()
    first.close()  # it only asked whether the port is free, which sharers of a port are not told
    return [_bound(options, family, address, shared=True) for _ in range(options.workers)]


def _bound(
    options: argparse.Namespace, family: Any, address: Any, *, shared: bool = False
) -> socket.socket:
    import errno
    import socket

    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind(address)
        listening.listen(4096)
    except OSError as error:
        listening.close()
        again = f"trackrecord serve {options.case} --port {_free(options.host, family)}"
        if error.errno == errno.EADDRINUSE:
            raise BadInput(
                f"port {options.port} is in use",
                where=f"{options.host}:{options.port}",
                why="another program listens there",
                next=again,
            ) from None
        raise BadInput(
            f"cannot listen on {options.host}:{options.port}", why=error.strerror, next=again
        ) from None
    return listening


def _free(host: str, family: Any) -> int:
    import socket

    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return 8081
        port: int = probe.getsockname()[1]
        return port


def _log() -> None:
    """What happens while it serves goes to standard error."""
    import logging
    import time

    handler = logging.StreamHandler()
    format = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    format.converter = time.gmtime
    handler.setFormatter(format)
    for name, level in (("trackrecord.serving", logging.INFO), ("uvicorn", logging.ERROR),
                        ("asyncio", logging.ERROR)):  # fmt: skip
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def _tell(
    options: argparse.Namespace, settings: Settings, case: str, version: int, address: str
) -> None:
    from trackrecord.serving.doors import is_loopback

    workers = f", {settings.workers} workers" if settings.workers > 1 else ""
    say(f"{case}: version {version} answers at {address}{workers}")
    if not settings.keys.exists() and not is_loopback(options.host):
        say("  ! anybody who reaches this machine may ask: there is no key")
        say_next(f"trackrecord serve {case} --add-key NAME")


def _serve(settings: Settings, sockets: list[socket.socket], hooks: Callable[[], Hooks]) -> int:
    from trackrecord.serving.metrics import Board

    board = Board(settings.workers)
    if settings.workers == 1:
        from trackrecord.serving.server import run_worker

        run_worker(settings, sockets, board, 0, hooks=hooks())
        return 0
    return _several(settings, sockets, board, hooks)


def _several(
    settings: Settings, sockets: list[socket.socket], board: Any, hooks: Callable[[], Hooks]
) -> int:
    import logging
    import os

    from trackrecord.serving.metrics import Metrics
    from trackrecord.serving.workers import supervise

    logger = logging.getLogger("trackrecord.serving")

    if not hasattr(os, "fork"):
        raise BadInput("this system cannot fork", next="leave out --workers")

    def work(worker: int) -> None:
        from trackrecord.serving.server import run_worker

        run_worker(settings, sockets, board, worker, hooks=hooks())

    def lost(worker: int) -> None:
        board.set_up(worker, False)
        Metrics(board, worker).count("restarts")

    return supervise(
        settings.workers,
        work,
        lost=lost,
        failed=lambda error: logger.error("it cannot serve: %s", error),
    )


def _keys(options: argparse.Namespace, path: Path, case: str) -> Answer:
    from trackrecord.serving.keys import add_key, revoke_key

    if options.revoke_key is not None:
        revoke_key(path, options.revoke_key)
        say(f"✓ the key {options.revoke_key!r} is no longer accepted")
        return Answer(0, {"case": case, "revoked": options.revoke_key})
    key = add_key(path, options.add_key)
    say(f"✓ the key {options.add_key!r}, shown this once:")
    say(f"  {key}", indent=None)
    say("  requests say: Authorization: Bearer KEY")
    return Answer(0, {"case": case, "name": options.add_key, "key": key})
