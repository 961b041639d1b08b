"""Writes answers to segments: a line each, on disk within a second, whole or not at all.

A segment is JSON lines while it grows – a line that a ``kill -9`` tore is the only one lost – and
becomes Parquet in a process of its own when it is full. The server itself loads no Arrow.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from trackrecord.modeling.export.bundle import Bundle, Codes, Hot, read_bundle
from trackrecord.serving.hooks import Answered, Hooks

OPEN = "open"
ROWS = 200_000
SECONDS = 600.0
# A text column with more different values than this in training is free text or an id.
MOST_TEXTS = 50


Pick = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Captured(msgspec.Struct, frozen=True, array_like=True):
    """One row's answer. ``values`` are the kept columns; ``digest`` is that of all of them."""

    request: str
    unit: str
    time: float
    version: int
    role: str
    seconds: float
    probability: float | None
    digest: str | None
    values: dict[str, str | float | bool | None] | None


class CaptureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept: the share of units, and which columns (None: all but texts and ids)."""

    share: float = 1.0
    columns: list[str] | None = None
    rows: int = ROWS
    seconds: float = SECONDS


def captures_folder(root: Path, case: str) -> Path:
    """Where a case's captures are."""
    return root / "captures" / case


def kept_columns(bundle: Bundle) -> list[str]:
    """Columns that are kept unless others are named: numbers, booleans, texts of few values."""
    many = {
        column.column
        for column in bundle.encoding
        if (isinstance(column, Codes) and len(column.codes) > MOST_TEXTS)
        or (isinstance(column, Hot) and len(column.positions) > MOST_TEXTS)
    }
    return [feature.name for feature in bundle.features if feature.name not in many]


def capture_hooks(folder: Path, models: Path, settings: CaptureSettings) -> Hooks:
    """The hooks of one worker that captures into ``folder``, versions being in ``models``."""
    segments = Segments(folder, models, settings)
    return Hooks(capture=segments.write, close=segments.close)


class Segments:
    """One worker's segments. All calls come from one thread."""

    def __init__(self, folder: Path, models: Path, settings: CaptureSettings) -> None:
        self.folder = folder
        self.models = models
        self.settings = settings
        self._names: dict[int, tuple[list[str], Pick]] = {}
        self._file: int | None = None
        self._path = folder
        self._size = self._rows = 0
        self._began = 0.0
        self._rotating: list[subprocess.Popen[bytes]] = []
        (folder / OPEN).mkdir(parents=True, exist_ok=True)

    def write(self, answered: list[Answered]) -> None:
        """Put the answers on disk. Raises OSError; then none of them is there."""
        lines = [line for one in answered if self._kept(one.unit) for line in self._lines(one)]
        if not lines:
            return
        if self._file is None:
            self._open()
        assert self._file is not None
        data = b"".join(lines)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)
        self._rows += len(lines)
        if (
            self._rows >= self.settings.rows
            or time.monotonic() - self._began >= self.settings.seconds
        ):
            self.rotate()

    def rotate(self) -> None:
        """Let the segment that is open become Parquet, beside the server."""
        if self._file is None:
            return
        os.close(self._file)
        self._file = None
        self._rotating = [process for process in self._rotating if process.poll() is None]
        self._rotating.append(start_rotation(self._path))

    def close(self) -> None:
        """The end: what is open becomes Parquet, and that is waited for."""
        self.rotate()
        for process in self._rotating:
            process.wait()

    def _open(self) -> None:
        name = f"{time.time_ns() // 1_000_000:013d}-{os.getpid()}.jsonl"
        self._path = self.folder / OPEN / name
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._file = os.open(self._path, flags, 0o600)
        self._size, self._rows, self._began = 0, 0, time.monotonic()

    def _kept(self, unit: str) -> bool:
        if self.settings.share >= 1.0:
            return True
        drawn = int.from_bytes(hashlib.blake2b(unit.encode(), digest_size=8).digest(), "big")
        return drawn < self.settings.share * 2**64

    def _lines(self, one: Answered) -> list[bytes]:
        # The server's own thread waits while this one works, so little is done for each row.
        encode = msgspec.json.encode
        many = len(one.probability) > 1
        lines = []
        for index, probability in enumerate(one.probability):
            values: dict[str, str | float | bool | None] | None = None
            digest = None
            if one.rows is not None:
                row = one.rows[index]
                names, pick = self._columns(one.version)
                values = dict(zip(names, pick(row), strict=True))
                digest = hashlib.blake2b(encode(row), digest_size=8).hexdigest()
            told = (
                one.request_id,
                f"{one.unit}#{index}" if many else one.unit,
                one.time,
                one.version,
                one.role,
                one.seconds,
                probability if probability == probability else None,
                digest,
                values,
            )
            lines.append(encode(told) + b"\n")
        return lines

    def _columns(self, version: int) -> tuple[list[str], Pick]:
        """The names of the version's features that are kept, and what takes them out of a row."""
        if version not in self._names:
            bundle = read_bundle(self.models / str(version))
            names = [feature.name for feature in bundle.features]
            wanted = self.settings.columns
            chosen = set(kept_columns(bundle) if wanted is None else wanted)
            places = [place for place, name in enumerate(names) if name in chosen]
            self._names[version] = ([names[place] for place in places], _picker(places))
        return self._names[version]


def _picker(places: list[int]) -> Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


def start_rotation(segment: Path) -> subprocess.Popen[bytes]:
    """Begin to make a segment Parquet, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "trackrecord.serving.capture.rotate", str(segment)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
