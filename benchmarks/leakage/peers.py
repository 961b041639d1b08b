"""Runs Deepchecks' train_test_validation on the tables that ``run.py --write FOLDER`` kept.

    PEER/bin/python benchmarks/leakage/peers.py FOLDER

It needs an environment of its own, for Deepchecks 0.19 wants numpy before 2, scikit-learn before
1.4, pandas before 2.2 and setuptools before 70. A table counts as found where a condition of the
suite fails that holds on the same split without the leak. The suite gets the same roles: label, id,
time.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

warnings.filterwarnings("ignore")


def datasets(folder: Path) -> tuple[Any, Any]:
    from deepchecks.tabular import Dataset

    roles = json.loads((folder / "roles.json").read_text())
    found = []
    for part in ("train", "test"):
        frame = pd.read_parquet(folder / f"{part}.parquet")
        named = {
            "label": roles["target"],
            "index_name": roles.get("id") or (roles.get("group") or [None])[0],
            "datetime_name": roles.get("time"),
        }
        texts = [name for name in frame if frame[name].dtype == object]
        found.append(Dataset(frame, cat_features=texts, **named))
    return found[0], found[1]


def failed(folder: Path) -> tuple[list[str], float]:
    from deepchecks.tabular.suites import train_test_validation

    train, test = datasets(folder)
    start = time.perf_counter()
    result = train_test_validation().run(train_dataset=train, test_dataset=test)
    took = time.perf_counter() - start
    return [one.check.name() for one in result.get_not_passed_checks(fail_if_warning=False)], took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    folders = sorted(parser.parse_args().folder.iterdir())
    honest: dict[str, set[str]] = {}
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    seconds = 0.0
    for folder in sorted(folders, key=lambda one: not one.name.startswith("clean")):
        kind, _, name = folder.name.split("--")
        try:
            checks, took = failed(folder)
        except Exception as error:
            print(f"could not run: {folder.name}: {type(error).__name__} {str(error)[:100]}")
            continue
        seconds += took
        if kind == "clean":
            honest[name] = set(checks)
        found[kind][name] = [one for one in checks if kind == "clean" or one not in honest[name]]
    for kind, tables in found.items():
        words = [f"{name}: {', '.join(checks) or 'nothing'}" for name, checks in tables.items()]
        print(f"{kind}: {sum(map(bool, tables.values()))} of {len(tables)} ({'; '.join(words)})")
    print(f"{seconds:.0f} seconds in the suite")


if __name__ == "__main__":
    main()
