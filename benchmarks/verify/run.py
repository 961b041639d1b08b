"""Times ``trackrecord verify`` on a publication as large as the flights'.

Verify recomputes 8 metrics of 4 models with intervals, paired differences, slices and calibration,
and one contrast. Beside it, in the same run: ``sha256sum`` over the same files (the least that
anything that checks digests can take), and scikit-learn computing only the values of the metrics
that it has, without intervals, differences or slices, from the same tables.

    python benchmarks/verify/run.py [--rows 370000] [--folder PUBLISHED]

A quarter of the rows are the sealed test. With ``--folder`` an existing publication is timed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

PROGRAM = str(Path(sys.executable).with_name("trackrecord"))

CASE = """\
spec = 1
name = "parcels"
question = "Will the parcel arrive late?"
task = "binary"
features = ["distance", "carrier", "weight"]
candidate = "forest"
intended_use = "A benchmark."
limits = ["Made-up parcels."]

[data]
path = "data/parcels.parquet"
unit = "parcel"
time = "handed_over"

[target]
column = "late"
positive = "yes"

[split]
kind = "time"
train = { first = "2023-01-01", last = "2023-08-31" }
validation = { first = "2023-09-01", last = "2023-09-30" }
test = { first = "2023-10-01", last = "2023-12-31" }

[evaluation]
metrics = ["roc_auc", "average_precision", "log_loss", "brier", "accuracy",
           "calibration_intercept", "calibration_slope", "bias"]
cluster = "day"
slices = ["carrier", "distance > 500"]

[[baseline]]
kind = "base_rate"
name = "base-rate"

[[baseline]]
kind = "table"
name = "table"
by = ["carrier"]

[[baseline]]
kind = "logistic"
name = "logistic"

[[model]]
name = "forest"
estimator = "sklearn.ensemble.HistGradientBoostingClassifier"
encode = "ordinal"
parameters = { max_iter = 40 }

[[criterion]]
name = "ranks better than the table"
require = "roc_auc difference to table > 0"

[[contrast]]
name = "random split"
split = { kind = "random", test = 0.25, validation = 0.1 }
"""


def parcels(rows: int) -> pl.DataFrame:
    """A year of parcels whose lateness depends on distance and carrier."""
    draw = np.random.default_rng(3)
    seconds = np.sort(draw.integers(0, 364 * 86_400, rows))
    times = np.datetime64("2023-01-01T00:00:00", "us") + seconds.astype("timedelta64[s]")
    distance = draw.integers(10, 1000, rows)
    carrier = draw.integers(0, 16, rows)
    late = draw.random(rows) < 0.1 + 0.3 * distance / 1000 + 0.1 * (carrier == 3)
    return pl.DataFrame(
        {
            "parcel": [f"p{number}" for number in range(rows)],
            "handed_over": pl.Series(times).dt.replace_time_zone("UTC"),
            "day": pl.Series(times).cast(pl.Date).cast(pl.String),
            "distance": distance,
            "carrier": [chr(65 + code) for code in carrier],
            "weight": draw.integers(1, 30, rows),
            "late": np.where(late, "yes", "no"),
        }
    )


def publish(root: Path, rows: int) -> Path:
    """A workspace and its publication, made by the program's own commands."""
    _trackrecord("init", str(root))
    settings = root / "trackrecord.toml"
    settings.write_text(settings.read_text() + 'tracking_uri = "none"\n')
    parcels(rows).write_parquet(root / "data" / "parcels.parquet")
    (root / "cases" / "parcels").mkdir(parents=True)
    (root / "cases" / "parcels" / "case.toml").write_text(CASE)
    there = ("-C", str(root))
    for words in (
        ["seal"],
        ["run"],
        ["evaluate"],
        ["evaluate", "--part", "test"],
        ["contrast"],
        ["publish", "--yes"],
    ):
        _trackrecord(words[0], "parcels", *words[1:], *there)
    return root / "published" / "parcels"


def _trackrecord(*words: str) -> None:
    command = [PROGRAM, *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(words)} failed:\n{ran.stderr}")


def verify(folder: Path) -> None:
    command = [PROGRAM, "verify", str(folder)]
    subprocess.run(command, capture_output=True, check=True)


def sha256sum(folder: Path) -> None:
    files = [str(path) for path in folder.rglob("*") if path.is_file()]
    subprocess.run(["sha256sum", *files], capture_output=True, check=True)


def sklearn_values(folder: Path) -> None:
    """Only values, of the metrics that scikit-learn has, in a process of its own."""
    code = """
import sys
from pathlib import Path
import polars as pl
from sklearn import metrics
for path in Path(sys.argv[1]).rglob("outcomes-*.parquet"):
    table = pl.read_parquet(path)
    truth = table["truth"].to_numpy()
    for name in table.columns:
        if name.startswith("score."):
            score = table[name].to_numpy()
            metrics.roc_auc_score(truth, score)
            metrics.average_precision_score(truth, score)
            metrics.log_loss(truth, score)
            metrics.brier_score_loss(truth, score)
            metrics.accuracy_score(truth, score >= 0.5)
"""
    subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, check=True)


def best_of(times: int, work: Callable[[Path], None], folder: Path) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work(folder)
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rows", type=int, default=370_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or publish(Path(temporary) / "w", options.rows)
        tables = sorted(folder.rglob("outcomes-*.parquet"))
        rows = {
            path.name: pl.scan_parquet(path).select(pl.len()).collect().item() for path in tables
        }
        size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        print(f"{size / 1e6:.1f} MB; rows: {', '.join(f'{n} {r:,}' for n, r in rows.items())}")
        import sklearn

        race = {
            "sha256sum of the files": sha256sum,
            f"scikit-learn {sklearn.__version__}, values of 5 metrics": sklearn_values,
            "trackrecord verify, everything": verify,
        }
        found = {name: best_of(3, work, folder) for name, work in race.items()}
    peer = list(found.values())[1]
    print(f"{'':<48}{'seconds':>9}{'ratio':>9}   ({os.cpu_count()} cores, best of 3)")
    for name, seconds in found.items():
        print(f"{name:<48}{seconds:>9.2f}{seconds / peer:>9.2f}")


if __name__ == "__main__":
    main()
