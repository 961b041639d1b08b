"""Steady load from kept connections, which counts every request that did not come back."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any


class Seen:
    """What the clients saw."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.versions: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.broken: list[str] = []
        self.refused = 0

    def __str__(self) -> str:
        times = sorted(self.seconds) or [0.0]
        p99 = times[int(0.99 * (len(times) - 1))]
        told = ", ".join(f"{count:,} x {code}" for code, count in sorted(self.statuses.items()))
        return (
            f"{told}; {len(self.broken)} broken; p50 {1e3 * statistics.median(times):.1f} ms,"
            f" p99 {1e3 * p99:.1f} ms, longest {1e3 * times[-1]:.0f} ms"
        )


def request(path: str, body: bytes) -> bytes:
    """A POST as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def read_reply(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """Status, headers and body of one reply."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
    return int(head[9:12]), lower, await reader.readexactly(length)


async def _client(port: int, sent: bytes, seen: Seen, end: Callable[[], bool]) -> None:
    writer: asyncio.StreamWriter | None = None
    while not end():
        if writer is None:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:  # nobody listens: nothing was asked
                seen.refused += 1
                await asyncio.sleep(0.02)
                continue
        start = time.perf_counter()
        try:
            writer.write(sent)
            status, head, body = await asyncio.wait_for(read_reply(reader), 20)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            seen.broken.append(repr(error))
            writer.close()
            writer = None
            continue
        seen.seconds.append(time.perf_counter() - start)
        seen.statuses[status] += 1
        if b'"version":' in body:
            seen.versions[body.split(b'"version":')[1].split(b",")[0].decode()] += 1
        if b"connection: close" in head:
            writer.close()
            writer = None


class Load:
    """Clients in a thread of their own, while something is done to the server."""

    def __init__(self, port: int, sent: bytes, clients: int = 16) -> None:
        self.seen = Seen()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(port, sent, clients), daemon=True)

    def _run(self, port: int, sent: bytes, clients: int) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(
                *(_client(port, sent, self.seen, self._end.is_set) for _ in range(clients))
            )

        asyncio.run(all_of_them())

    def __enter__(self) -> Seen:
        self._thread.start()
        time.sleep(0.7)
        return self.seen

    def __exit__(self, *error: Any) -> None:
        self._end.set()
        self._thread.join(30)
