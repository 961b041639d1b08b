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
    from pathlib import Path

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
    version = _checked(settings)
    listening = _listening(options)
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings.certificate else "http"
    address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    _log()
    _tell(options, settings, case, version, address)
    with listening:
        code = _serve(settings, listening)
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


def _listening(options: argparse.Namespace) -> socket.socket:
    """The bound socket. Raises BadInput for a port that is taken or not ours to take."""
    import errno
    import socket

    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise BadInput(
            f"there is no address {options.host!r} on this machine", why=error.strerror
        ) from None
    family, kind, protocol, _, address = found[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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


def _serve(settings: Settings, listening: socket.socket) -> int:
    from trackrecord.serving.metrics import Board

    board = Board(settings.workers)
    if settings.workers == 1:
        from trackrecord.serving.server import run_worker

        run_worker(settings, listening, board, 0)
        return 0
    return _several(settings, listening, board)


def _several(settings: Settings, listening: socket.socket, board: Any) -> int:
    import os

    from trackrecord.serving.metrics import Metrics
    from trackrecord.serving.workers import supervise

    if not hasattr(os, "fork"):
        raise BadInput("this system cannot fork", next="leave out --workers")

    def work(worker: int) -> None:
        from trackrecord.serving.server import run_worker

        run_worker(settings, listening, board, worker)

    return supervise(
        settings.workers,
        work,
        restarted=lambda worker: Metrics(board, worker).count("restarts"),
        failed=lambda error: say(f"✗ {error}"),
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
