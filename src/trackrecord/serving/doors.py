"""Who may ask: the Host and Origin that a browser sends, and keys."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from trackrecord.errors import TrackrecordError
from trackrecord.serving.exchange import Refused, Request
from trackrecord.serving.keys import Keys, holder, presented, read_keys

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

logger = logging.getLogger("trackrecord.serving")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server bound to ``host``."""
    return host in ("localhost", "::1") or host.startswith("127.")


class Doors:
    """The checks that come before every handler.

    Parameters
    ----------
    hosts:
        Names under which the server may be asked; None for any. A page of somebody else's, whose
        name was pointed at this machine, says its own name here.
    keys:
        The file of keys; where there is one, all but the server's health needs one of them. Once
        keys were needed they are until the server ends, be the file emptied or deleted.
    """

    def __init__(self, hosts: Sequence[str] | None, keys: Path) -> None:
        self._hosts = None if hosts is None else {host.lower() for host in hosts}
        self._known: set[bytes] = set()
        self._path = keys
        self._seen = self._look()
        self.keys: Keys = read_keys(keys)
        self.closed = self._seen is not None

    def check(self, request: Request, endpoint: str) -> None:
        """Raises Refused for a request that may not ask."""
        headers = request.headers
        host = headers.get(b"host", b"")
        if self._hosts is not None and host and host not in self._known:
            if _name(host) not in self._hosts:
                raise Refused(
                    421,
                    f"this server is not {host[:80].decode('latin-1')!r};"
                    " start it with --allow-host NAME to be asked so",
                    swallow=True,
                )
            if len(self._known) < 100:
                self._known.add(host)
        origin = headers.get(b"origin")
        if origin is not None and origin.partition(b"://")[2] != host:
            raise Refused(403, "pages of other origins may not ask this server", swallow=True)
        if self.closed and endpoint != "health" and not holder(self.keys, presented(headers)):
            why = "a key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"
            more = ((b"www-authenticate", b'Basic realm="trackrecord", charset="UTF-8"'),)
            raise Refused(401, why, more=more, swallow=True)

    def refresh(self) -> None:
        """Read the keys again where their file has changed; a damaged one changes nothing."""
        seen = self._look()
        if seen == self._seen:
            return
        try:
            self.keys = read_keys(self._path)
            self._seen = seen
            self.closed = self.closed or seen is not None
            logger.info("%d keys are known now", len(self.keys.keys))
        except TrackrecordError as error:
            logger.error("the keys stay as they were: %s", error.why)

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ino, found.st_size)


def _name(host: bytes) -> str:
    """A Host header without its port."""
    text = host.decode("latin-1").lower()
    name, colon, port = text.rpartition(":")
    whole = name[:1] != "[" or name[-1:] == "]"
    return name if colon and port.isdigit() and whole else text
