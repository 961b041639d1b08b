"""``data add`` killed with SIGKILL at every boundary of what it writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from trackrecord.data.ingest.leftovers import examine_sources
from trackrecord.data.ingest.record import last_recorded, read_source
from trackrecord.ledger.doctor import examine
from trackrecord.ledger.store import file_sha256

# Imports once; then each attempt is a fork of its own that dies after its nth call.
ADDER = """
import json, os, signal, shutil, sys
from pathlib import Path
import polars, pyarrow.parquet, pyarrow.csv
from trackrecord.data.ingest import opening, add as adding, delimited
from trackrecord.data.ingest.record import Read
from trackrecord.workspace import make_workspace

folder, first, given = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])

def add(root, path):
    adding.add(root, path, "trips", Read(format=""), origin=None, license=None, replace=True,
               tool="0", now="2024-01-31T10:00:00Z")

def attempt(number):
    root = make_workspace(folder / str(number)).root
    if first.exists():
        add(root, first)
    calls, names = [0], []
    def watched(name):
        real = getattr(os, name)
        def call(*words, **more):
            for edge in ("before", "after"):
                if calls[0] == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                calls[0] += 1
                if edge == "before":
                    done = real(*words, **more)
            return done
        setattr(os, name, call)
    for name in ("replace", "rename", "fsync", "unlink", "chmod", "mkdir", "write"):
        watched(name)
    add(root, given)
    sys.exit(0)

number = 0
while True:
    child = os.fork()
    if child == 0:
        attempt(number)
    _, status = os.waitpid(child, 0)
    print(json.dumps([number, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
                      os.waitstatus_to_exitcode(status)]), flush=True)
    if not os.WIFSIGNALED(status):
        break
    number += 1
"""
OLD = "id,x\n1,0.5\n2,\n"
NEW = "id,x\n1,0.5\n2,\n3,0.25\n"
AGAIN = """
import sys
from pathlib import Path
from trackrecord.data.ingest.add import add
from trackrecord.data.ingest.record import Read
for number in range(int(sys.argv[3])):
    print(add(Path(sys.argv[1]) / str(number), Path(sys.argv[2]), "trips", Read(format=""),
              origin=None, license=None, replace=True, tool="0",
              now="2024-01-31T10:00:00Z").state)
"""


@pytest.mark.slow
@pytest.mark.parametrize("before", [False, True])
def test_every_boundary_leaves_the_old_or_the_new_and_the_next_add_finishes_it(
    tmp_path: Path, before: bool
) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    if before:
        old.write_text(OLD)
    new.write_text(NEW)
    words = [sys.executable, "-c", ADDER, str(tmp_path / "w"), str(old), str(new)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    *killed, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert last[1:] == [0, 0]
    assert all(one[1] == signal.SIGKILL for one in killed)
    assert len(killed) > 30
    seen, announced = set(), 0
    for number, _, _ in killed:
        root = tmp_path / "w" / str(number)
        source = read_source(root, "trips") if (root / "data").exists() else None
        table = root / "data/trips.parquet"
        if source is None:
            assert not before
            # Without a description there is no table either: both come, or none.
            assert not table.exists()
        else:
            assert file_sha256(table) == source.parquet
            assert len(pl.read_parquet(table)) == source.rows
            seen.add(source.rows)
        told = examine_sources(root)
        # Only the ledger may lag by the step in flight, and then the source is announced.
        codes = {one.code for one in told if not one.harmless}
        announced += any(one.code == "unfinished-source" for one in told)
        assert codes <= {"source-not-recorded"}
        assert not codes or any(one.code == "unfinished-source" for one in told)
    assert seen == ({2, 3} if before else {3})
    assert announced > 5
    words = [sys.executable, "-c", AGAIN, str(tmp_path / "w"), str(new), str(len(killed))]
    subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    for number, _, _ in killed:
        root = tmp_path / "w" / str(number)
        source = read_source(root, "trips")
        assert source is not None
        assert source.rows == 3
        assert examine_sources(root) == []
        assert [one for one in examine(root / "evidence") if not one.harmless] == []
        said = last_recorded(root, "trips")
        assert said is not None
        assert said["parquet"] == file_sha256(root / "data/trips.parquet")
        left = {path.name for path in (root / "data").iterdir()}
        assert left == {"raw", "trips.parquet", "trips.source.toml"}
        assert all(len(name) == 64 for name in os.listdir(root / "data/raw"))
    print(f"{len(killed)} kill points tried")
