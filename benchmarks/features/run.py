"""Races a point-in-time join of a million rows with three views against pandas' merge_asof.

The rows are asked "at the time": nothing of the same instant counts. Each of the three event tables
has several columns whose latest values are taken; two are joined by a whole number, one by a text.
Both start from tables in memory in their own form and end with the columns in the rows' order,
sorting included; events come as they are stored, in no order (--sorted: in order of time). Each
runs in turns, each time in a process of its own, and the least is shown; all values are compared.

    python benchmarks/features/run.py [--rows 1000000] [--sorted] [--feast PYTHON]

--feast names a Python that has Feast installed (feast[dask]); its local retrieval then joins the
same, once. It leaves out rows for which a view has no event, and is compared on the others.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

# name: (events for each row, entity columns, how many columns are taken)
VIEWS = {"visits": (3.0, "user", 4), "prices": (1.0, "shop", 3), "clicks": (5.0, "user", 2)}
OWN = """
import polars as pl
from trackrecord.data.asof import parse_known_by
from trackrecord.data.features.made import gathered, keys_of, offline
from trackrecord.data.features.plan import Plan, Take, ViewPlan
from trackrecord.data.features.reading import settled
rows = pl.read_parquet(folder / "rows.parquet")
views, tables = [], []
for name, (_, key, count) in VIEWS.items():
    takes = tuple(Take(f"{name}_{n}", "latest", f"{name}_{n}") for n in range(count))
    views.append(ViewPlan(name, (key,), "t", None, 0, None, takes))
    tables.append(pl.read_parquet(folder / f"{name}.parquet"))
plan = Plan("race", parse_known_by("at the time"), "UTC", "at", tuple(views))
def work():
    events = [settled(table, view, view.name).frame for table, view in zip(tables, views)]
    return offline(plan, gathered(plan, events, keys_of(rows, plan)), rows)[0]
def columns(found):
    return {name: found[name].to_numpy() for name in found.columns}
"""
PANDAS = """
import pandas as pd
rows = pd.read_parquet(folder / "rows.parquet")
tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in VIEWS}
def work():
    made = rows.sort_values("at")
    for name, (_, key, count) in VIEWS.items():
        made = pd.merge_asof(made, tables[name].sort_values("t"), left_on="at", right_on="t",
                             by=key, allow_exact_matches=False).drop(columns="t")
    return made.sort_values("id")
def columns(found):
    names = [name for name in found.columns if "_" in name]
    return {name: found[name].to_numpy() for name in names}
"""
POLARS = """
import polars as pl
rows = pl.read_parquet(folder / "rows.parquet")
tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in VIEWS}
def work():
    made = rows.sort("at")
    for name, (_, key, count) in VIEWS.items():
        made = made.join_asof(tables[name].sort("t"), left_on="at", right_on="t", by=key,
                              allow_exact_matches=False, check_sortedness=False).drop("t")
    return made.sort("id")
def columns(found):
    return {name: found[name].to_numpy() for name in found.columns if "_" in name}
"""
DUCKDB = """
import duckdb, polars as pl
rows = pl.read_parquet(folder / "rows.parquet").to_arrow()
tables = {name: pl.read_parquet(folder / f"{name}.parquet").to_arrow() for name in VIEWS}
def work():
    database = duckdb.connect()
    database.execute("SET threads = 2")
    database.register("rows", rows)
    joins, names = [], []
    for name, (_, key, count) in VIEWS.items():
        database.register(name, tables[name])
        joins.append(f"ASOF LEFT JOIN {name} ON rows.{key} = {name}.{key} AND rows.at > {name}.t")
        names += [f"{name}.{name}_{n}" for n in range(count)]
    sql = f"SELECT {', '.join(names)} FROM rows {' '.join(joins)} ORDER BY rows.id"
    return pl.from_arrow(database.execute(sql).to_arrow_reader(1 << 20).read_all())
def columns(found):
    return {name: found[name].to_numpy() for name in found.columns}
"""
FEAST = """
import pandas as pd
from datetime import timedelta
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64
rows = pd.read_parquet(folder / "rows.parquet").rename(columns={"at": "event_timestamp"})
# Feast counts what is of the same instant; a microsecond before, it does not.
rows["event_timestamp"] -= pd.Timedelta(microseconds=1)
store = FeatureStore(config=RepoConfig(
    project="race", provider="local", registry=str(folder / "registry.db"),
    online_store={"type": "sqlite", "path": str(folder / "online.db")},
    offline_store={"type": "dask"}, entity_key_serialization_version=3))
kinds = {"user": ValueType.INT64, "shop": ValueType.STRING}
entities = {key: Entity(name=key, join_keys=[key], value_type=kind) for key, kind in kinds.items()}
views, wanted = [], []
for name, (_, key, count) in VIEWS.items():
    fields = [Field(name=f"{name}_{n}", dtype=Float64) for n in range(count)]
    source = FileSource(path=str(folder / f"{name}.parquet"), timestamp_field="t")
    views.append(FeatureView(name=name, entities=[entities[key]], schema=fields, source=source,
                             ttl=timedelta(days=3650)))
    wanted += [f"{name}:{field.name}" for field in fields]
store.apply([*entities.values(), *views])
def work():
    return store.get_historical_features(entity_df=rows, features=wanted).to_df()
def columns(found):
    found = found.sort_values("id")
    return {name: found[name].to_numpy() for name in found.columns if "_" in name
            and name != "event_timestamp"}
"""
TIMED = """\
import json, sys, time, hashlib, resource
from pathlib import Path
import numpy as np
folder, VIEWS = Path(sys.argv[1]), json.loads(sys.argv[2])
{setup}
wall, cpu = time.perf_counter(), time.process_time()
found = work()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
said = {{"wall": wall, "cpu": cpu, "peak": int(peak.split()[1]) / 1e3}}
made = {{name: np.asarray(values, dtype=float) for name, values in columns(found).items()}}
whole = ~np.any([np.isnan(values) for values in made.values()], axis=0)
said["missing"] = {{name: int(np.isnan(values).sum()) for name, values in made.items()}}
said["sums"] = {{name: hashlib.sha256(values[whole].tobytes()).hexdigest()
                for name, values in made.items()}}
print(json.dumps(said))
"""


def write_tables(folder: Path, rows: int, in_order: bool) -> None:
    """A year in whole seconds; no two events of an entity at the same second, so that all agree."""
    draw = np.random.default_rng(11)
    users, shops, year = max(10, rows // 20), max(5, rows // 200), 31_536_000
    names = np.array([f"shop-{n:06d}" for n in range(shops)])
    keys = {
        "user": lambda n: draw.integers(0, users, n),
        "shop": lambda n: draw.integers(0, shops, n),
    }

    def times(seconds: np.ndarray) -> pl.Series:
        moments = (seconds + 1_356_998_400) * 1_000_000
        return pl.Series(moments).cast(pl.Datetime("us", "UTC"))

    pl.DataFrame(
        {
            "id": np.arange(rows),
            "user": keys["user"](rows),
            "shop": names[keys["shop"](rows)],
            "at": times(draw.integers(0, year, rows)),
        }
    ).write_parquet(folder / "rows.parquet")
    for name, (many, key, count) in VIEWS.items():
        n = int(many * rows)
        whose, when = keys[key](n), draw.integers(0, year, n)
        _, first = np.unique(whose * year + when, return_index=True)
        first = np.sort(first) if not in_order else first[np.argsort(when[first])]
        whose, when = whose[first], when[first]
        table = {key: whose if key == "user" else names[whose], "t": times(when)}
        table |= {f"{name}_{n}": draw.normal(size=len(first)) for n in range(count)}
        pl.DataFrame(table).write_parquet(folder / f"{name}.parquet")


def timed(python: str, setup: str, folder: Path) -> dict[str, object]:
    """One run in a process of its own."""
    done = subprocess.run(
        [python, "-c", TIMED.format(setup=setup), str(folder), json.dumps(VIEWS)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--sorted", action="store_true", help="events come in order of time")
    parser.add_argument("--feast", metavar="PYTHON", help="a Python that has Feast installed")
    options = parser.parse_args()
    version = importlib.metadata.version
    racers = {
        "trackrecord features": (sys.executable, OWN),
        f"pandas {version('pandas')} merge_asof": (sys.executable, PANDAS),
        f"polars {version('polars')} join_asof": (sys.executable, POLARS),
        f"duckdb {version('duckdb')} ASOF JOIN": (sys.executable, DUCKDB),
    }
    if options.feast:
        racers["Feast, local retrieval"] = (options.feast, FEAST)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_tables(folder, options.rows, options.sorted)
        sizes = ", ".join(f"{many * options.rows:,.0f}" for many, _, _ in VIEWS.values())
        order = "in order of time" if options.sorted else "in no order"
        print(f"{options.rows:,} rows; three views of about {sizes} events, {order}.\n")
        runs: dict[str, list[dict[str, object]]] = {racer: [] for racer in racers}
        for turn in range(options.repeats):
            for racer, (python, setup) in racers.items():
                if turn == 0 or "Feast" not in racer:
                    runs[racer].append(timed(python, setup, folder))
    own = runs["trackrecord features"]
    print("| what | processor, s | ratio | clock, s | ratio | peak, MB | same values |")
    print("|---|---:|---:|---:|---:|---:|---|")
    best = {r: {k: min(float(str(one[k])) for one in seen) for k in ("cpu", "wall", "peak")}
            for r, seen in runs.items()}  # fmt: skip
    mine = best["trackrecord features"]
    for racer, found in best.items():
        same = all(one["sums"] == own[0]["sums"] for one in runs[racer])
        all_rows = all(one["missing"] == own[0]["missing"] for one in runs[racer])
        told = "NO" if not same else "yes" if all_rows else "yes, where no view lacks one"
        print(
            f"| {racer} | {found['cpu']:.2f} | {found['cpu'] / mine['cpu']:.1f} "
            f"| {found['wall']:.2f} | {found['wall'] / mine['wall']:.1f} "
            f"| {found['peak']:,.0f} | {told} |"
        )


if __name__ == "__main__":
    main()
