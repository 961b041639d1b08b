"""Counters in Prometheus' text format, in memory that all workers of a server share.

Each worker counts in a row of its own, so counting takes no lock; whoever is asked adds the rows.
A worker that is started again goes on in the row of the one that died: no counter ever falls.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Sequence

ENDPOINTS = ("predict", "infer", "health", "metadata", "metrics", "page", "other")
CODES = (200, 400, 401, 403, 404, 405, 408, 411, 413, 415, 421, 422, 429, 499, 500, 503)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384)
TIMED = ("predict", "infer")
REASONS = ("queue", "in_flight", "bodies", "wait", "connections", "draining", "slow")
GAUGES = ("up", "in_flight", "queue_rows", "connections", "ready", "champion", "challenger",
          "resident_memory_bytes", "start_time_seconds", "cpu_seconds")  # fmt: skip
COUNTS = ("rows_failed", "model_failures", "swaps_switched", "swaps_refused",
          "restarts", "captured", "capture_failures")  # fmt: skip
VERSIONS = 32


def _layout() -> tuple[dict[tuple[str, ...], int], int]:
    keys: list[tuple[str, ...]] = []
    keys += [("requests", endpoint, str(code)) for endpoint in ENDPOINTS for code in CODES]
    for endpoint in TIMED:
        keys += [("seconds", endpoint, str(place)) for place in range(len(SECONDS) + 1)]
        keys.append(("seconds_sum", endpoint))
    keys += [("batch", str(place)) for place in range(len(ROWS) + 1)]
    keys.append(("batch_sum",))
    keys += [("rejected", reason) for reason in REASONS]
    keys += [("gauge", name) for name in GAUGES]
    keys += [("count", name) for name in COUNTS]
    keys += [("version", str(place)) for place in range(2 * VERSIONS)]
    return {key: place for place, key in enumerate(keys)}, len(keys)


PLACES, WIDTH = _layout()
_REQUESTS = {
    (endpoint, code): PLACES["requests", endpoint, str(code)]
    for endpoint in ENDPOINTS
    for code in CODES
}
_SECONDS = {endpoint: PLACES["seconds", endpoint, "0"] for endpoint in TIMED}
_SECONDS_SUM = {endpoint: PLACES["seconds_sum", endpoint] for endpoint in TIMED}
_BATCH, _BATCH_SUM = PLACES["batch", "0"], PLACES["batch_sum",]
_REJECTED = {reason: PLACES["rejected", reason] for reason in REASONS}
_GAUGE = {name: PLACES["gauge", name] for name in GAUGES}
_COUNT = {name: PLACES["count", name] for name in COUNTS}
_VERSION = PLACES["version", "0"]


class Board:
    """A row of numbers for each worker; to be made before the workers are."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._memory = mmap.mmap(-1, workers * WIDTH * 8)
        self._cells = memoryview(self._memory).cast("d")

    def row(self, worker: int) -> memoryview[float]:
        return self._cells[worker * WIDTH : (worker + 1) * WIDTH]

    def is_up(self, worker: int) -> bool:
        return bool(self.row(worker)[_GAUGE["up"]])

    def set_up(self, worker: int, up: bool) -> None:
        """Say that a worker runs, or that it does not; then what it had in hand is gone, too."""
        row = self.row(worker)
        if not up:
            for name in GAUGES:
                row[_GAUGE[name]] = 0.0
        row[_GAUGE["up"]] = float(up)

    def total(self) -> list[float]:
        """Each place's sum over the workers."""
        rows = [self.row(worker).tolist() for worker in range(self.workers)]
        return [sum(column) for column in zip(*rows, strict=True)]


class Metrics:
    """What one worker counts."""

    def __init__(self, board: Board, worker: int) -> None:
        self.board = board
        self.worker = worker
        self.cells = board.row(worker)

    def request(self, endpoint: str, code: int, seconds: float) -> None:
        cells = self.cells
        place = _REQUESTS.get((endpoint, code))
        if place is None:
            place = _REQUESTS[endpoint, 200 if code < 400 else 400 if code < 500 else 500]
        cells[place] += 1.0
        if endpoint in _SECONDS:
            cells[_SECONDS[endpoint] + bisect_left(SECONDS, seconds)] += 1.0
            cells[_SECONDS_SUM[endpoint]] += seconds

    def batch(self, rows: int) -> None:
        self.cells[_BATCH + bisect_left(ROWS, rows)] += 1.0
        self.cells[_BATCH_SUM] += rows

    def rejected(self, reason: str) -> None:
        self.cells[_REJECTED[reason]] += 1.0

    def count(self, name: str, more: float = 1.0) -> None:
        self.cells[_COUNT[name]] += more

    def gauge(self, name: str, value: float) -> None:
        self.cells[_GAUGE[name]] = value

    def answered(self, version: int, rows: int) -> None:
        """Rows that a version answered; the last ``VERSIONS`` versions are told apart."""
        place = _VERSION + 2 * (version % VERSIONS)
        if self.cells[place] != version:
            self.cells[place], self.cells[place + 1] = version, 0.0
        self.cells[place + 1] += rows

    def text(self, case: str, files: dict[int, str], more: Sequence[str] = ()) -> str:
        """All of it in Prometheus' text format, version 0.0.4; ``files`` are versions' digests."""
        return "".join([*_lines(self.board, case, files), *more])


def _lines(board: Board, case: str, files: dict[int, str]) -> list[str]:
    total = board.total()
    rows = [board.row(worker) for worker in range(board.workers)]
    lines: list[str] = []

    def about(name: str, kind: str, help: str) -> None:
        lines.append(f"# HELP trackrecord_{name} {help}\n# TYPE trackrecord_{name} {kind}\n")

    def tell(name: str, labels: str, value: float) -> None:
        lines.append(f"trackrecord_{name}{{{labels}}} {value!r}\n")

    same = f'case="{case}"'
    about("requests_total", "counter", "Requests by endpoint and status.")
    for (endpoint, code), place in _REQUESTS.items():
        if total[place] or code in (200, 500):
            tell("requests_total", f'{same},endpoint="{endpoint}",code="{code}"', total[place])
    about("request_seconds", "histogram", "From a request's headers to its answer.")
    for endpoint in TIMED:
        labels = f'{same},endpoint="{endpoint}"'
        counts = total[_SECONDS[endpoint] : _SECONDS[endpoint] + len(SECONDS) + 1]
        lines += _histogram("request_seconds", labels, SECONDS, counts)
        tell("request_seconds_sum", labels, total[_SECONDS_SUM[endpoint]])
    about("batch_rows", "histogram", "Rows that went through the model together.")
    lines += _histogram("batch_rows", same, ROWS, total[_BATCH : _BATCH + len(ROWS) + 1])
    tell("batch_rows_sum", same, total[_BATCH_SUM])
    about("rejected_total", "counter", "Requests turned away, by reason.")
    for reason, place in _REJECTED.items():
        tell("rejected_total", f'{same},reason="{reason}"', total[place])
    for name, help in (
        ("rows_failed", "Rows that could not be answered."),
        ("model_failures", "Rows on which the model failed."),
        ("restarts", "Workers that were started again."),
        ("captured", "Answers handed to capture."),
        ("capture_failures", "Answers that capture did not take."),
    ):
        about(f"{name}_total", "counter", help)
        tell(f"{name}_total", same, total[_COUNT[name]])
    about("swaps_total", "counter", "Changes of version, by result.")
    for result in ("switched", "refused"):
        tell("swaps_total", f'{same},result="{result}"', total[_COUNT[f"swaps_{result}"]])
    about("version_rows_total", "counter", "Rows answered, by version.")
    by_version: dict[int, float] = {}
    for row in rows:
        for place in range(_VERSION, _VERSION + 2 * VERSIONS, 2):
            if version := int(row[place]):
                by_version[version] = by_version.get(version, 0.0) + row[place + 1]
    for version, count in sorted(by_version.items()):
        tell("version_rows_total", f'{same},version="{version}"', count)
    about("model_info", "gauge", "The version that answers.")
    for worker, row in enumerate(rows):
        version = int(row[_GAUGE["champion"]])
        labels = f'{same},version="{version}",sha256="{files.get(version, "")}",worker="{worker}"'
        tell("model_info", labels, 1.0)
    for name, help in (
        ("up", "1 where the worker runs."),
        ("in_flight", "Requests that are being answered."),
        ("queue_rows", "Rows that wait for the model."),
        ("connections", "Open connections."),
        ("ready", "1 where the worker takes requests and its model answers its probe rows."),
        ("champion", "The champion's version."),
        ("challenger", "The challenger's version; 0 where there is none."),
        ("resident_memory_bytes", "Memory of the worker."),
        ("start_time_seconds", "When the worker started, in seconds since 1970."),
        ("cpu_seconds", "Processor time of the worker."),
    ):
        about(f"worker_{name}", "gauge", help)
        for worker, row in enumerate(rows):
            tell(f"worker_{name}", f'{same},worker="{worker}"', row[_GAUGE[name]])
    return lines


def _histogram(
    name: str, labels: str, bounds: Sequence[float], counts: Sequence[float]
) -> list[str]:
    lines, so_far = [], 0.0
    for bound, count in zip((*bounds, "+Inf"), counts, strict=True):
        so_far += count
        lines.append(f'trackrecord_{name}_bucket{{{labels},le="{bound}"}} {so_far!r}\n')
    lines.append(f"trackrecord_{name}_count{{{labels}}} {so_far!r}\n")
    return lines
