"""Runs skore's checks for leaks on the tables that ``run.py --write FOLDER`` kept.

    PEER/bin/python benchmarks/leakage/skore_peer.py FOLDER

Of skore's checks two are about leaks: a golden feature (SKD011) and times that overlap (SKD013).
A table counts as found where one of them is an issue or a tip and is not on the same split without
the leak. skore checks a fitted model: here
scikit-learn's histogram gradient boosting with numbers as they are and categories as codes.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path

import pandas as pd
import skore
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

warnings.filterwarnings("ignore")
CODES = ("SKD011", "SKD013")


def found(folder: Path) -> list[str]:
    roles = json.loads((folder / "roles.json").read_text())
    train, test = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    target = roles["target"]
    model = HistGradientBoostingClassifier(max_iter=50)
    if train[target].nunique() > 20:
        model = HistGradientBoostingRegressor(max_iter=50)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = make_column_transformer(
        ("passthrough", make_column_selector(dtype_include="number")),
        (codes, make_column_selector(dtype_include=["object", "string"])),
    )
    report = skore.EstimatorReport(
        make_pipeline(encode, model),
        X_train=train.drop(columns=target), y_train=train[target],
        X_test=test.drop(columns=target), y_test=test[target],
    )  # fmt: skip
    summary = report.checks.summarize(fast_mode=False)
    said = pd.concat([summary.frame("issue"), summary.frame("tip")])
    return [code for code in said["code"].astype(str) if code in CODES]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folders = sorted(parser.parse_args().folder.iterdir())
    honest: dict[str, set[str]] = {}
    seen: dict[str, dict[str, list[str]]] = defaultdict(dict)
    start = time.perf_counter()
    for folder in sorted(folders, key=lambda one: not one.name.startswith("clean")):
        kind, _, name = folder.name.split("--")
        try:
            codes = found(folder)
        except Exception as error:
            print(f"could not run: {folder.name}: {type(error).__name__} {str(error)[:100]}")
            continue
        if kind == "clean":
            honest[name] = set(codes)
        seen[kind][name] = [one for one in codes if kind == "clean" or one not in honest[name]]
    for kind, tables in seen.items():
        words = [f"{name}: {', '.join(codes) or 'nothing'}" for name, codes in tables.items()]
        print(f"{kind}: {sum(map(bool, tables.values()))} of {len(tables)} ({'; '.join(words)})")
    print(f"{time.perf_counter() - start:.0f} seconds")


if __name__ == "__main__":
    main()
