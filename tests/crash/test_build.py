"""A build that is killed, interrupted, doubled or out of disk: tables are whole, old or new."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from trackrecord.data.build.build import build
from trackrecord.data.digest import table_digest
from trackrecord.ledger import check_chain, read_chain
from trackrecord.ledger.doctor import examine
from trackrecord.version import __version__
from trackrecord.workspace import make_workspace

# Kills its own process right before the Nth time that something reaches the disk.
KILLER = """
import os, signal, sys

left = int(sys.argv.pop(1))


def counting(name):
    call = getattr(os, name)

    def counted(*args, **named):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        return call(*args, **named)

    setattr(os, name, counted)


for name in ("replace", "rename", "fsync", "unlink"):
    counting(name)
from trackrecord.cli.main import main

code = main(sys.argv[1:])
print("left", left)
raise SystemExit(code)
"""

ROWS = 20_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """numbers → even → sums, and a step in Python behind them."""
    made = make_workspace(tmp_path / "work").root
    pl.DataFrame({"x": range(ROWS)}).write_parquet(made / "data/numbers.parquet")
    steps = made / "pipeline"
    steps.mkdir()
    (steps / "1_even.sql").write_text("SELECT x, x % 7 AS k FROM numbers WHERE x % 2 = 0")
    (steps / "2_sums.sql").write_text("SELECT k, sum(x) AS s FROM even GROUP BY k")
    return made


def command(root: Path, *words: str) -> list[str]:
    program = str(Path(sys.executable).with_name("trackrecord"))
    return [program, "data", "build", "-C", str(root), *words]


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, *words), capture_output=True, text=True, check=False)


def digests(root: Path) -> dict[str, str]:
    """The content of each built table; what is not whole raises."""
    built = sorted((root / "data/built").glob("*.parquet"))
    return {path.stem: table_digest(path).digest for path in built}


def remains(root: Path) -> list[str]:
    found = [*(root / "data/built").glob(".*"), *(root / ".trackrecord").glob("spill.*")]
    return sorted(path.name for path in found)


def change(root: Path) -> None:
    (root / "pipeline/1_even.sql").write_text("SELECT x, x % 5 AS k FROM numbers WHERE x % 4 = 0")


def assert_sound(root: Path, old: dict[str, str], new: dict[str, str]) -> None:
    """Each table is the old or the new one; the next build makes all new, and leaves nothing."""
    for name, digest in digests(root).items():
        assert digest in (old[name], new[name])
    assert [one for one in examine(root / "evidence") if not one.harmless] == []
    build(root, [], tool=__version__)
    assert digests(root) == new
    assert remains(root) == []
    assert check_chain(root / "evidence").problems == []
    for name in new:
        text = (root / f"data/built/{name}.build.toml").read_text()
        assert f'content = "{new[name]}"' in text
        evidence = {entry.evidence for entry in read_chain(root / "evidence")}
        assert text.partition('evidence = "')[2].partition('"')[0] in evidence
    assert {one.state for one in build(root, [], tool=__version__)} == {"fresh"}


@pytest.fixture
def twice(root: Path) -> tuple[Path, dict[str, str], dict[str, str]]:
    """A workspace that was built, and then changed; its tables now, and those it ought to have."""
    assert run(root).returncode == 0
    old = digests(root)
    text = (root / "pipeline/1_even.sql").read_text()
    change(root)
    assert run(root).returncode == 0
    new = digests(root)
    (root / "pipeline/1_even.sql").write_text(text)
    assert run(root).returncode == 0
    assert digests(root) == old
    change(root)
    return root, old, new


@pytest.mark.slow
def test_a_build_killed_before_any_write_of_its_own_is_made_up_for(
    twice: tuple[Path, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    root, old, new = twice
    killer = tmp_path / "killer.py"
    killer.write_text(KILLER)
    saved = tmp_path / "saved"
    subprocess.run(["cp", "-a", str(root), str(saved)], check=True)
    # Every second of them: one build has some thirty.
    killed, at = 0, 0
    while True:
        subprocess.run(["rm", "-rf", str(root)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(root)], check=True)
        words = [sys.executable, str(killer), str(at), "data", "build", "-C", str(root)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert_sound(root, old, new)
        killed, at = killed + 1, at + 2
    assert killed > 12
    assert digests(root) == new


@pytest.mark.slow
def test_a_build_killed_at_any_moment_is_made_up_for(
    twice: tuple[Path, dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    root, old, new = twice
    saved = tmp_path / "saved"
    subprocess.run(["cp", "-a", str(root), str(saved)], check=True)
    began = time.monotonic()
    assert run(root).returncode == 0
    whole = time.monotonic() - began
    dice = random.Random(7)
    killed = 0
    for _ in range(12):
        subprocess.run(["rm", "-rf", str(root)], check=True)
        subprocess.run(["cp", "-a", str(saved), str(root)], check=True)
        process = subprocess.Popen(command(root), stdout=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.3, 1.0) * whole)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert_sound(root, old, new)
    assert killed > 3


@pytest.mark.slow
def test_a_killed_build_takes_its_python_step_with_it(root: Path) -> None:
    note = root / "pid"
    (root / "pipeline/3_long.py").write_text(
        "import os, time\n\n\ndef long(sums):\n"
        f"    open({str(note)!r} + '.new', 'w').write(str(os.getpid()))\n"
        f"    os.rename({str(note)!r} + '.new', {str(note)!r})\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(command(root), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not note.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = int(note.read_text())
    process.kill()
    process.wait()
    for _ in range(100):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or ") Z" in stat.read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("the step lives on")
    assert sorted(digests(root)) == ["even", "sums"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("3_long.sql", "SELECT max(hash(a.x, b.x)) AS m FROM numbers a JOIN numbers b ON a.x <> b.x"
                       " JOIN numbers c ON c.x <> a.x"),
        ("3_long.sql", "SELECT a.x FROM numbers a JOIN numbers b ON a.x <> b.x"),
        ("3_long.py", "def long(sums):\n    while True:\n        pass\n"),
    ],
)  # fmt: skip
def test_ctrl_c_ends_it_at_once_and_leaves_nothing_half_made(
    root: Path, file: str, text: str
) -> None:
    (root / "pipeline" / file).write_text(text)
    assert run(root, "sums").returncode == 0
    process = subprocess.Popen(
        command(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 130
    assert "Traceback" not in said
    assert remains(root) == []
    assert sorted(digests(root)) == ["even", "sums"]


@pytest.mark.slow
def test_two_builds_at_once_do_the_work_once(root: Path) -> None:
    both = [
        subprocess.Popen(command(root), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    kinds = [entry.kind for entry in read_chain(root / "evidence")]
    assert kinds == ["build", "build"]
    assert sum("nothing to do" in out for out, _ in said) == 1


def limited(size: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("1_even.sql", "SELECT x, hash(x)::VARCHAR AS k FROM numbers"),
        (
            "1_even.py",
            "def even(numbers):\n    return numbers.with_columns(k=numbers['x'].hash(3))\n",
        ),
    ],
)
def test_a_full_disk_leaves_the_earlier_table_and_says_so(root: Path, file: str, text: str) -> None:
    assert run(root).returncode == 0
    before = digests(root)
    (root / "pipeline/1_even.sql").unlink()
    (root / "pipeline" / file).write_text(text)
    done = subprocess.run(
        command(root), capture_output=True, text=True, check=False,
        preexec_fn=lambda: limited(60_000),
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "free some space" in done.stderr, done.stderr
    assert digests(root) == before
    assert remains(root) == []
    assert run(root).returncode == 0
    assert digests(root)["even"] != before["even"]


@pytest.mark.slow
def test_a_small_disk_that_is_full_leaves_the_earlier_table(tmp_path: Path) -> None:
    from tests.crash.test_disk import mounted

    disk = tmp_path / "disk"
    mounted(disk, "size=1500k")
    try:
        root = make_workspace(disk / "work").root
        pl.DataFrame({"x": range(ROWS)}).write_parquet(root / "data/numbers.parquet")
        (root / "pipeline").mkdir()
        step = root / "pipeline/1_a.sql"
        step.write_text("SELECT x FROM numbers WHERE x < 10")
        assert run(root).returncode == 0
        before = digests(root)
        step.write_text("SELECT x, hash(x * 9 + range) AS h FROM numbers, range(20)")
        done = run(root)
        assert done.returncode == 2
        assert "free some space" in done.stderr, done.stderr
        assert digests(root) == before
        assert remains(root) == []
        step.write_text("SELECT x FROM numbers WHERE x < 20")
        assert run(root).returncode == 0
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_the_killer_kills(tmp_path: Path) -> None:
    path = tmp_path / "killer.py"
    path.write_text(KILLER.replace("from trackrecord.cli.main import main", "main = os.fsync"))
    done = subprocess.run([sys.executable, str(path), "0", "x"], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert os.fsync is not None
