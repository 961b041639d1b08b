"""The whole flights demo as one process: wall time and peak memory, beside a bare script.

The peer is what people write without trackrecord: read the same CSV, fit the same boosted trees on
January to August, print one ROC AUC for October to December. It has no baseline, interval, seal,
evidence, contrast, page or check; the ratio says what those cost.

    python benchmarks/demo/run.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """
import io, zipfile
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder
from trackrecord.demos.flights import installed_data

raw = zipfile.ZipFile(installed_data() / "flights.csv.zip").read("flights.csv")
flights = pl.read_csv(io.BytesIO(raw), null_values=["NA", ""]).drop_nulls("arr_delay")
features = ["carrier", "origin", "dest", "distance", "hour", "minute"]
encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
train, test = flights.filter(pl.col("month") <= 8), flights.filter(pl.col("month") >= 10)
model = HistGradientBoostingClassifier(max_iter=200, learning_rate=0.05, random_state=0)
model.fit(encoder.fit_transform(train.select(features).to_numpy()), train["arr_delay"] > 15)
score = model.predict_proba(encoder.transform(test.select(features).to_numpy()))[:, 1]
print(roc_auc_score(test["arr_delay"] > 15, score))
"""


def timed(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak resident MB, and what the command printed last."""
    started = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        output.seek(0)
        text = output.read().decode(errors="replace")
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command[:4])} failed:\n{text[-2000:]}")
    scale = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * scale / 1e6, text.strip().splitlines()[-1]


def main() -> None:
    program = Path(sys.executable).with_name("trackrecord")
    with tempfile.TemporaryDirectory() as folder:
        whole = timed([str(program), "demo", "flights", "--into", f"{folder}/flights"])
    bare = timed([sys.executable, "-c", BARE])
    print("| work | seconds | peak MB | against the bare script |")
    print("| --- | ---: | ---: | ---: |")
    print(f"| `trackrecord demo flights` | {whole[0]:.1f} | {whole[1]:,.0f} ", end="")
    print(f"| {whole[0] / bare[0]:.1f} × |")
    print(f"| fit, predict, print one AUC | {bare[0]:.1f} | {bare[1]:,.0f} | 1 × |")
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
