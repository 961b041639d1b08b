"""Every way to change a published folder that this project could think of, one after another.

A mutation edits a copy of the folder and says which files a finding may name: the one that was
changed, or the one that shows it.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CHAIN = "evidence/chain.jsonl"


@dataclass(frozen=True)
class Mutation:
    """``apply`` edits the copy and returns the files that a finding may name."""

    name: str
    apply: Callable[[Path], set[str]]


def files_of(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def byte_mutations(folder: Path) -> Iterator[Mutation]:
    """Every file: bits flipped, deleted, emptied, cut, lengthened."""
    for path in files_of(folder):
        size = (folder / path).stat().st_size
        for offset in sorted({0, size // 2, size - 1}):
            yield _on(path, f"bit flipped at {offset}", _flipped(offset))
        yield _on(path, "emptied", lambda data: b"")
        yield _on(path, "cut in half", lambda data: data[: len(data) // 2])
        if not path.startswith("evidence/"):
            yield _on(path, "one byte longer", lambda data: data + b"\n")
        yield Mutation(f"{path}: deleted", _deleting(path))


def file_mutations(folder: Path) -> Iterator[Mutation]:
    """Files swapped, added, or replaced by what is no file."""
    paths = files_of(folder)
    for one, other in itertools.pairwise(paths):
        if (folder / one).read_bytes() == (folder / other).read_bytes():
            continue
        yield Mutation(f"{one} and {other} swapped", _swapping(one, other))
    yield Mutation("an extra file", _adding("notes.txt", b"hello"))
    yield Mutation("an extra hidden file", _adding(".htaccess", b"Options +Indexes"))
    yield Mutation("an extra page", _adding("runs/index.html", b"<p>0.99"))
    yield Mutation("an extra table", _adding("runs/parcels/0009/outcomes-test.parquet", b"PAR1"))
    yield Mutation("evidence outside the chain", _adding(f"evidence/{'a' * 64}.json", b"{}"))
    yield Mutation("an extra file in evidence/", _adding("evidence/notes.json", b"{}"))
    yield Mutation("a name that repaints terminals", _adding("\x1b[2J\u202egnp.exe", b""))
    for path in ("index.html", "claims.toml", CHAIN, paths[-1]):
        yield Mutation(f"{path}: a link to the same bytes", _linking(path))
        yield Mutation(f"{path}: a pipe", _piping(path))
        yield Mutation(f"{path}: a folder", _foldering(path))


def chain_mutations(folder: Path) -> Iterator[Mutation]:
    """Lines removed, copied, reordered, re-dated, renamed – without making digests hold again."""
    count = len((folder / CHAIN).read_bytes().splitlines())
    for index in range(count):
        yield _on_lines(f"line {index + 1} removed", lambda lines, i=index: _without(lines, i))
        yield _on_lines(f"line {index + 1} copied", lambda lines, i=index: [*lines, lines[i]])
    for index in range(count - 1):
        yield _on_lines(
            f"lines {index + 1} and {index + 2} reordered",
            lambda lines, i=index: [*lines[:i], lines[i + 1], lines[i], *lines[i + 2 :]],
        )
    for index in (0, count // 2, count - 1):
        yield _on_lines(
            f"line {index + 1} re-dated",
            lambda lines, i=index: _replaced(lines, i, b'"time":"2', b'"time":"1'),
        )
        yield _on_lines(
            f"line {index + 1} of another kind",
            lambda lines, i=index: _replaced(lines, i, b'"kind":"', b'"kind":"x'),
        )
    yield _on_lines("cut after three lines", lambda lines: lines[:3])
    yield _on_lines("lines end in CR LF", lambda lines: [line + b"\r" for line in lines])
    yield _on(CHAIN, "last newline gone", lambda data: data.rstrip(b"\n"))
    yield _on(CHAIN, "a torn line at the end", lambda data: data + b'{"case":"')
    yield _on(CHAIN, "not UTF-8", lambda data: data + b"\xff\xfe\n")
    yield _on(CHAIN, "nested without end", lambda data: data + b"[" * 100_000 + b"\n")


def _on(path: str, what: str, change: Callable[[bytes], bytes]) -> Mutation:
    def apply(folder: Path) -> set[str]:
        target = folder / path
        target.write_bytes(change(target.read_bytes()))
        return {path}

    return Mutation(f"{path}: {what}", apply)


def _on_lines(what: str, change: Callable[[list[bytes]], list[bytes]]) -> Mutation:
    def changed(data: bytes) -> bytes:
        return b"".join(line + b"\n" for line in change(data.splitlines()))

    return _on(CHAIN, what, changed)


def _flipped(offset: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def _without(lines: list[bytes], index: int) -> list[bytes]:
    return lines[:index] + lines[index + 1 :]


def _replaced(lines: list[bytes], index: int, old: bytes, new: bytes) -> list[bytes]:
    assert old in lines[index]
    return [*lines[:index], lines[index].replace(old, new), *lines[index + 1 :]]


def _deleting(path: str) -> Callable[[Path], set[str]]:
    def apply(folder: Path) -> set[str]:
        (folder / path).unlink()
        return {path}

    return apply


def _swapping(one: str, other: str) -> Callable[[Path], set[str]]:
    def apply(folder: Path) -> set[str]:
        first, second = (folder / one).read_bytes(), (folder / other).read_bytes()
        (folder / one).write_bytes(second)
        (folder / other).write_bytes(first)
        return {one, other}

    return apply


def _adding(path: str, data: bytes) -> Callable[[Path], set[str]]:
    def apply(folder: Path) -> set[str]:
        from trackrecord.portfolio.checking.report import harmless

        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        return {harmless(path)}

    return apply


def _linking(path: str) -> Callable[[Path], set[str]]:
    def apply(folder: Path) -> set[str]:
        elsewhere = folder.parent / "elsewhere"
        shutil.move(folder / path, elsewhere)
        (folder / path).symlink_to(elsewhere)
        return {path}

    return apply


def _piping(path: str) -> Callable[[Path], set[str]]:
    def apply(folder: Path) -> set[str]:
        (folder / path).unlink()
        os.mkfifo(folder / path)
        return {path}

    return apply


def _foldering(path: str) -> Callable[[Path], set[str]]:
    def apply(folder: Path) -> set[str]:
        (folder / path).unlink()
        (folder / path).mkdir()
        return {path}

    return apply
