"""Every malformed file is read with its losses counted, or refused in words; nothing between."""

from __future__ import annotations

import collections
from pathlib import Path

import polars as pl
import pytest
from tests.cli.conftest import digests, trackrecord
from tests.data.ingest.malformed import Malformed, every_text
from tests.data.ingest.malformed_files import every_other

from trackrecord.data.ingest.pair import fits
from trackrecord.data.ingest.record import read_source

EVERY = [*every_text(), *every_other()]


def check(number: int, one: Malformed, root: Path, folder: Path) -> str:
    """ "read" or "refused". Raises AssertionError for anything else."""
    folder.mkdir()
    given = one.make(folder)
    name = f"t{number}"
    before = digests(root)
    told = trackrecord("data", "add", given, "--name", name, *one.words, at=root)
    assert told.code in (0, 2), told.printed
    left = [path.name for path in (root / "data").glob(".*")]
    assert left == []
    if told.code == 2:
        assert "trackrecord itself failed" not in told.err, told.err
        assert "Traceback" not in told.err
        assert "next:" in told.err, told.err
        assert digests(root) == before
        return "refused"
    source = read_source(root, name)
    assert source is not None
    assert fits(root, source)
    made = pl.read_parquet(root / f"data/{name}.parquet")
    assert made.height == source.rows > 0
    assert {c.name: c.missing for c in source.column} == {s.name: s.null_count() for s in made}
    return "read"


def try_all(some: list[Malformed], tmp_path: Path) -> collections.Counter[str]:
    trackrecord("init", tmp_path / "w")
    found: collections.Counter[str] = collections.Counter()
    wrong = []
    for number, one in enumerate(some):
        try:
            came = check(number, one, tmp_path / "w", tmp_path / str(number))
        except AssertionError as error:
            wrong.append(f"{one.what}: {str(error)[:600]}")
            continue
        found[came] += 1
        if one.wanted not in (None, came):
            wrong.append(f"{one.what}: it was {came}")
    assert not wrong, "\n".join(wrong)
    return found


def test_some_malformed_files_of_each_sort(tmp_path: Path) -> None:
    assert sum(try_all(EVERY[::40], tmp_path).values()) > 10


@pytest.mark.slow
def test_every_malformed_file(tmp_path: Path) -> None:
    found = try_all(EVERY, tmp_path)
    print(f"{sum(found.values())} malformed files: {dict(found)}")
    assert sum(found.values()) >= 600
    assert min(found["read"], found["refused"]) > 150
